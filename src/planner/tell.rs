//! Destinations that want to know are told what became of a post after it was announced: its latest text, or that it is gone.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::names::destination_channel;
use super::seal::call_body;
use super::select::earlier;
use super::{PlanError, Planned, Planner, put_off};
use crate::config::Destination;
use crate::domain::{Body, Catalog, CatalogPost, Post, PostId, Revision, Translation, Written};
use crate::store::{Action, GonePost, NewAnnouncement};
use crate::telemetry;
use crate::template::CrosspostEvent;

/// Which revision of each post a destination was told last, and when.
pub(super) type Told = HashMap<PostId, (Revision, Timestamp)>;

impl Planner {
    /// Tells `destination` what is gone of all that it was told.
    pub(super) async fn retract(
        &mut self,
        destination: &Destination,
        catalog: &Catalog,
        (planned, now): (&mut Planned, Timestamp),
    ) -> Result<(), PlanError> {
        self.welcome_back(destination, catalog, (planned, now)).await?;
        for gone in self.store.read().await?.unretracted(&destination.name).await? {
            let at = self.settled_at(&gone);
            if at > now {
                planned.next = earlier(planned.next, Some(at));
            } else if let Some(written) = remains(&gone) {
                let told = self.tell(destination, (&written, Action::Retract, &[]), now).await;
                count(planned, (destination, &written.post), told, now)?;
            }
        }
        let mut expired: HashMap<&PostId, &Arc<CatalogPost>> =
            expired(catalog, now).map(|known| (&known.post.id, known)).collect();
        // A slip in a date is mended within that time.
        expired.retain(|_, known| {
            let at = known.settled_at();
            planned.next = earlier(planned.next, Some(at).filter(|at| *at > now));
            at <= now
        });
        let ids: Vec<&PostId> = expired.keys().copied().collect();
        for id in self.store.read().await?.told_of(&destination.name, &ids).await? {
            let Some(known) = expired.get(&id) else { continue };
            let written = self.cache.written(&known.post, known.body)?;
            let told = self.tell(destination, (&written, Action::Retract, &[]), now).await;
            count(planned, (destination, &known.post), told, now)?;
        }
        Ok(())
    }

    /// A post that comes back after a destination learnt that it is gone is news there.
    async fn welcome_back(
        &mut self,
        destination: &Destination,
        catalog: &Catalog,
        (planned, now): (&mut Planned, Timestamp),
    ) -> Result<(), PlanError> {
        let mut back = self.store.read().await?.returned(&destination.name).await?;
        let live = catalog.posts.iter().filter(|known| !known.is_expired(now));
        let back = live.filter(|known| {
            let is_back = back.remove(&known.post.id);
            let at = known.settled_at();
            planned.next = earlier(planned.next, Some(at).filter(|at| is_back && *at > now));
            is_back && at <= now
        });
        let back: Vec<PostId> = back.map(|known| known.post.id.clone()).collect();
        if back.is_empty() {
            return Ok(());
        }
        let mut tx = self.store.write().await?;
        for post in &back {
            tx.forget_told(&destination.name, post).await?;
        }
        tx.commit().await?;
        let channel = destination_channel(&destination.name);
        self.told.remove(&channel);
        if let Some(had) = self.had.get_mut(&channel) {
            had.retain(|post| !back.contains(post));
        }
        Ok(())
    }

    /// Tells `destination` of posts that were edited since it was told of them.
    pub(super) async fn update(
        &mut self,
        destination: &Destination,
        catalog: &Catalog,
        (planned, now): (&mut Planned, Timestamp),
    ) -> Result<(), PlanError> {
        let channel = destination_channel(&destination.name);
        if !self.told.contains_key(&channel) {
            let told = self.store.read().await?.told_revisions(&destination.name).await?;
            self.told.insert(channel.clone(), told);
        }
        let Some(told) = self.told.get(&channel) else { return Ok(()) };
        let mut settled = Vec::new();
        for known in edited(catalog, told, now) {
            if known.settled_at() > now {
                planned.next = earlier(planned.next, Some(known.settled_at()));
            } else {
                settled.push(known);
            }
        }
        let ids: Vec<&PostId> = settled.iter().map(|known| &known.post.id).collect();
        let announced = self.store.read().await?.told_of(&destination.name, &ids).await?;
        settled.retain(|known| announced.contains(&known.post.id));
        if settled.is_empty() {
            return Ok(());
        }
        let versions = catalog.versions(&self.config.releases, &self.taken, now);
        for known in settled {
            let written = self.cache.written(&known.post, known.body)?;
            let translations = versions.of(&known.post);
            let post = (&written, Action::Update, &*translations);
            let told = self.tell(destination, post, now).await;
            if count(planned, (destination, &known.post), told, now)?
                && let Some(told) = self.told.get_mut(&channel)
            {
                told.insert(known.post.id.clone(), (known.post.revision.clone(), now));
            }
        }
        Ok(())
    }

    /// How many calls it planned: none, if another node was faster.
    async fn tell(
        &self,
        destination: &Destination,
        (written, action, translations): (&Written, Action, &[Translation]),
        now: Timestamp,
    ) -> Result<usize, PlanError> {
        let event = match action {
            Action::Create => CrosspostEvent::Published,
            Action::Update => CrosspostEvent::Updated,
            Action::Retract => CrosspostEvent::Removed,
        };
        let post = &written.post;
        let with = (&*self.config, &self.templates);
        let body = call_body(with, destination, (event, written, translations), now)
            .map_err(PlanError::Announce)?;
        let announcement = NewAnnouncement { body: &body, ..of_post(destination, post, action) };
        let mut tx = self.store.write().await?;
        if action == Action::Update {
            // One update is enough, and that is the latest.
            for call in tx.updates_under_way(&destination.name, &post.id).await? {
                tx.withdraw_call(call, "a later text takes its place", now).await?;
            }
        }
        if tx.announce(&announcement, now).await?.is_none() {
            return Ok(0);
        }
        tx.commit().await?;
        telemetry::announcement_planned(&destination.name);
        tracing::info!(post.id = %post.id, destination = %destination.name, action = action.as_str(), "announcement planned");
        Ok(1)
    }
}

/// What is noted of telling `destination` of `post`; without a body, that it counts as told.
pub(super) fn of_post<'a>(
    destination: &'a Destination,
    post: &'a Post,
    action: Action,
) -> NewAnnouncement<'a> {
    NewAnnouncement {
        action,
        post: &post.id,
        destination: &destination.name,
        revision: &post.revision,
        title: &post.title,
        body: "",
    }
}

/// The posts that were edited since a destination was told of them. What only looks different by now is no news.
pub(super) fn edited<'a>(
    catalog: &'a Catalog,
    told: &Told,
    now: Timestamp,
) -> impl Iterator<Item = &'a Arc<CatalogPost>> {
    catalog.posts.iter().filter(move |known| {
        let told = told.get(&known.post.id).filter(|_| !known.is_expired(now));
        told.is_some_and(|(revision, at)| {
            *revision != known.post.revision && known.edited_at > Some(*at)
        })
    })
}

pub(super) fn expired(
    catalog: &Catalog,
    now: Timestamp,
) -> impl Iterator<Item = &Arc<CatalogPost>> {
    catalog.posts.iter().filter(move |known| known.is_expired(now))
}

/// Adds what telling `destination` of a post came to. False: it cannot be told now, and is tried again.
fn count(
    planned: &mut Planned,
    (destination, post): (&Destination, &Post),
    told: Result<usize, PlanError>,
    now: Timestamp,
) -> Result<bool, PlanError> {
    match told {
        Ok(count) => planned.count += count,
        Err(error) => {
            put_off(planned, (&destination_channel(&destination.name), post), error, now)?;
            return Ok(false);
        }
    }
    Ok(true)
}

/// What can be said of a post whose file is gone.
pub(super) fn remains(gone: &GonePost) -> Option<Written> {
    let post = serde_json::json!({
        "id": gone.id, "revision": gone.revision, "source": gone.source, "slug": gone.slug, "link": gone.link,
        "canonical": null, "title": gone.title, "published_at": gone.published_at, "updated_at": null, "summary": "",
        "authors": [], "tags": [], "categories": [], "language": "", "image": null,
    });
    let post: Post = serde_json::from_value(post).ok()?;
    Some(Written { post: Arc::new(post), body: Arc::new(Body::default()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_post_that_is_gone_enough_is_left_to_say_so() {
        let gone = GonePost {
            id: PostId::pinned("urn:1"),
            source: "posts/a.md".to_owned(),
            slug: "a".to_owned(),
            link: "https://example.org/a/".to_owned(),
            title: "A".to_owned(),
            revision: Revision::of(["a"]),
            published_at: Timestamp::UNIX_EPOCH,
            gone_at: Timestamp::UNIX_EPOCH,
        };
        let post = remains(&gone).expect("a post that can be told of").post;
        assert_eq!(
            (post.id.as_str(), post.title.as_str(), post.link.path()),
            ("urn:1", "A", "/a/")
        );
    }
}

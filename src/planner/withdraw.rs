//! Posts that are gone, back to draft or expired: what has not gone out is stopped, and destinations that want to know are told.
//! Posts that changed after they were announced: destinations that want to know are told of the latest text.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::names::{cadence_channel, destination_channel};
use super::seal::call_body;
use super::select::earlier;
use super::{PlanError, Planned, Planner};
use crate::config::Destination;
use crate::domain::{Body, Catalog, CatalogPost, EditionId, Post, PostId, Translation, Written};
use crate::store::{Action, CallUnderWay, GonePost, NewAnnouncement, PostUnderWay, Tx, Withdrawn};
use crate::telemetry;
use crate::template::CrosspostEvent;

/// So many posts that are gone within an hour, and more than are left, are rather a disk that was not mounted or a checkout that is
/// not done than an author's wish: that hour is waited for.
const MANY: i64 = 5;
const DOUBTFUL: SignedDuration = SignedDuration::from_hours(1);

type Live<'a> = HashMap<&'a PostId, &'a Arc<CatalogPost>>;

/// Whether a post is to be taken back.
enum Gone {
    No,
    /// If it does not come back before: a file that is only moved is gone for a moment.
    At(Timestamp),
    /// What its author calls it.
    Yes(String),
}

impl Planner {
    /// Takes back what has not gone out, and tells destinations what changed.
    pub(super) async fn withdraw(
        &mut self,
        catalog: &Catalog,
        now: Timestamp,
    ) -> Result<Planned, PlanError> {
        let mut planned = Planned::default();
        let mut tx = self.store.read().await?;
        let gone = tx.gone_since(now.saturating_sub(DOUBTFUL).unwrap_or(now)).await?;
        if gone > MANY && usize::try_from(gone).is_ok_and(|gone| gone > catalog.posts.len()) {
            tracing::warn!(
                gone,
                left = catalog.posts.len(),
                "most posts are gone all at once; what was to go out of them is stopped if they are not back within an hour"
            );
            return Ok(planned);
        }
        let (editions, calls) = (tx.posts_under_way().await?, tx.calls_under_way().await?);
        drop(tx);
        if !editions.is_empty() || !calls.is_empty() {
            let live: Live<'_> =
                catalog.posts.iter().map(|known| (&known.post.id, known)).collect();
            self.withdraw_editions(editions, &live, (&mut planned, now)).await?;
            self.withdraw_calls(calls, &live, (&mut planned, now)).await?;
        }
        let config = Arc::clone(&self.config);
        for destination in config.destinations.values() {
            if destination.retracts {
                self.retract(destination, catalog, (&mut planned, now)).await?;
            }
            if destination.updates {
                self.update(destination, catalog, (&mut planned, now)).await?;
            }
        }
        Ok(planned)
    }

    async fn gone(
        &self,
        post: &PostId,
        live: &Live<'_>,
        now: Timestamp,
    ) -> Result<Gone, PlanError> {
        if let Some(known) = live.get(post) {
            let is_expired = known.is_expired(now);
            return Ok(if is_expired { Gone::Yes(known.post.slug.clone()) } else { Gone::No });
        }
        // Not among the posts and not gone: its file is broken, or its folder cannot be read.
        let Some(gone) = self.store.read().await?.gone_post(post).await? else {
            return Ok(Gone::No);
        };
        let at = self.settled_at(&gone);
        Ok(if at <= now { Gone::Yes(gone.slug) } else { Gone::At(at) })
    }

    /// When a post that is gone will not come back in the course of being moved.
    fn settled_at(&self, gone: &GonePost) -> Timestamp {
        let mut folders = self.config.posts.iter();
        let folder = folders.find(|folder| {
            gone.source.strip_prefix(&folder.name).is_some_and(|rest| rest.starts_with('/'))
        });
        let settle = folder.map(|folder| folder.settle).unwrap_or_default();
        gone.gone_at.saturating_add(settle).unwrap_or(Timestamp::MAX)
    }

    async fn withdraw_editions(
        &mut self,
        posts: Vec<PostUnderWay>,
        live: &Live<'_>,
        (planned, now): (&mut Planned, Timestamp),
    ) -> Result<(), PlanError> {
        let mut editions: BTreeMap<EditionId, Vec<(PostUnderWay, String)>> = BTreeMap::new();
        for post in posts {
            match self.gone(&post.post, live, now).await? {
                Gone::No => {}
                Gone::At(at) => planned.next = earlier(planned.next, Some(at)),
                Gone::Yes(name) => editions.entry(post.edition).or_default().push((post, name)),
            }
        }
        for (edition, gone) in editions {
            // Anew and in one step, or, where its mail cannot be composed, without it: its posts wait for the next run.
            let done = match self.withdraw_edition((edition, &gone), live, (true, now)).await {
                Err(PlanError::Store(error)) => return Err(error.into()),
                Err(error) => {
                    tracing::error!(
                        edition.id = edition.0,
                        error = %telemetry::causes(&error),
                        "what is left of this edition cannot go out now; it waits for the next run"
                    );
                    self.withdraw_edition((edition, &gone), live, (false, now)).await?
                }
                Ok(done) => done,
            };
            planned.count += done;
        }
        Ok(())
    }

    async fn withdraw_edition(
        &mut self,
        (edition, gone): (EditionId, &[(PostUnderWay, String)]),
        live: &Live<'_>,
        (anew, now): (bool, Timestamp),
    ) -> Result<usize, PlanError> {
        let config = Arc::clone(&self.config);
        let mut tx = self.store.write().await?;
        let mut sealed = false;
        for (post, name) in gone {
            let withdrawn = tx.withdraw_from_edition(post, name, now).await?;
            tracing::warn!(
                edition.id = edition.0,
                post = name,
                "a post was taken down: {}",
                in_words(withdrawn)
            );
            if withdrawn == Withdrawn::Paused {
                continue;
            }
            if withdrawn == Withdrawn::Whole
                && let Some((newsletter, cadence)) = tx.cadence_of_edition(edition).await?
                && let Some(newsletter) = config.newsletters.get(&newsletter)
            {
                let left = left_of(&mut tx, edition, gone, live).await?;
                if anew && !left.is_empty() {
                    let left: Vec<_> = left.iter().collect();
                    sealed = self.seal(&mut tx, (newsletter, cadence), &left, now).await?;
                }
                let carried = tx.carried(&newsletter.name, cadence).await?;
                self.had.insert(cadence_channel(newsletter, cadence), carried);
            }
            break;
        }
        tx.commit().await?;
        Ok(usize::from(sealed))
    }

    async fn withdraw_calls(
        &mut self,
        calls: Vec<CallUnderWay>,
        live: &Live<'_>,
        (planned, now): (&mut Planned, Timestamp),
    ) -> Result<(), PlanError> {
        for call in calls {
            let is_retraction = call.action == Action::Retract.as_str();
            let why = match self.gone(&call.post, live, now).await? {
                Gone::Yes(name) if !is_retraction => format!("`{name}` was taken down"),
                Gone::No if is_retraction && live.contains_key(&call.post) => {
                    "the post is back".to_owned()
                }
                Gone::At(at) => {
                    planned.next = earlier(planned.next, Some(at));
                    continue;
                }
                Gone::Yes(_) | Gone::No => continue,
            };
            let mut tx = self.store.write().await?;
            if !tx.withdraw_call(call.delivery, &why, now).await? {
                continue;
            }
            let announced = tx.announced(&call.destination).await?;
            tx.commit().await?;
            tracing::warn!(delivery.id = call.delivery.0, destination = %call.destination, why, "not told any more");
            self.had.insert(format!("destination:{}", call.destination), announced);
        }
        Ok(())
    }

    /// Tells `destination` what is gone of all that it was told.
    async fn retract(
        &mut self,
        destination: &Destination,
        catalog: &Catalog,
        (planned, now): (&mut Planned, Timestamp),
    ) -> Result<(), PlanError> {
        for gone in self.store.read().await?.unretracted(&destination.name).await? {
            let at = self.settled_at(&gone);
            if at > now {
                planned.next = earlier(planned.next, Some(at));
            } else if let Some(written) = remains(&gone) {
                planned.count +=
                    self.tell(destination, (&written, Action::Retract, &[]), now).await?;
            }
        }
        for known in catalog.posts.iter().filter(|known| known.is_expired(now)) {
            let key = (destination.name.clone(), known.post.id.clone());
            if self.expired.contains(&key) {
                continue;
            }
            let mut tx = self.store.read().await?;
            if tx.is_announced(&destination.name, &known.post.id).await? {
                let written = self.cache.written(&known.post, known.body)?;
                let post = (&written, Action::Retract, &[][..]);
                planned.count += self.tell(destination, post, now).await?;
            }
            self.expired.insert(key);
        }
        Ok(())
    }

    /// Tells `destination` of posts that changed since it was told of them.
    async fn update(
        &mut self,
        destination: &Destination,
        catalog: &Catalog,
        (planned, now): (&mut Planned, Timestamp),
    ) -> Result<(), PlanError> {
        let channel = destination_channel(destination);
        if !self.told.contains_key(&channel) {
            let told = self.store.read().await?.told_revisions(&destination.name).await?;
            self.told.insert(channel.clone(), told);
        }
        let told = self.told.get(&channel);
        let changed: Vec<_> = catalog
            .posts
            .iter()
            .filter(|known| !known.is_expired(now))
            .filter(|known| {
                let told = told.and_then(|told| told.get(&known.post.id));
                told.is_some_and(|(revision, at)| {
                    *revision != known.post.revision && known.edited_at > Some(*at)
                })
            })
            .map(Arc::clone)
            .collect();
        for known in changed {
            if known.settled_at() > now {
                planned.next = earlier(planned.next, Some(known.settled_at()));
                continue;
            }
            let mut tx = self.store.read().await?;
            if !tx.is_announced(&destination.name, &known.post.id).await? {
                continue;
            }
            drop(tx);
            let written = self.cache.written(&known.post, known.body)?;
            let translations = catalog.translations(&known.post, now);
            let post = (&written, Action::Update, &*translations);
            planned.count += self.tell(destination, post, now).await?;
            if let Some(told) = self.told.get_mut(&channel) {
                told.insert(known.post.id.clone(), (known.post.revision.clone(), now));
            }
        }
        Ok(())
    }

    /// How many calls it planned: none, if another node was faster or it cannot be composed.
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
        let body = match call_body(
            (&self.config, &self.templates),
            destination,
            (event, written, translations),
            now,
        ) {
            Ok(body) => body,
            Err(problem) => {
                tracing::error!(post.id = %post.id, destination = %destination.name, %problem, "this cannot be told");
                return Ok(0);
            }
        };
        let announcement = NewAnnouncement {
            action,
            post: &post.id,
            destination: &destination.name,
            revision: &post.revision,
            title: &post.title,
            body: &body,
        };
        let mut tx = self.store.write().await?;
        // One update is enough, and that is the latest.
        for call in tx.calls_under_way().await? {
            if action == Action::Update
                && call.action == action.as_str()
                && call.post == post.id
                && call.destination == destination.name
            {
                tx.withdraw_call(call.delivery, "a later text takes its place", now).await?;
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

/// The posts of an edition that may still go out.
async fn left_of(
    tx: &mut Tx,
    edition: EditionId,
    gone: &[(PostUnderWay, String)],
    live: &Live<'_>,
) -> Result<Vec<Arc<CatalogPost>>, PlanError> {
    let posts = tx.posts_of_edition(edition).await?;
    let left = posts
        .into_iter()
        .map(|(post, _)| PostId::pinned(post))
        .filter(|post| gone.iter().all(|(gone, _)| gone.post != *post));
    Ok(left.filter_map(|post| live.get(&post).map(|known| Arc::clone(known))).collect())
}

fn in_words(withdrawn: Withdrawn) -> &'static str {
    match withdrawn {
        Withdrawn::Whole => "its edition is cancelled, nobody had it",
        Withdrawn::Rest => "whoever has not had its edition does not get it",
        Withdrawn::Paused => "its edition has other posts and some have it, so it is paused",
        Withdrawn::Nothing => "its edition was over",
    }
}

/// What can be said of a post whose file is gone.
fn remains(gone: &GonePost) -> Option<Written> {
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
    use crate::domain::Revision;

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

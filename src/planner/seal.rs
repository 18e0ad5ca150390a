//! Making what goes out: an edition sealed with its posts, the body of a call.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use jiff::Timestamp;

use super::images::bundle_image;
use super::tell::of_post;
use super::{PlanError, Planner};
use crate::config::{Config, Destination, DestinationKind, Newsletter};
use crate::domain::{
    Cadence, CatalogPost, Channel, Diagnostic, Lane, PostId, Revision, Translation, Versions,
    Written,
};
use crate::mail::{self, Composed, EditionInput};
use crate::store::{Action, NewAnnouncement, NewEdition, Tx};
use crate::telemetry;
use crate::template::{CrosspostContext, CrosspostEvent, SiteContext, Templates};

impl Planner {
    /// Seals the edition of those who were dealt a share: its number, and how many they are. `texts` has what other editions needed
    /// before.
    pub(super) async fn seal(
        &self,
        (tx, texts): (&mut Tx, &mut HashMap<PostId, Written>),
        (newsletter, cadence): (&Newsletter, Cadence),
        (posts, language, share): (&[&Arc<CatalogPost>], Option<&str>, (i64, i64)),
        now: Timestamp,
    ) -> Result<(), PlanError> {
        for known in posts {
            if let Entry::Vacant(place) = texts.entry(known.post.id.clone()) {
                place.insert(self.cache.written(&known.post, known.body)?);
            }
        }
        let written: Vec<Written> =
            posts.iter().filter_map(|known| texts.get(&known.post.id).cloned()).collect();
        let composed = compose(
            (&self.config, &self.templates),
            (newsletter, cadence),
            &written,
            (language, now),
        )
        .map_err(PlanError::Compose)?;
        let revisions: Vec<_> =
            posts.iter().map(|known| (&known.post.id, &known.post.revision)).collect();
        let edition = (newsletter, cadence, language);
        self.seal_as(tx, edition, (&composed, &revisions), (share, now)).await
    }

    /// The same of a mail that is written already.
    pub(super) async fn seal_as(
        &self,
        tx: &mut Tx,
        (newsletter, cadence, language): (&Newsletter, Cadence, Option<&str>),
        (composed, posts): (&Composed, &[(&PostId, &Revision)]),
        (share, now): ((i64, i64), Timestamp),
    ) -> Result<(), PlanError> {
        for warning in &composed.warnings {
            tracing::warn!(newsletter = %newsletter.name, "{warning}");
        }
        let lane = if cadence == Cadence::Instant { Lane::Instant } else { Lane::Digest };
        let samples = self.config.mail.canary.samples(share.1);
        let edition = NewEdition {
            newsletter: &newsletter.name,
            cadence,
            language,
            subject: &composed.subject,
            content: &serde_json::to_string(composed)?,
            posts,
            lane,
            channel: &newsletter.mail_channel(),
            samples: &samples,
        };
        let sealed = tx.seal_edition(&edition, share, now).await?;
        telemetry::edition_sealed(&newsletter.name, cadence.as_str());
        tracing::info!(
            edition.id = sealed.id.0,
            newsletter = %newsletter.name,
            %cadence,
            posts = posts.len(),
            audience = sealed.audience,
            "edition sealed"
        );
        Ok(())
    }

    /// How many announcements it made: none, if another node was faster.
    pub(super) async fn announce(
        &self,
        destination: &Destination,
        (known, versions): (&Arc<CatalogPost>, &Versions<'_>),
        now: Timestamp,
    ) -> Result<usize, PlanError> {
        let post = &known.post;
        let written = self.cache.written(post, known.body)?;
        let with = (&*self.config, &self.templates);
        let translations = versions.of(post);
        let published = (CrosspostEvent::Published, &written, &*translations);
        let body = call_body(with, destination, published, now).map_err(PlanError::Announce)?;
        let announcement =
            NewAnnouncement { body: &body, ..of_post(destination, post, Action::Create) };
        let mut tx = self.store.write().await?;
        if tx.announce(&announcement, now).await?.is_none() {
            return Ok(0);
        }
        tx.commit().await?;
        telemetry::announcement_planned(&destination.name);
        tracing::info!(post.id = %post.id, destination = %destination.name, "announcement planned");
        Ok(1)
    }
}

/// The page of the only one of `posts`. None: readers of the mail would come too early, or there is no archive.
pub(super) fn page_url(config: &Config, posts: &[Written], now: Timestamp) -> Option<String> {
    let [Written { post, .. }] = posts else { return None };
    // What a queue holds for the feeds may have had its turn, but nobody knows here.
    let due = config.releases.due(post, &Channel::Feeds, &HashMap::new());
    (config.archive.enabled && due.is_live(now))
        .then(|| format!("{}{}", config.server.public_url, post.id.page()))
}

/// The mail of an edition of `newsletter` with these posts, sealed at `sealed_at`. Its own words are in `language`, else in the newsletter's.
pub fn compose(
    (config, templates): (&Config, &Templates),
    (newsletter, cadence): (&Newsletter, Cadence),
    posts: &[Written],
    (language, sealed_at): (Option<&str>, Timestamp),
) -> Result<Composed, Box<Diagnostic>> {
    let page_url = page_url(config, posts, sealed_at);
    let input = EditionInput {
        posts,
        page_url: page_url.as_deref(),
        ..without_posts(config, (newsletter, cadence), (language, sealed_at))
    };
    guarded(|| {
        let mut composed = mail::compose_edition(templates, &input)?;
        if newsletter.inline_images {
            mail::inline_images(&mut composed, |url| bundle_image(config, posts, url));
        }
        Ok(composed)
    })
}

/// The welcome mail of `newsletter` that is the template `name` by itself.
pub fn compose_welcome(
    (config, templates): (&Config, &Templates),
    newsletter: &Newsletter,
    name: &str,
    in_and_at: (Option<&str>, Timestamp),
) -> Result<Composed, Box<Diagnostic>> {
    let input = without_posts(config, (newsletter, Cadence::Instant), in_and_at);
    guarded(|| mail::compose_welcome(templates, &input, name))
}

fn without_posts<'a>(
    config: &'a Config,
    (newsletter, cadence): (&'a Newsletter, Cadence),
    (language, sealed_at): (Option<&'a str>, Timestamp),
) -> EditionInput<'a> {
    EditionInput {
        language,
        site: &config.site,
        newsletter,
        cadence,
        posts: &[],
        public_url: &config.server.public_url,
        postal_address: &config.mail.address,
        page_url: None,
        sealed_at,
    }
}

/// The body of the call that tells `destination` what happened to a post.
pub(super) fn call_body(
    (config, templates): (&Config, &Templates),
    destination: &Destination,
    (event, written, translations): (CrosspostEvent, &Written, &[Translation]),
    now: Timestamp,
) -> Result<String, Box<Diagnostic>> {
    let DestinationKind::Webhook(webhook) = &destination.kind;
    let name = webhook.template.as_deref().unwrap_or("default");
    let site = SiteContext {
        title: config.site.title.clone(),
        description: config.site.description.clone(),
        url: config.site.url.to_string(),
        language: config.site.language.clone(),
    };
    let about = (written, destination.name.as_str());
    let context = CrosspostContext::of(event, about, translations, site, now);
    guarded(|| templates.render(&format!("crosspost/{name}.json"), &context))
}

/// A panic while something is made is a bug that one post must pay for, not the daemon: the row that caused it stays due,
/// and a crash would come back with every restart.
pub(super) fn guarded<T>(
    make: impl FnOnce() -> Result<T, Diagnostic>,
) -> Result<T, Box<Diagnostic>> {
    let outcome = catch_unwind(AssertUnwindSafe(make));
    outcome
        .unwrap_or_else(|_| {
            let message = "cannot be made because of a bug in Postrider, please report it";
            Err(Diagnostic::error("internal", message).effect("it stays due and is tried again"))
        })
        .map_err(Box::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bug_in_composing_is_a_diagnostic() {
        let problem = guarded::<()>(|| panic!("a bug")).unwrap_err();
        assert_eq!(problem.code, "internal");
        assert!(guarded(|| Ok(1)).is_ok());
    }
}

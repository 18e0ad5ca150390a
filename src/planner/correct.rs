//! Corrections: a mailed post that its author has corrected, told to those who had it, once for each edit.

use std::sync::Arc;

use jiff::Timestamp;

use super::images::bundle_image;
use super::seal::{guarded, page_url};
use super::select::earlier;
use super::{PlanError, Planned, Planner, TRY_AGAIN, put_off};
use crate::config::{Config, Newsletter};
use crate::domain::{
    Cadence, Catalog, CatalogPost, Correction, Diagnostic, Lane, Written, correction_of,
};
use crate::mail::{self, Composed, EditionInput};
use crate::store::{Edit, NewEdition, StoreError, Tx};
use crate::telemetry;
use crate::template::Templates;

impl Planner {
    /// Seals the corrections that authors wish and that have settled.
    pub(super) async fn run_corrections(
        &mut self,
        newsletter: &Newsletter,
        catalog: &Catalog,
        now: Timestamp,
    ) -> Result<Planned, PlanError> {
        let mut planned = Planned::default();
        let channel = newsletter.mail_channel();
        for (known, correction) in wished(catalog, now) {
            let post = &known.post;
            let key = (newsletter.name.clone(), post.id.clone(), known.edited_at);
            if self.corrected.contains(&key) {
                continue;
            }
            if known.settled_at() > now {
                planned.next = earlier(planned.next, Some(known.settled_at()));
                continue;
            }
            let Some(edit) = edit(newsletter, known) else { continue };
            let mut tx = self.store.read().await?;
            if tx.is_still_going_out(edit).await? {
                planned.next = earlier(planned.next, now.saturating_add(TRY_AGAIN).ok());
                continue;
            }
            drop(tx);
            match self.correct(newsletter, known, &correction, now).await {
                Ok(sealed) => {
                    planned.count += usize::from(sealed);
                    self.corrected.insert(key);
                }
                Err(error) => put_off(&mut planned, (&channel, post), error, now)?,
            }
        }
        Ok(planned)
    }

    /// Seals an edition that tells those subscribers of `newsletter` of a corrected post who had it before. False: nobody had,
    /// or it was sealed before.
    pub async fn correct(
        &self,
        newsletter: &Newsletter,
        known: &Arc<CatalogPost>,
        correction: &Correction,
        now: Timestamp,
    ) -> Result<bool, PlanError> {
        let post = &known.post;
        let Some(edit) = edit(newsletter, known) else { return Ok(false) };
        // Most have been told of long ago: nobody need wait for us to find that out.
        if self.store.read().await?.is_corrected(edit).await? {
            return Ok(false);
        }
        let mut tx = self.store.write().await?;
        let audience = tx.correction_audience(edit).await?;
        if audience == 0 {
            return Ok(false);
        }
        let with = (&*self.config, &self.templates);
        let written = self.cache.written(post, known.body)?;
        let composed = compose_correction(with, newsletter, (&written, correction), now)
            .map_err(PlanError::Compose)?;
        for warning in &composed.warnings {
            tracing::warn!(newsletter = %newsletter.name, "{warning}");
        }
        let edition = NewEdition {
            language: None,
            newsletter: &newsletter.name,
            cadence: Cadence::Instant,
            subject: &composed.subject,
            content: &serde_json::to_string(&composed)?,
            posts: &[(&post.id, &post.revision)],
            lane: Lane::Instant,
            channel: &newsletter.mail_channel(),
            samples: &self.config.mail.canary.samples(audience),
        };
        let Some(sealed) = tx.seal_correction(&edition, (audience, edit.edited_at), now).await?
        else {
            return Ok(false);
        };
        tx.commit().await?;
        telemetry::edition_sealed(&newsletter.name, "correction");
        tracing::info!(
            edition.id = sealed.id.0,
            newsletter = %newsletter.name,
            post.id = %post.id,
            audience = sealed.audience,
            "correction sealed"
        );
        Ok(true)
    }
}

/// How many are to be told; none, if they were.
pub(super) async fn correction_audience(tx: &mut Tx, edit: Edit<'_>) -> Result<i64, StoreError> {
    if tx.is_corrected(edit).await? { Ok(0) } else { tx.correction_audience(edit).await }
}

/// What is to be told of; none, if nobody edited the post as long as it is known.
pub(super) fn edit<'a>(newsletter: &'a Newsletter, known: &'a CatalogPost) -> Option<Edit<'a>> {
    let post = &known.post;
    let edited_at = known.edited_at?;
    Some(Edit { newsletter: &newsletter.name, post: &post.id, revision: &post.revision, edited_at })
}

/// The posts whose authors wish a correction.
pub(super) fn wished(
    catalog: &Catalog,
    now: Timestamp,
) -> impl Iterator<Item = (&Arc<CatalogPost>, Correction)> {
    let edited = catalog.posts.iter().filter(|known| known.edited_at.is_some());
    let posts = edited.filter(move |known| !known.is_expired(now));
    posts.filter_map(|known| Some((known, correction_of(&known.post)?)))
}

/// The mail that tells of a corrected post.
pub fn compose_correction(
    (config, templates): (&Config, &Templates),
    newsletter: &Newsletter,
    (written, correction): (&Written, &Correction),
    sealed_at: Timestamp,
) -> Result<Composed, Box<Diagnostic>> {
    let posts = std::slice::from_ref(written);
    let page_url = page_url(config, posts, sealed_at);
    let input = EditionInput {
        language: None,
        site: &config.site,
        newsletter,
        cadence: Cadence::Instant,
        posts,
        public_url: &config.server.public_url,
        postal_address: &config.mail.address,
        page_url: page_url.as_deref(),
        sealed_at,
    };
    guarded(|| {
        let mut composed = mail::compose_correction(templates, &input, correction)?;
        if newsletter.inline_images {
            mail::inline_images(&mut composed, |url| bundle_image(config, posts, url));
        }
        Ok(composed)
    })
}

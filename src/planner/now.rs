//! Editions that a person decides on, in place of a schedule.

use std::sync::Arc;

use jiff::Timestamp;

use super::names::Way;
use super::{PlanError, Planner};
use crate::config::Newsletter;
use crate::domain::{Cadence, Catalog, CatalogPost};

/// What a cadence of a newsletter has not carried yet, oldest first.
#[derive(Clone, Debug, Default)]
pub struct Waiting {
    /// May go out now.
    pub ready: Vec<Arc<CatalogPost>>,
    /// From when on each of the others may, if it stays as it is.
    pub later: Vec<(Timestamp, Arc<CatalogPost>)>,
}

impl Planner {
    /// What waits for `newsletter` in this cadence.
    pub fn waiting_for(
        &self,
        newsletter: &Newsletter,
        cadence: Cadence,
        catalog: &Catalog,
        now: Timestamp,
    ) -> Waiting {
        let way = Way::by_mail(newsletter, cadence);
        let mut waiting = Waiting::default();
        for candidate in self.waiting(&way, catalog, now) {
            if candidate.is_ready(now) {
                waiting.ready.push(candidate.post);
            } else {
                waiting.later.push((candidate.ready_at, candidate.post));
            }
        }
        waiting.later.sort_by_key(|(at, _)| *at);
        waiting
    }

    /// Seals an edition of `posts` without waiting for a tick: one for each post in the `instant` cadence. Says how many were
    /// sealed; fewer, where another node carried a post at the same moment.
    pub async fn seal_now(
        &self,
        (newsletter, cadence): (&Newsletter, Cadence),
        posts: &[Arc<CatalogPost>],
        now: Timestamp,
    ) -> Result<usize, PlanError> {
        let each = if cadence == Cadence::Instant { 1 } else { posts.len().max(1) };
        let mut sealed = 0;
        for posts in posts.chunks(each) {
            let mut tx = self.store.write().await?;
            let posts: Vec<_> = posts.iter().collect();
            if self.seal(&mut tx, (newsletter, cadence), &posts, now).await? {
                tx.commit().await?;
                sealed += 1;
            }
        }
        Ok(sealed)
    }
}

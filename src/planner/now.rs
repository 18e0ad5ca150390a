//! Editions that a person decides on, in place of a schedule.

use std::collections::HashSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::foresight::Foreseen;
use super::share::{Of, is_instant};
use super::{PlanError, Planner};
use crate::config::Newsletter;
use crate::domain::{Cadence, Catalog, CatalogPost, PostId, Segment};
use crate::store::{StoreError, Whose};

/// What is due to the subscribers of a cadence of a newsletter, oldest first.
#[derive(Clone, Debug, Default)]
pub struct Waiting {
    /// May go out now.
    pub ready: Vec<Arc<CatalogPost>>,
    /// From when on each of the others may, if it stays as it is.
    pub later: Vec<(Timestamp, Arc<CatalogPost>)>,
    /// How many would get some of what is ready.
    pub audience: i64,
}

impl Planner {
    /// What waits for a newsletter in a cadence, or for those of it whom a segment means; where nobody has it so, what would wait for
    /// somebody who always had.
    pub async fn waiting_for(
        &self,
        edition: (&Newsletter, Cadence, Option<&Segment>),
        catalog: &Catalog,
        now: Timestamp,
    ) -> Result<Waiting, StoreError> {
        let foreseen = Foreseen::of(self, edition, catalog, now).await?;
        let (pieces, audience) = foreseen.all(now);
        let mut waiting = Waiting { audience, ..Waiting::default() };
        for (at, known) in pieces {
            if at <= now {
                waiting.ready.push(known);
            } else {
                waiting.later.push((at, known));
            }
        }
        waiting.later.sort_by_key(|(at, _)| *at);
        Ok(waiting)
    }

    /// Seals an edition of `posts` without waiting for a tick: one for each post in the `instant` cadence. Says how many were
    /// sealed; none, where all had them by now. With `only`, which is for digests, the others get the posts when they are due to them.
    pub async fn seal_now(
        &self,
        (newsletter, cadence, only): (&Newsletter, Cadence, Option<&Segment>),
        (catalog, posts): (&Catalog, &[Arc<CatalogPost>]),
        now: Timestamp,
    ) -> Result<usize, PlanError> {
        let each = if is_instant(cadence) { 1 } else { posts.len().max(1) };
        let mut sealed = 0;
        for posts in posts.chunks(each) {
            let mut tx = self.store.write().await?;
            let ids: Vec<&PostId> = posts.iter().map(|known| &known.post.id).collect();
            tx.note_news(&newsletter.name, &ids, now).await?;
            if is_instant(cadence) && !tx.claim_alone(&newsletter.name, ids[0], now).await? {
                continue;
            }
            let meant: HashSet<PostId> = ids.into_iter().cloned().collect();
            let whose = only.map_or(Whose::Cadence(cadence), |only| Whose::Meant(cadence, only));
            let due = (newsletter, cadence, whose);
            sealed += self.seal_due(&mut tx, due, (catalog, Of::Only(&meant)), now).await?;
            tx.commit().await?;
        }
        Ok(sealed)
    }
}

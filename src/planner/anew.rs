//! Beginning anew from a database that does not know what went out since it was made.

use std::sync::Arc;

use jiff::Timestamp;

use super::Planner;
use super::correct::{edit, wished};
use super::names::{expression_key, queue_schedule};
use super::tell::{edited, expired, of_post, remains};
use crate::config::Destination;
use crate::domain::{Catalog, Post, Queue, QueuedRelease, Releases};
use crate::store::{Action, Pending, StoreError, Tx};

/// Runs of one queue that are made up for at most.
const MOST_RUNS: usize = 10_000;

impl Planner {
    /// Takes the fence away, and everything behind it: what waits is cancelled, what fell due until `now` counts as done, and
    /// posts that are there count as carried unless they are due later, in the text and with the corrections that they have now. `catalog` must hold all posts, with their sightings
    /// committed before `now`. Returns what was cancelled.
    pub async fn begin_anew(
        &self,
        catalog: &Catalog,
        now: Timestamp,
    ) -> Result<Pending, StoreError> {
        const WHY: &str = "dropped with `fence release --skip`";
        let mut tx = self.store.write().await?;
        let posts: Vec<_> = catalog.posts.iter().map(|known| Arc::clone(&known.post)).collect();
        for queue in &self.config.releases.queues {
            pass_over(&mut tx, queue, &posts, now).await?;
        }
        let dropped = tx.drop_pending(WHY, now).await?;
        self.count_as_corrected(&mut tx, catalog, now).await?;
        for destination in self.config.destinations.values() {
            count_as_told(&mut tx, destination, catalog, now).await?;
        }
        tx.lift_fence("skip", now).await?;
        tx.commit().await?;
        Ok(dropped)
    }

    /// Of the corrections that authors wish nobody knows here whether they went out.
    async fn count_as_corrected(
        &self,
        tx: &mut Tx,
        catalog: &Catalog,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        for newsletter in self.config.newsletters.values() {
            for (known, _) in wished(catalog, now) {
                if let Some(edit) = edit(newsletter, known) {
                    tx.note_correction(None, edit, now).await?;
                }
            }
        }
        Ok(())
    }
}

/// Nor whether `destination` was told what became of its posts.
async fn count_as_told(
    tx: &mut Tx,
    destination: &Destination,
    catalog: &Catalog,
    now: Timestamp,
) -> Result<(), StoreError> {
    if destination.updates {
        let told = tx.told_revisions(&destination.name).await?;
        for known in edited(catalog, &told, now) {
            let update = of_post(destination, &known.post, Action::Update);
            tx.note_announcement(&update, now.max(known.edited_at.unwrap_or(now))).await?;
        }
    }
    if destination.retracts {
        for gone in tx.unretracted(&destination.name).await? {
            if let Some(written) = remains(&gone) {
                let retraction = of_post(destination, &written.post, Action::Retract);
                tx.note_announcement(&retraction, now).await?;
            }
        }
        let ids: Vec<_> = expired(catalog, now).map(|known| &known.post.id).collect();
        let told = tx.told_of(&destination.name, &ids).await?;
        for known in expired(catalog, now).filter(|known| told.contains(&known.post.id)) {
            let retraction = of_post(destination, &known.post, Action::Retract);
            tx.note_announcement(&retraction, now).await?;
        }
    }
    Ok(())
}

/// Takes from `queue` what its runs until `now` would have taken: they were made, and nobody wrote it down here.
async fn pass_over(
    tx: &mut Tx,
    queue: &Queue,
    posts: &[Arc<Post>],
    now: Timestamp,
) -> Result<(), StoreError> {
    let row = tx.schedule(&queue_schedule(queue), &expression_key(&queue.schedule), now).await?;
    let mut taken = tx.queued_releases().await?;
    let mut at = row.considered_until;
    for _ in 0..MOST_RUNS {
        let Some(run) = queue.schedule.next_after(at).filter(|run| *run <= now) else { break };
        at = run;
        let next: Vec<_> =
            Releases::next_in_queue(queue, posts, &taken).into_iter().cloned().collect();
        if next.is_empty() {
            break;
        }
        for post in next {
            tx.release_from_queue(&queue.name, &post, at).await?;
            let release = QueuedRelease { queue: queue.name.clone(), post: post.clone(), at };
            taken.insert(post, release);
        }
    }
    Ok(())
}

//! Rolling editions out: when a stage went well the next is released, else the edition is paused, with the reason.
//!
//! Every node may do it: releasing and pausing twice is the same as once.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;

use super::Dispatch;
use crate::domain::{Counts, EditionId, EditionState, Gate};
use crate::store::{RunningEdition, StoreError};
use crate::telemetry;

/// How often the editions under way are looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Since when everything of a stage was tried, as far as this process saw.
type TriedAt = HashMap<(EditionId, i64), Timestamp>;

pub(super) async fn run(dispatch: Dispatch) {
    let mut tried_at = TriedAt::new();
    while !dispatch.stop.is_cancelled() {
        if let Err(error) = look(&dispatch, &mut tried_at).await {
            tracing::error!(
                error = %telemetry::causes(&error),
                "cannot see how editions fare; none goes on to its next stage until that works"
            );
        }
        tokio::select! {
            () = dispatch.stop.cancelled() => {}
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

async fn look(dispatch: &Dispatch, tried_at: &mut TriedAt) -> Result<(), StoreError> {
    let mut tx = dispatch.store.read().await?;
    if tx.fenced().await?.is_some() {
        return Ok(());
    }
    let running = tx.running_editions().await?;
    drop(tx);
    tried_at.retain(|(edition, _), _| running.iter().any(|running| running.id == *edition));
    for edition in running {
        let is_rolling =
            edition.state == EditionState::Sealed && edition.stage < edition.last_stage;
        if is_rolling {
            judge(dispatch, &edition, tried_at).await?;
        }
    }
    Ok(())
}

async fn judge(
    dispatch: &Dispatch,
    edition: &RunningEdition,
    tried_at: &mut TriedAt,
) -> Result<(), StoreError> {
    let now = dispatch.clock.now();
    let counts = counts(edition);
    let key = (edition.id, edition.stage);
    if counts.waiting > 0 {
        tried_at.remove(&key);
    }
    let since = if counts.waiting > 0 { now } else { *tried_at.entry(key).or_insert(now) };
    match dispatch.config.mail.canary.judge(&counts, since, now) {
        Gate::Wait(_) => Ok(()),
        Gate::Release => {
            let mut tx = dispatch.store.write().await?;
            let released = tx.release_stage(edition.id, edition.stage + 1, now).await?;
            tx.commit().await?;
            if released {
                tracing::info!(
                    edition.id = edition.id.0,
                    stage = edition.stage + 1,
                    "the edition goes on to its next stage"
                );
                dispatch.planned.notify_waiters();
            }
            Ok(())
        }
        Gate::Pause(why) => {
            let mut tx = dispatch.store.write().await?;
            let paused = tx.pause_edition_itself(edition.id, &why, now).await?;
            tx.commit().await?;
            if paused {
                tracing::error!(
                    edition.id = edition.id.0,
                    newsletter = %edition.newsletter,
                    why,
                    "the edition paused itself; `postrider editions` resumes, corrects or cancels it"
                );
            }
            Ok(())
        }
    }
}

/// Of the latest stage only: what went wrong before is what somebody corrected, or decided to live with.
fn counts(edition: &RunningEdition) -> Counts {
    let mut sum = Counts::default();
    for stage in edition.counts.iter().filter(|counted| counted.stage == edition.stage) {
        sum.accepted += stage.accepted;
        sum.rejected += stage.rejected.iter().map(|(_, count)| count).sum::<i64>();
        sum.deferred += stage.deferred;
        sum.uncertain += stage.uncertain;
        sum.waiting += stage.waiting;
        sum.complained += stage.complained;
    }
    sum
}

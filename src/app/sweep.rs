//! Deletes what is kept no longer (`[privacy]`), a little at a time: nobody who writes waits long for it.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::config::Privacy;
use crate::store::{Dust, Store, StoreError};
use crate::telemetry;
use crate::web::WebState;

/// The first time, when a start is through with what matters more.
const AT_FIRST: SignedDuration = SignedDuration::from_mins(2);
const EVERY: SignedDuration = SignedDuration::from_hours(6);
/// Others get their turn in between.
const BREATH: Duration = Duration::from_millis(100);

/// Until it is stopped. What goes wrong is told, and tried again the next time.
pub(super) async fn run(state: WebState, stop: CancellationToken) -> anyhow::Result<()> {
    let mut next = state.clock.now() + AT_FIRST;
    loop {
        tokio::select! {
            () = state.clock.sleep_until(next) => {}
            () = stop.cancelled() => return Ok(()),
        }
        let privacy = state.config.load().privacy;
        for (dust, before) in due(&privacy, state.clock.now()) {
            match sweep(&state.store, (dust, before), &stop).await {
                Ok(0) => {}
                Ok(rows) => tracing::info!(rows, what = ?dust, "deleted what is kept no longer"),
                Err(error) => {
                    tracing::warn!(error = %telemetry::causes(&error), what = ?dust, "cannot delete what is over");
                }
            }
        }
        next = state.clock.now() + EVERY;
    }
}

/// What may go, and how old it must be.
fn due(privacy: &Privacy, now: Timestamp) -> Vec<(Dust, Timestamp)> {
    let kept = [
        (Dust::Attempts, privacy.keep_attempts),
        (Dust::Letters, privacy.keep_attempts),
        (Dust::Pending, privacy.keep_pending),
        (Dust::Confirmations, privacy.keep_pending),
        (Dust::AddressChanges, privacy.keep_pending),
        (Dust::Consents, privacy.keep_consents),
        (Dust::Events, privacy.keep_events),
    ];
    // Nothing is older than time itself.
    kept.into_iter()
        .filter_map(|(dust, for_long)| Some((dust, now.checked_sub(for_long).ok()?)))
        .collect()
}

async fn sweep(
    store: &Store,
    (dust, before): (Dust, Timestamp),
    stop: &CancellationToken,
) -> Result<u64, StoreError> {
    let mut all = 0;
    while !stop.is_cancelled() {
        let mut tx = store.write().await?;
        let swept = tx.sweep(dust, before).await?;
        tx.commit().await?;
        if swept == 0 {
            break;
        }
        all += swept;
        tokio::time::sleep(BREATH).await;
    }
    Ok(all)
}

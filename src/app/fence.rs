//! Follows the database while the daemon works: whether it is the one that it was, and whether a fence is around it.

use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::clock::SharedClock;
use crate::store::{Store, Watchman};
use crate::telemetry;

/// How soon a release is noticed, and how much work a backup may be behind without being told apart.
const LOOK: Duration = Duration::from_secs(1);
/// How often the log says that nothing goes out.
const REMIND: Duration = Duration::from_hours(1);

/// Waits for the database and looks at it. None: stopped before it answered.
pub(super) async fn recognise(
    store: &Store,
    clock: &SharedClock,
    stop: &CancellationToken,
) -> Option<Watchman> {
    loop {
        match store.recognise(clock.now()).await {
            Ok(watchman) => return Some(watchman),
            Err(error) => tracing::error!(
                error = %telemetry::causes(&error),
                "the database does not answer; trying again"
            ),
        }
        tokio::select! {
            () = stop.cancelled() => return None,
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

/// Looks every second until `done`, and once more then. `told` is whether there is a fence.
pub(super) async fn guard(
    mut watchman: Watchman,
    clock: SharedClock,
    told: watch::Sender<bool>,
    done: CancellationToken,
) {
    let mut said_at = None;
    loop {
        let is_fenced = tell(&watchman, &mut said_at);
        told.send_if_modified(|before| std::mem::replace(before, is_fenced) != is_fenced);
        let is_over = tokio::select! {
            () = done.cancelled() => true,
            () = tokio::time::sleep(LOOK) => false,
        };
        let now: Timestamp = clock.now();
        if let Err(error) = watchman.look(now).await {
            // Whoever needs the database tells of it.
            tracing::debug!(error = %telemetry::causes(&error), "the database cannot be looked at");
        }
        if is_over {
            return;
        }
    }
}

fn tell(watchman: &Watchman, said_at: &mut Option<Instant>) -> bool {
    let fenced = watchman.fenced();
    telemetry::fenced(fenced.is_some());
    match fenced {
        Some(fenced) if said_at.is_none_or(|at| at.elapsed() >= REMIND) => {
            *said_at = Some(Instant::now());
            tracing::error!(
                why = fenced.why,
                since = %fenced.since,
                "nothing goes out, no mail, no confirmation, no call, until a person has looked: `postrider fence`"
            );
        }
        None if said_at.take().is_some() => {
            tracing::info!("the fence is gone: mail and calls go out again");
        }
        Some(_) | None => {}
    }
    fenced.is_some()
}

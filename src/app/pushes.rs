//! Telling others of what changed, apart from mail and calls: the loops, and what they have in common.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::hub::{Distribution, Hub, Questions};
use super::pings::Pings;
use crate::crosspost::Pusher;
use crate::domain::{Attempt, Outcome, RetryPolicy, Verdict, random_spread};
use crate::store::StoreError;
use crate::telemetry;
use crate::web::WebState;

/// What is under way is nobody else's for so long: longer than all calls that are taken at once take.
const LEASE: SignedDuration = SignedDuration::from_mins(10);
/// How soon to look again after a failure of our own, and whether a fence is gone.
const AGAIN: SignedDuration = SignedDuration::from_secs(30);
/// How often to look whether another node left something.
const LOOK: SignedDuration = SignedDuration::from_mins(5);
/// How long calls under way may take when it is time to stop.
const GRACE: Duration = Duration::from_secs(5);
/// Calls at once, by each loop.
pub(super) const CALLS: usize = 8;

/// What there is to tell, of one kind.
pub(super) trait Push: Send + Sync + 'static {
    /// Tells what is due at `now`, and takes it until `until`. How many that were.
    fn round(
        &self,
        now: Timestamp,
        until: Timestamp,
    ) -> impl Future<Output = Result<usize, StoreError>> + Send;

    /// When something is due, if anything is.
    fn next(&self) -> impl Future<Output = Result<Option<Timestamp>, StoreError>> + Send;
}

/// Starts the loops as services.
pub(super) fn start(
    services: &mut JoinSet<anyhow::Result<()>>,
    state: &WebState,
    passes: &Arc<watch::Sender<u64>>,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let config = state.config.load_full();
    let allow = config.feeds.hub.as_ref().map_or(&[][..], |hub| &hub.allow);
    let pusher = Pusher::new(&config.server.public_url, allow, Arc::clone(&state.clock))
        .context("prepare to tell others of changes")?;
    if let Some(hub) = &config.feeds.hub {
        let hub = Hub {
            state: state.clone(),
            config: Arc::clone(&config),
            url: hub.url.clone(),
            pusher: pusher.clone(),
        };
        let halves = (Questions(hub.clone()), Distribution(hub));
        spawn(services, halves.0, state, passes.subscribe(), stop.clone());
        spawn(services, halves.1, state, passes.subscribe(), stop.clone());
    }
    let pings = Pings::new(state.clone(), config, pusher);
    spawn(services, pings, state, passes.subscribe(), stop.clone());
    Ok(())
}

fn spawn(
    services: &mut JoinSet<anyhow::Result<()>>,
    push: impl Push,
    state: &WebState,
    passes: watch::Receiver<u64>,
    stop: CancellationToken,
) {
    let state = state.clone();
    services.spawn(async move {
        run(push, &state, passes, &stop).await;
        Ok(())
    });
}

/// Tells what there is to tell until `stop`. Each of the desk's `passes` may have brought something.
async fn run(
    push: impl Push,
    state: &WebState,
    mut passes: watch::Receiver<u64>,
    stop: &CancellationToken,
) {
    let clock = &state.clock;
    let after = |wait| clock.now().saturating_add(wait).unwrap_or(Timestamp::MAX);
    let mut asks = state.hub_requests();
    loop {
        passes.mark_unchanged();
        asks.mark_unchanged();
        let look_at = match turns(&push, state, stop).await {
            // What is due and was not taken is behind a fence.
            Ok(Some(next)) if next <= clock.now() => after(AGAIN),
            Ok(next) => next.unwrap_or(Timestamp::MAX).min(after(LOOK)),
            Err(error) => {
                let error = telemetry::causes(&error);
                tracing::debug!(%error, "what is to be told waits for the database");
                after(AGAIN)
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            changed = passes.changed() => if changed.is_err() { return },
            asked = asks.changed() => if asked.is_err() { return },
            () = clock.sleep_until(look_at) => {}
        }
    }
}

/// Until nothing is due.
async fn turns(
    push: &impl Push,
    state: &WebState,
    stop: &CancellationToken,
) -> Result<Option<Timestamp>, StoreError> {
    loop {
        let now = state.clock.now();
        let until = now.saturating_add(LEASE).unwrap_or(Timestamp::MAX);
        let mut round = std::pin::pin!(push.round(now, until));
        let done = tokio::select! {
            done = &mut round => done?,
            // What was told is to be noted, else it is told again; but nobody who stalls holds us up.
            () = stop.cancelled() => match tokio::time::timeout(GRACE, round).await {
                Ok(done) => done?,
                Err(_) => return Ok(None),
            }
        };
        if done == 0 || stop.is_cancelled() {
            return push.next().await;
        }
    }
}

/// What follows an attempt of which `outcome` came; the first is number 1.
pub(super) fn verdict(
    policy: &RetryPolicy,
    (number, owed_at): (i64, Timestamp),
    outcome: &Outcome,
    now: Timestamp,
) -> Verdict {
    let number = u32::try_from(number).unwrap_or(u32::MAX);
    let attempt = Attempt { number, planned_at: owed_at, ended_at: now };
    policy.verdict(attempt, outcome, random_spread())
}

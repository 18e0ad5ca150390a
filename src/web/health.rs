//! For machines that watch: alive, ready, metrics.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use axum::response::{IntoResponse as _, Response};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::WebState;
use crate::config::Config;
use crate::store::{QueueRow, StoreError};
use crate::telemetry;

/// How old the queues' numbers may be: counting them costs a query.
const GAUGES_AGE: SignedDuration = SignedDuration::from_secs(5);
/// How long a probe waits for the database. Probes give up after a few seconds themselves.
const DATABASE_WITHIN: Duration = Duration::from_secs(3);

/// When the queues were counted last. Holding it means counting.
#[derive(Debug, Default)]
pub(super) struct Gauges(Mutex<Option<Timestamp>>);

/// `GET /healthz`: the process answers. Asks nobody, so that a database that is away restarts nothing.
pub(super) async fn alive() -> Response {
    ([(CACHE_CONTROL, "no-store")], "alive\n").into_response()
}

/// `GET /readyz`: whether this process can do its work, or why not.
pub(super) async fn ready(State(state): State<WebState>) -> Response {
    let mut reasons = Vec::new();
    if state.draining.is_cancelled() {
        reasons.push("stopping: what is in flight is being finished");
    }
    if timeout(DATABASE_WITHIN, state.store.is_ready()).await != Ok(true) {
        reasons.push("the database cannot be written to");
    }
    if reasons.is_empty() {
        return ([(CACHE_CONTROL, "no-store")], "ready\n").into_response();
    }
    let text = format!("not ready: {}\n", reasons.join("; "));
    let headers = [(CACHE_CONTROL, "no-store"), (RETRY_AFTER, "10")];
    (StatusCode::SERVICE_UNAVAILABLE, headers, text).into_response()
}

/// `GET /metrics`. Without a database the queues keep their last numbers.
pub(super) async fn metrics(State(state): State<WebState>) -> Response {
    refresh(&state).await;
    let headers = [(CONTENT_TYPE, telemetry::METRICS_CONTENT_TYPE), (CACHE_CONTROL, "no-store")];
    (headers, telemetry::metrics_text()).into_response()
}

async fn refresh(state: &WebState) {
    // Somebody else is counting: their numbers will do.
    let Ok(mut counted_at) = state.kept.gauges.0.try_lock() else { return };
    let now = state.clock.now();
    if counted_at.is_some_and(|at| now.duration_since(at) < GAUGES_AGE) {
        return;
    }
    *counted_at = Some(now);
    match timeout(DATABASE_WITHIN, queues(state)).await {
        Ok(Ok(rows)) => publish(&state.config.load(), &rows, now),
        Ok(Err(error)) => {
            let error = telemetry::causes(&error);
            tracing::warn!(%error, "the queues could not be counted for the metrics");
        }
        Err(_) => tracing::warn!("the database took too long to count the queues for the metrics"),
    }
}

async fn queues(state: &WebState) -> Result<Vec<QueueRow>, StoreError> {
    state.store.read().await?.queues().await
}

/// A channel with nothing in it has no row, and must be told so. Leftovers of channels that went from the
/// configuration have one as long as they last.
fn publish(config: &Config, rows: &[QueueRow], now: Timestamp) {
    for channel in channels(config) {
        if !rows.iter().any(|row| row.channel == channel) {
            telemetry::queue(&channel, 0, 0, 0.0);
        }
    }
    for row in rows {
        let age = row.oldest_at.map_or(SignedDuration::ZERO, |at| now.duration_since(at));
        telemetry::queue(&row.channel, row.waiting, row.held, age.as_secs_f64().max(0.0));
    }
}

/// Every channel that the configuration has: `mail:SERVER`, `destination:NAME`.
pub(super) fn channels(config: &Config) -> Vec<String> {
    let mail = config.mail.servers.keys().map(|name| format!("mail:{name}"));
    let destinations = config.destinations.keys().map(|name| format!("destination:{name}"));
    mail.chain(destinations).collect()
}

//! What Postrider tells those who run it: logs to standard error, metrics in Prometheus' text form.
//!
//! Callers name things in plain words; nothing here knows the configuration. No metric has an address or a token in a
//! label, and every label has as many values as the configuration has names.

mod logs;
mod metrics;

pub use logs::{LogFormat, ReloadHandle, TelemetryError, causes, init};
pub use metrics::{
    METRICS_CONTENT_TYPE, announcement_planned, config_reload, delivery, edition_sealed,
    feed_readers, feed_request, feeds_held, fenced, http_request, metrics_text, posts, pushed,
    queue, server_reachable, tick, watching,
};

//! File events as hints. An event can be lost, doubled or late (network mounts send none at all); the rescan is the truth.

use std::path::PathBuf;
use std::time::Duration;

use notify_debouncer_full::notify::{self, RecommendedWatcher, RecursiveMode};
use notify_debouncer_full::{DebounceEventResult, Debouncer, RecommendedCache, new_debouncer};
use tokio::sync::mpsc;

use crate::telemetry;

/// Something may have changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hint {
    /// Look at these.
    Paths(Vec<PathBuf>),
    /// Events were lost: look at everything.
    Rescan,
}

/// Watches for as long as it lives.
#[derive(Debug)]
pub struct Watch {
    _debouncer: Debouncer<RecommendedWatcher, RecommendedCache>,
}

/// Watches `folders` and everything below; hints arrive once a change has been quiet for `debounce`.
pub fn watch(
    folders: &[PathBuf],
    debounce: Duration,
) -> Result<(Watch, mpsc::Receiver<Hint>), notify::Error> {
    let (hints, receiver) = mpsc::channel(64);
    let mut debouncer = new_debouncer(debounce, None, move |events: DebounceEventResult| {
        let Some(hint) = hint(events) else { return };
        // Fails only when nobody listens any more.
        let _ = hints.blocking_send(hint);
    })?;
    for folder in folders {
        debouncer.watch(folder, RecursiveMode::Recursive)?;
    }
    Ok((Watch { _debouncer: debouncer }, receiver))
}

fn hint(events: DebounceEventResult) -> Option<Hint> {
    match events {
        Err(errors) => {
            for error in errors {
                tracing::warn!(
                    error = %telemetry::causes(&error),
                    "watching files failed; rescanning"
                );
            }
            Some(Hint::Rescan)
        }
        Ok(events) if events.iter().any(|event| event.need_rescan()) => Some(Hint::Rescan),
        Ok(events) => {
            let mut paths: Vec<PathBuf> = events
                .into_iter()
                .filter(|event| !event.kind.is_access())
                .flat_map(|event| event.event.paths)
                .collect();
            paths.sort();
            paths.dedup();
            (!paths.is_empty()).then_some(Hint::Paths(paths))
        }
    }
}

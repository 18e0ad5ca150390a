//! The desk: looks after the posts, publishes the feeds first, then plans what is due.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

use crate::config::{Config, WatchMode};
use crate::domain::{Catalog, Diagnostic};
use crate::ingest::{Ingest, publish_feeds};
use crate::planner::Planner;
use crate::store::StoreError;
use crate::telemetry;
use crate::watch::{self, Hint, Watch};
use crate::web::WebState;

/// How soon to try again when the database did not answer.
const TRY_AGAIN: SignedDuration = SignedDuration::from_secs(2);

/// Whom the desk tells.
pub(super) struct Bells {
    /// Rung when dispatch has something to do.
    pub(super) dispatch: Arc<Notify>,
    /// Raised after each pass.
    pub(super) passes: Arc<tokio::sync::watch::Sender<u64>>,
    /// Whether there is a fence around everything that goes out: the desk is told when it is gone.
    pub(super) fence: tokio::sync::watch::Receiver<bool>,
}

pub(super) struct Desk {
    state: WebState,
    config: Arc<Config>,
    bells: Bells,
    stop: CancellationToken,
    /// Problems that the log has told already.
    told: HashSet<String>,
}

impl Desk {
    pub(super) fn new(state: &WebState, bells: Bells, stop: CancellationToken) -> Self {
        let config = state.config.load_full();
        Self { state: state.clone(), config, bells, stop, told: HashSet::new() }
    }

    pub(super) async fn run(mut self) -> Result<(), StoreError> {
        let Some((mut planner, mut ingest)) = self.open().await else { return Ok(()) };
        let mut watched = self.watch();
        let mut look = Look::Everywhere;
        let mut has_looked = false;
        let mut rescan_at = Timestamp::MAX;
        loop {
            let now = self.state.clock.now();
            if matches!(look, Look::Everywhere) {
                rescan_at = now.saturating_add(self.config.watch.rescan).unwrap_or(Timestamp::MAX);
            }
            let looked = match &look {
                Look::Everywhere => ingest.rescan(now).await,
                Look::At(paths) => ingest.refresh(paths, now).await,
                Look::Nowhere => Ok(()),
            };
            has_looked |= looked.is_ok();
            let retry_at = looked.is_err().then(|| now.saturating_add(TRY_AGAIN).unwrap_or(now));
            if let Err(error) = looked {
                tracing::error!(
                    error = %telemetry::causes(&error),
                    "changed posts cannot be taken in; trying again"
                );
            }
            // Until then the catalog is empty, and would empty the feeds of the configuration before.
            let next = if has_looked {
                self.publish_and_plan(&mut planner, &ingest.catalog(), now).await
            } else {
                None
            };
            self.bells.passes.send_modify(|passes| *passes += 1);
            let wake_at = [next, retry_at, Some(rescan_at)].into_iter().flatten().min();
            look = tokio::select! {
                () = self.stop.cancelled() => return Ok(()),
                () = is_lifted(&mut self.bells.fence) => Look::Nowhere,
                hint = next_hint(&mut watched) => match hint {
                    Hint::Paths(paths) => Look::At(paths),
                    Hint::Rescan => Look::Everywhere,
                },
                () = self.state.clock.sleep_until(wake_at.unwrap_or(rescan_at)) => {
                    let now = self.state.clock.now();
                    let is_due = now >= rescan_at || retry_at.is_some();
                    if is_due { Look::Everywhere } else { Look::Nowhere }
                }
            };
        }
    }

    /// The planner first: a channel that is new exists before the posts that this run finds. Waits for the database.
    async fn open(&self) -> Option<(Planner, Ingest)> {
        loop {
            match self.try_open().await {
                Ok(opened) => return Some(opened),
                Err(error) => tracing::error!(
                    error = %telemetry::causes(&error),
                    "the database does not answer; trying again"
                ),
            }
            tokio::select! {
                () = self.stop.cancelled() => return None,
                () = tokio::time::sleep(Duration::from_secs(1)) => {}
            }
        }
    }

    async fn try_open(&self) -> Result<(Planner, Ingest), StoreError> {
        let templates = self.state.templates.load();
        let store = self.state.store.clone();
        let now = self.state.clock.now();
        let planner =
            Planner::open(Arc::clone(&self.config), (**templates).clone(), store.clone(), now)
                .await?;
        let ingest = Ingest::open(Arc::clone(&self.config), store).await?;
        Ok((planner, ingest))
    }

    fn watch(&self) -> Option<(Watch, mpsc::Receiver<Hint>)> {
        if self.config.watch.mode == WatchMode::Poll {
            return None;
        }
        let folders: Vec<_> = self
            .config
            .posts
            .iter()
            .map(|folder| folder.path.clone())
            .filter(|path| path.is_dir())
            .collect();
        let debounce = Duration::try_from(self.config.watch.debounce).unwrap_or_default();
        watch::watch(&folders, debounce)
            .inspect_err(|error| {
                tracing::warn!(
                    error = %telemetry::causes(error),
                    "cannot watch the posts; the rescan finds changes, only later"
                );
            })
            .ok()
    }

    /// Feeds first: they can be corrected, mail cannot. Returns when something falls due by itself.
    async fn publish_and_plan(
        &mut self,
        planner: &mut Planner,
        catalog: &Catalog,
        now: Timestamp,
    ) -> Option<Timestamp> {
        self.tell(&catalog.problems);
        let mut feeds_change_at = self.publish(planner, catalog, now);
        let done = planner.plan(catalog, now).await;
        if done.released {
            feeds_change_at = self.publish(planner, catalog, now);
        }
        if done.count > 0 {
            self.bells.dispatch.notify_waiters();
        }
        [done.next, feeds_change_at].into_iter().flatten().min()
    }

    fn publish(&self, planner: &Planner, catalog: &Catalog, now: Timestamp) -> Option<Timestamp> {
        let previous = self.state.shelf.load();
        let (rendered, changes_at) =
            publish_feeds(&self.config, catalog, planner.taken(), &previous, now);
        telemetry::posts(rendered.live_posts, catalog.broken);
        self.state.shelf.store(Arc::new(rendered));
        changes_at
    }

    /// Each problem once, until it is mended.
    fn tell(&mut self, problems: &[Diagnostic]) {
        let current: HashSet<String> = problems.iter().map(ToString::to_string).collect();
        for problem in problems {
            if self.told.contains(&problem.to_string()) {
                continue;
            }
            if problem.is_error() {
                tracing::error!("{problem}");
            } else {
                tracing::warn!("{problem}");
            }
        }
        self.told = current;
    }
}

/// Resolves when a fence that was there is gone.
async fn is_lifted(fence: &mut tokio::sync::watch::Receiver<bool>) {
    while fence.changed().await.is_ok() {
        if !*fence.borrow_and_update() {
            return;
        }
    }
    // Nobody guards any more: everything is about to end.
    std::future::pending::<()>().await;
}

enum Look {
    Everywhere,
    At(Vec<std::path::PathBuf>),
    Nowhere,
}

/// The next hint; never, when nobody watches.
async fn next_hint(watched: &mut Option<(Watch, mpsc::Receiver<Hint>)>) -> Hint {
    if let Some((_, hints)) = watched
        && let Some(hint) = hints.recv().await
    {
        return hint;
    }
    std::future::pending().await
}

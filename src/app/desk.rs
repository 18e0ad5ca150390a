//! The desk: looks after the posts, publishes the feeds first, then plans what is due.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::domain::{Catalog, Diagnostic};
use crate::ingest::{self, Ingest, publish_feeds};
use crate::planner::Planner;
use crate::store::{PostCache, StoreError};
use crate::telemetry;
use crate::watch::{Hint, Watch};
use crate::web::WebState;

/// How soon to try again when the database did not answer.
const TRY_AGAIN: SignedDuration = SignedDuration::from_secs(2);

/// How soon a decision on what is held is taken up.
const ASK_AGAIN: SignedDuration = SignedDuration::from_secs(5);

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
        let Some(opened) = self.open().await else { return Ok(()) };
        let Opened { mut planner, mut ingest, cache } = opened;
        let mut watch = Watch::for_posts(&self.config.posts, &self.config.watch);
        let mut look = Look::Everywhere;
        let mut has_looked = false;
        let mut rescan_at = Timestamp::MAX;
        loop {
            if matches!(look, Look::Everywhere) {
                tokio::select! {
                    () = self.stop.cancelled() => return Ok(()),
                    () = watch.settled() => {}
                }
            }
            let now = self.state.clock.now();
            if matches!(look, Look::Everywhere) {
                rescan_at = now.saturating_add(self.config.watch.rescan).unwrap_or(Timestamp::MAX);
                // Before the look, so that whatever changes during it is noticed.
                watch = renewed(watch, now).await;
                telemetry::watching(watch.has_events());
            }
            let looked = match &look {
                Look::Everywhere => ingest.rescan(now).await,
                Look::At(paths) => ingest.refresh(paths, now).await,
                Look::Nowhere => ingest.look_at_holds().await,
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
                let mut catalog = ingest.catalog();
                catalog.problems.extend(watch.problems().cloned());
                self.publish_and_plan((&mut planner, &cache), &catalog, now).await
            } else {
                None
            };
            self.bells.passes.send_modify(|passes| *passes += 1);
            let held_at =
                ingest.holds_something().then(|| now.saturating_add(ASK_AGAIN).unwrap_or(now));
            let wake_at = [next, retry_at, held_at, Some(rescan_at)].into_iter().flatten().min();
            look = tokio::select! {
                () = self.stop.cancelled() => return Ok(()),
                () = is_lifted(&mut self.bells.fence) => Look::Nowhere,
                hint = watch.next() => match hint {
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
    async fn open(&self) -> Option<Opened> {
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

    async fn try_open(&self) -> Result<Opened, StoreError> {
        let templates = self.state.templates.load();
        let store = self.state.store.clone();
        let now = self.state.clock.now();
        let cache = ingest::open_cache(&self.config, &store)?;
        let (config, with) = (Arc::clone(&self.config), (store.clone(), cache.clone()));
        let planner = Planner::open(config, (**templates).clone(), with, now).await?;
        let ingest = Ingest::open(Arc::clone(&self.config), store, cache.clone()).await?;
        Ok(Opened { planner, ingest, cache })
    }

    /// Feeds first: they can be corrected, mail cannot. Returns when something falls due by itself.
    async fn publish_and_plan(
        &mut self,
        (planner, cache): (&mut Planner, &PostCache),
        catalog: &Catalog,
        now: Timestamp,
    ) -> Option<Timestamp> {
        self.tell(&catalog.problems);
        let mut feeds_change_at = self.publish((planner, cache), catalog, now);
        let done = planner.plan(catalog, now).await;
        if done.released {
            feeds_change_at = self.publish((planner, cache), catalog, now);
        }
        if done.count > 0 {
            self.bells.dispatch.notify_waiters();
        }
        [done.next, feeds_change_at].into_iter().flatten().min()
    }

    fn publish(
        &self,
        (planner, cache): (&Planner, &PostCache),
        catalog: &Catalog,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let previous = self.state.shelf.load();
        let with = (&*self.config, cache);
        let (rendered, changes_at) = publish_feeds(with, catalog, planner.taken(), &previous, now)
            .inspect_err(|error| {
                tracing::error!(
                    error = %telemetry::causes(error),
                    "the feeds cannot be made anew; those before stay"
                );
            })
            .ok()?;
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

struct Opened {
    planner: Planner,
    ingest: Ingest,
    cache: PostCache,
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

/// Renews the watch where it may block. A panic in there is ours, and ends us.
async fn renewed(mut watch: Watch, now: Timestamp) -> Watch {
    let renewing = tokio::task::spawn_blocking(move || {
        watch.renew(now);
        watch
    });
    match renewing.await {
        Ok(watch) => watch,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

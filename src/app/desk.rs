//! The desk: looks after the posts, publishes the feeds first, then plans what is due.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::feed_guard::FeedGuard;
use crate::config::{Config, WatchMode};
use crate::domain::{Catalog, Diagnostic, FeedIds, PostId};
use crate::feed::{Document, Places, Shelf};
use crate::ingest::{self, Ingest, Press, Published, publish_feeds, settle_validators};
use crate::planner::Planner;
use crate::store::{PostCache, Store, StoreError};
use crate::telemetry;
use crate::watch::{Hint, Watch};
use crate::web::{Archive, WebState};

/// How soon to try again when the database did not answer.
const TRY_AGAIN: SignedDuration = SignedDuration::from_secs(2);

/// How soon a decision on what is held is taken up.
const ASK_AGAIN: SignedDuration = SignedDuration::from_secs(5);
/// Who chose something waits so long for others.
const FOR_OTHERS: Duration = Duration::from_secs(1);

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
    /// Changes when subscribers chose something by which mail may be due at once.
    choices: tokio::sync::watch::Receiver<u64>,
    stop: CancellationToken,
    /// Problems that the log has told already.
    told: HashSet<String>,
}

impl Desk {
    pub(super) fn new(state: &WebState, bells: Bells, stop: CancellationToken) -> Self {
        let config = state.config.load_full();
        let choices = state.choices();
        Self { state: state.clone(), config, bells, choices, stop, told: HashSet::new() }
    }

    pub(super) async fn run(mut self) -> Result<(), StoreError> {
        let Some(mut opened) = self.open().await else { return Ok(()) };
        let mut watch = Watch::for_posts(&self.config.posts, &self.config.watch);
        let is_watched = self.config.watch.mode != WatchMode::Poll;
        let mut look = if is_watched { Look::Unheard } else { Look::Everywhere };
        let mut wake = Wake { rescan_at: Timestamp::MAX, due_at: None };
        loop {
            if matches!(look, Look::Unheard | Look::Everywhere) {
                tokio::select! {
                    () = self.stop.cancelled() => return Ok(()),
                    () = watch.settled() => {}
                }
            }
            let now = self.state.clock.now();
            if matches!(look, Look::Everywhere) {
                wake.rescan_at =
                    now.saturating_add(self.config.watch.rescan).unwrap_or(Timestamp::MAX);
                // Before the look, so that whatever changes during it is noticed.
                watch = renewed(watch, now).await;
                telemetry::watching(watch.has_events());
                opened.ids.renew(&self.state.store).await;
                let lost: Vec<String> = opened.cache.take_lost().into_iter().collect();
                make_anew(&mut opened.ingest, &lost);
            }
            let looked = look.at(&mut opened.ingest, now).await;
            let mut is_whole = looked.is_ok();
            if let Err(error) = &looked {
                tracing::error!(
                    error = %telemetry::causes(error),
                    "changed posts cannot be taken in; trying again"
                );
            }
            // Until everything was looked at once, an empty catalog would empty the feeds of the configuration before.
            if !matches!(looked, Ok(false)) && opened.ingest.has_scanned() {
                let mut catalog = opened.ingest.catalog();
                catalog.problems.extend(watch.problems().cloned());
                let passed = self.publish_and_plan(&mut opened, &catalog, now).await;
                wake.due_at = passed.due_at;
                is_whole &= read_again(&mut opened.ingest, &passed.unread);
            }
            self.bells.passes.send_modify(|passes| *passes += 1);
            let next = if is_whole && matches!(look, Look::Unheard) {
                Some(Look::Everywhere)
            } else if is_whole {
                self.next_look(&mut watch, &wake, opened.ingest.holds_something()).await
            } else {
                self.look_again(now).await
            };
            let Some(next) = next else { return Ok(()) };
            look = next;
        }
    }

    /// What failed is owed in whole: no hint stands in for it. Hints that come meanwhile are kept. None: it is to stop.
    async fn look_again(&self, now: Timestamp) -> Option<Look> {
        let again = now.saturating_add(TRY_AGAIN).unwrap_or(now);
        tokio::select! {
            () = self.stop.cancelled() => None,
            () = self.state.clock.sleep_until(again) => Some(Look::Everywhere),
        }
    }

    /// Waits for something to look at. None: it is to stop.
    async fn next_look(
        &mut self,
        watch: &mut Watch,
        wake: &Wake,
        holds_something: bool,
    ) -> Option<Look> {
        let clock = Arc::clone(&self.state.clock);
        let now = clock.now();
        let held_at = holds_something.then(|| now.saturating_add(ASK_AGAIN).unwrap_or(now));
        let wake_at = [wake.due_at, held_at, Some(wake.rescan_at)].into_iter().flatten().min();
        tokio::select! {
            () = self.stop.cancelled() => None,
            () = is_lifted(&mut self.bells.fence) => Some(Look::AtTheClock),
            () = has_chosen(&mut self.choices) => Some(Look::AtTheClock),
            hint = watch.next() => Some(match hint {
                Hint::Paths(paths) => Look::At(paths),
                Hint::Rescan => Look::Everywhere,
            }),
            () = clock.sleep_until(wake_at.unwrap_or(wake.rescan_at)) => {
                let now = clock.now();
                Some(match wake.due_at {
                    _ if now >= wake.rescan_at => Look::Everywhere,
                    Some(at) if now >= at => Look::AtTheClock,
                    _ => Look::AtHolds,
                })
            }
        }
    }

    /// What readers had before we came they have until everything was looked at.
    fn serve_again(&self, documents: BTreeMap<String, Arc<Document>>) {
        if self.state.shelf.load().documents.is_empty() {
            let before = Shelf { is_from_before: true, documents, ..Shelf::default() };
            self.state.shelf.store(Arc::new(before));
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
        let (guard, before) = FeedGuard::open(&store).await?;
        self.serve_again(before);
        let cache = ingest::open_cache(&self.config, &store)?;
        let (config, with) = (Arc::clone(&self.config), (store.clone(), cache.clone()));
        let planner = Planner::open(config, (**templates).clone(), with, now).await?;
        if self.state.archive.load().is_empty() {
            let gone = store.read().await?.gone_links().await?;
            self.state.archive.store(Arc::new(Archive::of_the_gone(&self.config, &gone)));
        }
        let ingest = Ingest::open(Arc::clone(&self.config), store, cache.clone()).await?;
        let mut places = Places::default();
        places.extend(self.state.store.read().await?.feed_places(0).await?);
        // Without them readers would see posts under other ids.
        let ids = Adopted::read(&self.state.store).await?;
        Ok(Opened { planner, ingest, cache, places, ids, guard })
    }

    /// Feeds first: they can be corrected, mail cannot.
    async fn publish_and_plan(
        &mut self,
        opened: &mut Opened,
        catalog: &Catalog,
        now: Timestamp,
    ) -> Passed {
        let mut passed = self.publish(opened, catalog, now).await;
        // What is held is not in the feeds yet.
        if !passed.is_held
            && !passed.unplaced.is_empty()
            && self.place(&mut opened.places, &passed.unplaced).await
        {
            passed = self.publish(opened, catalog, now).await;
        }
        let done = opened.planner.plan(catalog, now).await;
        if done.released {
            passed = self.publish(opened, catalog, now).await;
        }
        if done.count > 0 {
            self.bells.dispatch.notify_waiters();
        }
        passed.due_at = [done.next, passed.due_at].into_iter().flatten().min();
        passed
    }

    async fn publish(
        &mut self,
        Opened { planner, cache, places, ids, guard, .. }: &mut Opened,
        catalog: &Catalog,
        now: Timestamp,
    ) -> Passed {
        let store = &self.state.store;
        let previous = self.state.shelf.load_full();
        let with = Press { config: &self.config, cache, places, ids: &ids.ids };
        let Published { mut shelf, changes_at, unread, unplaced, effect } =
            publish_feeds(with, catalog, planner.taken(), &previous, now);
        telemetry::posts(shelf.live.posts.len(), catalog.broken);
        let selections = Arc::clone(&shelf.selections);
        guard.judge((store, &self.config), (&mut shelf, &previous), &effect, now).await;
        let settled =
            Arc::new(settle_validators((&self.config, store), shelf, &previous, now).await);
        let before = self.state.archive.load_full();
        let expired = settled.live.expired().map(|known| &known.post.link);
        let archive = Archive::succeeding(&before, &self.config, &selections, expired, cache);
        self.state.archive.store(archive);
        self.state.shelf.store(Arc::clone(&settled));
        guard.served(store, &settled).await;
        self.tell(&settled.problems);
        Passed { due_at: changes_at, unread, unplaced, is_held: settled.held.is_some() }
    }

    /// Gives posts that are new in the feeds their places in the archive. The feeds don't wait for it: until there is a
    /// place, a post is in the head. False: not now.
    async fn place(&self, places: &mut Places, posts: &[(PostId, u64)]) -> bool {
        let found = async {
            let mut tx = self.state.store.write().await?;
            tx.place_in_feeds(posts, self.config.feeds.window).await?;
            let found = tx.feed_places(places.taken()).await?;
            tx.commit().await?;
            Ok::<_, StoreError>(found)
        };
        match found.await {
            Ok(found) => {
                places.extend(found);
                true
            }
            Err(error) => {
                tracing::warn!(
                    error = %telemetry::causes(&error),
                    "new posts have no place in the archive of the feeds yet; trying again with the next change"
                );
                false
            }
        }
    }

    /// Each problem once, until it is mended.
    fn tell(&mut self, problems: &[Diagnostic]) {
        let mut current = HashSet::with_capacity(problems.len());
        for problem in problems {
            let text = problem.to_string();
            if !self.told.contains(&text) {
                if problem.is_error() {
                    tracing::error!("{text}");
                } else {
                    tracing::warn!("{text}");
                }
            }
            current.insert(text);
        }
        self.told = current;
    }
}

/// What a pass came to.
struct Passed {
    /// When something falls due by itself.
    due_at: Option<Timestamp>,
    unread: Vec<(String, StoreError)>,
    /// Posts that the archive has no place for yet, with their bytes.
    unplaced: Vec<(PostId, u64)>,
    /// The feeds are held.
    is_held: bool,
}

/// Whether every text is there. Those that are not are made anew from their files.
fn read_again(ingest: &mut Ingest, unread: &[(String, StoreError)]) -> bool {
    if unread.is_empty() {
        return true;
    }
    for (source, error) in unread {
        tracing::error!(
            post.source = source,
            error = %telemetry::causes(error),
            "the text of this post cannot be read; the feeds stay as they were until it is made anew"
        );
    }
    let sources: Vec<String> = unread.iter().map(|(source, _)| source.clone()).collect();
    make_anew(ingest, &sources);
    false
}

/// Has the texts of posts made from their files with the next look at everything.
fn make_anew(ingest: &mut Ingest, sources: &[String]) {
    if !sources.is_empty()
        && let Err(error) = ingest.read_again(sources)
    {
        tracing::error!(error = %telemetry::causes(&error), "the cache of posts cannot be written");
    }
}

/// When to wake without a hint.
struct Wake {
    rescan_at: Timestamp,
    /// When something falls due by itself.
    due_at: Option<Timestamp>,
}

struct Opened {
    planner: Planner,
    ingest: Ingest,
    cache: PostCache,
    places: Places,
    ids: Adopted,
    guard: FeedGuard,
}

/// The ids that posts had in an earlier feed, as far as they were read.
struct Adopted {
    ids: Arc<FeedIds>,
    stamp: Option<i64>,
}

impl Adopted {
    async fn read(store: &Store) -> Result<Self, StoreError> {
        let mut tx = store.read().await?;
        let stamp = tx.feed_ids_stamp().await?;
        Ok(Self { ids: Arc::new(tx.feed_ids().await?), stamp })
    }

    /// Reads them again if somebody took some over. While the database is away those from before are good.
    async fn renew(&mut self, store: &Store) {
        let found = async {
            let stamp = store.read().await?.feed_ids_stamp().await?;
            if stamp != self.stamp {
                *self = Self::read(store).await?;
            }
            Ok::<_, StoreError>(())
        };
        if let Err(error) = found.await {
            tracing::warn!(
                error = %telemetry::causes(&error),
                "whether ids of an earlier feed were taken over cannot be asked; trying again"
            );
        }
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

/// Many may choose at the same time: they wait a moment for each other.
async fn has_chosen(choices: &mut tokio::sync::watch::Receiver<u64>) {
    if choices.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
    tokio::time::sleep(FOR_OTHERS).await;
}

enum Look {
    /// Everywhere, before anything is watched: each file that is opened is an event, and at first all of them are. What changes
    /// meanwhile is found by the next look, which opens that and what was written just before.
    Unheard,
    Everywhere,
    At(Vec<std::path::PathBuf>),
    /// Somebody may have decided on what is held.
    AtHolds,
    /// Something fell due.
    AtTheClock,
}

impl Look {
    /// Looks. False: nothing is new.
    async fn at(&self, ingest: &mut Ingest, now: Timestamp) -> Result<bool, StoreError> {
        match self {
            Self::Unheard | Self::Everywhere => ingest.rescan(now).await.map(|()| true),
            Self::At(paths) => ingest.refresh(paths, now).await.map(|()| true),
            Self::AtHolds => ingest.look_at_holds().await,
            Self::AtTheClock => Ok(true),
        }
    }
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

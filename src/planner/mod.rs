//! The planner: what falls due becomes editions, announcements and deliveries, each in one transaction.
//!
//! A tick, the posts it carries, the sealed edition and its deliveries are one commit. Whoever loses the race for a row
//! (another node, an earlier life) undoes everything and leaves it to the winner.

mod anew;
mod correct;
mod forecast;
mod foresight;
mod images;
mod names;
mod news;
mod now;
mod seal;
mod select;
mod share;
mod tell;
mod welcome;
mod withdraw;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

pub use correct::compose_correction;
pub use forecast::{Forecast, ForecastRow, Withheld, forecast, forecast_for};
pub use images::bundle_image;
pub use names::{cadence_channel, schedules};
pub use now::Waiting;
pub use seal::{compose, compose_welcome};

use crate::config::{Config, Destination};
use crate::domain::{
    Catalog, CatalogPost, Diagnostic, Post, PostId, Queue, QueuedRelease, Releases,
};
use crate::store::{Event, PostCache, Store, StoreError, Tx};
use crate::telemetry;
use crate::template::Templates;
use names::{Way, destination_channel, expression_key, news_channel, queue_schedule};
use select::{Candidate, ChannelView, Run, World, candidates, earlier, latest_run};
use tell::Told;

/// When something that could not be planned is tried again.
const TRY_AGAIN: SignedDuration = SignedDuration::from_secs(30);

/// Why something due was not planned. It stays due.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the mail cannot be composed: {0}")]
    Compose(Box<Diagnostic>),
    #[error("the cross-post cannot be composed: {0}")]
    Announce(Box<Diagnostic>),
    #[error("the composed mail cannot be frozen")]
    Freeze(#[from] serde_json::Error),
}

/// What a pass came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Planned {
    /// Editions and announcements that were planned: dispatch has something to do.
    pub count: usize,
    /// When the next pass is worth it.
    pub next: Option<Timestamp>,
    /// A queue released something: the feeds may have changed.
    pub released: bool,
}

/// Plans for one node. Others may plan beside it.
#[derive(Debug)]
pub struct Planner {
    config: Arc<Config>,
    templates: Templates,
    store: Store,
    /// Where the texts of posts are.
    cache: PostCache,
    /// What each channel has had, as far as this node knows; the store has the last word.
    had: HashMap<String, HashSet<PostId>>,
    since: HashMap<String, Timestamp>,
    /// What queues released.
    taken: HashMap<PostId, QueuedRelease>,
    /// Which revision of each post destinations were told last and when, where they want to know.
    told: HashMap<String, Told>,
    /// Corrections of newsletters that were sealed, or that nobody needed.
    corrected: HashSet<(String, PostId, Option<Timestamp>)>,
    /// How many posts were gone all at once, when it was told.
    doubted: Option<i64>,
}

impl Planner {
    /// Loads what channels have had and registers new ones: what is live before `now` is not news to them.
    pub async fn open(
        config: Arc<Config>,
        templates: Templates,
        (store, cache): (Store, PostCache),
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let mut had = HashMap::new();
        let mut since = HashMap::new();
        let mut tx = store.write().await?;
        for newsletter in config.newsletters.values() {
            let news = news_channel(newsletter);
            had.insert(news.clone(), tx.news_of(&newsletter.name).await?.into_keys().collect());
            let cadences = newsletter.cadences.keys();
            for name in cadences.map(|cadence| cadence_channel(newsletter, *cadence)).chain([news])
            {
                since.insert(name.clone(), tx.channel_since(&name, now).await?);
            }
        }
        for destination in config.destinations.values() {
            let name = destination_channel(&destination.name);
            since.insert(name.clone(), tx.channel_since(&name, now).await?);
            had.insert(name, tx.announced(&destination.name).await?);
        }
        for (name, schedule) in schedules(&config) {
            tx.schedule(&name, &expression_key(schedule), now).await?;
        }
        let taken = tx.queued_releases().await?;
        tx.commit().await?;
        let (told, corrected, doubted) = Default::default();
        Ok(Self { config, templates, store, cache, had, since, taken, told, corrected, doubted })
    }

    /// What queues have released, for the feeds.
    pub fn taken(&self) -> &HashMap<PostId, QueuedRelease> {
        &self.taken
    }

    /// Plans everything that is due at `now`; nothing while there is a fence. What fails is logged and stays due; the rest is
    /// planned.
    pub async fn plan(&mut self, catalog: &Catalog, now: Timestamp) -> Planned {
        let config = Arc::clone(&self.config);
        let mut planned = Planned::default();
        match self.catch_up().await {
            Ok(true) => {}
            Ok(false) => return planned,
            Err(error) => {
                note(&mut planned, "all", Err(error.into()), now);
                return planned;
            }
        }
        let result = self.withdraw(catalog, now).await;
        note(&mut planned, "what is gone", result, now);
        for queue in &config.releases.queues {
            let result = self.run_queue(queue, catalog, now).await;
            note(&mut planned, &queue_schedule(queue), result, now);
        }
        for newsletter in config.newsletters.values() {
            let result = self.run_newsletter(newsletter, catalog, now).await;
            note(&mut planned, &news_channel(newsletter), result, now);
            let result = self.run_corrections(newsletter, catalog, now).await;
            note(&mut planned, "corrections", result, now);
        }
        for destination in config.destinations.values() {
            let result = self.run_destination(destination, catalog, now).await;
            note(&mut planned, &destination_channel(&destination.name), result, now);
        }
        planned
    }

    /// False: there is a fence. Whoever takes it away may decide that what is there is no news, so that is read again.
    async fn catch_up(&mut self) -> Result<bool, StoreError> {
        let mut tx = self.store.read().await?;
        if tx.fenced().await?.is_some() {
            drop(tx);
            self.told.clear();
            return Ok(false);
        }
        self.since.extend(tx.channels().await?);
        Ok(true)
    }

    /// Releases the next posts of a queue whose schedule fell due.
    async fn run_queue(
        &mut self,
        queue: &Queue,
        catalog: &Catalog,
        now: Timestamp,
    ) -> Result<Planned, PlanError> {
        let name = queue_schedule(queue);
        let mut tx = self.store.write().await?;
        let considered =
            tx.schedule(&name, &expression_key(&queue.schedule), now).await?.considered_until;
        let policy = crate::domain::MissedRuns::Once { within: SignedDuration::from_hours(24) };
        // Another node may have released some since we last looked.
        self.taken = tx.queued_releases().await?;
        let mut released = Vec::new();
        match latest_run(&queue.schedule, policy, considered, now) {
            Run::NotYet => {}
            Run::Missed { due } => self.note_missed(&mut tx, &name, due, now).await?,
            Run::Fire { due } => {
                if tx.claim_tick(&name, due, now, "released").await? {
                    let posts: Vec<_> =
                        catalog.posts.iter().map(|known| Arc::clone(&known.post)).collect();
                    for post in Releases::next_in_queue(queue, &posts, &self.taken) {
                        if tx.release_from_queue(&queue.name, post, now).await? {
                            let event = Event::new("post.released", now).post(post);
                            tx.record_event(event.detail(&queue.name)).await?;
                            released.push(post.clone());
                        }
                    }
                }
                tx.consider_until(&name, due).await?;
            }
        }
        let taken = tx.queued_releases().await?;
        tx.commit().await?;
        self.taken = taken;
        if !released.is_empty() {
            tracing::info!(queue = %queue.name, posts = released.len(), "released from its queue");
        }
        let next = queue.schedule.next_after(now);
        Ok(Planned { count: 0, next, released: !released.is_empty() })
    }

    async fn note_missed(
        &self,
        tx: &mut Tx,
        schedule: &str,
        due: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if tx.claim_tick(schedule, due, now, "missed").await? {
            tracing::warn!(
                schedule,
                %due,
                "a run was missed and is too late now; its posts wait for the next one"
            );
            telemetry::tick(schedule, "missed");
            let detail = format!("{schedule} was due {due}");
            tx.record_event(Event::new("tick.missed", now).detail(&detail)).await?;
        }
        tx.consider_until(schedule, due).await
    }

    /// One announcement for each post that is ready. One that cannot be composed holds back no other.
    async fn run_destination(
        &mut self,
        destination: &Destination,
        catalog: &Catalog,
        now: Timestamp,
    ) -> Result<Planned, PlanError> {
        let way = Way::to(destination);
        let channel = way.name.clone();
        let waiting = self.waiting(&way, catalog, now);
        let mut planned = Planned { next: next_ready(&waiting, now), ..Planned::default() };
        let mut versions = None;
        for candidate in waiting.iter().filter(|candidate| candidate.is_ready(now)) {
            let versions = versions
                .get_or_insert_with(|| catalog.versions(&self.config.releases, &self.taken, now));
            match self.announce(destination, (&candidate.post, versions), now).await {
                Ok(count) => {
                    planned.count += count;
                    self.remember(&channel, &[&candidate.post]);
                    if let Some(told) = self.told.get_mut(&channel) {
                        let post = &candidate.post.post;
                        told.insert(post.id.clone(), (post.revision.clone(), now));
                    }
                }
                Err(error) => put_off(&mut planned, (&channel, &candidate.post.post), error, now)?,
            }
        }
        Ok(planned)
    }

    /// What `way` has not carried yet and will.
    fn waiting(&self, way: &Way, catalog: &Catalog, now: Timestamp) -> Vec<Candidate> {
        self.look(way, catalog, now, candidates)
    }

    /// What `select` makes of the posts as `way` sees them.
    fn look<T>(
        &self,
        way: &Way,
        catalog: &Catalog,
        now: Timestamp,
        select: impl FnOnce(World<'_>, ChannelView<'_>) -> T,
    ) -> T {
        let nothing = HashSet::new();
        let view = ChannelView {
            channel: &way.channel,
            cadence: way.cadence,
            language: way.language.as_deref(),
            since: self.since.get(&way.name).copied().unwrap_or(now),
            had: self.had.get(&way.name).unwrap_or(&nothing),
        };
        let world = World { catalog, releases: &self.config.releases, taken: &self.taken, now };
        select(world, view)
    }

    fn remember(&mut self, channel: &str, posts: &[&Arc<CatalogPost>]) {
        let had = self.had.entry(channel.to_owned()).or_default();
        had.extend(posts.iter().map(|known| known.post.id.clone()));
    }
}

/// Adds what one channel or post came to. A failure is logged, and tried again soon.
fn note(planned: &mut Planned, what: &str, result: Result<Planned, PlanError>, now: Timestamp) {
    match result {
        Ok(done) => {
            planned.count += done.count;
            planned.released |= done.released;
            planned.next = earlier(planned.next, done.next);
        }
        Err(error) => {
            tracing::error!(
                channel = what,
                error = %telemetry::causes(&error),
                "what is due here cannot be planned; it stays due and is tried again"
            );
            let again = now.saturating_add(TRY_AGAIN).unwrap_or(Timestamp::MAX);
            planned.next = earlier(planned.next, Some(again));
        }
    }
}

/// Leaves a post that cannot be composed for later, so that those behind it need not wait for it. Without the database
/// nothing can be planned: that error is for the caller.
fn put_off(
    planned: &mut Planned,
    (channel, post): (&str, &Post),
    error: PlanError,
    now: Timestamp,
) -> Result<(), PlanError> {
    if let PlanError::Store(_) = error {
        return Err(error);
    }
    tracing::error!(
        channel,
        post.id = %post.id,
        post.source = post.source,
        error = %telemetry::causes(&error),
        "this post cannot go out here; it stays due and is tried again"
    );
    planned.next = earlier(planned.next, now.saturating_add(TRY_AGAIN).ok());
    Ok(())
}

fn next_ready(waiting: &[Candidate], now: Timestamp) -> Option<Timestamp> {
    waiting.iter().map(|candidate| candidate.ready_at).filter(|at| *at > now).min()
}

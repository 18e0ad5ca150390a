//! A newsletter with many readers, its daemon, and a mail server that remembers.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use postrider::clock::{Clock as _, SystemClock};
use postrider::domain::DeliveryState;
use postrider::store::Store;
use sqlx::{Connection as _, PgConnection, SqliteConnection};
use tempfile::TempDir;

use crate::harness::daemon::{Daemon, add_subscribers, configuration, log, project, smtp};
use crate::harness::engine::{Database, Engine};
use crate::harness::sink::{Rules, Sink, scatter};

pub(super) const CONNECTIONS: usize = 8;
/// Long enough that a daemon is in the middle of something whenever it is killed.
const ANSWERS_WITHIN: Duration = Duration::from_millis(12);
/// How long a story waits for something that must happen, on a machine that has much else to do.
const PATIENCE: Duration = Duration::from_mins(4);

pub(super) struct Rig {
    pub(super) sink: Sink,
    pub(super) database: Database,
    pub(super) readers: usize,
    folder: TempDir,
    posts: usize,
    /// When each daemon was started.
    eras: Vec<Timestamp>,
}

/// What a story begins with.
#[derive(Clone, Copy)]
pub(super) struct Setting<'a> {
    pub(super) engine: Engine,
    pub(super) readers: usize,
    /// More configuration, at the end.
    pub(super) more: &'a str,
}

impl Rig {
    /// Nothing is published yet, and no daemon runs.
    pub(super) async fn new(setting: Setting<'_>) -> Self {
        let rules =
            Rules { delay: Some((Duration::ZERO, ANSWERS_WITHIN)), keep: true, ..Rules::default() };
        let sink = Sink::start(rules).await;
        let database = setting.engine.database().await;
        let mail = smtp(sink.address, CONNECTIONS);
        let folder = project(&(configuration(&database.text, &mail) + setting.more));
        let store = database.open(Timestamp::UNIX_EPOCH).await;
        add_subscribers(&store, setting.readers).await;
        // The daemons shall find the files as the one before left them: nobody else may have them open.
        store.close().await;
        Self { sink, database, readers: setting.readers, folder, posts: 0, eras: Vec::new() }
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes the next post: an edition of its own for every reader.
    pub(super) fn publish(&mut self) {
        self.posts += 1;
        let text = format!("---\ntitle: Post {}\ndate: 2026-03-01\n---\n\nHello.\n", self.posts);
        let path = self.folder().join(format!("posts/{}.md", self.posts));
        std::fs::write(path, text).expect("a file can be written");
    }

    /// Begins an era and starts its daemon.
    pub(super) fn start(&mut self) -> Daemon {
        self.begin_era();
        Daemon::start(self.folder())
    }

    /// What happens from now on is another daemon's doing.
    pub(super) fn begin_era(&mut self) {
        self.sink.begin_era(self.eras.len());
        self.eras.push(SystemClock.now());
    }

    pub(super) fn era_of(&self, at: Timestamp) -> usize {
        self.eras.partition_point(|began| *began <= at).saturating_sub(1)
    }

    /// How many deliveries everything that was published owes.
    pub(super) fn owed(&self) -> usize {
        self.posts * self.readers
    }

    pub(super) fn done(&self) -> usize {
        usize::try_from(self.sink.done()).expect("it fits into memory")
    }

    pub(super) async fn store(&self) -> Store {
        self.database.open(Timestamp::UNIX_EPOCH).await
    }

    /// Waits until so many mails are with the mail server.
    pub(super) async fn mails(&self, count: usize) {
        let wait = self.sink.reaches(count as u64);
        let waited = tokio::time::timeout(PATIENCE, wait).await;
        waited.unwrap_or_else(|_| panic!("there are {} mails, not {count}", self.done()));
    }

    /// Waits until all that is owed is accepted or held.
    pub(super) async fn end_of_all_editions(&self, store: &Store) {
        let waiting = async {
            while !self.is_over(store).await {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        if tokio::time::timeout(PATIENCE, waiting).await.is_err() {
            let mut tx = store.read().await.expect("the database answers");
            let counts = tx.delivery_counts().await;
            let log = log(self.folder());
            let log: Vec<&str> = log.lines().rev().take(40).collect();
            let batches = self.open_batches().await;
            panic!("of {} there are {counts:?}, {batches:#?}; {log:#?}", self.owed());
        }
    }

    /// Who has what: number, owner, end of the lease, when it is due.
    async fn open_batches(&self) -> Vec<(i64, Option<String>, Option<i64>, i64)> {
        const SQL: &str = "SELECT id, owner, lease_until, next_at FROM batches WHERE is_open";
        let url = &self.database.text;
        let found = if self.database.file().is_some() {
            let mut connection = SqliteConnection::connect(url).await.expect("it answers");
            sqlx::query_as(SQL).fetch_all(&mut connection).await
        } else {
            let mut connection = PgConnection::connect(url).await.expect("it answers");
            sqlx::query_as(SQL).fetch_all(&mut connection).await
        };
        found.expect("there are batches")
    }

    async fn is_over(&self, store: &Store) -> bool {
        let mut tx = store.read().await.expect("the database answers");
        let counts = tx.delivery_counts().await.expect("the database answers");
        let queues = tx.queues().await.expect("the database answers");
        let held: i64 = queues.iter().map(|queue| queue.held).sum();
        let accepted = counts.iter().find(|count| count.state == DeliveryState::Accepted);
        let ended = accepted.map_or(0, |accepted| accepted.count) + held;
        usize::try_from(ended) == Ok(self.owed())
    }
}

/// Numbers that look random and are the same for the same seed.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(scatter(seed))
    }

    /// A number below `limit`.
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(1);
        scatter(self.0) % limit
    }
}

/// A number that may be set from outside, for longer runs and to repeat one.
#[expect(clippy::disallowed_methods, reason = "whoever looks for a rare crash sets these")]
pub(super) fn setting(name: &str, default: u64) -> u64 {
    let Ok(value) = std::env::var(name) else { return default };
    value.parse().unwrap_or_else(|_| panic!("`{name}` is a number, not `{value}`"))
}

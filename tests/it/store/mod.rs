//! The ledger keeps its promises, on both engines.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests too")]

use jiff::{SignedDuration, Timestamp};
use postrider::config::StoreUrl;
use postrider::domain::{
    Bounce, Cadence, Choice, DeliveryId, DeliveryState, EditionId, EditionState, EmailAddress,
    Lane, Outcome, PostId, Reason, Reply, Revision, SubscriptionState,
};
use postrider::store::{
    AddSubscriber, Added, Claimed, ConfirmationAnswer, Correction, DeliveryFilter, IntentRefusal,
    IntentRequest, Lease, Ledger, NewAnnouncement, NewEdition, NewLetter, Next, Queue, Recorded,
    SealedEdition, Settled, Settlement, StageCounts, Store, StoreError, Tx, run_committer,
};
use sqlx::{ConnectOptions as _, Connection as _};
use tokio_util::sync::CancellationToken;

use crate::harness::engine::{Database, Engine};
use crate::harness::sealing::seal_to_all;

mod allowances;
mod audience;
mod control;
mod feeds;
mod hub;
mod leases;
mod ledger;
mod model;
mod moves;
mod people;
mod places;
mod stages;
mod ticks;
mod upgrade;
mod withdrawals;

const NOW: Timestamp = Timestamp::constant(1_795_000_000, 0);
const BULK: Queue<'_> = Queue { channel: "mail:weekly", lanes: (Lane::Instant, Lane::Digest) };

fn later(minutes: i64) -> Timestamp {
    NOW + SignedDuration::from_mins(minutes)
}

fn address(name: &str) -> EmailAddress {
    format!("{name}@example.org").parse().unwrap()
}

async fn subscribe(store: &Store, name: &str) -> Added {
    let wish = AddSubscriber {
        address: &address(name),
        newsletter: "weekly",
        choice: &Choice::of(Cadence::Daily),
        state: SubscriptionState::Active,
        source: "test",
    };
    let mut tx = store.write().await.unwrap();
    let added = tx.add_subscriber(&wish, store.keyring(), NOW).await.unwrap();
    tx.commit().await.unwrap();
    added
}

async fn seal(store: &Store, post: &str) -> i64 {
    seal_in_stages(store, post, &[]).await.audience
}

async fn seal_in_stages(store: &Store, post: &str, samples: &[i64]) -> SealedEdition {
    let (id, revision) = (PostId::pinned(post), Revision::of([post]));
    let edition = NewEdition {
        newsletter: "weekly",
        cadence: Cadence::Daily,
        language: None,
        subject: "Hello",
        content: "{}",
        posts: &[(&id, &revision)],
        lane: Lane::Digest,
        channel: "mail:weekly",
        samples,
    };
    let mut tx = store.write().await.unwrap();
    let sealed = seal_to_all(&mut tx, &edition, 0, NOW).await.unwrap();
    tx.commit().await.unwrap();
    sealed
}

/// Claims under a lease of 15 minutes.
async fn claim(store: &Store, owner: &str, now: Timestamp) -> Option<Claimed> {
    claim_until(store, owner, (now, now + SignedDuration::from_mins(15))).await
}

/// Claims under a lease that is over as soon as anybody looks: on PostgreSQL no test can turn the clock.
async fn claim_in_passing(store: &Store, owner: &str) -> Option<Claimed> {
    claim_until(store, owner, (NOW, NOW)).await
}

async fn claim_until(
    store: &Store,
    owner: &str,
    (now, until): (Timestamp, Timestamp),
) -> Option<Claimed> {
    let mut tx = store.write().await.unwrap();
    let claimed = tx.claim_batch(BULK, owner, (now, until), false).await.unwrap();
    tx.commit().await.unwrap();
    claimed
}

fn intent(claimed: &Claimed, delivery: DeliveryId) -> IntentRequest {
    IntentRequest { lease: claimed.lease, delivery, content_version: None }
}

async fn intend(store: &Store, claimed: &Claimed, id: DeliveryId) -> Result<(), IntentRefusal> {
    step(store, (vec![], vec![intent(claimed, id)]), NOW).await[0]
}

/// One step, by the committer that every delivery goes through.
async fn step(
    store: &Store,
    (outcomes, intents): (Vec<Recorded>, Vec<IntentRequest>),
    now: Timestamp,
) -> Vec<Result<(), IntentRefusal>> {
    let (ledger, entries) = Ledger::new();
    let committer = tokio::spawn(run_committer(store.clone(), entries, CancellationToken::new()));
    let answers = ledger.step(outcomes, intents, now).await.unwrap();
    drop(ledger);
    committer.await.unwrap();
    answers.into_iter().map(|(_, answer)| answer).collect()
}

fn reply(code: u16) -> Reply {
    Reply { server: "mx.example.org:25".to_owned(), code: Some(code), text: "said so".to_owned() }
}

fn recorded(claimed: &Claimed, id: DeliveryId, outcome: Outcome, next: Next) -> Recorded {
    Recorded {
        lease: claimed.lease,
        delivery: id,
        started_at: NOW,
        ended_at: NOW,
        outcome: Some(outcome),
        next,
        bounce: Bounce::None,
    }
}

async fn record(store: &Store, recorded: Recorded) {
    let now = recorded.ended_at;
    step(store, (vec![recorded], vec![]), now).await;
}

async fn states(store: &Store) -> Vec<DeliveryState> {
    let filter = DeliveryFilter { limit: 1000, ..DeliveryFilter::default() };
    let mut rows = store.read().await.unwrap().deliveries(filter).await.unwrap();
    rows.reverse();
    rows.into_iter().map(|row| row.state).collect()
}

async fn write<T>(store: &Store, work: impl AsyncFnOnce(&mut Tx) -> Result<T, StoreError>) -> T {
    let mut tx = store.write().await.unwrap();
    let result = work(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    result
}

async fn due(store: &Store, claimed: &Claimed, now: Timestamp) -> Vec<DeliveryId> {
    let due = store.read().await.unwrap().due_deliveries(claimed, now).await.unwrap();
    due.into_iter().map(|delivery| delivery.id).collect()
}

/// Ends a lease: on PostgreSQL no test can turn the clock.
async fn expire(store: &Store, lease: Lease) {
    assert!(write(store, async |tx| tx.renew_lease(lease, (NOW, NOW)).await).await);
}

async fn edition_state(store: &Store, id: EditionId) -> EditionState {
    let content = store.read().await.unwrap().edition_content(id).await.unwrap();
    content.unwrap().state
}

/// The database without the store in between.
enum Raw {
    Sqlite(sqlx::SqliteConnection),
    Postgres(sqlx::PgConnection),
}

impl Raw {
    async fn open(database: &Database) -> Self {
        match &database.url {
            StoreUrl::Sqlite(path) => {
                let options = sqlx::sqlite::SqliteConnectOptions::new()
                    .filename(path)
                    .create_if_missing(true)
                    .foreign_keys(true);
                Self::Sqlite(options.connect().await.unwrap())
            }
            StoreUrl::Postgres(_) => {
                Self::Postgres(sqlx::PgConnection::connect(&database.text).await.unwrap())
            }
        }
    }

    async fn run(&mut self, sql: &str) -> Result<(), sqlx::Error> {
        let sql = sqlx::AssertSqlSafe(sql.to_owned());
        match self {
            Self::Sqlite(connection) => sqlx::raw_sql(sql).execute(connection).await.map(|_| ()),
            Self::Postgres(connection) => sqlx::raw_sql(sql).execute(connection).await.map(|_| ()),
        }
    }

    async fn text(&mut self, sql: &str) -> String {
        let sql = sqlx::AssertSqlSafe(sql.to_owned());
        let (text,): (String,) = match self {
            Self::Sqlite(connection) => sqlx::query_as(sql).fetch_one(connection).await,
            Self::Postgres(connection) => sqlx::query_as(sql).fetch_one(connection).await,
        }
        .unwrap();
        text
    }
}

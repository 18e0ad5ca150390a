//! What the ledger costs a delivery: `cargo bench --bench ledger`.
//!
//! As many tasks as there are connections each tell the outcome of their last delivery and ask for the next one, as fast as
//! the committer answers. With `POSTRIDER_TEST_POSTGRES` on PostgreSQL as well. Planning is timed on the way. The first
//! argument that is a number is how many recipients there are.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use postrider::config::{Secret, StoreUrl};
use postrider::domain::{
    Bounce, Cadence, DeliveryId, DeliveryState, Lane, Outcome, PostId, Reply, Revision,
};
use postrider::store::{
    Dealt, Due, Houses, IntentRequest, Lease, Ledger, NewEdition, Next, Queue, Recorded, Store,
    Whose, run_committer,
};
use sqlx::{AssertSqlSafe, Connection as _};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

const NOW: Timestamp = Timestamp::constant(1_795_000_000, 0);
const RECIPIENTS: usize = 100_000;
const CONNECTIONS: [usize; 2] = [20, 64];

type Jobs = Arc<(Vec<(Lease, DeliveryId)>, AtomicUsize)>;

#[tokio::main]
async fn main() {
    let recipients =
        std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(RECIPIENTS);
    for connections in CONNECTIONS {
        let folder = TempDir::new_in(".").expect("a folder on a real disk");
        let file = folder.path().join("bench.db");
        let url = StoreUrl::Sqlite(file.clone());
        let readers = readers(recipients);
        measure("SQLite", &url, connections, async move || {
            let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&file);
            let mut raw = sqlx::SqliteConnection::connect_with(&options).await.expect("it opens");
            sqlx::raw_sql(AssertSqlSafe(readers)).execute(&mut raw).await.expect("readers");
        })
        .await;
    }
    let Some(server) = postgres_server() else { return };
    for connections in CONNECTIONS {
        let text = fresh_postgres(&server, connections).await;
        let url = StoreUrl::Postgres(Secret::new(text.clone()));
        let readers = readers(recipients);
        measure("PostgreSQL", &url, connections, async move || {
            let mut raw = sqlx::PgConnection::connect(&text).await.expect("it opens");
            sqlx::raw_sql(AssertSqlSafe(readers)).execute(&mut raw).await.expect("readers");
        })
        .await;
    }
}

#[expect(clippy::disallowed_methods, reason = "as in the tests")]
fn postgres_server() -> Option<String> {
    std::env::var("POSTRIDER_TEST_POSTGRES").ok()
}

async fn fresh_postgres(server: &str, number: usize) -> String {
    let name = format!("postrider_bench_{}_{number}", std::process::id());
    let mut raw = sqlx::PgConnection::connect(server).await.expect("the server answers");
    let create = format!("CREATE DATABASE {name}");
    sqlx::raw_sql(AssertSqlSafe(create)).execute(&mut raw).await.expect("a database");
    let mut url = url::Url::parse(server).expect("a URL");
    url.set_path(&name);
    url.to_string()
}

/// Readers by the shortest way: subscribing is not what is measured.
fn readers(recipients: usize) -> String {
    format!(
        "INSERT INTO subscribers (id, address, address_key, created_at) \
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {recipients}) \
         SELECT i, 'reader' || i || '@example.org', 'reader' || i || '@example.org', 0 FROM n; \
         INSERT INTO subscriptions (id, subscriber_id, newsletter, cadence, state, source, created_at) \
         SELECT id, id, 'weekly', 'daily', 'active', 'bench', 0 FROM subscribers;"
    )
}

async fn measure(engine: &str, url: &StoreUrl, connections: usize, fill: impl AsyncFnOnce()) {
    let store = Store::open(url, NOW).await.expect("a fresh database opens");
    fill().await;
    let began = Instant::now();
    let audience = seal(&store).await;
    let planning = began.elapsed();
    let jobs = claim(&store).await;
    let (ledger, queue) = Ledger::new();
    let committer = tokio::spawn(run_committer(store.clone(), queue, CancellationToken::new()));
    let (began, cpu) = (Instant::now(), cpu());
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..connections {
        tasks.spawn(connection(ledger.clone(), Arc::clone(&jobs)));
    }
    tasks.join_all().await;
    let (took, cpu) = (began.elapsed(), self::cpu().saturating_sub(cpu));
    drop(ledger);
    committer.await.expect("no panic");
    let counts = store.read().await.expect("it answers").delivery_counts().await.expect("counts");
    assert!(counts.len() == 1 && counts[0].state == DeliveryState::Accepted, "{counts:?}");
    store.close().await;
    let each = |time| micros_each(time, jobs.0.len());
    println!(
        "{engine:<10} {connections:>3} connections: {:>7.0} deliveries/s, {:>5.1} us each, {:>5.1} us of our CPU; \
         {audience} planned in {planning:.2?}",
        1e6 / each(took),
        each(took),
        each(cpu),
    );
}

async fn seal(store: &Store) -> i64 {
    let (id, revision) = (PostId::pinned("urn:bench"), Revision::of(["bench"]));
    let edition = NewEdition {
        newsletter: "weekly",
        cadence: Cadence::Daily,
        language: None,
        subject: "Hello",
        content: &"x".repeat(100_000),
        posts: &[(&id, &revision)],
        lane: Lane::Digest,
        channel: "mail:weekly",
        samples: &[1_000, 9_000],
    };
    let mut tx = store.write().await.expect("it can be written");
    let whose = Whose::Cadence(Cadence::Daily);
    let houses = Houses::new();
    let due = Due { newsletter: "weekly", whose, audience: None, houses: &houses };
    let profiles = tx.profiles(due, NOW).await.expect("it answers");
    let dealt: Vec<_> = profiles
        .iter()
        .map(|profile| Dealt { profile, share: Some(0), had_through: 1, owed: Vec::new() })
        .collect();
    let people = profiles.iter().map(|profile| profile.people).sum();
    tx.deal(due, &dealt, NOW).await.expect("it can be written");
    let sealed = tx.seal_edition(&edition, (0, people), NOW).await.expect("an edition");
    tx.forget_shares().await.expect("it can be written");
    assert!(tx.release_stage(sealed.id, 2, NOW).await.expect("it answers"));
    tx.commit().await.expect("it can be written");
    sealed.audience
}

async fn claim(store: &Store) -> Jobs {
    let queue = Queue { channel: "mail:weekly", lanes: (Lane::Instant, Lane::Digest) };
    let until = NOW + SignedDuration::from_hours(1);
    let mut jobs = Vec::new();
    let (began, mut batches) = (Instant::now(), 0);
    loop {
        let mut tx = store.write().await.expect("it can be written");
        let claimed = tx.claim_batch(queue, "bench", (NOW, until), false).await.expect("a claim");
        tx.commit().await.expect("it can be written");
        let Some(claimed) = claimed else { break };
        batches += 1;
        let mut tx = store.read().await.expect("it answers");
        let due = tx.due_deliveries(&claimed, NOW).await.expect("deliveries");
        jobs.extend(due.into_iter().map(|due| (claimed.lease, due.id)));
    }
    let each = micros_each(began.elapsed(), jobs.len());
    println!("{batches} batches claimed and read: {each:.1} us a delivery");
    Arc::new((jobs, AtomicUsize::new(0)))
}

/// One connection's life: the intent of each delivery with the outcome of the one before, in one step.
async fn connection(ledger: Ledger, jobs: Jobs) {
    let mut told = Vec::new();
    while let Some((lease, delivery)) = jobs.0.get(jobs.1.fetch_add(1, Ordering::Relaxed)).copied()
    {
        let intent = IntentRequest { lease, delivery, content_version: Some(1) };
        let answers =
            ledger.step(std::mem::take(&mut told), vec![intent], NOW).await.expect("an answer");
        assert_eq!(answers, [(delivery, Ok(()))]);
        told.push(accepted(lease, delivery));
    }
    ledger.step(told, Vec::new(), NOW).await.expect("an answer");
}

fn accepted(lease: Lease, delivery: DeliveryId) -> Recorded {
    let reply = Reply {
        server: "mx.example.org:25".to_owned(),
        code: Some(250),
        text: "2.0.0 Ok: queued as 4ZxYq81Jhnz9rxL".to_owned(),
    };
    Recorded {
        lease,
        delivery,
        started_at: NOW,
        ended_at: NOW,
        outcome: Some(Outcome::Accepted(reply)),
        next: Next::Final(DeliveryState::Accepted),
        bounce: Bounce::None,
    }
}

fn micros_each(time: Duration, count: usize) -> f64 {
    time.as_secs_f64() * 1e6 / f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// What this process has used of all cores.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<_> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |index: usize| fields.get(index).and_then(|text| text.parse::<u64>().ok());
    Duration::from_millis((ticks(11).unwrap_or(0) + ticks(12).unwrap_or(0)) * 10)
}

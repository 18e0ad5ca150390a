//! Several nodes on one database: what one does while another is at the same thing.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests too")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use postrider::clock::{Clock as _, SystemClock};
use postrider::config::{self, Environment};
use postrider::domain::{
    Bounce, Cadence, Choice, DeliveryState, EditionState, EmailAddress, Lane, PostId, Revision,
    SubscriptionState,
};
use postrider::ingest::{Ingest, open_cache};
use postrider::store::{
    AddSubscriber, Claimed, DeliveryFilter, IntentRefusal, IntentRequest, NewEdition, NewLetter,
    Next, Queue, Recorded, Settled, Store,
};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::harness::daemon::{Daemon, get, project, until};
use crate::harness::engine::Engine;
use crate::harness::sealing::seal_to_all;
use crate::harness::world::post;

const NOW: Timestamp = Timestamp::constant(1_795_000_000, 0);
const MAIL: Queue<'_> = Queue { channel: "mail:weekly", lanes: (Lane::Letter, Lane::Digest) };
/// As many as fit into two batches.
const TWO_BATCHES: usize = 501;

fn later(minutes: i64) -> Timestamp {
    NOW + SignedDuration::from_mins(minutes)
}

fn configuration(store: &str, port: u16) -> String {
    format!(
        r#"[site]
title = "Nodes"
url = "https://example.org"
language = "en"
timezone = "UTC"
[server]
listen = "127.0.0.1:{port}"
public_url = "http://127.0.0.1:8080"
[store]
url = "{store}"
[[posts]]
path = "posts"
permalink = "/posts/{{slug}}/"
[mail]
from = "Nodes <news@example.org>"
address = "1 Node Lane"
[mail.servers.main]
url = "outbox:var/outbox"
[newsletters.weekly]
title = "Weekly"
cadences = {{ instant = true }}
default_cadence = "instant"
"#
    )
}

/// Seals an edition for `readers` subscribers.
async fn edition(store: &Store, readers: usize) {
    let mut tx = store.write().await.unwrap();
    for number in 0..readers {
        let address: EmailAddress = format!("reader{number}@example.org").parse().unwrap();
        let wish = AddSubscriber {
            address: &address,
            newsletter: "weekly",
            choice: &Choice::of(Cadence::Daily),
            state: SubscriptionState::Active,
            source: "test",
        };
        tx.add_subscriber(&wish, store.keyring(), NOW).await.unwrap();
    }
    let (id, revision) = (PostId::pinned("hello"), Revision::of(["hello"]));
    let edition = NewEdition {
        newsletter: "weekly",
        cadence: Cadence::Daily,
        language: None,
        subject: "Hello",
        content: "{}",
        posts: &[(&id, &revision)],
        lane: Lane::Digest,
        channel: "mail:weekly",
        samples: &[],
    };
    seal_to_all(&mut tx, &edition, 0, NOW).await.unwrap();
    tx.commit().await.unwrap();
}

async fn claim(store: &Store, owner: &str, now: Timestamp) -> Option<Claimed> {
    let mut tx = store.write().await.unwrap();
    let until = now + SignedDuration::from_mins(15);
    let claimed = tx.claim_batch(MAIL, owner, (now, until), false).await.unwrap();
    tx.commit().await.unwrap();
    claimed
}

async fn settle(store: Store, claimed: Claimed) -> Settled {
    let mut tx = store.write().await.unwrap();
    let settled = tx.settle_batch(&claimed, None, NOW).await.unwrap();
    tx.commit().await.unwrap();
    settled
}

/// Gives up every delivery of a batch.
async fn give_up(store: &Store, claimed: &Claimed) {
    let mut tx = store.write().await.unwrap();
    for due in tx.due_deliveries(claimed, NOW).await.unwrap() {
        let recorded = Recorded {
            lease: claimed.lease,
            delivery: due.id,
            started_at: NOW,
            ended_at: NOW,
            outcome: None,
            next: Next::Final(DeliveryState::Expired),
            bounce: Bounce::None,
        };
        tx.step(&[&recorded], &[], NOW, store.keyring()).await.unwrap();
    }
    tx.commit().await.unwrap();
}

/// Lets `other` get as far as it can while this side's transaction is open.
async fn goes_as_far_as_it_can<T>(other: &mut JoinHandle<T>) -> Option<T> {
    tokio::time::timeout(Duration::from_millis(300), other).await.ok().map(Result::unwrap)
}

#[tokio::test]
async fn nodes_that_start_together_on_a_fresh_database_agree_on_the_baseline() {
    for engine in Engine::all() {
        let database = engine.database().await;
        let folder = project(&configuration(&database.text, 0));
        std::fs::write(folder.path().join("posts/old.md"), post("Old", "2026-03-08")).unwrap();
        let file = folder.path().join("config/postrider.toml");
        let config = Arc::new(config::load(&file, &Environment::default()).unwrap().config);
        let store = database.open(NOW).await;
        let cache = || open_cache(&config, &store).unwrap();
        let mut first = Ingest::open(Arc::clone(&config), store.clone(), cache()).await.unwrap();
        let mut second = Ingest::open(Arc::clone(&config), store.clone(), cache()).await.unwrap();
        first.rescan(NOW).await.unwrap();
        second.rescan(later(1)).await.unwrap();
        for node in [first, second] {
            let catalog = node.catalog();
            assert_eq!(catalog.posts.len(), 1);
            assert!(!catalog.posts[0].is_news, "{engine:?}: an archive must not be mailed");
            assert_eq!(catalog.posts[0].first_seen_at, NOW);
        }
    }
}

#[tokio::test]
async fn an_edition_is_finished_when_its_last_two_batches_end_at_once() {
    for engine in Engine::all() {
        let database = engine.database().await;
        let store = database.open(NOW).await;
        edition(&store, TWO_BATCHES).await;
        let (one, two) = (claim(&store, "a", NOW).await.unwrap(), claim(&store, "b", NOW).await);
        let two = two.unwrap();
        give_up(&store, &one).await;
        give_up(&store, &two).await;
        let mut tx = store.write().await.unwrap();
        assert_eq!(tx.settle_batch(&one, None, NOW).await.unwrap(), Settled::Done);
        let mut other = tokio::spawn(settle(store.clone(), two));
        let early = goes_as_far_as_it_can(&mut other).await;
        tx.commit().await.unwrap();
        let settled = if let Some(early) = early { early } else { other.await.unwrap() };
        assert_eq!(settled, Settled::Done);
        let editions = store.read().await.unwrap().latest_editions(1).await.unwrap();
        assert_eq!(editions[0].state, EditionState::Finished, "{engine:?}");
    }
}

#[tokio::test]
async fn nothing_is_handed_over_while_another_node_takes_the_batch_over() {
    for engine in Engine::all() {
        let database = engine.database().await;
        let store = database.open(NOW).await;
        edition(&store, 1).await;
        // A lease that is over as soon as anybody looks.
        let mut tx = store.write().await.unwrap();
        let slow = tx.claim_batch(MAIL, "slow", (NOW, NOW), false).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        let mut tx = store.write().await.unwrap();
        let lease = (later(16), later(31));
        let taken = tx.claim_batch(MAIL, "heir", lease, false).await.unwrap().unwrap();
        let due = store.read().await.unwrap().due_deliveries(&slow, NOW).await.unwrap();
        let (delivery, beside) = (due[0].id, store.clone());
        let mut intent = tokio::spawn(async move {
            let mut tx = beside.write().await.unwrap();
            let intent = IntentRequest { lease: slow.lease, delivery, content_version: None };
            let answers = tx.step(&[], &[intent], later(16), beside.keyring()).await.unwrap();
            tx.commit().await.unwrap();
            answers[0]
        });
        let early = goes_as_far_as_it_can(&mut intent).await;
        tx.commit().await.unwrap();
        let answer = if let Some(early) = early { early } else { intent.await.unwrap() };
        assert_eq!(answer, Err(IntentRefusal::LeaseLost), "{engine:?}");
        let due = store.read().await.unwrap().due_deliveries(&taken, later(16)).await.unwrap();
        assert_eq!(due.len(), 1, "the heir sends it");
    }
}

#[tokio::test]
async fn a_delivery_that_is_retried_as_its_batch_ends_is_not_forgotten() {
    for engine in Engine::all() {
        let database = engine.database().await;
        let store = database.open(NOW).await;
        edition(&store, 1).await;
        let claimed = claim(&store, "a", NOW).await.unwrap();
        let due = store.read().await.unwrap().due_deliveries(&claimed, NOW).await.unwrap();
        give_up(&store, &claimed).await;
        let mut tx = store.write().await.unwrap();
        assert!(tx.retry_delivery(due[0].id, later(1)).await.unwrap());
        let mut settling = tokio::spawn(settle(store.clone(), claimed));
        let early = goes_as_far_as_it_can(&mut settling).await;
        tx.commit().await.unwrap();
        if early.is_none() {
            settling.await.unwrap();
        }
        let claimed = claim(&store, "a", later(1)).await.expect("the batch is open");
        let due = store.read().await.unwrap().due_deliveries(&claimed, later(1)).await.unwrap();
        assert_eq!(due.len(), 1, "{engine:?}");
    }
}

#[tokio::test]
async fn what_a_person_retries_has_all_its_time_again() {
    for engine in Engine::all() {
        let database = engine.database().await;
        let store = database.open(NOW).await;
        edition(&store, 1).await;
        let claimed = claim(&store, "a", NOW).await.unwrap();
        give_up(&store, &claimed).await;
        let expired = DeliveryFilter {
            state: Some(DeliveryState::Expired),
            limit: 1,
            ..DeliveryFilter::default()
        };
        let expired = store.read().await.unwrap().deliveries(expired).await.unwrap();
        assert_eq!(settle(store.clone(), claimed).await, Settled::Done);
        let week = later(7 * 24 * 60);
        let mut tx = store.write().await.unwrap();
        assert!(tx.retry_delivery(expired[0].id, week).await.unwrap());
        tx.commit().await.unwrap();
        let claimed = claim(&store, "a", week).await.unwrap();
        let due = store.read().await.unwrap().due_deliveries(&claimed, week).await.unwrap();
        assert_eq!(due[0].planned_at, week, "{engine:?}: else it would expire at once");
    }
}

/// What `path` has on each of the nodes.
async fn on_each(nodes: [SocketAddr; 2], path: &str) -> [String; 2] {
    let gets = async |at| get(at, path).await.map(|(_, answer)| answer).unwrap_or_default();
    [gets(nodes[0]).await, gets(nodes[1]).await]
}

fn items(answer: &str) -> usize {
    answer.matches("<item>").count()
}

#[tokio::test]
async fn feeds_that_one_node_holds_are_held_on_the_other_and_let_through_on_both() {
    if !Engine::all().contains(&Engine::Postgres) {
        return;
    }
    let database = Engine::Postgres.database().await;
    let folder = project(&(configuration(&database.text, 0) + "[watch]\nrescan = \"1s\"\n"));
    let saves = |name: String, date: &str| {
        // Other systems say when a post was changed last.
        let text = post(&name, date).replacen("---\n", "---\nupdated: 2026-03-01\n", 1);
        std::fs::write(folder.path().join(format!("posts/{name}.md")), text).unwrap();
    };
    (1..=20).for_each(|number| saves(format!("p{number}"), &format!("2026-02-{number:02}")));
    let node = async || {
        let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = taken.local_addr().unwrap();
        drop(taken);
        let daemon = Daemon::start_at(folder.path(), address);
        until("a node serves", async || {
            get(address, "/feed.xml").await.is_some_and(|(status, _)| status == 200)
        })
        .await;
        (address, daemon)
    };
    let (first, _one) = node().await;
    until("the first feed", async || items(&on_each([first; 2], "/feed.xml").await[0]) == 20).await;
    (1..=15).for_each(|number| saves(format!("old{number}"), &format!("2020-01-{number:02}")));
    let is_told = async |at| on_each([at; 2], "/status").await[0].contains("would mark 15 posts");
    until("a hold", async || is_told(first).await).await;

    let (second, _two) = node().await;
    let nodes = [first, second];
    until("the other one holds as well", async || is_told(second).await).await;
    let store = database.open(SystemClock.now()).await;
    let held = store.read().await.unwrap().held_feeds().await.unwrap().unwrap();
    assert_eq!(held.marked, 15);
    for path in ["/feed.xml", "/atom.xml", "/feed.json"] {
        let [one, other] = on_each(nodes, path).await;
        let told =
            |answer: &str| answer.lines().find(|it| it.starts_with("etag")).map(str::to_owned);
        assert!(told(&one).is_some() && told(&one) == told(&other), "{path}");
        assert!(!one.contains("old15") && !other.contains("old15"), "{path}");
    }

    let mut tx = store.write().await.unwrap();
    tx.let_feeds_pass(held.marked, SystemClock.now()).await.unwrap();
    tx.commit().await.unwrap();
    until("both let it through", async || {
        on_each(nodes, "/feed.xml").await.iter().all(|answer| items(answer) == 35)
    })
    .await;
    until("nothing is held any more", async || {
        store.read().await.unwrap().held_feeds().await.unwrap().is_none()
    })
    .await;
}

#[tokio::test]
async fn a_daemon_that_cannot_have_its_port_leaves_the_leases_of_its_twin_alone() {
    if !Engine::all().contains(&Engine::Postgres) {
        return;
    }
    let database = Engine::Postgres.database().await;
    let twin = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = twin.local_addr().unwrap().port();
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let now = SystemClock.now();
    let store = database.open(now).await;
    let letter = NewLetter {
        kind: "test",
        owner: None,
        address: &"ann@example.org".parse().unwrap(),
        newsletter: "weekly",
        content: "{}",
        channel: "mail:weekly",
    };
    let mut tx = store.write().await.unwrap();
    tx.plan_letter(&letter, now).await.unwrap();
    tx.commit().await.unwrap();
    assert!(claim(&store, &format!("{}:{port}", host.trim()), now).await.is_some());
    let folder = project(&configuration(&database.text, port));
    assert_eq!(Daemon::start(folder.path()).wait().await, Some(1));
    let log = std::fs::read_to_string(folder.path().join("daemon.log")).unwrap();
    assert!(log.contains("listen on"), "{log}");
    let soon = SystemClock.now() + SignedDuration::from_mins(1);
    assert!(claim(&store, "another", soon).await.is_none(), "it is still leased");
}

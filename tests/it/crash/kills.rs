//! SIGKILL at any moment, some hundred times.
//!
//! `POSTRIDER_CRASH_KILLS` and `POSTRIDER_CRASH_SEED` make longer runs, or the same one again.

use std::time::Duration;

use postrider::clock::{Clock as _, SystemClock};

use super::ledger::{Audit, audit};
use super::rig::{CONNECTIONS, Dice, Rig, Setting, setting};
use crate::harness::engine::Engine;

const READERS: usize = 1_000;
/// On each engine, and half as many again where a person is to decide.
const KILLS: u64 = 80;
/// How long after its first mail a daemon lives at most.
const MOST_MILLISECONDS: u64 = 120;
/// One in so many is killed before its first mail, in the middle of starting, planning, or taking over.
const EARLY_ONES: u64 = 8;

/// Kills `kills` daemons, one after the other, lets one more finish, and compares the books.
async fn killed(engine: Engine, kills: u64, more: &str) -> Audit {
    let now = u64::try_from(SystemClock.now().as_microsecond()).expect("it is after 1970");
    let seed = setting("POSTRIDER_CRASH_SEED", now);
    println!("{engine:?}: {kills} kills, POSTRIDER_CRASH_SEED={seed}");
    let mut dice = Dice::new(seed);
    let mut rig = Rig::new(Setting { engine, readers: READERS, more }).await;
    for _ in 0..kills {
        // Always enough to do that the kill comes in the middle of it.
        while rig.owed() < rig.done() + READERS / 2 {
            rig.publish();
        }
        let before = rig.done();
        let daemon = rig.start();
        let milliseconds = dice.below(MOST_MILLISECONDS);
        if dice.below(EARLY_ONES) > 0 {
            rig.mails(before + 1).await;
        }
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        daemon.kill().await;
    }
    let daemon = rig.start();
    let store = rig.store().await;
    rig.end_of_all_editions(&store).await;
    assert_eq!(daemon.terminate().await, Some(0), "{engine:?}: SIGTERM ends it cleanly");
    let audit = audit(&rig, &store, CONNECTIONS).await;
    store.close().await;
    println!("{engine:?}: {audit:?}");
    audit
}

async fn nobody_is_forgotten(engine: Engine) {
    let audit = killed(engine, setting("POSTRIDER_CRASH_KILLS", KILLS), "").await;
    assert!(audit.uncertain > 0, "{engine:?}: some were in flight: {audit:?}");
    assert_eq!(audit.held, 0, "{engine:?}: {audit:?}");
    assert!(audit.doubles <= audit.uncertain, "{engine:?}: {audit:?}");
}

async fn nothing_comes_twice(engine: Engine) {
    let kills = setting("POSTRIDER_CRASH_KILLS", KILLS) / 2;
    let audit = killed(engine, kills, "[mail.retry]\non_uncertain = \"hold\"\n").await;
    assert!(audit.held > 0, "{engine:?}: some were in flight: {audit:?}");
    assert_eq!(audit.doubles, 0, "{engine:?}: {audit:?}");
    assert_eq!(audit.held, audit.uncertain, "{engine:?}: {audit:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_forgets_nobody_when_killed_at_any_moment() {
    nobody_is_forgotten(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_forgets_nobody_when_killed_at_any_moment() {
    if Engine::all().contains(&Engine::Postgres) {
        nobody_is_forgotten(Engine::Postgres).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_sends_nothing_twice_when_a_person_is_to_decide() {
    nothing_comes_twice(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_sends_nothing_twice_when_a_person_is_to_decide() {
    if Engine::all().contains(&Engine::Postgres) {
        nothing_comes_twice(Engine::Postgres).await;
    }
}

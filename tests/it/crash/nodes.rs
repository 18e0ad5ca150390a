//! Daemons that are told to stop, and two of them at once.

use std::net::SocketAddr;
use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use tokio::net::TcpListener;

use super::ledger::audit;
use super::rig::{CONNECTIONS, Dice, Rig, Setting};
use crate::harness::daemon::{Daemon, logged, until};
use crate::harness::engine::Engine;

const DRAINS: usize = 20;
const TAKEOVERS: usize = 6;

#[tokio::test(flavor = "multi_thread")]
async fn daemons_that_are_told_to_stop_leave_nothing_in_doubt() {
    for engine in Engine::all() {
        let mut dice = Dice::new(25);
        let mut rig = Rig::new(Setting { engine, readers: 1_000, more: "" }).await;
        for _ in 0..DRAINS {
            while rig.owed() < rig.done() + 800 {
                rig.publish();
            }
            let before = rig.done();
            let daemon = rig.start();
            rig.mails(before + 1).await;
            tokio::time::sleep(Duration::from_millis(dice.below(80))).await;
            assert_eq!(daemon.terminate().await, Some(0), "{engine:?}");
            let left = rig.owed() - rig.done();
            assert!(left > 0, "{engine:?}: it went on to the end of what it had taken");
        }
        let daemon = rig.start();
        drop(logged(rig.folder(), "\"listening\"", DRAINS + 1).await);
        let store = rig.store().await;
        rig.end_of_all_editions(&store).await;
        assert_eq!(daemon.terminate().await, Some(0), "{engine:?}");
        let audit = audit(&rig, &store, 0).await;
        assert_eq!((audit.uncertain, audit.doubles), (0, 0), "{engine:?}: {audit:?}");
        store.close().await;
    }
}

/// An address at which a node can listen.
async fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    listener.local_addr().expect("a bound socket has an address")
}

/// What the time does, if one waits for a quarter of an hour.
async fn leases_run_out(rig: &Rig, of: SocketAddr) {
    let statement =
        format!("UPDATE batches SET lease_until = 1 WHERE owner LIKE '%:{}%'", of.port());
    let mut connection = PgConnection::connect(&rig.database.text).await.expect("it answers");
    connection.execute(AssertSqlSafe(statement)).await.expect("the ledger is as it was");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_takes_over_what_another_left_when_it_was_killed() {
    if !Engine::all().contains(&Engine::Postgres) {
        return;
    }
    let engine = Engine::Postgres;
    let mut rig = Rig::new(Setting { engine, readers: 3_000, more: "" }).await;
    rig.publish();
    rig.begin_era();
    let address = free_address().await;
    let mut survivor = (address, Daemon::start_at(rig.folder(), address));
    for _ in 0..TAKEOVERS {
        if rig.owed() < rig.done() + 2_000 {
            rig.publish();
        }
        rig.begin_era();
        let address = free_address().await;
        let other = Daemon::start_at(rig.folder(), address);
        let owner = format!("%:{}%", address.port());
        until("the other node has something to do", async || {
            // On a busy machine the first may be through before the other is there.
            if rig.owed() < rig.done() + 2_000 {
                rig.publish();
            }
            let sql = "SELECT count(*) FROM batches WHERE is_open AND owner LIKE $1";
            let mut connection =
                PgConnection::connect(&rig.database.text).await.expect("it answers");
            let count: i64 = sqlx::query_scalar(sql)
                .bind(&owner)
                .fetch_one(&mut connection)
                .await
                .expect("a count");
            count > 0
        })
        .await;
        rig.mails(rig.done() + 50).await;
        // The older one goes.
        let (gone, daemon) = std::mem::replace(&mut survivor, (address, other));
        daemon.kill().await;
        leases_run_out(&rig, gone).await;
    }
    let store = rig.store().await;
    rig.end_of_all_editions(&store).await;
    // Two daemons at once open connections in one era.
    let audit = audit(&rig, &store, 2 * CONNECTIONS).await;
    assert!(audit.uncertain > 0, "{audit:?}");
    assert!(audit.uncertain <= TAKEOVERS * CONNECTIONS, "{audit:?}");
    assert_eq!(survivor.1.terminate().await, Some(0));
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_daemon_on_one_sqlite_file_says_so_and_ends() {
    let mut rig = Rig::new(Setting { engine: Engine::Sqlite, readers: 0, more: "" }).await;
    let _first = rig.start();
    let lock = rig.database.file().expect("SQLite has a file").with_added_extension("lock");
    until("the first daemon", async || {
        std::fs::read_to_string(&lock).is_ok_and(|holder| !holder.is_empty())
    })
    .await;
    let mut second = rig.start();
    assert_eq!(second.wait().await, Some(1));
    let log = std::fs::read_to_string(rig.folder().join("daemon.log")).expect("a log");
    assert!(log.contains("another Postrider daemon"), "{log}");
}

//! The database goes away in mid-edition and comes back: nobody restarts anything.

use std::net::SocketAddr;
use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, SqliteConnection};
use tokio::process::Command;

use super::ledger::audit;
use super::rig::{CONNECTIONS, Rig, Setting};
use crate::harness::daemon::{Daemon, get, logged};
use crate::harness::engine::{Engine, postgres_server};

/// No file may grow beyond this many blocks of 512 bytes; going on is an error, as on a full disk, and no signal.
const FULL: &str = "trap '' XFSZ; ulimit -S -f 6000";
const OUTAGES: usize = 5;
const READERS: usize = 3_000;

/// While the database is away: what had its intent goes out, nothing else does, and readers notice nothing.
async fn nothing_is_sent_and_the_feeds_stay(rig: &Rig, address: SocketAddr) {
    let before = rig.done();
    // Longer than a mail is on its way, and than the pause between two tries of the ledger.
    tokio::time::sleep(Duration::from_millis(700)).await;
    let sent = rig.done();
    assert!(sent <= before + CONNECTIONS, "{} were sent without a ledger", sent - before);
    assert!(sent < rig.owed(), "it was in mid-edition");
    let feed = get(address, "/feed.xml").await.expect("an answer");
    assert!(feed.0 == 200 && feed.1.contains("Post 1"), "{feed:?}");
}

/// The edition ends, and nothing is doubled but what was in flight at one of the outages.
async fn all_is_well(rig: &Rig, daemon: Daemon, outages: usize) {
    let store = rig.store().await;
    rig.end_of_all_editions(&store).await;
    assert_eq!(daemon.terminate().await, Some(0));
    let audit = audit(rig, &store, outages * CONNECTIONS).await;
    assert!(audit.doubles <= outages * CONNECTIONS, "{audit:?}");
    store.close().await;
    let log = std::fs::read_to_string(rig.folder().join("daemon.log")).expect("a log");
    assert!(log.contains("the ledger can be written again"), "{log}");
}

async fn tell_server(statement: String) {
    let server = postgres_server().expect("asked for only when there is one");
    let mut connection = PgConnection::connect(&server).await.expect("the test server answers");
    connection.execute(AssertSqlSafe(statement)).await.expect("the server obeys");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_that_goes_away_again_and_again_costs_nobody_their_mail() {
    if postgres_server().is_none() {
        return;
    }
    let mut rig = Rig::new(Setting { engine: Engine::Postgres, readers: READERS, more: "" }).await;
    rig.publish();
    let daemon = rig.start();
    let address = Daemon::address(rig.folder(), 1).await;
    let name = rig.database.text.rsplit('/').next().expect("the last part of a URL").to_owned();
    for _ in 0..OUTAGES {
        rig.mails(rig.done() + 200).await;
        tell_server(format!("ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false")).await;
        tell_server(format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        ))
        .await;
        nothing_is_sent_and_the_feeds_stay(&rig, address).await;
        tell_server(format!("ALTER DATABASE {name} WITH ALLOW_CONNECTIONS true")).await;
    }
    all_is_well(&rig, daemon, OUTAGES).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_whose_connections_break_costs_nobody_their_mail() {
    if postgres_server().is_none() {
        return;
    }
    let mut rig = Rig::new(Setting { engine: Engine::Postgres, readers: READERS, more: "" }).await;
    rig.publish();
    let daemon = rig.start();
    let name = rig.database.text.rsplit('/').next().expect("the last part of a URL").to_owned();
    let mut breaks = 0;
    while rig.done() < READERS - 500 {
        rig.mails(rig.done() + 100).await;
        tell_server(format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        ))
        .await;
        breaks += 1;
    }
    all_is_well(&rig, daemon, breaks).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_sqlite_that_somebody_else_keeps_locked_costs_nobody_their_mail() {
    let mut rig = Rig::new(Setting { engine: Engine::Sqlite, readers: READERS, more: "" }).await;
    rig.publish();
    let daemon = rig.start();
    let address = Daemon::address(rig.folder(), 1).await;
    rig.mails(500).await;
    let mut other = SqliteConnection::connect(&rig.database.text).await.expect("the file is there");
    other.execute("PRAGMA busy_timeout = 5000; BEGIN IMMEDIATE").await.expect("it waits its turn");
    nothing_is_sent_and_the_feeds_stay(&rig, address).await;
    logged(rig.folder(), "the ledger cannot be written", 1).await;
    nothing_is_sent_and_the_feeds_stay(&rig, address).await;
    other.execute("ROLLBACK").await.expect("it lets go");
    other.close().await.expect("it leaves");
    all_is_well(&rig, daemon, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_was_full_for_a_while_costs_nobody_their_mail() {
    let more = "[log]\nlevel = \"info,postrider::dispatch=error\"\n";
    let mut rig = Rig::new(Setting { engine: Engine::Sqlite, readers: READERS, more }).await;
    rig.publish();
    rig.begin_era();
    let daemon = Daemon::start_after(rig.folder(), FULL);
    let address = Daemon::address(rig.folder(), 1).await;
    let told = logged(rig.folder(), "the ledger cannot be written", 1).await;
    assert!(told.contains("disk I/O error"), "the reason is told: {told}");
    assert!(rig.done() > 0, "it was full before anything was sent");
    nothing_is_sent_and_the_feeds_stay(&rig, address).await;
    let room = Command::new("prlimit")
        .args(["--fsize=unlimited:", "--pid", &daemon.id().to_string()])
        .status()
        .await
        .expect("prlimit runs");
    assert!(room.success());
    all_is_well(&rig, daemon, 1).await;
}

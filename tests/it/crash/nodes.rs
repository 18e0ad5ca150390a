//! Two daemons at once.

use super::rig::CONNECTIONS;
use crate::harness::daemon::{Daemon, configuration, project, smtp, until};
use crate::harness::engine::Engine;
use crate::harness::smtp::SmtpServer;

#[tokio::test(flavor = "multi_thread")]
async fn a_second_daemon_on_one_sqlite_file_says_so_and_ends() {
    let sink = SmtpServer::plain().await;
    let database = Engine::Sqlite.database().await;
    let folder = project(&configuration(&database.text, &smtp(sink.address, CONNECTIONS)));
    let _first = Daemon::start(folder.path());
    let lock = database.file().expect("SQLite has a file").with_added_extension("lock");
    until("the first daemon", async || {
        std::fs::read_to_string(&lock).is_ok_and(|holder| !holder.is_empty())
    })
    .await;
    let mut second = Daemon::start(folder.path());
    assert_eq!(second.wait().await, Some(1));
    let log = std::fs::read_to_string(folder.path().join("daemon.log")).expect("a log");
    assert!(log.contains("another Postrider daemon"), "{log}");
}

//! No room: the database cannot grow, or nothing can be printed.

use std::collections::HashMap;

use jiff::Timestamp;
use postrider::domain::DeliveryState;

use crate::harness::daemon::{
    Daemon, add_subscribers, configuration, get, logged, project, smtp, states, until,
};
use crate::harness::engine::Engine;
use crate::harness::smtp::SmtpServer;

const READERS: usize = 600;
const CONNECTIONS: usize = 4;
/// No file may grow beyond this many blocks of 512 bytes; going on is an error, as on a full disk, and no signal.
const FULL: &str = "trap '' XFSZ; ulimit -f 3000";

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_stops_the_mail_but_not_the_feeds_and_loses_nothing() {
    let sink = SmtpServer::plain().await;
    let database = Engine::Sqlite.database().await;
    let mail = smtp(sink.address, CONNECTIONS);
    let folder = project(
        &(configuration(&database.text, &mail)
            + "[log]\nlevel = \"info,postrider::dispatch=error\"\n"),
    );
    let folder = folder.path();
    let store = database.open(Timestamp::UNIX_EPOCH).await;
    add_subscribers(&store, READERS).await;
    store.close().await;
    let text = "---\ntitle: To everybody\ndate: 2026-03-01\n---\n\nHello.\n";
    std::fs::write(folder.join("posts/hello.md"), text).expect("a file can be written");

    let mut daemon = Daemon::start_after(folder, FULL);
    let address = Daemon::address(folder, 1).await;
    let told = logged(folder, "the ledger cannot be written", 1).await;
    assert!(told.contains("disk I/O error"), "the reason is told: {told}");
    let sent = sink.letters().len();
    assert!(sent > 0 && sent < READERS, "{sent} were sent before the disk was full");
    for path in ["/feed.xml", "/healthz"] {
        assert_eq!(get(address, path).await.map(|answer| answer.0), Some(200), "{path}");
    }
    assert!(daemon.is_running());
    // What was answered cannot be noted: the first signal waits for room, the second does not.
    daemon.signal("TERM").await;
    logged(folder, "finishing what is in flight", 1).await;
    assert!(sink.letters().len() <= sent + CONNECTIONS, "nothing new is sent");
    daemon.signal("TERM").await;
    assert_eq!(daemon.wait().await, Some(1));

    let daemon = Daemon::start(folder);
    let store = database.open(Timestamp::UNIX_EPOCH).await;
    until("the end of the edition", async || {
        states(&store).await.get(&DeliveryState::Accepted) == Some(&READERS)
    })
    .await;
    assert_eq!(daemon.terminate().await, Some(0));
    let mut received: HashMap<String, usize> = HashMap::new();
    for letter in sink.letters() {
        *received.entry(letter.to).or_default() += 1;
    }
    assert_eq!(received.len(), READERS, "nobody is forgotten");
    let doubles: usize = received.values().map(|count| count - 1).sum();
    assert!(doubles <= CONNECTIONS, "{doubles} doubles");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_cannot_print_or_log_runs_nevertheless() {
    let folder = project(&configuration("sqlite:var/postrider.db", "url = \"outbox:var/outbox\""));
    let folder = folder.path();
    let text = "---\ntitle: Hello\ndate: 2026-03-01\n---\n\nHello.\n";
    std::fs::write(folder.join("posts/hello.md"), text).expect("a file can be written");
    let mut daemon = Daemon::start_after(folder, "exec >/dev/full");
    let address = Daemon::address(folder, 1).await;
    until("the feed", async || {
        get(address, "/feed.xml").await.is_some_and(|answer| answer.1.contains("Hello"))
    })
    .await;
    assert!(daemon.is_running());
    assert_eq!(daemon.terminate().await, Some(0));
}

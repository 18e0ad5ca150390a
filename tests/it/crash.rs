//! The real daemon is killed in mid-edition, again and again, and everybody has the mail in the end.

use std::collections::HashMap;

use jiff::Timestamp;
use postrider::domain::DeliveryState;

use crate::harness::daemon::{
    Daemon, add_subscribers, configuration, project, smtp, states, until,
};
use crate::harness::engine::Engine;
use crate::harness::smtp::SmtpServer;

const SUBSCRIBERS: usize = 600;
const CONNECTIONS: usize = 8;
/// After how many more mails each kill comes.
const KILLS: [usize; 6] = [37, 1, 113, 5, 71, 29];

async fn crash_on(engine: Engine) {
    let sink = SmtpServer::plain().await;
    let database = engine.database().await;
    let folder = project(&configuration(&database.text, &smtp(sink.address, CONNECTIONS)));
    let text = "---\ntitle: To everybody\ndate: 2026-03-01\n---\n\nHello.\n";
    std::fs::write(folder.path().join("posts/hello.md"), text).expect("a file can be written");
    let store = database.open(Timestamp::UNIX_EPOCH).await;
    add_subscribers(&store, SUBSCRIBERS).await;

    for more in KILLS {
        let target = (sink.letters().len() + more).min(SUBSCRIBERS - CONNECTIONS);
        let daemon = Daemon::start(folder.path());
        until("the next mails", async || sink.letters().len() >= target).await;
        daemon.kill().await;
    }
    let daemon = Daemon::start(folder.path());
    until("the end of the edition", async || {
        states(&store).await.get(&DeliveryState::Accepted) == Some(&SUBSCRIBERS)
    })
    .await;
    assert_eq!(daemon.terminate().await, Some(0), "{engine:?}: SIGTERM ends it cleanly");

    let mut received: HashMap<String, usize> = HashMap::new();
    let mut ids: HashMap<String, usize> = HashMap::new();
    for letter in sink.letters() {
        *received.entry(letter.to.clone()).or_default() += 1;
        let mail = mail_parser::MessageParser::default().parse(&letter.message).expect("a mail");
        *ids.entry(mail.message_id().unwrap_or_default().to_owned()).or_default() += 1;
    }
    assert_eq!(received.len(), SUBSCRIBERS, "{engine:?}: nobody is forgotten");
    assert_eq!(ids.len(), SUBSCRIBERS, "{engine:?}: a mail that came twice kept its Message-ID");
    let doubles: usize = received.values().map(|count| count - 1).sum();
    let bound = KILLS.len() * CONNECTIONS;
    assert!(doubles <= bound, "{engine:?}: {doubles} doubles, at most {bound} were in flight");
    let mut tx = store.read().await.expect("the database answers");
    let uncertain = tx
        .latest_events(100_000)
        .await
        .expect("the database answers")
        .into_iter()
        .filter(|event| event.kind == "delivery.uncertain")
        .count();
    assert!(doubles <= uncertain, "{engine:?}: every double was called uncertain first");
    assert!(uncertain <= bound, "{engine:?}: {uncertain} uncertain");
    drop(tx);
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_forgets_nobody_when_killed_in_mid_edition() {
    crash_on(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_forgets_nobody_when_killed_in_mid_edition() {
    if Engine::all().contains(&Engine::Postgres) {
        crash_on(Engine::Postgres).await;
    }
}

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

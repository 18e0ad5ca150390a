//! Stopping and starting, in good order and at any moment.

use std::collections::HashMap;

use jiff::Timestamp;
use postrider::domain::DeliveryState;

use crate::harness::daemon::{
    Daemon, add_subscribers, configuration, log, logged, project, smtp, states, until,
};
use crate::harness::engine::Engine;
use crate::harness::smtp::SmtpServer;

const READERS: usize = 150;
/// So many that none of the stops comes too late.
const MANY_READERS: usize = 3_000;
const CONNECTIONS: usize = 4;

/// Mails by recipient and subject.
fn received(sink: &SmtpServer) -> HashMap<(String, String), usize> {
    let mut received = HashMap::new();
    for letter in sink.letters() {
        let mail = mail_parser::MessageParser::default().parse(&letter.message).expect("a mail");
        let subject = mail.subject().unwrap_or_default().to_owned();
        *received.entry((letter.to.clone(), subject)).or_default() += 1;
    }
    received
}

fn post(number: usize) -> String {
    format!("---\ntitle: Post {number}\ndate: 2026-03-0{number}\n---\n\nHello.\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_is_told_to_stop_in_mid_edition_leaves_nothing_in_doubt() {
    let sink = SmtpServer::plain().await;
    let database = Engine::Sqlite.database().await;
    let folder = project(&configuration(&database.text, &smtp(sink.address, CONNECTIONS)));
    let folder = folder.path();
    std::fs::write(folder.join("posts/1.md"), post(1)).expect("a file can be written");
    let store = database.open(Timestamp::UNIX_EPOCH).await;
    add_subscribers(&store, MANY_READERS).await;
    for more in [1, 20, 50] {
        let target = sink.letters().len() + more;
        let daemon = Daemon::start(folder);
        until("the next mails", async || sink.letters().len() >= target).await;
        assert_eq!(daemon.terminate().await, Some(0));
        let accepted = sink.letters().len();
        assert!(accepted < MANY_READERS, "it was in mid-edition");
        let states = states(&store).await;
        assert_eq!(states.get(&DeliveryState::Accepted), Some(&accepted), "{states:?}");
        assert_eq!(
            states.get(&DeliveryState::Planned),
            Some(&(MANY_READERS - accepted)),
            "{states:?}"
        );
    }
    let daemon = Daemon::start(folder);
    until("the end of the edition", async || sink.letters().len() >= MANY_READERS).await;
    assert_eq!(daemon.terminate().await, Some(0));
    assert_eq!(states(&store).await.get(&DeliveryState::Accepted), Some(&MANY_READERS));
    assert!(received(&sink).values().all(|count| *count == 1));
    assert!(!log(folder).contains("uncertain"), "{}", log(folder));
}

#[tokio::test(flavor = "multi_thread")]
async fn restarts_at_any_moment_forget_nothing_and_repeat_only_what_was_in_flight() {
    const POSTS: usize = 6;
    let sink = SmtpServer::plain().await;
    let database = Engine::Sqlite.database().await;
    let folder = project(&configuration(&database.text, &smtp(sink.address, CONNECTIONS)));
    let folder = folder.path();
    let store = database.open(Timestamp::UNIX_EPOCH).await;
    add_subscribers(&store, READERS).await;
    let mut kills = 0;
    for number in 1..=POSTS {
        std::fs::write(folder.join(format!("posts/{number}.md")), post(number))
            .expect("a file can be written");
        let before = sink.letters().len();
        let daemon = Daemon::start(folder);
        match number {
            1 => drop(logged(folder, "\"listening\"", number).await),
            2 => drop(logged(folder, "\"edition sealed\"", 1).await),
            _ => until("mails", async || sink.letters().len() >= before + 13 * number).await,
        }
        if number % 2 == 1 {
            kills += 1;
            daemon.kill().await;
        } else {
            assert_eq!(daemon.terminate().await, Some(0));
        }
    }
    let daemon = Daemon::start(folder);
    drop(logged(folder, "\"listening\"", POSTS + 1).await);
    until("everything", async || {
        states(&store).await.get(&DeliveryState::Accepted) == Some(&(POSTS * READERS))
    })
    .await;
    assert_eq!(daemon.terminate().await, Some(0));
    let received = received(&sink);
    assert_eq!(received.len(), POSTS * READERS, "everybody has every post");
    let doubles: usize = received.values().map(|count| count - 1).sum();
    assert!(doubles <= kills * CONNECTIONS, "{doubles} doubles");
}

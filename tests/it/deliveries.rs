//! Deliveries under bad weather: each fault is told, retried or given up, and nothing beside it suffers.

use jiff::Timestamp;
use postrider::domain::{Cadence, DeliveryState};
use postrider::store::DeliveryFilter;

use crate::harness::daemon::{Daemon, add_subscribers, configuration, project, smtp, until};
use crate::harness::engine::Engine;
use crate::harness::http::{Answer, HttpServer};
use crate::harness::smtp::{At, Fault, SmtpServer};
use crate::harness::world::{Setting, World, post};

/// A world with a settled, released post on its way to Ann, Bob and Cis.
async fn edition_to(sink: &SmtpServer, more: &str) -> World {
    let setting = Setting::new(Engine::Sqlite).mailing_to(sink.address).config(more);
    let world = setting.start().await;
    for name in ["ann", "bob", "cis"] {
        world.subscriber(&format!("{name}@example.org"), Cadence::Instant).await;
    }
    world.author_saves("hello.md", post("Hello", "2026-03-09")).await;
    world.passes(3).await;
    world
}

fn recipients(sink: &SmtpServer) -> Vec<String> {
    let mut to: Vec<String> = sink.letters().into_iter().map(|letter| letter.to).collect();
    to.sort();
    to
}

async fn states(world: &World) -> Vec<(String, DeliveryState)> {
    let mut states: Vec<(String, DeliveryState)> =
        world.deliveries().await.into_iter().map(|row| (row.recipient, row.state)).collect();
    states.sort_by(|a, b| a.0.cmp(&b.0));
    states
}

/// Waits until the delivery to `recipient` is in `state`.
async fn becomes(world: &World, recipient: &str, state: DeliveryState) {
    world
        .eventually(&format!("{recipient} {state:?}"), async || {
            let found =
                states(world).await.into_iter().any(|one| one == (recipient.to_owned(), state));
            found.then_some(())
        })
        .await;
}

#[tokio::test]
async fn a_mailbox_that_does_not_exist_costs_its_neighbours_nothing_and_is_not_tried_again() {
    let sink = SmtpServer::plain().await;
    sink.fail_for("bob@example.org", At::Rcpt, Fault::Say("550 5.1.1 no such user"));
    let world = edition_to(&sink, "").await;
    becomes(&world, "bob@example.org", DeliveryState::Rejected).await;
    world.is_quiet().await;
    assert_eq!(recipients(&sink), ["ann@example.org", "cis@example.org"]);
    world.author_saves("again.md", post("Again", "2026-03-09")).await;
    world.passes(3).await;
    world.is_quiet().await;
    assert_eq!(recipients(&sink).len(), 4);
    assert!(sink.connections() <= 4, "a refused recipient costs no connection");
    let rejected =
        world.deliveries().await.into_iter().find(|row| row.recipient.starts_with("bob"));
    let reply = rejected.and_then(|row| row.last_reply).unwrap_or_default();
    assert!(reply.contains("5.1.1"), "the reply is kept: {reply}");
}

#[tokio::test]
async fn a_greylisted_mail_waits_and_arrives() {
    let sink = SmtpServer::plain().await;
    sink.fail_once(At::Rcpt, Fault::Say("450 4.7.1 greylisted, come back later"));
    let world = edition_to(&sink, "").await;
    world.eventually("two of three", async || (sink.letters().len() == 2).then_some(())).await;
    let waiting = world.deliveries().await;
    world.is_quiet().await;
    assert_eq!(waiting.len(), 3);
    world.passes(11).await;
    world.is_quiet().await;
    assert_eq!(recipients(&sink), ["ann@example.org", "bob@example.org", "cis@example.org"]);
}

#[tokio::test]
async fn a_server_that_is_down_at_first_gets_everything_once_it_is_up() {
    let sink = SmtpServer::plain().await;
    for _ in 0..4 {
        sink.fail_once(At::Greeting, Fault::SayAndClose("421 4.3.2 shutting down"));
    }
    let world = edition_to(&sink, "").await;
    world.eventually("an attempt", async || (sink.connections() > 0).then_some(())).await;
    for _ in 0..8 {
        world.passes(1).await;
        world.is_quiet().await;
    }
    assert_eq!(recipients(&sink).len(), 3, "{:?}", states(&world).await);
    assert!(world.deliveries().await.iter().all(|row| row.attempts == 1), "not their fault");
}

#[tokio::test]
async fn a_mail_whose_acceptance_got_lost_is_called_uncertain_and_goes_out_again() {
    let sink = SmtpServer::plain().await;
    sink.fail_once(At::Dot, Fault::Close);
    let world = edition_to(&sink, "").await;
    world.is_quiet().await;
    let uncertain = states(&world).await;
    assert_eq!(uncertain.iter().filter(|one| one.1 == DeliveryState::Uncertain).count(), 1);
    world.passes(7).await;
    world.is_quiet().await;
    assert_eq!(recipients(&sink), ["ann@example.org", "bob@example.org", "cis@example.org"]);
    assert!(states(&world).await.iter().all(|one| one.1 == DeliveryState::Accepted));
    let tx = &mut world.store.read().await.expect("the database answers");
    let events = tx.latest_events(100).await.expect("the database answers");
    assert_eq!(events.iter().filter(|one| one.kind == "delivery.uncertain").count(), 1);
}

#[tokio::test]
async fn a_mail_in_doubt_can_be_held_for_a_person() {
    let sink = SmtpServer::plain().await;
    sink.fail_for("bob@example.org", At::Dot, Fault::Close);
    let world = edition_to(&sink, "[mail.retry]\non_uncertain = \"hold\"").await;
    becomes(&world, "bob@example.org", DeliveryState::Uncertain).await;
    let taken = sink.letters().len();
    world.passes(20).await;
    world.is_quiet().await;
    assert_eq!(sink.letters().len(), taken, "nothing goes out again by itself");
    assert!(world.deliveries().await.iter().any(|row| row.held));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_takes_no_8_bit_texts_any_more_gets_plain_ones_at_once() {
    let sink = SmtpServer::plain().await;
    let database = Engine::Sqlite.database().await;
    let config = configuration(&database.text, &smtp(sink.address, 1));
    let folder = project(&config.replace("[mail]\n", "[mail]\nencoding = \"8bit\"\n"));
    let store = database.open(Timestamp::UNIX_EPOCH).await;
    add_subscribers(&store, 3).await;
    let _daemon = Daemon::start(folder.path());
    let edition = async |number: usize| {
        let text = format!("---\ntitle: {number}\ndate: 2026-03-01\n---\n\nGrüße.\n");
        std::fs::write(folder.path().join(format!("posts/{number}.md")), text).unwrap();
        until("the edition", async || sink.letters().len() >= 3 * number).await;
        sink.letters().split_off(3 * (number - 1))
    };

    // What the server takes is known from the connection before.
    edition(1).await;
    for letter in edition(2).await {
        assert!(letter.from.ends_with(" BODY=8BITMIME"), "{}", letter.from);
        assert!(!letter.message.is_ascii());
    }
    sink.fail_once(At::Mail, Fault::SayAndClose("421 4.4.2 idle for too long"));
    sink.fail_once(At::Ehlo, Fault::Say("250-mail.test\r\n250 HELP"));
    for letter in edition(3).await {
        assert!(letter.message.is_ascii() && !letter.from.contains("BODY"), "{}", letter.from);
        let text = String::from_utf8_lossy(&letter.message).into_owned();
        assert!(text.contains("Gr=C3=BC=C3=9Fe."), "{text}");
    }
    assert_eq!(sink.connections(), 2);
    let filter = DeliveryFilter { limit: 100, ..DeliveryFilter::default() };
    until("nine good ends", async || {
        let rows = store.read().await.unwrap().deliveries(filter).await.unwrap();
        assert!(rows.iter().all(|row| row.attempts <= 1), "{rows:?}");
        rows.iter().filter(|row| row.state == DeliveryState::Accepted).count() == 9
    })
    .await;
}

#[tokio::test]
async fn one_click_takes_effect_on_mail_that_is_already_planned() {
    let sink = SmtpServer::plain().await;
    sink.fail_for("bob@example.org", At::Rcpt, Fault::Say("450 4.2.1 busy"));
    let world = edition_to(&sink, "").await;
    becomes(&world, "bob@example.org", DeliveryState::Deferred).await;
    world.is_quiet().await;
    let letters = sink.letters();
    let ann = letters.iter().find(|letter| letter.to.starts_with("ann")).expect("Ann has hers");
    let mail = mail_parser::MessageParser::default().parse(&ann.message).expect("a mail");
    let link = mail.header_raw("List-Unsubscribe").expect("the header").trim();
    let path = link.trim_matches(['<', '>']).trim_start_matches("http://127.0.0.1:8080");
    let one_click = mail.header_raw("List-Unsubscribe-Post").expect("the header").trim();
    assert_eq!(one_click, "List-Unsubscribe=One-Click");

    assert_eq!(world.gets(path).await.status, 200);
    world.author_saves("second.md", post("Second", "2026-03-09")).await;
    let answer = world.posts(path, one_click).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("location"), "", "no redirect (RFC 8058 section 3.1)");
    world.passes(3).await;
    world.is_quiet().await;
    let to_ann = recipients(&sink).into_iter().filter(|to| to.starts_with("ann")).count();
    assert_eq!(to_ann, 1, "looking at the page changed nothing, the click did");
}

#[tokio::test]
async fn a_webhook_in_trouble_is_called_again_with_the_same_id_and_delays_no_mail() {
    let sink = SmtpServer::plain().await;
    let hooks = HttpServer::plain().await;
    hooks.will(Answer::status(500));
    hooks.will(Answer::status(503).header("retry-after", "120"));
    let destination = format!(
        "[destinations.chat]\nkind = \"webhook\"\nurl = \"http://{}/in\"\n\
         secret = \"whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD\"",
        hooks.address
    );
    let world = edition_to(&sink, &destination).await;
    world.is_quiet().await;
    assert_eq!(recipients(&sink).len(), 3);
    for _ in 0..6 {
        world.passes(1).await;
        world.is_quiet().await;
    }
    let requests = hooks.requests();
    assert_eq!(requests.len(), 3, "500, 503, accepted");
    assert!(
        requests.iter().all(|one| one.header("webhook-id") == requests[0].header("webhook-id"))
    );
    assert!(requests.iter().all(|one| one.body == requests[0].body));
    assert!(requests[0].header("webhook-signature").starts_with("v1,"));
    assert_ne!(requests[0].header("webhook-timestamp"), requests[2].header("webhook-timestamp"));
}

#[tokio::test]
async fn a_webhook_that_is_gone_or_redirects_is_not_called_again() {
    for answer in [
        Answer::status(410),
        Answer::status(302).header("location", "http://169.254.169.254/latest/meta-data"),
    ] {
        let sink = SmtpServer::plain().await;
        let hooks = HttpServer::plain().await;
        hooks.will(answer.clone());
        let destination = format!(
            "[destinations.chat]\nkind = \"webhook\"\nurl = \"http://{}/in\"",
            hooks.address
        );
        let world = edition_to(&sink, &destination).await;
        becomes(&world, "chat", DeliveryState::Rejected).await;
        world.passes(10).await;
        world.is_quiet().await;
        assert_eq!(hooks.requests().len(), 1, "{answer:?}");
    }
}

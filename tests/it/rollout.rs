//! Editions that go to a few first, pause themselves, and are resumed, corrected or cancelled.

use std::collections::HashMap;

use postrider::domain::{Cadence, DeliveryState, EditionId};
use postrider::store::{Correction, RunningEdition};

use crate::harness::engine::Engine;
use crate::harness::smtp::{At, Fault, SmtpServer};
use crate::harness::world::{Setting, World, post};

const READERS: usize = 200;
const CANARY: &str = "[mail.canary]\nsteps = [\"10%\", \"50%\"]\nmin_audience = 100\nsoak = \"0s\"";

/// A world with readers, and a sink that their mail goes to. The post goes out in a digest at 13:00.
async fn world(engine: Engine, sink: &SmtpServer) -> World {
    let world = Setting::new(engine)
        .mailing_to(sink.address)
        .cadences("daily = \"0 13 * * *\"")
        .config(CANARY)
        .start()
        .await;
    for number in 0..READERS {
        world.subscriber(&format!("reader{number}@example.org"), Cadence::Daily).await;
    }
    world.author_saves("hello.md", post("Hello", "2026-03-09")).await;
    world.passes(3).await;
    world
}

async fn edition(world: &World) -> Option<RunningEdition> {
    let mut tx = world.store.read().await.expect("the database answers");
    tx.running_editions().await.expect("the database answers").into_iter().next()
}

async fn count(world: &World, state: DeliveryState) -> usize {
    world.deliveries().await.iter().filter(|row| row.state == state).count()
}

/// How many mails each reader had.
fn received(sink: &SmtpServer) -> HashMap<String, usize> {
    let mut received = HashMap::new();
    for letter in sink.letters() {
        *received.entry(letter.to).or_default() += 1;
    }
    received
}

fn everybody_once(sink: &SmtpServer) {
    let received = received(sink);
    assert_eq!(received.len(), READERS, "nobody is forgotten");
    assert!(received.values().all(|count| *count == 1), "nobody has it twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edition_that_nobody_objects_to_reaches_everybody_stage_by_stage() {
    for engine in Engine::all() {
        let sink = SmtpServer::plain().await;
        let world = world(engine, &sink).await;
        world.jumps_to("2026-03-09T12:00:01Z").await;
        world
            .eventually("the whole edition", async || {
                (count(&world, DeliveryState::Accepted).await == READERS).then_some(())
            })
            .await;
        everybody_once(&sink);
        let mut tx = world.store.read().await.unwrap();
        let events = tx.latest_events(10_000).await.unwrap();
        let released = events.iter().filter(|event| event.kind == "edition.released").count();
        assert_eq!(released, 2, "{engine:?}: two further stages");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_rejected_pauses_itself_says_why_and_the_rest_gets_the_corrected_text() {
    for engine in Engine::all() {
        let sink = SmtpServer::plain().await;
        sink.fail(At::Dot, Fault::Say("554 5.7.1 This looks like spam"));
        let world = world(engine, &sink).await;
        world.jumps_to("2026-03-09T12:00:01Z").await;
        let paused = world
            .eventually("the pause", async || {
                let edition = edition(&world).await?;
                (edition.state.as_str() == "paused").then_some(edition)
            })
            .await;
        assert_eq!(count(&world, DeliveryState::Rejected).await, READERS / 10);
        assert_eq!(count(&world, DeliveryState::Planned).await, READERS * 9 / 10);
        let mut tx = world.store.read().await.unwrap();
        let events = tx.latest_events(1_000).await.unwrap();
        let why = events.iter().find(|event| event.kind == "edition.paused").unwrap();
        assert_eq!(
            why.detail,
            "20 of the first 20 mails were rejected: 100.0 %, and the limit is 5.0 %"
        );
        drop(tx);
        sink.mend();
        correct(&world, paused.id).await;
        world
            .eventually("the rest", async || {
                (count(&world, DeliveryState::Accepted).await == READERS * 9 / 10).then_some(())
            })
            .await;
        let letters = sink.letters();
        assert!(letters.iter().all(|letter| subject(&letter.message) == "Hello, corrected"));
    }
}

fn subject(message: &[u8]) -> String {
    let mail = mail_parser::MessageParser::default().parse(message).expect("a mail");
    mail.subject().unwrap_or_default().to_owned()
}

/// As `postrider editions correct` and `resume` do: another text for those who have not had it.
async fn correct(world: &World, id: EditionId) {
    let now = postrider::clock::Clock::now(&world.clock);
    let mut tx = world.store.write().await.expect("the database answers");
    let content =
        tx.edition_content(id).await.expect("the database answers").expect("it is there").content;
    let mut content: serde_json::Value = serde_json::from_str(&content).expect("it is JSON");
    content["subject"] = "Hello, corrected".into();
    let content = content.to_string();
    let correction = Correction { subject: "Hello, corrected", content: &content, posts: &[] };
    assert_eq!(
        tx.correct_edition(id, &correction, now).await.expect("the database answers"),
        Some(2)
    );
    assert!(tx.resume_edition(id, now).await.expect("the database answers"));
    tx.commit().await.expect("the database answers");
}

#[tokio::test(flavor = "multi_thread")]
async fn pausing_holds_to_the_delivery_and_resuming_sends_nothing_twice() {
    for engine in Engine::all() {
        let sink = SmtpServer::plain().await;
        let world = world(engine, &sink).await;
        world.jumps_to("2026-03-09T12:00:01Z").await;
        let id = world
            .eventually("some mails", async || {
                (sink.letters().len() > 30).then_some(())?;
                Some(edition(&world).await?.id)
            })
            .await;
        let now = postrider::clock::Clock::now(&world.clock);
        let mut tx = world.store.write().await.unwrap();
        assert!(tx.pause_edition(id, "a mistake in it", now).await.unwrap());
        tx.commit().await.unwrap();
        // What had its intent before the pause may arrive after it: at most one on each connection.
        world
            .eventually("nothing in flight", async || {
                (count(&world, DeliveryState::Sending).await == 0).then_some(())
            })
            .await;
        let before = sink.letters().len();
        world.rescans().await;
        assert_eq!(sink.letters().len(), before, "{engine:?}: it is paused");
        assert!(before < READERS, "{engine:?}: the pause came too late to tell");
        let mut tx = world.store.write().await.unwrap();
        assert!(tx.resume_edition(id, now).await.unwrap());
        tx.commit().await.unwrap();
        world
            .eventually("the rest", async || {
                (count(&world, DeliveryState::Accepted).await == READERS).then_some(())
            })
            .await;
        everybody_once(&sink);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_edition_goes_to_nobody_else() {
    for engine in Engine::all() {
        let sink = SmtpServer::plain().await;
        sink.fail(At::Rcpt, Fault::Say("451 4.3.0 Not now"));
        let world = world(engine, &sink).await;
        world.jumps_to("2026-03-09T12:00:01Z").await;
        let id = world
            .eventually("the first stage", async || {
                (count(&world, DeliveryState::Deferred).await == READERS / 10).then_some(())?;
                Some(edition(&world).await?.id)
            })
            .await;
        let now = postrider::clock::Clock::now(&world.clock);
        let mut tx = world.store.write().await.unwrap();
        let cancelled = tx.cancel_edition(id, "wrong list", now).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(cancelled, Some(i64::try_from(READERS).unwrap()), "{engine:?}");
        sink.mend();
        world.passes(20).await;
        assert!(sink.letters().is_empty(), "{engine:?}");
        assert!(edition(&world).await.is_none(), "{engine:?}: nothing runs any more");
    }
}

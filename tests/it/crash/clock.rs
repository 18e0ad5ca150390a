//! The clock jumps in mid-edition: an hour ahead, and back again.

use std::collections::HashMap;
use std::time::Duration;

use jiff::SignedDuration;
use postrider::domain::Cadence;

use crate::harness::engine::Engine;
use crate::harness::sink::{Rules, Sink};
use crate::harness::world::{Setting, post};

/// Two batches, so that a third feeder is idle and looks for more.
const READERS: usize = 900;

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_lets_no_batch_be_taken_twice() {
    for engine in Engine::all() {
        let rules = Rules {
            delay: Some((Duration::from_millis(20), Duration::from_millis(20))),
            keep: true,
            ..Rules::default()
        };
        let sink = Sink::start(rules).await;
        let mut world = Setting::new(engine).mailing_to(sink.address).start().await;
        for number in 0..READERS {
            world.subscriber(&format!("reader{number}@example.org"), Cadence::Instant).await;
        }
        world.author_saves("one.md", post("One", "2026-03-09")).await;
        world.passes(3).await;
        // By then the third feeder has looked again, and waits for a lease to run out.
        sink.reaches(400).await;
        // Longer than any lease, there and back, over and over.
        for hours in [1, -1, 24, -24, 1, 1, -2] {
            sink.reaches(sink.done() + 60).await;
            world.clock.advance(SignedDuration::from_hours(hours));
        }
        world.is_quiet().await;
        let mut received: HashMap<String, usize> = HashMap::new();
        for mail in sink.taken() {
            *received.entry(mail.to).or_default() += 1;
        }
        assert_eq!(received.len(), READERS, "{engine:?}: nobody is forgotten");
        assert!(received.values().all(|count| *count == 1), "{engine:?}: nobody has it twice");
        let mut tx = world.store.read().await.expect("the database answers");
        for event in tx.latest_events(100_000).await.expect("the database answers") {
            assert_ne!(event.kind, "delivery.uncertain", "{engine:?}: somebody took it in mid-air");
        }
        drop(tx);
        world.stop().await;
    }
}

//! Stages: a sample first, everybody else when the sample fared well; and editions side by side.

use super::*;

/// Subscribes `count` readers in one transaction.
async fn readers(store: &Store, count: usize) {
    write(store, async |tx| {
        for number in 0..count {
            let wish = AddSubscriber {
                address: &address(&format!("reader{number}")),
                newsletter: "weekly",
                cadence: Cadence::Daily,
                state: SubscriptionState::Active,
                source: "test",
            };
            tx.add_subscriber(&wish, store.keyring(), NOW).await?;
        }
        Ok(())
    })
    .await;
}

async fn pass(store: &Store, claimed: &Claimed, next: DeliveryState, count: usize) {
    for id in due(store, claimed, NOW).await.into_iter().take(count) {
        assert_eq!(intend(store, claimed, id).await, Ok(()));
        let outcome = match next {
            DeliveryState::Rejected => {
                Outcome::Rejected { reply: reply(550), reason: Reason::Policy }
            }
            _ => Outcome::Accepted(reply(250)),
        };
        record(store, recorded(claimed, id, outcome, Next::Final(next))).await;
    }
    write(store, async |tx| tx.settle_batch(claimed, None, NOW).await).await;
}

#[tokio::test]
async fn a_later_stage_waits_until_it_is_released() {
    for engine in Engine::all() {
        let database = engine.database().await;
        let store = database.open(NOW).await;
        readers(&store, 200).await;
        let id = seal_in_stages(&store, "urn:1", &[4, 20]).await.id;
        let sample = claim(&store, "one", NOW).await.unwrap();
        assert_eq!((sample.stage, sample.last - sample.first + 1), (0, 4), "{engine:?}");
        assert!(claim(&store, "two", NOW).await.is_none());
        pass(&store, &sample, DeliveryState::Accepted, 3).await;
        let sample = claim(&store, "one", NOW).await.unwrap();
        pass(&store, &sample, DeliveryState::Rejected, 1).await;
        assert!(write(&store, async |tx| tx.record_complaint(DeliveryId(1), NOW).await).await);
        assert!(!write(&store, async |tx| tx.record_complaint(DeliveryId(1), NOW).await).await);
        let running = store.read().await.unwrap().running_editions().await.unwrap();
        let counts = StageCounts {
            stage: 0,
            total: 4,
            accepted: 3,
            rejected: vec![(Some(Reason::Policy), 1)],
            complained: 1,
            ..StageCounts::default()
        };
        assert_eq!(running[0].counts, [counts]);
        assert_eq!((running[0].stage, running[0].last_stage), (0, 2));
        assert_eq!(edition_state(&store, id).await, EditionState::Sealed, "not finished yet");
        assert!(write(&store, async |tx| tx.release_stage(id, 1, later(1)).await).await);
        assert!(!write(&store, async |tx| tx.release_stage(id, 1, later(1)).await).await);
        let second = claim(&store, "one", later(1)).await.unwrap();
        assert_eq!((second.stage, second.last - second.first + 1), (1, 20));
        assert!(claim(&store, "two", later(1)).await.is_none());
        assert!(write(&store, async |tx| tx.pause_edition(id, "a look", later(2)).await).await);
        assert!(write(&store, async |tx| tx.release_stage(id, 9, later(2)).await).await);
        assert!(claim(&store, "two", later(2)).await.is_none(), "{engine:?}: released, but paused");
        assert!(write(&store, async |tx| tx.resume_edition(id, later(3)).await).await);
        assert_eq!(claim(&store, "two", later(3)).await.unwrap().stage, 2);
        let running = store.read().await.unwrap().running_editions().await.unwrap();
        assert!(running[0].counts.is_empty(), "nothing is left to be decided");
    }
}

#[tokio::test]
async fn the_first_stage_is_a_sample_of_all_and_not_of_the_oldest() {
    for engine in Engine::all() {
        let database = engine.database().await;
        let store = database.open(NOW).await;
        readers(&store, 1_000).await;
        seal_in_stages(&store, "urn:1", &[10, 90]).await;
        let mut raw = Raw::open(&database).await;
        let first = "SELECT CAST(min(subscription_id) AS TEXT) FROM deliveries WHERE id <= 10";
        let last = "SELECT CAST(max(subscription_id) AS TEXT) FROM deliveries WHERE id <= 10";
        let (first, last): (i64, i64) =
            (raw.text(first).await.parse().unwrap(), raw.text(last).await.parse().unwrap());
        assert!(first <= 100 && last > 900, "{engine:?}: from {first} to {last}");
        let all = "SELECT CAST(count(DISTINCT subscription_id) AS TEXT) FROM deliveries";
        assert_eq!(raw.text(all).await, "1000", "each of them once");
    }
}

#[tokio::test]
async fn editions_of_one_lane_go_side_by_side() {
    for engine in Engine::all() {
        let database = engine.database().await;
        let store = database.open(NOW).await;
        readers(&store, 2_500).await;
        let old = seal_in_stages(&store, "urn:1", &[]).await.id;
        assert_eq!(claim(&store, "a", NOW).await.unwrap().edition, Some(old));
        assert_eq!(claim(&store, "b", NOW).await.unwrap().edition, Some(old));
        let new = seal_in_stages(&store, "urn:2", &[]).await.id;
        let mut served = Vec::new();
        for owner in ["c", "d", "e", "f"] {
            served.push(claim(&store, owner, NOW).await.unwrap().edition.unwrap());
        }
        assert_eq!(served, [old, new, old, new], "{engine:?}");
        assert!(write(&store, async |tx| tx.pause_edition(old, "a look", NOW).await).await);
        assert_eq!(claim(&store, "g", NOW).await.unwrap().edition, Some(new));
        assert!(write(&store, async |tx| tx.resume_edition(old, NOW).await).await);
        let mut served = Vec::new();
        for owner in ["h", "i"] {
            served.push(claim(&store, owner, NOW).await.unwrap().edition.unwrap());
        }
        served.sort();
        assert_eq!(served, [old, new], "{engine:?}: who was away is not served alone now");
    }
}

#[tokio::test]
async fn a_throttled_batch_is_left_alone_until_it_may_go_on() {
    for engine in Engine::all() {
        let database = engine.database().await;
        let store = database.open(NOW).await;
        subscribe(&store, "ann").await;
        seal(&store, "urn:1").await;
        let claimed = claim(&store, "one", NOW).await.unwrap();
        let hint = Some(later(3));
        let settled = write(&store, async |tx| tx.settle_batch(&claimed, hint, NOW).await).await;
        assert_eq!(settled, Settled::Later(hint), "{engine:?}");
        assert!(claim(&store, "one", later(2)).await.is_none());
        let next = store.read().await.unwrap().next_batch_at(BULK, later(2)).await.unwrap();
        assert_eq!(next, hint);
        assert!(claim(&store, "one", later(3)).await.is_some());
    }
}

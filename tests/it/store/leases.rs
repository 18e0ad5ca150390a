//! Batches have one owner at a time, and what an owner leaves is known.

use super::*;

#[tokio::test]
async fn a_batch_has_one_owner_until_its_lease_runs_out() {
    for engine in Engine::all() {
        let database = engine.database().await;
        let store = database.open(NOW).await;
        subscribe(&store, "ann").await;
        seal(&store, "urn:1").await;
        let first = claim(&store, "one", NOW).await.unwrap();
        assert!(claim(&store, "two", later(1)).await.is_none(), "{engine:?}");
        expire(&store, first.lease).await;
        let second = claim(&store, "two", later(16)).await.unwrap();
        assert!(second.lease.epoch > first.lease.epoch);
        let id = due(&store, &second, later(16)).await[0];
        assert_eq!(intend(&store, &first, id).await, Err(IntentRefusal::LeaseLost));
        assert_eq!(intend(&store, &second, id).await, Ok(()));
    }
}

#[tokio::test]
async fn what_a_dead_owner_was_handing_over_is_uncertain_and_known_by_name() {
    for engine in Engine::all() {
        let database = engine.database().await;
        let store = database.open(NOW).await;
        for name in ["ann", "bob", "cis"] {
            subscribe(&store, name).await;
        }
        seal(&store, "urn:1").await;
        let dead = claim(&store, "one", NOW).await.unwrap();
        let ids = due(&store, &dead, NOW).await;
        assert_eq!(intend(&store, &dead, ids[0]).await, Ok(()));
        let accepted = Outcome::Accepted(reply(250));
        record(&store, recorded(&dead, ids[0], accepted, Next::Final(DeliveryState::Accepted)))
            .await;
        assert_eq!(intend(&store, &dead, ids[1]).await, Ok(()));
        let mut tx = store.write().await.unwrap();
        assert_eq!(tx.end_leases("one").await.unwrap(), 1, "it is known to be gone");
        tx.commit().await.unwrap();
        let next = claim(&store, "one", later(1)).await.unwrap();
        assert_eq!(next.uncertain, [ids[1]], "{engine:?}");
        assert_eq!(
            states(&store).await,
            [DeliveryState::Accepted, DeliveryState::Uncertain, DeliveryState::Planned]
        );
        assert_eq!(
            due(&store, &next, later(1)).await,
            ids[1..],
            "the accepted one is not due again"
        );
        let attempts = store.read().await.unwrap().attempts_of(ids[1]).await.unwrap();
        assert_eq!(attempts[0].outcome, "uncertain");
    }
}

#[tokio::test]
async fn an_uncertain_delivery_can_wait_for_a_person() {
    for engine in Engine::all() {
        let database = engine.database().await;
        let store = database.open(NOW).await;
        subscribe(&store, "ann").await;
        seal(&store, "urn:1").await;
        let dead = claim_in_passing(&store, "one").await.unwrap();
        let id = due(&store, &dead, NOW).await[0];
        assert_eq!(intend(&store, &dead, id).await, Ok(()));
        let until = later(31);
        let mut tx = store.write().await.unwrap();
        let held = tx.claim_batch(BULK, "two", (later(16), until), true).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        assert!(due(&store, &held, later(16)).await.is_empty(), "{engine:?}");
        let mut tx = store.write().await.unwrap();
        assert_eq!(tx.settle_batch(&held, None, later(16)).await.unwrap(), Settled::Later(None));
        assert!(tx.retry_delivery(id, later(20)).await.unwrap());
        tx.commit().await.unwrap();
        let again = claim(&store, "two", later(20)).await.unwrap();
        assert_eq!(due(&store, &again, later(20)).await, [id]);
    }
}

#[tokio::test]
async fn an_answer_that_comes_after_the_lease_was_lost_settles_the_doubt() {
    for engine in Engine::all() {
        let database = engine.database().await;
        let store = database.open(NOW).await;
        subscribe(&store, "ann").await;
        seal(&store, "urn:1").await;
        let slow = claim_in_passing(&store, "one").await.unwrap();
        let id = due(&store, &slow, NOW).await[0];
        assert_eq!(intend(&store, &slow, id).await, Ok(()));
        claim(&store, "two", later(16)).await.unwrap();
        assert_eq!(states(&store).await, [DeliveryState::Uncertain]);
        let accepted = Outcome::Accepted(reply(250));
        record(&store, recorded(&slow, id, accepted, Next::Final(DeliveryState::Accepted))).await;
        assert_eq!(states(&store).await, [DeliveryState::Accepted], "{engine:?}");
    }
}

#[tokio::test]
async fn an_edition_is_finished_when_its_last_delivery_is_final() {
    for engine in Engine::all() {
        let database = engine.database().await;
        let store = database.open(NOW).await;
        subscribe(&store, "ann").await;
        seal(&store, "urn:1").await;
        let claimed = claim(&store, "one", NOW).await.unwrap();
        let id = due(&store, &claimed, NOW).await[0];
        let deferred =
            Outcome::Deferred { reply: reply(451), reason: Reason::System, not_before: None };
        let again = Next::Again(DeliveryState::Deferred, later(5));
        assert_eq!(intend(&store, &claimed, id).await, Ok(()));
        record(&store, recorded(&claimed, id, deferred, again)).await;
        let mut tx = store.write().await.unwrap();
        let settled = tx.settle_batch(&claimed, None, NOW).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(settled, Settled::Later(Some(later(5))), "{engine:?}");
        assert!(claim(&store, "one", later(1)).await.is_none(), "not before its time");
        let claimed = claim(&store, "one", later(5)).await.unwrap();
        assert_eq!(intend(&store, &claimed, id).await, Ok(()));
        let accepted = Outcome::Accepted(reply(250));
        record(&store, recorded(&claimed, id, accepted, Next::Final(DeliveryState::Accepted)))
            .await;
        let mut tx = store.write().await.unwrap();
        assert_eq!(tx.settle_batch(&claimed, None, later(5)).await.unwrap(), Settled::Done);
        tx.commit().await.unwrap();
        let editions = store.read().await.unwrap().latest_editions(1).await.unwrap();
        assert_eq!(editions[0].state, EditionState::Finished);
        assert_eq!(store.read().await.unwrap().attempts_of(id).await.unwrap().len(), 2);
    }
}

#[tokio::test]
async fn a_letter_is_in_a_lane_of_its_own_and_forgotten_when_delivered() {
    for engine in Engine::all() {
        let database = engine.database().await;
        let store = database.open(NOW).await;
        let letter = NewLetter {
            kind: "confirmation",
            owner: None,
            address: &address("ann"),
            newsletter: "weekly",
            content: "with a token",
            channel: "mail:weekly",
        };
        let mut tx = store.write().await.unwrap();
        let id = tx.plan_letter(&letter, NOW).await.unwrap();
        tx.commit().await.unwrap();
        assert!(claim(&store, "one", NOW).await.is_none(), "{engine:?}: not among the bulk");
        let letters = Queue { channel: "mail:weekly", lanes: (Lane::Letter, Lane::Letter) };
        let mut tx = store.write().await.unwrap();
        let claimed =
            tx.claim_batch(letters, "one", (NOW, later(15)), false).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        assert_eq!(intend(&store, &claimed, id).await, Ok(()));
        let accepted = Outcome::Accepted(reply(250));
        record(&store, recorded(&claimed, id, accepted, Next::Final(DeliveryState::Accepted)))
            .await;
        let mut tx = store.read().await.unwrap();
        let content = tx.letter_content(postrider::domain::LetterId(1)).await.unwrap().unwrap().2;
        assert_eq!(content, "");
    }
}

#[tokio::test]
async fn an_owner_never_takes_its_own_batch_twice_however_the_clock_jumps() {
    for engine in Engine::all() {
        let database = engine.database().await;
        let store = database.open(NOW).await;
        subscribe(&store, "ann").await;
        seal(&store, "urn:1").await;
        assert!(claim_in_passing(&store, "one").await.is_some());
        assert!(claim(&store, "one", later(60 * 24 * 365)).await.is_none(), "{engine:?}");
        assert!(claim(&store, "two", later(60 * 24 * 365)).await.is_some());
    }
}

#[tokio::test]
async fn who_starts_ends_the_leases_of_the_dead_and_of_nobody_else() {
    if !Engine::all().contains(&Engine::Postgres) {
        return;
    }
    let database = Engine::Postgres.database().await;
    let (here, there) = (database.open(NOW).await, database.open(NOW).await);
    subscribe(&here, "ann").await;
    seal(&here, "urn:1").await;
    let batch = claim(&there, "host:80/a/1", NOW).await.unwrap();
    let ended = write(&here, async |tx| tx.end_leases("host:80/b/").await).await;
    assert_eq!(ended, 0, "that one may be alive");
    assert!(write(&there, async |tx| tx.renew_lease(batch.lease, (NOW, later(15))).await).await);
    let ended = write(&here, async |tx| tx.end_leases("host:80/a/").await).await;
    assert_eq!(ended, 1, "its successor knows better");
    assert!(claim(&here, "host:80/a/2", NOW).await.is_some());
}

#[tokio::test]
async fn a_batch_that_was_lost_sight_of_is_found_again_and_one_that_is_worked_on_is_left_alone() {
    for engine in Engine::all() {
        let database = engine.database().await;
        let store = database.open(NOW).await;
        subscribe(&store, "ann").await;
        seal(&store, "urn:1").await;
        let claimed = claim(&store, "one", NOW).await.unwrap();
        assert_eq!(store.free_strays("one").await.unwrap(), 0, "nothing went wrong so far");
        store.begin_work(claimed.lease);
        store.may_have_claimed();
        assert_eq!(store.free_strays("one").await.unwrap(), 0, "{engine:?}: it is worked on");
        store.end_work(claimed.lease, false);
        assert_eq!(store.free_strays("two").await.unwrap(), 0, "{engine:?}: that is another");
        store.may_have_claimed();
        assert_eq!(store.free_strays("one").await.unwrap(), 1, "{engine:?}");
        assert!(claim(&store, "one", NOW).await.is_some(), "{engine:?}: and claimed again");
    }
}

#[tokio::test]
async fn behind_a_fence_nothing_more_of_a_leased_batch_goes_out_and_what_did_is_noted() {
    for engine in Engine::all() {
        let database = engine.database().await;
        let store = database.open(NOW).await;
        for name in ["ann", "bob"] {
            subscribe(&store, name).await;
        }
        seal(&store, "urn:1").await;
        let claimed = claim(&store, "one", NOW).await.unwrap();
        let ids = due(&store, &claimed, NOW).await;
        intend(&store, &claimed, ids[0]).await.unwrap();
        write(&store, async |tx| tx.put_fence("a test", NOW).await).await;
        let refused = intend(&store, &claimed, ids[1]).await;
        assert_eq!(refused, Err(IntentRefusal::Fenced), "{engine:?}");
        let outcome = Outcome::Accepted(reply(250));
        record(&store, recorded(&claimed, ids[0], outcome, Next::Final(DeliveryState::Accepted)))
            .await;
        let both = [DeliveryState::Accepted, DeliveryState::Planned];
        assert_eq!(states(&store).await, both, "{engine:?}");
        write(&store, async |tx| tx.lift_fence("resume", NOW).await).await;
        intend(&store, &claimed, ids[1]).await.unwrap();
    }
}

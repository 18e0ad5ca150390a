//! The ledger keeps its promises, on both engines.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests too")]

use jiff::{SignedDuration, Timestamp};
use postrider::domain::{
    Cadence, DeliveryId, DeliveryState, EmailAddress, Lane, Outcome, PostId, Reason, Reply,
    Revision, SubscriptionState,
};
use postrider::store::{
    AddSubscriber, Added, Claimed, ConfirmationAnswer, DeliveryFilter, IntentRefusal, Ledger,
    LedgerError, NewAnnouncement, NewEdition, NewLetter, Next, Queue, Recorded, Settled, Store,
    run_committer,
};
use tokio_util::sync::CancellationToken;

use crate::harness::engine::Engine;

const NOW: Timestamp = Timestamp::constant(1_795_000_000, 0);
const BULK: Queue<'_> = Queue { channel: "mail:main", lanes: (Lane::Instant, Lane::Digest) };

fn later(minutes: i64) -> Timestamp {
    NOW + SignedDuration::from_mins(minutes)
}

fn address(name: &str) -> EmailAddress {
    format!("{name}@example.org").parse().unwrap()
}

async fn subscribe(store: &Store, name: &str) -> Added {
    let wish = AddSubscriber {
        address: &address(name),
        newsletter: "weekly",
        cadence: Cadence::Daily,
        state: SubscriptionState::Active,
        source: "test",
    };
    let mut tx = store.write().await.unwrap();
    let added = tx.add_subscriber(&wish, store.keyring(), NOW).await.unwrap();
    tx.commit().await.unwrap();
    added
}

async fn seal(store: &Store, post: &str) -> i64 {
    let (id, revision) = (PostId::pinned(post), Revision::of([post]));
    let edition = NewEdition {
        newsletter: "weekly",
        cadence: Cadence::Daily,
        subject: "Hello",
        content: "{}",
        posts: &[(&id, &revision)],
        lane: Lane::Digest,
        channel: "mail:main",
    };
    let mut tx = store.write().await.unwrap();
    let sealed = tx.seal_edition(&edition, NOW).await.unwrap();
    tx.commit().await.unwrap();
    sealed.audience
}

async fn claim(store: &Store, owner: &str, now: Timestamp) -> Option<Claimed> {
    let until = now + SignedDuration::from_mins(15);
    let mut tx = store.write().await.unwrap();
    let claimed = tx.claim_batch(BULK, owner, (now, until), false).await.unwrap();
    tx.commit().await.unwrap();
    claimed
}

async fn intend(store: &Store, claimed: &Claimed, id: DeliveryId) -> Result<(), IntentRefusal> {
    let mut tx = store.write().await.unwrap();
    let answer = tx.note_intent(claimed.lease, id, NOW).await.unwrap();
    tx.commit().await.unwrap();
    answer
}

fn reply(code: u16) -> Reply {
    Reply { server: "mx.example.org:25".to_owned(), code: Some(code), text: "said so".to_owned() }
}

fn recorded(claimed: &Claimed, id: DeliveryId, outcome: Outcome, next: Next) -> Recorded {
    Recorded {
        lease: claimed.lease,
        delivery: id,
        started_at: NOW,
        ended_at: NOW,
        outcome: Some(outcome),
        next,
        suppress: None,
    }
}

async fn record(store: &Store, recorded: Recorded) {
    let mut tx = store.write().await.unwrap();
    tx.record_outcome(&recorded, store.keyring()).await.unwrap();
    tx.commit().await.unwrap();
}

async fn states(store: &Store) -> Vec<DeliveryState> {
    let filter = DeliveryFilter { limit: 1000, ..DeliveryFilter::default() };
    let mut rows = store.read().await.unwrap().deliveries(filter).await.unwrap();
    rows.reverse();
    rows.into_iter().map(|row| row.state).collect()
}

async fn due(store: &Store, claimed: &Claimed, now: Timestamp) -> Vec<DeliveryId> {
    let due = store.read().await.unwrap().due_deliveries(claimed, now).await.unwrap();
    due.into_iter().map(|delivery| delivery.id).collect()
}

#[tokio::test]
async fn a_tick_is_claimed_once_whoever_asks() {
    for engine in Engine::all() {
        let database = engine.database().await;
        let (one, two) = (database.open(NOW).await, database.open(NOW).await);
        let mut tx = one.write().await.unwrap();
        assert!(tx.claim_tick("weekly", NOW, NOW, "sealed").await.unwrap());
        tx.commit().await.unwrap();
        let mut tx = two.write().await.unwrap();
        assert!(!tx.claim_tick("weekly", NOW, later(1), "sealed").await.unwrap(), "{engine:?}");
        assert!(tx.claim_tick("weekly", later(1), later(1), "sealed").await.unwrap());
    }
}

#[tokio::test]
async fn two_nodes_that_claim_one_tick_at_once_plan_one_edition() {
    for engine in Engine::all() {
        let database = engine.database().await;
        let (one, two) = (database.open(NOW).await, database.open(NOW).await);
        let race = async |store: &Store| {
            let mut tx = store.write().await.unwrap();
            let won = tx.claim_tick("weekly", NOW, NOW, "sealed").await.unwrap();
            tx.commit().await.unwrap();
            won
        };
        let (first, second) = tokio::join!(race(&one), race(&two));
        assert!(first ^ second, "{engine:?}: exactly one wins");
    }
}

#[tokio::test]
async fn a_schedule_with_a_new_expression_does_not_make_up_for_its_past() {
    for engine in Engine::all() {
        let database = engine.database().await;
        let store = database.open(NOW).await;
        let mut tx = store.write().await.unwrap();
        assert_eq!(tx.schedule("s", "0 7 * * *", NOW).await.unwrap().considered_until, NOW);
        tx.consider_until("s", later(10)).await.unwrap();
        tx.consider_until("s", later(5)).await.unwrap();
        let row = tx.schedule("s", "0 7 * * *", later(60)).await.unwrap();
        assert_eq!(row.considered_until, later(10), "{engine:?}: never moves back");
        let row = tx.schedule("s", "0 8 * * *", later(60)).await.unwrap();
        assert_eq!(row.considered_until, later(60));
    }
}

#[tokio::test]
async fn a_post_is_carried_once_by_each_cadence() {
    for engine in Engine::all() {
        let database = engine.database().await;
        let store = database.open(NOW).await;
        let post = PostId::pinned("urn:post");
        let mut tx = store.write().await.unwrap();
        assert!(tx.carry("weekly", Cadence::Daily, &post, NOW).await.unwrap());
        assert!(!tx.carry("weekly", Cadence::Daily, &post, NOW).await.unwrap(), "{engine:?}");
        assert!(tx.carry("weekly", Cadence::Weekly, &post, NOW).await.unwrap());
        assert!(tx.carried("weekly", Cadence::Daily).await.unwrap().contains(&post));
    }
}

#[tokio::test]
async fn an_edition_owes_one_delivery_to_each_active_subscriber_and_to_nobody_else() {
    for engine in Engine::all() {
        let database = engine.database().await;
        let store = database.open(NOW).await;
        for name in ["ann", "bob", "left", "bad"] {
            subscribe(&store, name).await;
        }
        let Added::AlreadyActive(left) = subscribe(&store, "left").await else { panic!() };
        let mut tx = store.write().await.unwrap();
        assert!(tx.unsubscribe(left, "test", NOW).await.unwrap());
        tx.suppress(&address("bad"), store.keyring(), "bounced", NOW).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(seal(&store, "urn:1").await, 2, "{engine:?}");
        assert_eq!(states(&store).await, [DeliveryState::Planned; 2]);
    }
}

#[tokio::test]
async fn a_batch_has_one_owner_until_its_lease_runs_out() {
    for engine in Engine::all() {
        let database = engine.database().await;
        let store = database.open(NOW).await;
        subscribe(&store, "ann").await;
        seal(&store, "urn:1").await;
        let first = claim(&store, "one", NOW).await.unwrap();
        assert!(claim(&store, "two", later(1)).await.is_none(), "{engine:?}");
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
        tx.end_leases(Some("one"), later(1)).await.unwrap();
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
        let dead = claim(&store, "one", NOW).await.unwrap();
        let id = due(&store, &dead, NOW).await[0];
        assert_eq!(intend(&store, &dead, id).await, Ok(()));
        let until = later(31);
        let mut tx = store.write().await.unwrap();
        let held = tx.claim_batch(BULK, "two", (later(16), until), true).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        assert!(due(&store, &held, later(16)).await.is_empty(), "{engine:?}");
        let mut tx = store.write().await.unwrap();
        assert_eq!(tx.settle_batch(&held, later(16)).await.unwrap(), Settled::Later(None));
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
        let slow = claim(&store, "one", NOW).await.unwrap();
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
async fn who_leaves_during_an_edition_gets_no_more_of_it() {
    for engine in Engine::all() {
        let database = engine.database().await;
        let store = database.open(NOW).await;
        let Added::Subscribed(ann) = subscribe(&store, "ann").await else { panic!() };
        seal(&store, "urn:1").await;
        let claimed = claim(&store, "one", NOW).await.unwrap();
        let id = due(&store, &claimed, NOW).await[0];
        let mut tx = store.write().await.unwrap();
        tx.unsubscribe(ann, "link", NOW).await.unwrap();
        tx.commit().await.unwrap();
        let refused = intend(&store, &claimed, id).await;
        assert_eq!(refused, Err(IntentRefusal::RecipientLeft), "{engine:?}");
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
        let settled = tx.settle_batch(&claimed, NOW).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(settled, Settled::Later(Some(later(5))), "{engine:?}");
        assert!(claim(&store, "one", later(1)).await.is_none(), "not before its time");
        let claimed = claim(&store, "one", later(5)).await.unwrap();
        assert_eq!(intend(&store, &claimed, id).await, Ok(()));
        let accepted = Outcome::Accepted(reply(250));
        record(&store, recorded(&claimed, id, accepted, Next::Final(DeliveryState::Accepted)))
            .await;
        let mut tx = store.write().await.unwrap();
        assert_eq!(tx.settle_batch(&claimed, later(5)).await.unwrap(), Settled::Done);
        tx.commit().await.unwrap();
        let editions = store.read().await.unwrap().latest_editions(1).await.unwrap();
        assert_eq!(editions[0].state, "finished");
        assert_eq!(store.read().await.unwrap().attempts_of(id).await.unwrap().len(), 2);
    }
}

#[tokio::test]
async fn a_mailbox_that_does_not_exist_is_never_mailed_again() {
    for engine in Engine::all() {
        let database = engine.database().await;
        let store = database.open(NOW).await;
        subscribe(&store, "ann").await;
        seal(&store, "urn:1").await;
        let claimed = claim(&store, "one", NOW).await.unwrap();
        let id = due(&store, &claimed, NOW).await[0];
        assert_eq!(intend(&store, &claimed, id).await, Ok(()));
        let gone = Outcome::Rejected { reply: reply(550), reason: Reason::Address };
        let mut bounced = recorded(&claimed, id, gone, Next::Final(DeliveryState::Rejected));
        bounced.suppress = Some(address("ann"));
        record(&store, bounced).await;
        assert_eq!(seal(&store, "urn:2").await, 0, "{engine:?}");
        assert_eq!(subscribe(&store, "ann").await, Added::Suppressed);
        assert_eq!(subscribe(&store, "ANN").await, Added::Suppressed, "whatever the spelling");
    }
}

#[tokio::test]
async fn an_import_does_not_bring_back_who_has_left() {
    for engine in Engine::all() {
        let database = engine.database().await;
        let store = database.open(NOW).await;
        let Added::Subscribed(id) = subscribe(&store, "ann").await else { panic!() };
        assert_eq!(subscribe(&store, "Ann").await, Added::AlreadyActive(id));
        let mut tx = store.write().await.unwrap();
        tx.unsubscribe(id, "link", NOW).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(subscribe(&store, "ann").await, Added::HasLeft(id), "{engine:?}");
    }
}

#[tokio::test]
async fn a_confirmation_works_once_and_not_for_ever() {
    for engine in Engine::all() {
        let database = engine.database().await;
        let store = database.open(NOW).await;
        let wish = AddSubscriber {
            address: &address("ann"),
            newsletter: "weekly",
            cadence: Cadence::Daily,
            state: SubscriptionState::Pending,
            source: "form",
        };
        let mut tx = store.write().await.unwrap();
        let Added::Subscribed(id) = tx.add_subscriber(&wish, store.keyring(), NOW).await.unwrap()
        else {
            panic!()
        };
        tx.add_confirmation(id, "hash", NOW, later(60)).await.unwrap();
        tx.add_confirmation(id, "old", NOW, later(1)).await.unwrap();
        assert_eq!(tx.confirm("guess", NOW).await.unwrap(), ConfirmationAnswer::Unknown);
        assert_eq!(tx.confirm("old", later(2)).await.unwrap(), ConfirmationAnswer::Expired);
        assert_eq!(tx.audience_size("weekly", Cadence::Daily).await.unwrap(), 0, "{engine:?}");
        assert_eq!(tx.confirm("hash", later(2)).await.unwrap(), ConfirmationAnswer::Confirmed(id));
        assert_eq!(tx.audience_size("weekly", Cadence::Daily).await.unwrap(), 1);
        let again = tx.confirm("hash", later(3)).await.unwrap();
        assert_eq!(again, ConfirmationAnswer::AlreadyConfirmed(id));
    }
}

#[tokio::test]
async fn a_destination_is_told_of_a_post_once() {
    for engine in Engine::all() {
        let database = engine.database().await;
        let store = database.open(NOW).await;
        let (post, revision) = (PostId::pinned("urn:1"), Revision::of(["1"]));
        let announcement = NewAnnouncement {
            post: &post,
            destination: "chat",
            revision: &revision,
            title: "One",
            body: "{}",
        };
        let mut tx = store.write().await.unwrap();
        assert!(tx.announce(&announcement, NOW).await.unwrap().is_some());
        let edited = Revision::of(["2"]);
        let edit = NewAnnouncement { revision: &edited, ..announcement };
        assert!(tx.announce(&edit, NOW).await.unwrap().is_none(), "{engine:?}: an edit is no news");
    }
}

#[tokio::test]
async fn a_letter_is_in_a_lane_of_its_own_and_forgotten_when_delivered() {
    for engine in Engine::all() {
        let database = engine.database().await;
        let store = database.open(NOW).await;
        let letter = NewLetter {
            kind: "confirmation",
            address: &address("ann"),
            newsletter: "weekly",
            content: "with a token",
            channel: "mail:main",
        };
        let mut tx = store.write().await.unwrap();
        let id = tx.plan_letter(&letter, NOW).await.unwrap();
        tx.commit().await.unwrap();
        assert!(claim(&store, "one", NOW).await.is_none(), "{engine:?}: not among the bulk");
        let letters = Queue { channel: "mail:main", lanes: (Lane::Letter, Lane::Letter) };
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
async fn many_connections_share_commits_and_lose_nothing() {
    for engine in Engine::all() {
        let database = engine.database().await;
        let store = database.open(NOW).await;
        for number in 0..60 {
            subscribe(&store, &format!("reader{number}")).await;
        }
        assert_eq!(seal(&store, "urn:1").await, 60);
        let claimed = claim(&store, "one", NOW).await.unwrap();
        let ids = due(&store, &claimed, NOW).await;
        let (ledger, entries) = Ledger::new();
        let committer =
            tokio::spawn(run_committer(store.clone(), entries, CancellationToken::new()));
        let mut tasks = tokio::task::JoinSet::new();
        for id in ids {
            let (ledger, claimed) = (ledger.clone(), claimed.clone());
            tasks.spawn(async move {
                ledger.intent(claimed.lease, id, NOW).await.unwrap();
                let accepted = Outcome::Accepted(reply(250));
                let done = Next::Final(DeliveryState::Accepted);
                ledger.outcome(recorded(&claimed, id, accepted, done)).await.unwrap();
                let again = ledger.intent(claimed.lease, id, NOW).await;
                let refused = LedgerError::Refused(IntentRefusal::NotWaiting);
                assert_eq!(again.unwrap_err().to_string(), refused.to_string());
            });
        }
        while let Some(done) = tasks.join_next().await {
            done.unwrap();
        }
        drop(ledger);
        committer.await.unwrap();
        assert_eq!(states(&store).await, [DeliveryState::Accepted; 60], "{engine:?}");
    }
}

#[tokio::test]
async fn a_dry_store_shows_everything_and_keeps_nothing() {
    for engine in Engine::all() {
        let database = engine.database().await;
        let store = database.open(NOW).await;
        let dry = database.open(NOW).await.dry();
        subscribe(&dry, "ann").await;
        assert_eq!(seal(&dry, "urn:1").await, 0, "{engine:?}: the subscriber was undone");
        assert!(states(&store).await.is_empty());
    }
}

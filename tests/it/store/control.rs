//! An edition under way is paused, resumed, cancelled and corrected, to the delivery.

use super::*;
use DeliveryState::{Accepted, Cancelled, Deferred, Uncertain};

const WHY: &str = "too many refusals";

fn with_version(claimed: &Claimed, delivery: DeliveryId, version: i64) -> IntentRequest {
    IntentRequest { lease: claimed.lease, delivery, content_version: Some(version) }
}

async fn ask(store: &Store, intent: IntentRequest) -> Result<(), IntentRefusal> {
    write(store, async |tx| tx.step(&[], &[intent], NOW, store.keyring()).await).await[0]
}

async fn sealed_for(store: &Store, names: &[&str]) -> EditionId {
    for name in names {
        subscribe(store, name).await;
    }
    seal_in_stages(store, "urn:1", &[]).await.id
}

#[tokio::test]
async fn nothing_of_a_paused_edition_is_handed_over_until_it_is_resumed() {
    for engine in Engine::all() {
        let database = engine.database().await;
        let store = database.open(NOW).await;
        let id = sealed_for(&store, &["ann", "bob"]).await;
        let claimed = claim(&store, "one", NOW).await.unwrap();
        let ids = due(&store, &claimed, NOW).await;
        assert_eq!(intend(&store, &claimed, ids[0]).await, Ok(()));
        assert!(write(&store, async |tx| tx.pause_edition(id, WHY, NOW).await).await);
        assert_eq!(
            intend(&store, &claimed, ids[1]).await,
            Err(IntentRefusal::Paused),
            "{engine:?}"
        );
        let accepted = Outcome::Accepted(reply(250));
        record(&store, recorded(&claimed, ids[0], accepted, Next::Final(DeliveryState::Accepted)))
            .await;
        write(&store, async |tx| tx.settle_batch(&claimed, None, NOW).await).await;
        assert!(claim(&store, "two", later(1)).await.is_none());
        let next = store.read().await.unwrap().next_batch_at(BULK, later(1)).await.unwrap();
        assert_eq!(next, None, "nobody is woken for it");
        assert!(write(&store, async |tx| tx.resume_edition(id, later(2)).await).await);
        let claimed = claim(&store, "two", later(2)).await.unwrap();
        assert_eq!(due(&store, &claimed, later(2)).await, ids[1..]);
        assert_eq!(intend(&store, &claimed, ids[1]).await, Ok(()));
        let events = store.read().await.unwrap().latest_events(10).await.unwrap();
        let paused = events.iter().find(|event| event.kind == "edition.paused").unwrap();
        assert_eq!(paused.detail, WHY);
    }
}

#[tokio::test]
async fn a_pause_waits_for_no_commit_and_no_commit_slips_past_it() {
    for engine in Engine::all() {
        let database = engine.database().await;
        let store = database.open(NOW).await;
        let id = sealed_for(&store, &["ann"]).await;
        let claimed = claim(&store, "one", NOW).await.unwrap();
        let delivery = due(&store, &claimed, NOW).await[0];
        let mut pausing = store.write().await.unwrap();
        assert!(pausing.pause_edition(id, WHY, NOW).await.unwrap());
        let (ledger, entries) = Ledger::new();
        let committer =
            tokio::spawn(run_committer(store.clone(), entries, CancellationToken::new()));
        let asking = tokio::spawn({
            let ledger = ledger.clone();
            async move { ledger.step(vec![], vec![with_version(&claimed, delivery, 1)], NOW).await }
        });
        tokio::task::yield_now().await;
        pausing.commit().await.unwrap();
        let answers = asking.await.unwrap().unwrap();
        assert_eq!(answers, [(delivery, Err(IntentRefusal::Paused))], "{engine:?}");
        drop(ledger);
        committer.await.unwrap();
    }
}

#[tokio::test]
async fn a_cancelled_edition_goes_to_nobody_else_and_what_was_in_flight_settles_by_its_answer() {
    for engine in Engine::all() {
        let database = engine.database().await;
        let store = database.open(NOW).await;
        let id = sealed_for(&store, &["ann", "bob", "cis", "dan"]).await;
        let claimed = claim(&store, "one", NOW).await.unwrap();
        let ids = due(&store, &claimed, NOW).await;
        for id in &ids[..3] {
            assert_eq!(intend(&store, &claimed, *id).await, Ok(()));
        }
        let cancelled = write(&store, async |tx| tx.cancel_edition(id, WHY, NOW).await).await;
        assert_eq!(cancelled, Some(1), "{engine:?}: three are being handed over");
        let done = Next::Final(DeliveryState::Accepted);
        record(&store, recorded(&claimed, ids[0], Outcome::Accepted(reply(250)), done)).await;
        let busy =
            Outcome::Deferred { reply: reply(451), reason: Reason::System, not_before: None };
        let again = Next::Again(DeliveryState::Deferred, later(5));
        record(&store, recorded(&claimed, ids[1], busy, again)).await;
        let again = Next::Again(DeliveryState::Uncertain, later(5));
        record(&store, recorded(&claimed, ids[2], Outcome::Uncertain(reply(0)), again)).await;
        assert_eq!(states(&store).await, [Accepted, Cancelled, Uncertain, Cancelled]);
        assert_eq!(edition_state(&store, id).await, EditionState::Cancelled);
        let filter = DeliveryFilter { id: Some(ids[2]), limit: 1, ..DeliveryFilter::default() };
        let doubt = store.read().await.unwrap().deliveries(filter).await.unwrap();
        assert!(doubt[0].held, "known by name, and not sent again");
        assert_eq!(write(&store, async |tx| tx.cancel_edition(id, WHY, NOW).await).await, None);
        assert!(!write(&store, async |tx| tx.resume_edition(id, NOW).await).await);
        assert!(!write(&store, async |tx| tx.retry_delivery(ids[2], NOW).await).await);
    }
}

#[tokio::test]
async fn a_crash_amid_a_cancelled_edition_leaves_its_doubts_known() {
    for engine in Engine::all() {
        let database = engine.database().await;
        let store = database.open(NOW).await;
        let id = sealed_for(&store, &["ann", "bob"]).await;
        let claimed = claim_in_passing(&store, "one").await.unwrap();
        let ids = due(&store, &claimed, NOW).await;
        assert_eq!(intend(&store, &claimed, ids[0]).await, Ok(()));
        assert_eq!(write(&store, async |tx| tx.cancel_edition(id, WHY, NOW).await).await, Some(1));
        let heir = claim(&store, "two", later(1)).await.expect("it has a doubt in it");
        assert_eq!(heir.uncertain, [ids[0]], "{engine:?}");
        assert!(due(&store, &heir, later(1)).await.is_empty(), "nothing goes out again");
    }
}

#[tokio::test]
async fn who_has_not_got_a_corrected_edition_gets_the_new_text() {
    for engine in Engine::all() {
        let database = engine.database().await;
        let store = database.open(NOW).await;
        let id = sealed_for(&store, &["ann", "bob"]).await;
        let claimed = claim(&store, "one", NOW).await.unwrap();
        let ids = due(&store, &claimed, NOW).await;
        assert_eq!(ask(&store, with_version(&claimed, ids[0], 1)).await, Ok(()));
        let (post, revision) = (PostId::pinned("urn:1"), Revision::of(["mended"]));
        let correction =
            Correction { subject: "Mended", content: "mended", posts: &[(&post, &revision)] };
        let version =
            write(&store, async |tx| tx.correct_edition(id, &correction, NOW).await).await;
        assert_eq!(version, Some(2));
        let refused = ask(&store, with_version(&claimed, ids[1], 1)).await;
        assert_eq!(refused, Err(IntentRefusal::Superseded), "{engine:?}");
        let content = store.read().await.unwrap().edition_content(id).await.unwrap().unwrap();
        assert_eq!((content.content.as_str(), content.version), ("mended", 2));
        assert_eq!(ask(&store, with_version(&claimed, ids[1], 2)).await, Ok(()));
        let mut raw = Raw::open(&database).await;
        let old = "SELECT v.content FROM deliveries d JOIN edition_versions v \
                   ON v.edition_id = d.edition_id AND v.version = d.version";
        assert_eq!(raw.text(old).await, "{}", "it is known who got which");
    }
}

#[tokio::test]
async fn a_doubt_is_settled_by_a_person() {
    for engine in Engine::all() {
        let database = engine.database().await;
        let store = database.open(NOW).await;
        let id = sealed_for(&store, &["ann", "bob", "cis"]).await;
        let dead = claim_in_passing(&store, "one").await.unwrap();
        let ids = due(&store, &dead, NOW).await;
        for id in &ids {
            assert_eq!(intend(&store, &dead, *id).await, Ok(()));
        }
        let lease = (later(1), later(16));
        let held =
            write(&store, async |tx| tx.claim_batch(BULK, "two", lease, true).await).await.unwrap();
        write(&store, async |tx| tx.settle_batch(&held, None, later(1)).await).await;
        for (delivery, how) in ids.iter().zip([Settlement::Accepted, Settlement::Cancelled]) {
            let settle = async |tx: &mut Tx| tx.settle_uncertain(*delivery, how, later(2)).await;
            assert!(write(&store, settle).await);
            assert!(!write(&store, settle).await, "{engine:?}: it is settled");
        }
        let resend =
            async |tx: &mut Tx| tx.settle_uncertain(ids[2], Settlement::Resend, later(2)).await;
        assert!(write(&store, resend).await);
        assert_eq!(states(&store).await, [Accepted, Cancelled, Deferred]);
        let claimed = claim(&store, "two", later(3)).await.unwrap();
        assert_eq!(due(&store, &claimed, later(3)).await, ids[2..]);
        assert!(write(&store, async |tx| tx.cancel_delivery(ids[2], later(3)).await).await);
        let settled =
            write(&store, async |tx| tx.settle_batch(&claimed, None, later(3)).await).await;
        assert_eq!(settled, Settled::Done);
        assert_eq!(edition_state(&store, id).await, EditionState::Finished);
    }
}

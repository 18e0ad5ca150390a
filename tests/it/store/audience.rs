//! Who is owed an edition, and who is not any more.

use super::*;

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
        bounced.bounce = Bounce::Hard;
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
            choice: &Choice::of(Cadence::Daily),
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

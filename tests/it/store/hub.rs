//! Our own hub: who is owed which feed, and that nobody gets it twice.

use postrider::domain::{HubMode, ServedFeed};
use postrider::store::HubRequest;

use super::*;

fn request(mode: HubMode, callback: &str) -> HubRequest {
    HubRequest {
        mode,
        topic: "/feed.xml".to_owned(),
        callback: callback.to_owned(),
        host: "reader.example".to_owned(),
        lease: SignedDuration::from_hours(24),
        secret: Some("a secret".to_owned()),
        etag: "a".to_owned(),
    }
}

async fn publish(store: &Store, etag: &str) {
    let last_modified = Timestamp::from_second(100).unwrap();
    let feed = ServedFeed { etag: etag.to_owned(), last_modified, entries: vec![1] };
    store.note_feeds(&[("/feed.xml", feed)], &[], NOW).await.unwrap();
}

/// The version that a node has.
fn has(etag: &str) -> [(&str, &str); 1] {
    [("/feed.xml", etag)]
}

/// Subscribes as if the callback had confirmed.
async fn subscribe(store: &Store, callback: &str) {
    assert!(store.ask_hub(&request(HubMode::Subscribe, callback), NOW).await.unwrap());
    let due = store.claim_hub_requests(NOW, later(10)).await.unwrap();
    let mut tx = store.write().await.unwrap();
    for due in due {
        tx.grant_hub_request(&due, NOW).await.unwrap();
    }
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn two_nodes_send_a_feed_once_and_a_newer_version_takes_the_place_of_an_older() {
    for engine in Engine::all() {
        let database = engine.database().await;
        let (store, other) = (database.open(NOW).await, database.open(NOW).await);
        publish(&store, "a").await;
        for number in 0..5 {
            subscribe(&store, &format!("https://reader.example/{number}")).await;
        }
        assert!(
            store.claim_owed_feeds(&has("a"), NOW, later(10)).await.unwrap().is_empty(),
            "{engine:?}"
        );
        publish(&store, "b").await;
        let behind = store.claim_owed_feeds(&has("a"), NOW, later(10)).await.unwrap();
        assert!(behind.is_empty(), "{engine:?}: a node takes what it has");
        let b = has("b");
        let (one, two) = tokio::join!(
            store.claim_owed_feeds(&b, NOW, later(10)),
            other.claim_owed_feeds(&b, NOW, later(10))
        );
        let mut due = one.unwrap();
        due.extend(two.unwrap());
        assert_eq!(due.len(), 5, "{engine:?}: each is one node's");
        assert!(due.iter().all(|it| it.etag == "b" && it.secret.is_some()));
        publish(&store, "c").await;
        let mut tx = store.write().await.unwrap();
        tx.settle_owed_feed(&due[0], NOW).await.unwrap();
        tx.delay_owed_feed(&due[1], later(5)).await.unwrap();
        tx.end_subscription(&due[2]).await.unwrap();
        tx.commit().await.unwrap();
        let now = store.claim_owed_feeds(&has("c"), NOW, later(10)).await.unwrap();
        assert_eq!(now.len(), 1, "who has b is owed c at once");
        assert_eq!((now[0].etag.as_str(), now[0].attempt), ("c", 1));
        let later_on = store.claim_owed_feeds(&has("c"), later(5), later(20)).await.unwrap();
        assert_eq!(later_on.len(), 1);
        assert_eq!((later_on[0].etag.as_str(), later_on[0].attempt), ("c", 1), "not b any more");
        let rows = store.read().await.unwrap().hub_subscribers().await.unwrap();
        assert_eq!((rows[0].subscribers, rows[0].owed), (4, 4), "{engine:?}");
        assert_eq!(store.hub_topics(later(60)).await.unwrap(), ["/feed.xml"]);
        assert!(store.hub_topics(later(60 * 25)).await.unwrap().is_empty(), "the lease is over");
    }
}

#[tokio::test]
async fn what_a_callback_asked_for_last_counts_and_one_host_has_only_so_much_room() {
    for engine in Engine::all() {
        let database = engine.database().await;
        let store = database.open(NOW).await;
        publish(&store, "a").await;
        let callback = "https://reader.example/1";
        assert!(store.ask_hub(&request(HubMode::Subscribe, callback), NOW).await.unwrap());
        let first = store.claim_hub_requests(NOW, later(10)).await.unwrap();
        assert!(store.ask_hub(&request(HubMode::Unsubscribe, callback), later(1)).await.unwrap());
        let mut tx = store.write().await.unwrap();
        tx.grant_hub_request(&first[0], NOW).await.unwrap();
        assert!(tx.hub_subscribers().await.unwrap().is_empty(), "{engine:?}: it thought better");
        tx.commit().await.unwrap();
        let second = store.claim_hub_requests(later(1), later(10)).await.unwrap();
        assert_eq!(second[0].request.mode, HubMode::Unsubscribe);
        let told = format!("{second:?}");
        assert!(!told.contains("a secret") && !told.contains(callback), "{told}");
        for number in 0..499 {
            let callback = format!("https://reader.example/more/{number}");
            assert!(store.ask_hub(&request(HubMode::Subscribe, &callback), NOW).await.unwrap());
        }
        let one_more = request(HubMode::Subscribe, "https://reader.example/last");
        assert!(!store.ask_hub(&one_more, NOW).await.unwrap(), "{engine:?}");
        let again = request(HubMode::Subscribe, callback);
        assert!(store.ask_hub(&again, NOW).await.unwrap(), "who is in may renew");
    }
}

//! What readers are told of feeds is the same after a restart and on every node.

use postrider::domain::{FeedVersion, ServedFeed};
use postrider::store::{FeedReaders, NotedFeed};

use super::*;

fn served(etag: &str, second: i64, entries: &[u64]) -> ServedFeed {
    let last_modified = Timestamp::from_second(second).unwrap();
    ServedFeed { etag: etag.to_owned(), last_modified, entries: entries.to_vec() }
}

async fn note(store: &Store, path: &str, feed: ServedFeed) -> NotedFeed {
    let mut noted = store.note_feeds(&[(path, feed)], &[], NOW).await.unwrap();
    noted.remove(path).unwrap()
}

/// Statement 35, across nodes.
#[tokio::test]
async fn the_first_who_serves_a_version_decides_its_time() {
    for engine in Engine::all() {
        let database = engine.database().await;
        let store = database.open(NOW).await;
        let other = database.open(NOW).await;
        let a = note(&store, "/feed.xml", served("a", 100, &[1, 2])).await;
        assert_eq!(a.last_modified.as_second(), 100, "{engine:?}");
        // The other node has the same bytes, and posts from another checkout with other times.
        assert_eq!(note(&other, "/feed.xml", served("a", 900, &[1, 2])).await, a);
        let b = note(&other, "/feed.xml", served("b", 100, &[u64::MAX, 1])).await;
        assert_eq!(b.last_modified.as_second(), 101, "later, whatever its posts say");
        let version = |etag: &str, added: &[u64]| FeedVersion {
            etag: etag.to_owned(),
            added: added.to_vec(),
        };
        assert_eq!(b.versions, [version("a", &[1, 2]), version("b", &[u64::MAX])]);
        assert_eq!(note(&store, "/feed.xml", served("b", 50, &[u64::MAX, 1])).await, b);
        // What was served before counts as new: readers of the version in between must notice.
        let back = note(&store, "/feed.xml", served("a", 100, &[1, 2])).await;
        assert_eq!(back.last_modified.as_second(), 102);
        assert_eq!(back.versions.last().unwrap().added, [2]);
        let another = note(&store, "/atom.xml", served("a", 100, &[1])).await;
        assert_eq!(another.last_modified.as_second(), 100, "each path by itself");
    }
}

#[tokio::test]
async fn versions_long_ago_are_forgotten() {
    for engine in Engine::all() {
        let database = engine.database().await;
        let store = database.open(NOW).await;
        let mut last = None;
        for number in 0..60 {
            let feed = served(&number.to_string(), 100, &[number]);
            last = Some(note(&store, "/feed.xml", feed).await);
        }
        let last = last.unwrap();
        assert_eq!(last.versions.len(), 50, "{engine:?}");
        assert_eq!(last.versions.first().unwrap().etag, "10");
        assert_eq!(last.last_modified.as_second(), 159);
    }
}

#[tokio::test]
async fn nodes_that_publish_at_once_agree() {
    for engine in Engine::all() {
        let database = engine.database().await;
        let mut tasks = tokio::task::JoinSet::new();
        for node in 0..4 {
            let store = database.open(NOW).await;
            tasks.spawn(async move {
                let feeds: Vec<(String, ServedFeed)> = (0..20)
                    .map(|path| (format!("/{path}.xml"), served("a", 100 + node, &[1, 2, 3])))
                    .collect();
                let feeds: Vec<_> =
                    feeds.iter().map(|(path, feed)| (path.as_str(), feed.clone())).collect();
                store.note_feeds(&feeds, &[], NOW).await.unwrap()
            });
        }
        let answers = tasks.join_all().await;
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{engine:?}");
        assert!(answers[0].values().all(|feed| feed.versions.len() == 1));
    }
}

#[tokio::test]
async fn counts_of_readers_only_grow_within_a_day_and_are_kept_for_a_year() {
    for engine in Engine::all() {
        let database = engine.database().await;
        let store = database.open(NOW).await;
        let row = |day, path: &str, pollers, subscribers| FeedReaders {
            day,
            path: path.to_owned(),
            pollers,
            subscribers,
        };
        store
            .note_readers(&[row(100, "/feed.xml", 5, 40), row(100, "/atom.xml", 7, 0)])
            .await
            .unwrap();
        // A restart forgot some; another node saw others.
        store.note_readers(&[row(100, "/feed.xml", 2, 41)]).await.unwrap();
        store.note_readers(&[]).await.unwrap();
        let mut tx = store.read().await.unwrap();
        let readers = tx.feed_readers(101).await.unwrap();
        let expected = [row(101, "/feed.xml", 5, 41), row(101, "/atom.xml", 7, 0)];
        assert_eq!(readers, expected, "{engine:?}: of yesterday, the most read first");
        assert!(tx.feed_readers(102).await.unwrap().is_empty());
        drop(tx);
        store.note_readers(&[row(600, "/feed.xml", 1, 1)]).await.unwrap();
        assert!(store.read().await.unwrap().feed_readers(101).await.unwrap().len() == 1);
    }
}

/// Statement 37.
#[tokio::test]
async fn a_hub_is_owed_each_change_once_and_until_it_has_heard() {
    let hubs = ["https://hub.example/".to_owned()];
    for engine in Engine::all() {
        let database = engine.database().await;
        let store = database.open(NOW).await;
        let publish = async |etag: &str, minute: i64| {
            let feed = served(etag, 100, &[1]);
            store.note_feeds(&[("/feed.xml", feed)], &hubs, later(minute)).await.unwrap();
        };
        let claim = async |from: i64, until: i64| {
            store.claim_pings(later(from), later(until)).await.unwrap()
        };
        publish("a", 0).await;
        publish("b", 0).await;
        assert_eq!(claim(1, 10).await, [], "{engine:?}: a first look may take more than one turn");
        publish("c", 2).await;
        publish("c", 2).await;
        assert_eq!(claim(2, 10).await, [], "not served yet");
        let first = claim(3, 10).await;
        assert_eq!((first.len(), first[0].path.as_str(), first[0].attempt), (1, "/feed.xml", 1));
        assert_eq!(claim(3, 10).await, [], "{engine:?}: somebody has it");
        let again = claim(10, 20).await;
        assert_eq!(again[0].attempt, 2, "whoever took it is gone");
        let mut tx = store.write().await.unwrap();
        tx.end_ping(&first[0]).await.unwrap();
        tx.delay_ping(&again[0], later(12)).await.unwrap();
        assert_eq!(tx.next_ping().await.unwrap(), Some(later(12)), "who was late says nothing");
        tx.commit().await.unwrap();
        publish("d", 11).await;
        let mut tx = store.write().await.unwrap();
        tx.end_ping(&again[0]).await.unwrap();
        tx.put_fence("a test", later(11)).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(claim(12, 20).await, [], "behind a fence");
        let mut tx = store.write().await.unwrap();
        tx.lift_fence("a test", later(11)).await.unwrap();
        tx.commit().await.unwrap();
        let newer = claim(12, 20).await;
        assert_eq!((newer[0].version, newer[0].attempt), (4, 1), "it heard of the one before");
        let mut tx = store.write().await.unwrap();
        tx.end_ping(&newer[0]).await.unwrap();
        assert_eq!(tx.next_ping().await.unwrap(), None);
    }
}

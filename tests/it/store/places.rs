//! The archive of the feeds: each post has its place for ever.

use postrider::domain::{FeedPlace, FeedWindow};

use super::*;

/// Documents of two posts.
const WINDOW: FeedWindow = FeedWindow { items: 4, bytes: None };

fn ids(names: &[&str]) -> Vec<(PostId, u64)> {
    names.iter().map(|name| (PostId::pinned(*name), 700)).collect()
}

fn place(name: &str, place: u32) -> FeedPlace {
    FeedPlace { post: PostId::pinned(name), place, document: place / 2, size: 700 }
}

#[tokio::test]
async fn a_post_keeps_its_place_whoever_comes_later() {
    for engine in Engine::all() {
        let database = engine.database().await;
        let (one, two) = (database.open(NOW).await, database.open(NOW).await);
        let mut tx = one.write().await.unwrap();
        tx.place_in_feeds(&ids(&["b", "a"]), WINDOW).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = two.write().await.unwrap();
        tx.place_in_feeds(&ids(&["c", "a", "d", "e"]), WINDOW).await.unwrap();
        tx.place_in_feeds(&[], WINDOW).await.unwrap();
        tx.place_in_feeds(&ids(&["a"]), WINDOW).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = one.read().await.unwrap();
        let all = tx.feed_places(0).await.unwrap();
        let wanted = [("b", 0), ("a", 1), ("c", 2), ("d", 3), ("e", 4)].map(|it| place(it.0, it.1));
        assert_eq!(all, wanted, "{engine:?}");
        assert_eq!(tx.feed_places(2).await.unwrap(), wanted[2..]);
        assert_eq!(tx.feed_places(5).await.unwrap(), []);
    }
}

#[tokio::test]
async fn a_document_that_is_full_of_bytes_is_closed_whoever_filled_it() {
    let window = FeedWindow { items: 100, bytes: Some(100_000) };
    for engine in Engine::all() {
        let database = engine.database().await;
        let (one, two) = (database.open(NOW).await, database.open(NOW).await);
        // Five posts are in a document in any case, and then 50 kB are enough.
        let sizes = [9_000, 30_000, 9_000, 30_000, 9_000, 1_000, 60_000, 10, 10, 10, 10, 49_000];
        for (number, size) in sizes.into_iter().enumerate() {
            let store = if number % 2 == 0 { &one } else { &two };
            let mut tx = store.write().await.unwrap();
            let post = PostId::pinned(format!("p{number}"));
            tx.place_in_feeds(&[(post, size)], window).await.unwrap();
            tx.commit().await.unwrap();
        }
        let found = one.read().await.unwrap().feed_places(0).await.unwrap();
        let documents: Vec<u32> = found.iter().map(|it| it.document).collect();
        assert_eq!(documents, [0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2], "{engine:?}");
    }
}

#[tokio::test]
async fn places_of_many_posts_are_in_their_order() {
    for engine in Engine::all() {
        let database = engine.database().await;
        let store = database.open(NOW).await;
        let names = (0..10_001).rev().map(|number| format!("p{number:05}"));
        let many: Vec<(PostId, u64)> = names.clone().map(|it| (PostId::pinned(it), 700)).collect();
        let mut tx = store.write().await.unwrap();
        tx.place_in_feeds(&many, WINDOW).await.unwrap();
        tx.commit().await.unwrap();
        let found = store.read().await.unwrap().feed_places(0).await.unwrap();
        let wanted = names.zip(0..).map(|(name, number)| place(&name, number));
        assert!(found.into_iter().eq(wanted), "{engine:?}");
    }
}

#[tokio::test]
async fn two_nodes_that_see_new_posts_at_once_agree_on_their_places() {
    for engine in Engine::all() {
        let database = engine.database().await;
        let (one, two) = (database.open(NOW).await, database.open(NOW).await);
        let see = async |store: &Store, posts: Vec<(PostId, u64)>| {
            let mut tx = store.write().await.unwrap();
            tx.place_in_feeds(&posts, WINDOW).await.unwrap();
            tx.commit().await.unwrap();
        };
        tokio::join!(see(&one, ids(&["a", "b"])), see(&two, ids(&["b", "c"])));
        // Whoever lost looks again.
        see(&one, ids(&["a", "b"])).await;
        see(&two, ids(&["b", "c"])).await;
        let found = one.read().await.unwrap().feed_places(0).await.unwrap();
        let places: Vec<(u32, u32)> = found.iter().map(|it| (it.place, it.document)).collect();
        assert_eq!(places, [(0, 0), (1, 0), (2, 1)], "{engine:?}");
    }
}

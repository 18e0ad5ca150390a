//! The archive of the feeds: each post has its place for ever.

use super::*;

fn ids(names: &[&str]) -> Vec<PostId> {
    names.iter().map(|name| PostId::pinned(*name)).collect()
}

#[tokio::test]
async fn a_post_keeps_its_place_whoever_comes_later() {
    for engine in Engine::all() {
        let database = engine.database().await;
        let (one, two) = (database.open(NOW).await, database.open(NOW).await);
        let mut tx = one.write().await.unwrap();
        tx.place_in_feeds(&ids(&["b", "a"])).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = two.write().await.unwrap();
        tx.place_in_feeds(&ids(&["c", "a", "d"])).await.unwrap();
        tx.place_in_feeds(&[]).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = one.read().await.unwrap();
        let all = tx.feed_places(0).await.unwrap();
        let wanted: Vec<(PostId, u32)> = ids(&["b", "a", "c", "d"]).into_iter().zip(0..).collect();
        assert_eq!(all, wanted, "{engine:?}");
        assert_eq!(tx.feed_places(2).await.unwrap(), wanted[2..]);
        assert_eq!(tx.feed_places(4).await.unwrap(), []);
    }
}

#[tokio::test]
async fn places_of_many_posts_are_in_their_order() {
    for engine in Engine::all() {
        let database = engine.database().await;
        let store = database.open(NOW).await;
        let many: Vec<PostId> =
            (0..10_001).rev().map(|number| PostId::pinned(format!("p{number:05}"))).collect();
        let mut tx = store.write().await.unwrap();
        tx.place_in_feeds(&many).await.unwrap();
        tx.commit().await.unwrap();
        let found = store.read().await.unwrap().feed_places(0).await.unwrap();
        assert!(found.into_iter().eq(many.into_iter().zip(0..)), "{engine:?}");
    }
}

#[tokio::test]
async fn two_nodes_that_see_new_posts_at_once_agree_on_their_places() {
    for engine in Engine::all() {
        let database = engine.database().await;
        let (one, two) = (database.open(NOW).await, database.open(NOW).await);
        let see = async |store: &Store, posts: Vec<PostId>| {
            let mut tx = store.write().await.unwrap();
            tx.place_in_feeds(&posts).await.unwrap();
            tx.commit().await.unwrap();
        };
        tokio::join!(see(&one, ids(&["a", "b"])), see(&two, ids(&["b", "c"])));
        // Whoever lost looks again.
        see(&one, ids(&["a", "b"])).await;
        see(&two, ids(&["b", "c"])).await;
        let found = one.read().await.unwrap().feed_places(0).await.unwrap();
        assert_eq!(found.len(), 3, "{engine:?}");
        let places: Vec<u32> = found.iter().map(|(_, place)| *place).collect();
        assert_eq!(places, [0, 1, 2], "{engine:?}");
    }
}

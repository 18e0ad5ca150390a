//! Planning happens once, whoever asks.

use super::*;

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
async fn a_post_becomes_news_once_and_is_mailed_by_itself_once() {
    for engine in Engine::all() {
        let database = engine.database().await;
        let store = database.open(NOW).await;
        let post = PostId::pinned("urn:post");
        let mut tx = store.write().await.unwrap();
        let other = PostId::pinned("urn:other");
        tx.note_news("weekly", &[&post], NOW).await.unwrap();
        tx.note_news("weekly", &[&other, &post], later(1)).await.unwrap();
        tx.note_news("monthly", &[&other], later(1)).await.unwrap();
        let news = tx.news_after("weekly", 0).await.unwrap();
        let news: Vec<_> = news.iter().map(|row| (row.seq, row.post.as_str())).collect();
        assert_eq!(news, [(1, "urn:post"), (2, "urn:other")], "{engine:?}");
        assert!(tx.claim_alone("weekly", &post, NOW).await.unwrap());
        assert!(!tx.claim_alone("weekly", &post, NOW).await.unwrap(), "{engine:?}");
        let left = tx.news_to_mail_alone("weekly").await.unwrap();
        assert_eq!(left.iter().map(|row| row.seq).collect::<Vec<_>>(), [2]);
    }
}

#[tokio::test]
async fn a_destination_is_told_of_a_post_once() {
    for engine in Engine::all() {
        let database = engine.database().await;
        let store = database.open(NOW).await;
        let (post, revision) = (PostId::pinned("urn:1"), Revision::of(["1"]));
        let announcement = NewAnnouncement {
            action: postrider::store::Action::Create,
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

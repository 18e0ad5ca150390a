//! A day's allowance is one for all who draw on it.

use super::*;

#[tokio::test]
async fn an_allowance_is_used_up_once_and_comes_back_hour_by_hour() {
    for engine in Engine::all() {
        let database = engine.database().await;
        let store = database.open(NOW).await;
        let reserve = async |want, at| {
            write(&store, async |tx| tx.reserve_allowance("main", 100, want, at).await).await
        };
        assert_eq!(reserve(60, NOW).await.granted, 60, "{engine:?}");
        let grant = reserve(60, later(60)).await;
        assert_eq!(grant.granted, 40, "what is left");
        assert_eq!(reserve(1, later(120)).await.granted, 0);
        write(&store, async |tx| tx.give_back_allowance("main", 15, grant.hour).await).await;
        assert_eq!(reserve(60, later(120)).await.granted, 15, "what was not used");
        assert_eq!(reserve(1_000, later(24 * 60)).await.granted, 60, "the first hour is over");
        assert_eq!(reserve(10, later(24 * 60)).await.granted, 0);
        let used = store.read().await.unwrap().used_of_allowance("main", later(24 * 60)).await;
        assert_eq!(used.unwrap(), 100);
    }
}

#[tokio::test]
async fn what_no_limit_stops_is_counted_all_the_same() {
    for engine in Engine::all() {
        let database = engine.database().await;
        let store = database.open(NOW).await;
        write(&store, async |tx| tx.note_use("main", 130, NOW).await).await;
        let grant = write(&store, async |tx| tx.reserve_allowance("main", 100, 5, NOW).await).await;
        assert_eq!(grant.granted, 0, "{engine:?}");
        let other = write(&store, async |tx| tx.reserve_allowance("spare", 100, 5, NOW).await);
        assert_eq!(other.await.granted, 5, "each name has its own");
    }
}

#[tokio::test]
async fn nodes_that_reserve_at_once_never_get_more_than_there_is() {
    for engine in Engine::all() {
        let database = engine.database().await;
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..4 {
            let store = database.open(NOW).await;
            tasks.spawn(async move {
                let mut granted = 0;
                for _ in 0..10 {
                    let mut tx = store.write().await.unwrap();
                    granted += tx.reserve_allowance("main", 95, 3, NOW).await.unwrap().granted;
                    tx.commit().await.unwrap();
                }
                granted
            });
        }
        let granted: i64 = tasks.join_all().await.into_iter().sum();
        assert_eq!(granted, 95, "{engine:?}");
    }
}

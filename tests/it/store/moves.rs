//! The database refuses what the state machines do not know.

use super::*;

#[tokio::test]
async fn the_database_knows_the_same_moves_of_a_delivery_as_the_domain() {
    for engine in Engine::all() {
        let database = engine.database().await;
        database.open(NOW).await.close().await;
        let mut raw = Raw::open(&database).await;
        let mut id = 0;
        for from in DeliveryState::ALL {
            for to in DeliveryState::ALL {
                id += 1;
                let (old, new) = (from.as_str(), to.as_str());
                raw.run(&format!(
                    "INSERT INTO deliveries (id, state, attempts, is_held, planned_at, changed_at) \
                     VALUES ({id}, '{old}', 0, FALSE, 0, 0)"
                ))
                .await
                .unwrap();
                let moved = raw
                    .run(&format!("UPDATE deliveries SET state = '{new}' WHERE id = {id}"))
                    .await;
                assert_eq!(moved.is_ok(), from.may_become(to), "{engine:?}: {old} to {new}");
            }
        }
    }
}

#[tokio::test]
async fn the_database_knows_the_same_moves_of_an_edition_as_the_domain() {
    for engine in Engine::all() {
        let database = engine.database().await;
        database.open(NOW).await.close().await;
        let mut raw = Raw::open(&database).await;
        let mut id = 0;
        for from in EditionState::ALL {
            for to in EditionState::ALL {
                id += 1;
                let (old, new) = (from.as_str(), to.as_str());
                raw.run(&format!(
                    "INSERT INTO editions (id, newsletter, cadence, subject, content, state, audience, sealed_at) \
                     VALUES ({id}, 'weekly', 'daily', '', '', '{old}', 0, 0)"
                ))
                .await
                .unwrap();
                let moved =
                    raw.run(&format!("UPDATE editions SET state = '{new}' WHERE id = {id}")).await;
                assert_eq!(moved.is_ok(), from.may_become(to), "{engine:?}: {old} to {new}");
            }
        }
    }
}

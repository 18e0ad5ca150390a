//! A database of the first version is brought up to date with everything in it.

use super::*;

/// What version 1 had: an edition with its posts, of which one delivery is out, one waits and one was given up.
const ROWS: &str = "INSERT INTO instance (only_row, secret_key, created_at) VALUES (1, 'KEY', 0); \
    INSERT INTO subscribers (id, address, address_key, created_at) VALUES (1, 'ann@example.org', 'ann@example.org', 0); \
    INSERT INTO subscriptions (id, subscriber_id, newsletter, cadence, state, source, created_at) \
    VALUES (1, 1, 'weekly', 'daily', 'active', 'test', 0); \
    INSERT INTO editions (id, newsletter, cadence, subject, content, state, audience, first_delivery, last_delivery, \
    sealed_at) VALUES (7, 'weekly', 'daily', 'Hello', 'content', 'sealed', 3, 1, 3, 5); \
    INSERT INTO edition_posts (edition_id, position, post_id, revision) VALUES (7, 0, 'urn:1', 'r1'), (7, 1, 'urn:2', 'r2'); \
    INSERT INTO batches (lane, channel, edition_id, first_id, last_id, is_open, next_at, epoch) \
    VALUES (2, 'mail:relay', 7, 1, 3, TRUE, 0, 1); \
    INSERT INTO deliveries (id, edition_id, subscription_id, state, attempts, is_held, planned_at, changed_at) \
    VALUES (1, 7, 1, 'accepted', 1, FALSE, 0, 0), (2, 7, 1, 'planned', 0, FALSE, 0, 0), (3, 7, 1, 'rejected', 1, FALSE, 0, 0); \
    INSERT INTO attempts (delivery_id, started_at, ended_at, outcome, server, code, reply) \
    VALUES (1, 0, 1, 'accepted', 'mx:25', 250, 'ok')";

fn first_version(engine: Engine) -> &'static str {
    match engine {
        Engine::Sqlite => include_str!("../../../src/store/migrations/sqlite/0001_ledger.sql"),
        Engine::Postgres => include_str!("../../../src/store/migrations/postgres/0001_ledger.sql"),
    }
}

/// Runs the first migration only, as the first version did.
async fn install(raw: &mut Raw, sql: &'static str) {
    use sqlx::SqlSafeStr as _;
    use sqlx::migrate::{Migration, MigrationType, Migrator};
    let first =
        Migration::new(1, "ledger".into(), MigrationType::Simple, sql.into_sql_str(), false);
    let migrator = Migrator::with_migrations(vec![first]);
    match raw {
        Raw::Sqlite(connection) => migrator.run(&mut *connection).await,
        Raw::Postgres(connection) => migrator.run(&mut *connection).await,
    }
    .unwrap();
}

#[tokio::test]
async fn a_database_of_the_first_version_keeps_everything() {
    for engine in Engine::all() {
        let database = engine.database().await;
        let mut raw = Raw::open(&database).await;
        install(&mut raw, first_version(engine)).await;
        raw.run(ROWS).await.unwrap();
        drop(raw);

        let store = database.open(NOW).await;
        let content = store.read().await.unwrap().edition_content(EditionId(7)).await.unwrap();
        let content = content.unwrap();
        assert_eq!((content.content.as_str(), content.version), ("content", 1), "{engine:?}");
        assert_eq!(content.state, EditionState::Sealed);
        assert_eq!(
            states(&store).await,
            [DeliveryState::Accepted, DeliveryState::Planned, DeliveryState::Rejected]
        );
        assert_eq!(store.read().await.unwrap().attempts_of(DeliveryId(1)).await.unwrap().len(), 1);
        let post = PostId::pinned("urn:3");
        let revision = Revision::of(["3"]);
        let correction =
            Correction { subject: "Hi", content: "better", posts: &[(&post, &revision)] };
        let corrected =
            write(&store, async |tx| tx.correct_edition(EditionId(7), &correction, NOW).await);
        assert_eq!(corrected.await, Some(2));
        let mut raw = Raw::open(&database).await;
        // A foreign key that points nowhere, or posts that went with the old table, would show here.
        raw.run("INSERT INTO edition_posts (edition_id, position, post_id, revision) VALUES (7, 9, 'urn:9', 'r')")
            .await
            .unwrap();
        assert!(
            raw.run("INSERT INTO edition_posts (edition_id, position, post_id, revision) VALUES (8, 0, 'urn:9', 'r')")
                .await
                .is_err(),
            "{engine:?}: the posts still belong to editions"
        );
        let kept =
            Raw::text(&mut raw, "SELECT posts FROM edition_versions WHERE edition_id = 7").await;
        assert_eq!(kept, r#"[["urn:1","r1"],["urn:2","r2"]]"#);

        let claimed = claim(&store, "one", NOW).await.expect("what waited is claimed");
        assert_eq!(due(&store, &claimed, NOW).await, [DeliveryId(2)]);
        assert_eq!(intend(&store, &claimed, DeliveryId(2)).await, Ok(()));
    }
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_left_alone_and_says_how_to_go_on() {
    const NEWER: &str = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                         SELECT 9999, 'later', success, checksum, 0 FROM _sqlx_migrations WHERE version = 1";
    for engine in Engine::all() {
        let database = engine.database().await;
        database.open(NOW).await.close().await;
        Raw::open(&database).await.run(NEWER).await.unwrap();
        let refused = Store::open(database.url(), NOW).await.expect_err("it is newer");
        assert!(matches!(refused, StoreError::Newer(9999)), "{engine:?}: {refused:?}");
        assert!(refused.to_string().contains("newer version of Postrider"), "{refused}");
    }
}

#[tokio::test]
async fn posts_stay_in_the_documents_of_the_archive_that_they_were_in() {
    for engine in Engine::all() {
        let database = engine.database().await;
        let store = database.open(NOW).await;
        // As the version before left them: places, and nothing of documents.
        let mut raw = Raw::open(&database).await;
        let undo = "ALTER TABLE feed_places DROP COLUMN document; ALTER TABLE feed_places DROP COLUMN size; \
                    CREATE INDEX posts_by_source ON posts (source); DELETE FROM _sqlx_migrations WHERE version = 13; \
                    INSERT INTO feed_places (place, post_id) VALUES (0, 'a'), (24, 'b'), (25, 'c'), (60, 'd')";
        store.close().await;
        raw.run(undo).await.unwrap();
        let store = database.open(NOW).await;
        let found = store.read().await.unwrap().feed_places(0).await.unwrap();
        let documents: Vec<u32> = found.iter().map(|it| it.document).collect();
        assert_eq!(documents, [0, 0, 1, 2], "{engine:?}");
        let window = postrider::domain::FeedWindow { items: 50, bytes: None };
        let mut tx = store.write().await.unwrap();
        tx.place_in_feeds(&[(PostId::pinned("e"), 700)], window).await.unwrap();
        let last = tx.feed_places(61).await.unwrap();
        assert_eq!((last[0].place, last[0].document), (61, 2), "{engine:?}");
    }
}

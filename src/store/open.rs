//! Opening a database: connections with the settings that the ledger's promise rests on, and the migrations.

use std::borrow::Cow;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Connection as _, Row as _, SqlSafeStr as _};

use super::engine::{Pools, doing};
use super::{StoreError, express};

/// Pages in the write-ahead log before it is copied back: at full speed about a second's worth, 32 MB.
const CHECKPOINT_PAGES: i32 = 8000;
/// Kibibytes of pages that the writer keeps.
const WRITER_CACHE: i32 = -16384;
/// How long another process may keep the file to itself.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// What the promise rests on, as SQLite says it back. A build or file system that knows better must not go unnoticed.
const PROMISES: [(&str, &str); 3] =
    [("journal_mode", "wal"), ("synchronous", "2"), ("foreign_keys", "1")];

/// The schema, oldest first: what each engine is told to get there.
const MIGRATIONS: &[(&str, &str, &str)] = &[
    (
        "ledger",
        include_str!("migrations/sqlite/0001_ledger.sql"),
        include_str!("migrations/postgres/0001_ledger.sql"),
    ),
    (
        "editions",
        include_str!("migrations/sqlite/0002_editions.sql"),
        include_str!("migrations/postgres/0002_editions.sql"),
    ),
    (
        "cheaper checks",
        include_str!("migrations/sqlite/0003_cheaper_checks.sql"),
        include_str!("migrations/postgres/0003_cheaper_checks.sql"),
    ),
    (
        "posts",
        include_str!("migrations/sqlite/0004_posts.sql"),
        include_str!("migrations/postgres/0004_posts.sql"),
    ),
    (
        "fence",
        include_str!("migrations/sqlite/0005_fence.sql"),
        include_str!("migrations/postgres/0005_fence.sql"),
    ),
    (
        "withdrawals",
        include_str!("migrations/sqlite/0006_withdrawals.sql"),
        include_str!("migrations/postgres/0006_withdrawals.sql"),
    ),
    (
        "corrections",
        include_str!("migrations/sqlite/0007_corrections.sql"),
        include_str!("migrations/postgres/0007_corrections.sql"),
    ),
    (
        "feed_places",
        include_str!("migrations/sqlite/0008_feed_places.sql"),
        include_str!("migrations/postgres/0008_feed_places.sql"),
    ),
    (
        "feed_versions",
        include_str!("migrations/sqlite/0009_feed_versions.sql"),
        include_str!("migrations/postgres/0009_feed_versions.sql"),
    ),
    (
        "push",
        include_str!("migrations/sqlite/0010_push.sql"),
        include_str!("migrations/postgres/0010_push.sql"),
    ),
    (
        "feed_identity",
        include_str!("migrations/sqlite/0011_feed_identity.sql"),
        include_str!("migrations/postgres/0011_feed_identity.sql"),
    ),
    (
        "audience",
        include_str!("migrations/sqlite/0012_audience.sql"),
        include_str!("migrations/postgres/0012_audience.sql"),
    ),
    (
        "feed_documents",
        include_str!("migrations/sqlite/0013_feed_documents.sql"),
        include_str!("migrations/postgres/0013_feed_documents.sql"),
    ),
];

pub(super) async fn sqlite(path: &Path) -> Result<Pools, StoreError> {
    let failed = |source| StoreError::Open { path: Some(path.to_owned()), source };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| failed(sqlx::Error::Io(error)))?;
    }
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .foreign_keys(true)
        .journal_mode(SqliteJournalMode::Wal)
        // NORMAL loses acknowledged commits when the power goes; a lost outcome is a mail sent twice.
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY_TIMEOUT);
    let writing = options
        .clone()
        .pragma("wal_autocheckpoint", CHECKPOINT_PAGES.to_string())
        .pragma("cache_size", WRITER_CACHE.to_string());
    let writer = SqlitePoolOptions::new()
        .max_connections(1)
        // A commit that fails on a full disk ends the transaction, and sqlx goes on counting it: nothing could begin on
        // this connection ever again.
        .before_acquire(|connection, _| {
            Box::pin(async move { Ok(!connection.is_in_transaction()) })
        })
        .connect_with(writing)
        .await
        .map_err(failed)?;
    refuse_old_sqlite(&writer).await?;
    refuse_broken_promises(&writer).await?;
    let readers = SqlitePoolOptions::new()
        .max_connections(4)
        .connect_lazy_with(options.pragma("query_only", "ON"));
    Ok(Pools::Sqlite { path: path.to_owned(), writer, readers, turn: Arc::default() })
}

/// The committer's own connection to a file that `sqlite` has opened before, with the same promises.
pub(super) fn ledger(path: &Path) -> Result<Connection, StoreError> {
    // Not created: in the place of a file that somebody took away an empty one would be found at the next start.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)
        .and_then(|connection| {
            connection.busy_timeout(BUSY_TIMEOUT)?;
            connection.pragma_update(None, "foreign_keys", true)?;
            connection.pragma_update(None, "synchronous", "FULL")?;
            connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
            connection.pragma_update(None, "cache_size", WRITER_CACHE)?;
            Ok(connection)
        })
        .map_err(express::doing("open the ledger"))?;
    for (name, wanted) in PROMISES {
        let found = format!("SELECT CAST({name} AS TEXT) FROM pragma_{name}");
        let found = connection.query_row(&found, (), |row| row.get(0));
        keeps(name, wanted, found.map_err(express::doing("read SQLite's settings"))?)?;
    }
    Ok(connection)
}

/// Two connections that checkpoint at once can corrupt a WAL database before 3.51.3 (sqlite.org/wal.html, "WAL-reset bug").
async fn refuse_old_sqlite(pool: &SqlitePool) -> Result<(), StoreError> {
    let version: String = sqlx::query("SELECT sqlite_version() AS version")
        .fetch_one(pool)
        .await
        .and_then(|row| row.try_get("version"))
        .map_err(doing("ask for SQLite's version"))?;
    let parts: Vec<u32> = version.split('.').filter_map(|part| part.parse().ok()).collect();
    if parts < vec![3, 51, 3] {
        return Err(StoreError::OldSqlite(version));
    }
    Ok(())
}

async fn refuse_broken_promises(pool: &SqlitePool) -> Result<(), StoreError> {
    const SQL: &str = "SELECT (SELECT journal_mode FROM pragma_journal_mode) AS journal_mode, \
                       (SELECT CAST(synchronous AS TEXT) FROM pragma_synchronous) AS synchronous, \
                       (SELECT CAST(foreign_keys AS TEXT) FROM pragma_foreign_keys) AS foreign_keys";
    let row = sqlx::query(SQL).fetch_one(pool).await.map_err(doing("read SQLite's settings"))?;
    for (name, wanted) in PROMISES {
        keeps(name, wanted, row.try_get(name).map_err(doing("read SQLite's settings"))?)?;
    }
    Ok(())
}

fn keeps(name: &'static str, wanted: &'static str, found: String) -> Result<(), StoreError> {
    if found == wanted { Ok(()) } else { Err(StoreError::Setting { name, wanted, found }) }
}

pub(super) async fn postgres(url: &str) -> Result<Pools, StoreError> {
    let failed = |source| StoreError::Open { path: None, source };
    let options = PgConnectOptions::from_str(url)
        .map_err(failed)?
        .application_name("postrider")
        .options([("statement_timeout", "60s"), ("idle_in_transaction_session_timeout", "60s")]);
    let pool = PgPoolOptions::new()
        .max_connections(10)
        .acquire_timeout(Duration::from_secs(10))
        .connect_with(options.clone())
        .await
        .map_err(failed)?;
    // The committer asks for rows by their keys and nothing else. Said here, because statistics of an hour ago may not know
    // yet of the million deliveries that were planned a second ago, and a plan that scans them is a thousand times slower.
    let by_key = options.options([
        ("plan_cache_mode", "force_generic_plan"),
        ("enable_seqscan", "off"),
        ("enable_hashjoin", "off"),
        ("enable_mergejoin", "off"),
        // A scan that is not to be had counts as dear, and would be compiled for seconds.
        ("jit", "off"),
    ]);
    let committer = PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(Duration::from_secs(10))
        .connect_lazy_with(by_key);
    Ok(Pools::Postgres { pool, committer })
}

pub(super) async fn migrate(pools: &Pools) -> Result<(), StoreError> {
    match pools {
        Pools::Sqlite { writer, .. } => migrator(|(name, sql, _)| (name, sql)).run(writer).await,
        Pools::Postgres { pool, .. } => migrator(|(name, _, sql)| (name, sql)).run(pool).await,
    }
    .map_err(|error| match error {
        MigrateError::VersionMissing(number) => StoreError::Newer(number),
        error => StoreError::Migrate(error),
    })
}

fn migrator(
    of_engine: impl Fn((&'static str, &'static str, &'static str)) -> (&'static str, &'static str),
) -> Migrator {
    let migrations = (1..).zip(MIGRATIONS).map(|(version, migration)| {
        let (name, sql) = of_engine(*migration);
        let sql = sql.into_sql_str();
        Migration::new(version, Cow::Borrowed(name), MigrationType::Simple, sql, false)
    });
    Migrator::with_migrations(migrations.collect())
}

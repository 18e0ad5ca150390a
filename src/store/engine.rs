//! The two engines behind one `Store`: opening, migrating, transactions, and the dialect gap.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use jiff::Timestamp;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Connection as _, Postgres, Row as _, SqlSafeStr as _, Sqlite, Transaction};

use crate::config::StoreUrl;
use crate::domain::{Keyring, UnknownWord, random_bytes};

/// What went wrong, and what we were doing.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("cannot open the database{}", place(path.as_deref()))]
    Open { path: Option<PathBuf>, source: sqlx::Error },
    #[error("cannot bring the database up to date")]
    Migrate(#[source] sqlx::migrate::MigrateError),
    #[error("cannot {doing}")]
    Database { doing: &'static str, source: sqlx::Error },
    #[error("SQLite {0} has a bug that can corrupt the database; 3.51.3 or later is needed")]
    OldSqlite(String),
    #[error("the database holds a value that this version does not know")]
    Word(#[from] UnknownWord),
    #[error("the database holds `{0}`, which cannot be read back")]
    Corrupt(&'static str),
}

fn place(path: Option<&Path>) -> String {
    path.map(|path| format!(" `{}`", path.display())).unwrap_or_default()
}

/// Names what a statement was for: `.map_err(doing("claim a tick"))`.
pub(super) fn doing(doing: &'static str) -> impl FnOnce(sqlx::Error) -> StoreError {
    move |source| StoreError::Database { doing, source }
}

/// An open database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    pools: Pools,
    keyring: Keyring,
    is_dry: bool,
}

#[derive(Clone, Debug)]
enum Pools {
    /// One writer, because SQLite has one; readers never wait for it (WAL).
    Sqlite {
        writer: SqlitePool,
        readers: SqlitePool,
    },
    Postgres(PgPool),
}

/// A transaction. Dropping it undoes it.
pub struct Tx {
    pub(super) inner: Inner,
    is_dry: bool,
}

pub(super) enum Inner {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

/// Runs one body on whichever engine the transaction is on. The body is compiled once for each.
macro_rules! on_engine {
    ($tx:expr, |$conn:ident| $body:expr) => {
        match &mut $tx.inner {
            $crate::store::engine::Inner::Sqlite(tx) => {
                let $conn = &mut **tx;
                $body
            }
            $crate::store::engine::Inner::Postgres(tx) => {
                let $conn = &mut **tx;
                $body
            }
        }
    };
}
pub(super) use on_engine;

impl Store {
    /// Opens the database, creates it if need be, and runs the migrations.
    pub async fn open(url: &StoreUrl, now: Timestamp) -> Result<Self, StoreError> {
        let pools = match url {
            StoreUrl::Sqlite(path) => open_sqlite(path).await?,
            StoreUrl::Postgres(url) => open_postgres(url.expose()).await?,
        };
        let store = Self { pools, keyring: Keyring::new(&[]), is_dry: false };
        store.migrate().await?;
        let keyring = store.read_or_make_keyring(now).await?;
        Ok(Self { keyring, ..store })
    }

    /// The same database, on which every commit undoes: for `plan`, which shows what would happen.
    #[must_use]
    pub fn dry(self) -> Self {
        Self { is_dry: true, ..self }
    }

    /// The keys of this installation.
    pub fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    /// A transaction that may write. On SQLite it holds the writer until it ends.
    pub async fn write(&self) -> Result<Tx, StoreError> {
        let failed = doing("begin a transaction");
        let inner = match &self.pools {
            // A deferred transaction that turns into a writer fails at once when another process writes.
            Pools::Sqlite { writer, .. } => {
                writer.begin_with("BEGIN IMMEDIATE").await.map(Inner::Sqlite).map_err(failed)?
            }
            Pools::Postgres(pool) => pool.begin().await.map(Inner::Postgres).map_err(failed)?,
        };
        Ok(Tx { inner, is_dry: self.is_dry })
    }

    /// A transaction that only reads, and sees one state throughout on SQLite.
    pub async fn read(&self) -> Result<Tx, StoreError> {
        let failed = doing("begin a transaction");
        let inner = match &self.pools {
            Pools::Sqlite { readers, .. } => {
                readers.begin().await.map(Inner::Sqlite).map_err(failed)?
            }
            Pools::Postgres(pool) => pool.begin().await.map(Inner::Postgres).map_err(failed)?,
        };
        Ok(Tx { inner, is_dry: self.is_dry })
    }

    /// Whether the database answers and can be written to.
    pub async fn is_ready(&self) -> bool {
        match self.write().await {
            Ok(tx) => tx.commit().await.is_ok(),
            Err(_) => false,
        }
    }

    /// Waits for what runs and closes all connections.
    pub async fn close(&self) {
        match &self.pools {
            Pools::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Pools::Postgres(pool) => pool.close().await,
        }
    }

    async fn migrate(&self) -> Result<(), StoreError> {
        let done = match &self.pools {
            Pools::Sqlite { writer, .. } => {
                migrator(include_str!("migrations/sqlite/0001_ledger.sql")).run(writer).await
            }
            Pools::Postgres(pool) => {
                migrator(include_str!("migrations/postgres/0001_ledger.sql")).run(pool).await
            }
        };
        done.map_err(StoreError::Migrate)
    }

    async fn read_or_make_keyring(&self, now: Timestamp) -> Result<Keyring, StoreError> {
        const INSERT: &str = "INSERT INTO instance (only_row, secret_key, created_at) \
                              VALUES (1, $1, $2) ON CONFLICT (only_row) DO NOTHING";
        const SELECT: &str = "SELECT secret_key FROM instance WHERE only_row = 1";
        let mut tx = self.write().await?;
        let fresh = random_bytes();
        let key: Vec<u8> = on_engine!(tx, |conn| {
            sqlx::query(INSERT)
                .bind(&fresh[..])
                .bind(now.as_microsecond())
                .execute(&mut *conn)
                .await
                .map_err(doing("make the installation's key"))?;
            sqlx::query(SELECT)
                .fetch_one(conn)
                .await
                .and_then(|row| row.try_get("secret_key"))
                .map_err(doing("read the installation's key"))?
        });
        tx.commit().await?;
        Ok(Keyring::new(&key))
    }
}

impl Tx {
    pub async fn commit(self) -> Result<(), StoreError> {
        match (self.inner, self.is_dry) {
            (Inner::Sqlite(tx), false) => tx.commit().await,
            (Inner::Postgres(tx), false) => tx.commit().await,
            (Inner::Sqlite(tx), true) => tx.rollback().await,
            (Inner::Postgres(tx), true) => tx.rollback().await,
        }
        .map_err(doing("commit a transaction"))
    }

    pub(super) fn is_postgres(&self) -> bool {
        matches!(self.inner, Inner::Postgres(_))
    }

    /// Reserves `count` consecutive numbers and returns the first. Serialises those who plan deliveries.
    pub(super) async fn reserve_ids(
        &mut self,
        counter: &str,
        count: i64,
    ) -> Result<i64, StoreError> {
        const SQL: &str = "UPDATE counters SET next_id = next_id + $2 WHERE name = $1 \
                           RETURNING next_id - $2 AS first_id";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(counter)
            .bind(count)
            .fetch_one(conn)
            .await
            .and_then(|row| row.try_get("first_id")))
        .map_err(doing("reserve delivery ids"))
    }
}

async fn open_sqlite(path: &Path) -> Result<Pools, StoreError> {
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
        .busy_timeout(Duration::from_secs(10));
    let writer = SqlitePoolOptions::new()
        .max_connections(1)
        // A commit that fails on a full disk ends the transaction, and sqlx goes on counting it: nothing could begin on
        // this connection ever again.
        .before_acquire(|connection, _| {
            Box::pin(async move { Ok(!connection.is_in_transaction()) })
        })
        .connect_with(options.clone())
        .await
        .map_err(failed)?;
    refuse_old_sqlite(&writer).await?;
    let readers = SqlitePoolOptions::new()
        .max_connections(4)
        .connect_lazy_with(options.pragma("query_only", "ON"));
    Ok(Pools::Sqlite { writer, readers })
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

async fn open_postgres(url: &str) -> Result<Pools, StoreError> {
    let failed = |source| StoreError::Open { path: None, source };
    let options = PgConnectOptions::from_str(url)
        .map_err(failed)?
        .application_name("postrider")
        .options([("statement_timeout", "60s"), ("idle_in_transaction_session_timeout", "60s")]);
    let pool = PgPoolOptions::new()
        .max_connections(10)
        .acquire_timeout(Duration::from_secs(10))
        .connect_with(options)
        .await
        .map_err(failed)?;
    Ok(Pools::Postgres(pool))
}

fn migrator(ledger: &'static str) -> Migrator {
    Migrator::with_migrations(vec![Migration::new(
        1,
        Cow::Borrowed("ledger"),
        MigrationType::Simple,
        ledger.into_sql_str(),
        false,
    )])
}

/// A stored instant.
pub(super) fn instant(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or(if micros < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    })
}

pub(super) fn optional_instant(micros: Option<i64>) -> Option<Timestamp> {
    micros.map(instant)
}

//! The two engines behind one `Store`: opening, migrating, transactions, and the dialect gap.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use sqlx::postgres::{PgDatabaseError, PgPool};
use sqlx::sqlite::SqlitePool;
use sqlx::{Postgres, Row as _, Sqlite, Transaction};
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::express::Express;
use super::open;
use crate::config::StoreUrl;
use crate::domain::{Keyring, UnknownWord, random_bytes};

/// What went wrong, and what we were doing.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("cannot open the database{}", place(path.as_deref()))]
    Open { path: Option<PathBuf>, source: sqlx::Error },
    #[error("cannot bring the database up to date")]
    Migrate(#[source] sqlx::migrate::MigrateError),
    #[error(
        "the database is one of a newer version of Postrider (its change {0} is unknown here): install that again, or restore a backup from before"
    )]
    Newer(i64),
    #[error("cannot {doing}")]
    Database { doing: &'static str, source: sqlx::Error },
    #[error("cannot {doing}")]
    Sqlite { doing: &'static str, source: rusqlite::Error },
    #[error("SQLite {0} has a bug that can corrupt the database; 3.51.3 or later is needed")]
    OldSqlite(String),
    #[error("SQLite has `{name}` at `{found}`, but nothing is safe unless it is `{wanted}`")]
    Setting { name: &'static str, wanted: &'static str, found: String },
    #[error("the database holds a value that this version does not know")]
    Word(#[from] UnknownWord),
    #[error("the database holds `{0}`, which cannot be read back")]
    Corrupt(&'static str),
}

impl StoreError {
    /// Whether it speaks of what was written rather than of the database: trying the same again is no use.
    pub(super) fn is_of_the_data(&self) -> bool {
        match self {
            Self::Database { source: sqlx::Error::Database(error), .. } => {
                let code = error.code().unwrap_or_default();
                if error.try_downcast_ref::<PgDatabaseError>().is_some() {
                    // Data exceptions and broken constraints.
                    return code.starts_with("22") || code.starts_with("23");
                }
                code.parse().is_ok_and(is_data_code)
            }
            Self::Sqlite { source, .. } => {
                source.sqlite_error().is_none_or(|error| is_data_code(error.extended_code))
            }
            Self::Word(_) | Self::Corrupt(_) => true,
            Self::Database { .. }
            | Self::Open { .. }
            | Self::Migrate(_)
            | Self::Newer(_)
            | Self::OldSqlite(_)
            | Self::Setting { .. } => false,
        }
    }
}

/// The primary codes `SQLITE_TOOBIG`, `SQLITE_CONSTRAINT` and `SQLITE_MISMATCH`.
fn is_data_code(code: i32) -> bool {
    matches!(code & 0xff, 18..=20)
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
    work: super::work::Work,
    /// How often this process has committed something.
    commits: Arc<AtomicU64>,
}

#[derive(Clone, Debug)]
pub(super) enum Pools {
    /// One writer, because SQLite has one; readers never wait for it (WAL).
    Sqlite {
        path: PathBuf,
        writer: SqlitePool,
        readers: SqlitePool,
        /// Whose turn it is to write: SQLite itself would let the writer and the committer ask again and again.
        turn: Arc<Mutex<()>>,
    },
    Postgres {
        pool: PgPool,
        /// One connection of the committer's own: it never queues behind a page that somebody looks at.
        committer: PgPool,
    },
}

/// A transaction. Dropping it undoes it.
pub struct Tx {
    pub(super) inner: Inner,
    is_dry: bool,
    /// To be counted when this commits; none where nothing is done that others need know of.
    commits: Option<Arc<AtomicU64>>,
}

pub(super) enum Inner {
    Sqlite(Transaction<'static, Sqlite>, Option<OwnedMutexGuard<()>>),
    Postgres(Transaction<'static, Postgres>),
}

/// Runs one body on whichever engine the transaction is on. The body is compiled once for each.
macro_rules! on_engine {
    ($tx:expr, |$conn:ident| $body:expr) => {
        match &mut $tx.inner {
            $crate::store::engine::Inner::Sqlite(tx, _) => {
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

/// `$before`, the rows of the array that is bound as `$1`, `$after`; for either engine.
macro_rules! each_sql {
    ($tx:expr, $before:expr, $after:expr) => {
        if $tx.is_postgres() {
            concat!($before, " FROM jsonb_array_elements(CAST($1 AS jsonb)) AS each(value)", $after)
        } else {
            concat!($before, " FROM json_each($1)", $after)
        }
    };
}
pub(super) use each_sql;

impl Store {
    /// Opens the database, creates it if need be, and runs the migrations.
    pub async fn open(url: &StoreUrl, now: Timestamp) -> Result<Self, StoreError> {
        let pools = match url {
            StoreUrl::Sqlite(path) => open::sqlite(path).await?,
            StoreUrl::Postgres(url) => open::postgres(url.expose()).await?,
        };
        let store = Self {
            pools,
            keyring: Keyring::new(&[]),
            is_dry: false,
            work: super::work::Work::default(),
            commits: Arc::default(),
        };
        open::migrate(&store.pools).await?;
        let keyring = store.read_or_make_keyring(now).await?;
        Ok(Self { keyring, ..store })
    }

    /// The same database, on which every commit undoes: for `plan`, which shows what would happen.
    #[must_use]
    pub fn dry(self) -> Self {
        Self { is_dry: true, ..self }
    }

    /// Whether this is the database at `url`, and commits stand.
    pub fn is_for_real(&self, url: &StoreUrl) -> bool {
        let is_there = match (&self.pools, url) {
            (Pools::Sqlite { path, .. }, StoreUrl::Sqlite(wanted)) => path == wanted,
            (Pools::Postgres { .. }, StoreUrl::Postgres(_)) => true,
            (Pools::Sqlite { .. } | Pools::Postgres { .. }, _) => false,
        };
        is_there && !self.is_dry
    }

    pub(super) fn work(&self) -> &super::work::Work {
        &self.work
    }

    pub(super) fn pools(&self) -> &Pools {
        &self.pools
    }

    /// Something was committed past `Tx::commit`.
    pub(super) fn count_commit(&self) {
        self.commits.fetch_add(1, Ordering::Relaxed);
    }

    /// How often this process has committed something.
    pub(super) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    /// The keys of this installation.
    pub fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    /// A transaction that may write. On SQLite it holds the writer until it ends.
    pub async fn write(&self) -> Result<Tx, StoreError> {
        let tx = self.write_uncounted().await?;
        Ok(Tx { commits: Some(Arc::clone(&self.commits)), ..tx })
    }

    /// The same for what is no work: whoever looks whether there was any does not see it.
    pub(super) async fn write_uncounted(&self) -> Result<Tx, StoreError> {
        let failed = doing("begin a transaction");
        let inner = match &self.pools {
            // A deferred transaction that turns into a writer fails at once when another process writes.
            Pools::Sqlite { writer, turn, .. } => {
                let turn = Arc::clone(turn).lock_owned().await;
                let tx = writer.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
                Inner::Sqlite(tx, Some(turn))
            }
            Pools::Postgres { pool, .. } => {
                pool.begin().await.map(Inner::Postgres).map_err(failed)?
            }
        };
        Ok(Tx { inner, is_dry: self.is_dry, commits: None })
    }

    /// The committer's other way to an SQLite file, and whose turn it is to write.
    pub(super) fn express(&self) -> Option<(Express, Arc<Mutex<()>>)> {
        let Pools::Sqlite { path, turn, .. } = &self.pools else { return None };
        Some((Express::new(path), Arc::clone(turn)))
    }

    /// A transaction for the committer.
    pub(super) async fn commit_group(&self) -> Result<Tx, StoreError> {
        let Pools::Postgres { committer, .. } = &self.pools else { return self.write().await };
        let tx = committer.begin().await.map_err(doing("begin a transaction"))?;
        let commits = Some(Arc::clone(&self.commits));
        Ok(Tx { inner: Inner::Postgres(tx), is_dry: self.is_dry, commits })
    }

    /// A transaction that only reads, and sees one state throughout on SQLite.
    pub async fn read(&self) -> Result<Tx, StoreError> {
        let failed = doing("begin a transaction");
        let inner = match &self.pools {
            Pools::Sqlite { readers, .. } => {
                Inner::Sqlite(readers.begin().await.map_err(failed)?, None)
            }
            Pools::Postgres { pool, .. } => {
                pool.begin().await.map(Inner::Postgres).map_err(failed)?
            }
        };
        Ok(Tx { inner, is_dry: self.is_dry, commits: None })
    }

    /// Whether the database answers and can be written to.
    pub async fn is_ready(&self) -> bool {
        match self.write_uncounted().await {
            Ok(tx) => tx.commit().await.is_ok(),
            Err(_) => false,
        }
    }

    /// Waits for what runs and closes all connections.
    pub async fn close(&self) {
        match &self.pools {
            Pools::Sqlite { writer, readers, .. } => {
                readers.close().await;
                writer.close().await;
            }
            Pools::Postgres { pool, committer } => {
                committer.close().await;
                pool.close().await;
            }
        }
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
            (Inner::Sqlite(tx, _turn), false) => tx.commit().await,
            (Inner::Postgres(tx), false) => tx.commit().await,
            (Inner::Sqlite(tx, _turn), true) => tx.rollback().await,
            (Inner::Postgres(tx), true) => tx.rollback().await,
        }
        .map_err(doing("commit a transaction"))?;
        if let Some(commits) = self.commits {
            commits.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    pub(super) fn is_postgres(&self) -> bool {
        matches!(self.inner, Inner::Postgres(_))
    }

    /// The rows `value` of the JSON array that is bound as `$1`.
    pub(super) fn each(&self) -> &'static str {
        if self.is_postgres() {
            "jsonb_array_elements(CAST($1 AS jsonb)) AS each(value)"
        } else {
            "json_each($1)"
        }
    }

    /// The query for the texts in the JSON array that is bound as `$1`.
    pub(super) fn each_text(&self) -> &'static str {
        if self.is_postgres() {
            "SELECT jsonb_array_elements_text(CAST($1 AS jsonb))"
        } else {
            "SELECT value FROM json_each($1)"
        }
    }

    /// Places for the values of `rows`, in the order of their columns: `(?, ?), (?, ?)`, say. Where SQLite's have numbers, each is
    /// looked for among all before it.
    pub(super) fn rows_of_values(&self, rows: usize, columns: usize) -> String {
        let row = |places: Vec<String>| format!("({})", places.join(", "));
        if !self.is_postgres() {
            return vec![row(vec!["?".to_owned(); columns]); rows].join(", ");
        }
        let numbered =
            |at: usize| row((1..=columns).map(|n| format!("${}", at * columns + n)).collect());
        (0..rows).map(numbered).collect::<Vec<_>>().join(", ")
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

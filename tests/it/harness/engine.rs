//! Both engines for every story about the store: SQLite in a folder, and PostgreSQL when a server is named.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use jiff::Timestamp;
use postrider::config::{Secret, StoreUrl};
use postrider::store::Store;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use tempfile::TempDir;

/// An engine that a story runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

/// A database of its own, gone with the test.
pub(crate) struct Database {
    pub(crate) url: StoreUrl,
    /// As `store.url` in a configuration.
    pub(crate) text: String,
    _folder: Option<TempDir>,
}

/// The server for tests, if there is one.
#[expect(
    clippy::disallowed_methods,
    reason = "tests are told by the script that starts the server"
)]
pub(crate) fn postgres_server() -> Option<String> {
    let server = std::env::var("POSTRIDER_TEST_POSTGRES").ok();
    let is_optional = std::env::var_os("CI").is_none();
    assert!(
        server.is_some() || is_optional,
        "in CI half of the stories must not fall silent: run scripts/test"
    );
    server
}

impl Engine {
    /// The engines at hand.
    pub(crate) fn all() -> Vec<Self> {
        let mut engines = vec![Self::Sqlite];
        if postgres_server().is_some() {
            engines.push(Self::Postgres);
        }
        engines
    }

    /// A fresh database.
    pub(crate) async fn database(self) -> Database {
        match self {
            Self::Sqlite => {
                let folder = TempDir::new().expect("a temporary folder");
                let path = folder.path().join("postrider.db");
                let text = format!("sqlite:{}", path.display());
                Database { url: StoreUrl::Sqlite(path), text, _folder: Some(folder) }
            }
            Self::Postgres => {
                let url = fresh_postgres().await;
                let text = url.clone();
                Database { url: StoreUrl::Postgres(Secret::new(url)), text, _folder: None }
            }
        }
    }
}

impl Database {
    pub(crate) async fn open(&self, now: Timestamp) -> Store {
        Store::open(&self.url, now).await.expect("a fresh database opens")
    }

    pub(crate) fn url(&self) -> &StoreUrl {
        &self.url
    }

    /// The SQLite file.
    pub(crate) fn file(&self) -> Option<&Path> {
        match &self.url {
            StoreUrl::Sqlite(path) => Some(path),
            StoreUrl::Postgres(_) => None,
        }
    }
}

async fn fresh_postgres() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let server = postgres_server().expect("asked for only when there is one");
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("postrider_test_{}_{number}", std::process::id());
    let mut connection = PgConnection::connect(&server).await.expect("the test server answers");
    for statement in
        [format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"), format!("CREATE DATABASE {name}")]
    {
        connection
            .execute(AssertSqlSafe(statement))
            .await
            .expect("the test server makes databases");
    }
    let mut url = url::Url::parse(&server).expect("the server's address is a URL");
    url.set_path(&name);
    url.to_string()
}

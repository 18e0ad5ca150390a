//! Looking whether there is a database at all, without making one.

use std::str::FromStr;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions as _, Connection as _, Row as _};

use super::StoreError;
use super::engine::doing;
use crate::config::StoreUrl;

/// Whether a daemon or command has set up the database at `url` before. Changes nothing.
pub async fn is_set_up(url: &StoreUrl) -> Result<bool, StoreError> {
    match url {
        StoreUrl::Sqlite(path) => {
            // SQLite makes a file of no bytes before its first commit.
            Ok(std::fs::metadata(path).is_ok_and(|file| file.len() > 0))
        }
        StoreUrl::Postgres(url) => is_set_up_on_postgres(url.expose()).await,
    }
}

async fn is_set_up_on_postgres(url: &str) -> Result<bool, StoreError> {
    // `instance` has its only row from the end of the first start on.
    const TABLE: &str = "SELECT to_regclass('instance') IS NOT NULL AS is_there";
    const ROW: &str = "SELECT EXISTS (SELECT 1 FROM instance) AS is_there";
    let failed = |source| StoreError::Open { path: None, source };
    let options = PgConnectOptions::from_str(url).map_err(failed)?;
    let mut connection: PgConnection = options.connect().await.map_err(failed)?;
    for sql in [TABLE, ROW] {
        let is_there: bool = sqlx::query(sql)
            .fetch_one(&mut connection)
            .await
            .and_then(|row| row.try_get("is_there"))
            .map_err(doing("look for the tables"))?;
        if !is_there {
            return Ok(false);
        }
    }
    connection.close().await.map_err(doing("close a connection"))?;
    Ok(true)
}

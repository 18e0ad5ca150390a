//! Who is there: how a node that starts knows whose leases nobody holds any more.
//!
//! On PostgreSQL each daemon holds an advisory lock under its owner's name on a connection of its own. The server lets go of it
//! when the process ends, however it ends; so a crashed node's batches are taken over at once, by its successor or by anybody
//! who starts, and two nodes that share a host name and a port cannot end each other's leases: owners are unique to a
//! start. What the lock cannot tell (a node that is cut off but alive) is left to the lease's end. On SQLite the lock
//! on the file has said already that nobody else is there.

use std::time::Duration;

use sqlx::postgres::PgPool;
use sqlx::{Connection as _, PgConnection};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::engine::{Pools, Store, doing};
use super::{StoreError, Tx};
use crate::telemetry;

/// How often the lock's connection is asked whether it is still there.
const PULSE: Duration = Duration::from_secs(20);
/// How long to wait before the lock is taken again over a new connection.
const PAUSE: Duration = Duration::from_secs(2);

/// Held by a process as long as it works under its owner's name.
#[derive(Debug)]
pub struct Presence {
    _leaving: Option<DropGuard>,
}

impl Store {
    /// Makes it known that `owner`, a name that no other process start has, is there.
    pub async fn join(&self, owner: &str) -> Result<Presence, StoreError> {
        let Pools::Postgres { pool, .. } = self.pools() else {
            return Ok(Presence { _leaving: None });
        };
        let connection = lock(pool, owner).await.map_err(doing("make this node known"))?;
        let stop = CancellationToken::new();
        tokio::spawn(stay(pool.clone(), owner.to_owned(), connection, stop.clone()));
        Ok(Presence { _leaving: Some(stop.drop_guard()) })
    }
}

async fn lock(pool: &PgPool, owner: &str) -> Result<PgConnection, sqlx::Error> {
    const SQL: &str = "SELECT pg_advisory_lock(hashtextextended($1, 0))";
    // Not one of the pool's: a lock goes with its session.
    let mut connection = PgConnection::connect_with(&pool.connect_options()).await?;
    sqlx::query(SQL).bind(owner).execute(&mut connection).await?;
    Ok(connection)
}

/// Keeps the lock, over a new connection when the old one breaks, until `stop`.
async fn stay(pool: PgPool, owner: String, first: PgConnection, stop: CancellationToken) {
    let mut connection = Some(first);
    let keeping = async {
        loop {
            let pause = if connection.is_some() { PULSE } else { PAUSE };
            tokio::time::sleep(pause).await;
            if let Some(held) = &mut connection
                && held.ping().await.is_ok()
            {
                continue;
            }
            connection = match lock(&pool, &owner).await {
                Ok(connection) => Some(connection),
                Err(error) => {
                    tracing::warn!(error = %telemetry::causes(&error), "this node cannot make itself known");
                    None
                }
            };
        }
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = keeping => {}
    }
}

impl Tx {
    /// Ends the leases of owners that are not there any more, for a daemon that starts; on SQLite all of them.
    pub async fn end_leases(&mut self) -> Result<u64, StoreError> {
        const SQLITE: &str = "UPDATE batches SET owner = NULL, lease_until = NULL WHERE is_open AND owner IS NOT NULL";
        // A lock that can be had is nobody's; it is let go with the transaction.
        const POSTGRES: &str = "WITH owners AS MATERIALIZED (\
                                SELECT DISTINCT owner FROM batches WHERE is_open AND owner IS NOT NULL), \
                                gone AS MATERIALIZED (SELECT owner FROM owners \
                                WHERE pg_try_advisory_xact_lock(hashtextextended(owner, 0))) \
                                UPDATE batches SET owner = NULL, lease_until = NULL \
                                WHERE is_open AND owner IN (SELECT owner FROM gone)";
        let sql = if self.is_postgres() { POSTGRES } else { SQLITE };
        super::engine::on_engine!(self, |conn| sqlx::query(sql)
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))
        .map_err(doing("end the leases of who is gone"))
    }
}

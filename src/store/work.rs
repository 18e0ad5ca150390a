//! What this process works on: so that a batch that it leases and has lost sight of, because the database failed at the
//! wrong moment, is found again without waiting for a restart.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard};

use sqlx::Row as _;

use super::engine::{Store, doing, on_engine};
use super::{Lease, StoreError};

/// The batches under way, of all generations of the process.
#[derive(Clone, Debug, Default)]
pub(super) struct Work(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    batches: HashSet<i64>,
    /// A lease was taken or given back and the database did not say whether it noted it.
    has_strays: bool,
}

impl Work {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().expect("no code panics while it holds the work")
    }
}

impl Store {
    /// A batch that was claimed is being worked on.
    pub fn begin_work(&self, lease: Lease) {
        self.work().lock().batches.insert(lease.batch);
    }

    /// And is not any more. `is_settled`: the database has noted it.
    pub fn end_work(&self, lease: Lease, is_settled: bool) {
        let work = self.work();
        let mut inner = work.lock();
        inner.batches.remove(&lease.batch);
        inner.has_strays |= !is_settled;
    }

    /// The database failed at a claim: it may have noted it all the same.
    pub fn may_have_claimed(&self) {
        self.work().lock().has_strays = true;
    }

    /// Ends the leases of `owner`, this process, on batches that nobody here works on. Returns of how many. Does nothing
    /// unless something went wrong before.
    pub async fn free_strays(&self, owner: &str) -> Result<u64, StoreError> {
        const FIND: &str = "SELECT id, epoch FROM batches WHERE is_open AND owner = $1";
        const FREE: &str =
            "UPDATE batches SET owner = NULL, lease_until = NULL WHERE id = $1 AND epoch = $2";
        if !self.work().lock().has_strays {
            return Ok(0);
        }
        let mut tx = self.write().await?;
        let leased: Vec<(i64, i64)> =
            on_engine!(tx, |conn| sqlx::query(FIND).bind(owner).fetch_all(conn).await.and_then(
                |rows| rows
                    .into_iter()
                    .map(|row| Ok((row.try_get("id")?, row.try_get("epoch")?)))
                    .collect()
            ))
            .map_err(doing("find what is leased"))?;
        let mut freed = 0;
        for (batch, epoch) in leased {
            if self.work().lock().batches.contains(&batch) {
                continue;
            }
            freed += on_engine!(tx, |conn| sqlx::query(FREE)
                .bind(batch)
                .bind(epoch)
                .execute(conn)
                .await
                .map(|done| done.rows_affected()))
            .map_err(doing("free a stray batch"))?;
        }
        tx.commit().await?;
        self.work().lock().has_strays = false;
        Ok(freed)
    }
}

//! The end of a pass over a batch, and when there is something to claim again.

use jiff::Timestamp;
use sqlx::Row as _;

use super::batches::{Claimed, Queue, Settled, pg_now};
use super::engine::{Tx, doing, instant, on_engine};
use super::{Event, StoreError};
use crate::domain::EditionId;

/// Where the batches that were never claimed are, in the order of claims: who comes back or joins starts there.
macro_rules! front_sql {
    ($channel:literal, $lane:literal) => {
        concat!(
            "(SELECT w.turn FROM batches w WHERE w.is_open AND NOT w.is_shut AND w.channel = ",
            $channel,
            " AND w.lane = ",
            $lane,
            " AND w.epoch = 0 ORDER BY w.turn LIMIT 1)"
        )
    };
}
pub(super) use front_sql;

/// The end of a lease is told in this process' time, `$4`: it is kept by the clock `$clock`.
macro_rules! next_sql {
    ($clock:expr) => {
        concat!(
            "SELECT min(CASE WHEN owner IS NULL OR $4 + lease_until - ",
            $clock,
            " < next_at THEN next_at ELSE $4 + lease_until - ",
            $clock,
            " END) AS next_at FROM batches WHERE is_open AND NOT is_shut AND channel = $1 \
             AND lane BETWEEN $2 AND $3 AND next_at < $5"
        )
    };
}

impl Tx {
    /// Ends a pass over a batch: gives the lease back, and closes the batch when everything in it is final. With
    /// `not_before` nothing of it is tried before that time: it was throttled.
    pub async fn settle_batch(
        &mut self,
        claimed: &Claimed,
        not_before: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Settled, StoreError> {
        const LEFT: &str = "SELECT count(*) AS unfinished, min(CASE WHEN is_held THEN NULL \
                            ELSE coalesce(not_before, planned_at) END) AS next_at FROM deliveries \
                            WHERE id BETWEEN $1 AND $2 AND state IN ('planned', 'sending', 'deferred', 'uncertain')";
        // The row first: whoever retries a delivery of this batch has either committed, and is counted, or comes
        // after us and opens the batch again. SQLite has one writer anyway.
        const TAKE: &str = "UPDATE batches SET epoch = epoch WHERE id = $1 AND epoch = $2";
        const SETTLE: &str = concat!(
            "UPDATE batches SET is_open = $3, next_at = $4, owner = NULL, lease_until = NULL, turn = coalesce(",
            front_sql!("batches.channel", "batches.lane"),
            ", turn) WHERE id = $1 AND epoch = $2"
        );
        if let Some(edition) = claimed.edition {
            self.take_edition(edition).await?;
        }
        let lease = claimed.lease;
        let ours = on_engine!(self, |conn| sqlx::query(TAKE)
            .bind(lease.batch)
            .bind(lease.epoch)
            .execute(conn)
            .await
            .map(|done| done.rows_affected() == 1))
        .map_err(doing("take a batch to settle it"))?;
        if !ours {
            return Ok(Settled::Lost);
        }
        let (unfinished, next): (i64, Option<i64>) = on_engine!(self, |conn| sqlx::query(LEFT)
            .bind(claimed.first)
            .bind(claimed.last)
            .fetch_one(conn)
            .await
            .and_then(|row| Ok((row.try_get("unfinished")?, row.try_get("next_at")?))))
        .map_err(doing("count what is left of a batch"))?;
        let next = next.map(|next| next.max(not_before.map_or(next, Timestamp::as_microsecond)));
        on_engine!(self, |conn| sqlx::query(SETTLE)
            .bind(lease.batch)
            .bind(lease.epoch)
            .bind(unfinished > 0)
            .bind(next.unwrap_or(i64::MAX))
            .execute(conn)
            .await
            .map(|_| ()))
        .map_err(doing("settle a batch"))?;
        if unfinished > 0 {
            return Ok(Settled::Later(next.map(instant)));
        }
        if let Some(edition) = claimed.edition {
            self.finish_edition(edition, now).await?;
        }
        Ok(Settled::Done)
    }

    /// The caller has taken the edition: of two that close the last two batches at once, the second sees what the first did.
    async fn finish_edition(&mut self, id: EditionId, now: Timestamp) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE editions SET state = 'finished', finished_at = $2 WHERE id = $1 \
                           AND state IN ('sealed', 'paused') \
                           AND NOT EXISTS (SELECT 1 FROM batches WHERE edition_id = $1 AND is_open)";
        let finished = on_engine!(self, |conn| sqlx::query(SQL)
            .bind(id.0)
            .bind(now.as_microsecond())
            .execute(conn)
            .await
            .map(|done| done.rows_affected() == 1))
        .map_err(doing("finish an edition"))?;
        if finished {
            self.record_event(Event::new("edition.finished", now).edition(id)).await?;
        }
        Ok(())
    }

    /// When the next batch of `queue` can be claimed: `now`, if one can be.
    pub async fn next_batch_at(
        &mut self,
        queue: Queue<'_>,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        // While much is due the first one is found at once; only an idle queue is read through.
        const DUE: &str = "SELECT 1 AS due FROM batches WHERE is_open AND NOT is_shut AND channel = $1 \
                           AND lane BETWEEN $2 AND $3 AND next_at <= $4 AND owner IS NULL LIMIT 1";
        const SQLITE: &str = next_sql!("$4");
        const POSTGRES: &str = next_sql!(pg_now!(""));
        let sql = if self.is_postgres() { POSTGRES } else { SQLITE };
        let micros = now.as_microsecond();
        let (first, last) = (queue.lanes.0.number(), queue.lanes.1.number());
        let next = on_engine!(self, |conn| {
            let due = sqlx::query(DUE)
                .bind(queue.channel)
                .bind(first)
                .bind(last)
                .bind(micros)
                .fetch_optional(&mut *conn)
                .await
                .map_err(doing("ask whether a batch is due"))?;
            if due.is_some() {
                return Ok(Some(now));
            }
            sqlx::query(sql)
                .bind(queue.channel)
                .bind(first)
                .bind(last)
                .bind(micros)
                .bind(i64::MAX)
                .fetch_one(conn)
                .await
                .and_then(|row| row.try_get::<Option<i64>, _>("next_at"))
        });
        next.map(|at| at.map(instant)).map_err(doing("read when the next batch falls due"))
    }
}

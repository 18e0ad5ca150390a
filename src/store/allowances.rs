//! Allowances: how much of something may be used in 24 hours, by all nodes together.
//!
//! Kept hour by hour, so that a day's quota frees itself gradually and not all at midnight.

use jiff::Timestamp;
use sqlx::Row as _;

use super::StoreError;
use super::engine::{Tx, doing, on_engine};

/// Hours that count against a day's allowance, with the current one.
const HOURS: i64 = 24;

/// What was granted, and in which hour it was booked, for giving back what was not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant {
    pub granted: i64,
    pub hour: i64,
}

impl Tx {
    /// Books up to `want` of what is left of the `per_day` that `name` may use in 24 hours.
    pub async fn reserve_allowance(
        &mut self,
        name: &str,
        per_day: i64,
        want: i64,
        now: Timestamp,
    ) -> Result<Grant, StoreError> {
        let hour = hour_of(now);
        // Writing first: whoever else reserves waits here and then sees what we took.
        self.book(name, hour, 0).await?;
        let left = per_day.saturating_sub(self.used_since(name, hour - HOURS).await?);
        let granted = want.min(left).max(0);
        if granted > 0 {
            self.book(name, hour, granted).await?;
        }
        self.prune_allowances(name, hour - HOURS).await?;
        Ok(Grant { granted, hour })
    }

    /// Gives back what was granted in `hour` and not used.
    pub async fn give_back_allowance(
        &mut self,
        name: &str,
        unused: i64,
        hour: i64,
    ) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE allowances SET used = CASE WHEN used > $3 THEN used - $3 ELSE 0 END \
                           WHERE name = $1 AND hour = $2";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(name)
            .bind(hour)
            .bind(unused.max(0))
            .execute(conn)
            .await
            .map(|_| ()))
        .map_err(doing("give back an allowance"))
    }

    /// Counts a use that no limit stops: a confirmation goes out whatever the quota says, and is part of it.
    pub async fn note_use(
        &mut self,
        name: &str,
        count: i64,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.book(name, hour_of(now), count).await
    }

    /// What `name` has used in the 24 hours up to `now`.
    pub async fn used_of_allowance(
        &mut self,
        name: &str,
        now: Timestamp,
    ) -> Result<i64, StoreError> {
        self.used_since(name, hour_of(now) - HOURS).await
    }

    async fn book(&mut self, name: &str, hour: i64, count: i64) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO allowances (name, hour, used) VALUES ($1, $2, $3) \
                           ON CONFLICT (name, hour) DO UPDATE SET used = allowances.used + excluded.used";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(name)
            .bind(hour)
            .bind(count)
            .execute(conn)
            .await
            .map(|_| ()))
        .map_err(doing("book an allowance"))
    }

    async fn used_since(&mut self, name: &str, before: i64) -> Result<i64, StoreError> {
        const SQL: &str = "SELECT CAST(coalesce(sum(used), 0) AS BIGINT) AS used FROM allowances \
                           WHERE name = $1 AND hour > $2";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(name)
            .bind(before)
            .fetch_one(conn)
            .await
            .and_then(|row| row.try_get("used")))
        .map_err(doing("read an allowance"))
    }

    async fn prune_allowances(&mut self, name: &str, before: i64) -> Result<(), StoreError> {
        const SQL: &str = "DELETE FROM allowances WHERE name = $1 AND hour <= $2";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(name)
            .bind(before)
            .execute(conn)
            .await
            .map(|_| ()))
        .map_err(doing("forget old allowances"))
    }
}

fn hour_of(at: Timestamp) -> i64 {
    at.as_second().div_euclid(3600)
}

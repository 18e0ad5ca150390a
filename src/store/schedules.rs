//! Schedules and what they caused: ticks, queue releases, and since when each channel exists.

use std::collections::HashMap;

use jiff::Timestamp;
use sqlx::Row as _;

use super::StoreError;
use super::engine::{Tx, doing, instant, on_engine};
use crate::domain::{PostId, QueuedRelease};

/// How far a schedule has been looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduleRow {
    pub expression: String,
    /// Every run up to here was claimed, skipped or before the schedule's time.
    pub considered_until: Timestamp,
}

impl Tx {
    /// The schedule's row. A new one, or one whose expression changed, starts at `now`: its past is not made up for.
    pub async fn schedule(
        &mut self,
        name: &str,
        expression: &str,
        now: Timestamp,
    ) -> Result<ScheduleRow, StoreError> {
        const SQL: &str = "INSERT INTO schedules (name, expression, considered_until) VALUES ($1, $2, $3) \
                           ON CONFLICT (name) DO UPDATE SET considered_until = CASE WHEN \
                           schedules.expression = excluded.expression THEN schedules.considered_until ELSE \
                           excluded.considered_until END, expression = excluded.expression \
                           RETURNING expression, considered_until";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(name)
            .bind(expression)
            .bind(now.as_microsecond())
            .fetch_one(conn)
            .await
            .and_then(|row| Ok(ScheduleRow {
                expression: row.try_get("expression")?,
                considered_until: instant(row.try_get("considered_until")?),
            })))
        .map_err(doing("read a schedule"))
    }

    /// The schedules whose names begin with `prefix`, by name.
    pub async fn schedules(
        &mut self,
        prefix: &str,
    ) -> Result<HashMap<String, ScheduleRow>, StoreError> {
        // `~` comes after everything that a name may hold.
        const SQL: &str = "SELECT name, expression, considered_until FROM schedules \
                           WHERE name >= $1 AND name < $1 || '~'";
        on_engine!(self, |conn| sqlx::query(SQL).bind(prefix).fetch_all(conn).await.and_then(
            |rows| rows
                .into_iter()
                .map(|row| {
                    let row_of = ScheduleRow {
                        expression: row.try_get("expression")?,
                        considered_until: instant(row.try_get("considered_until")?),
                    };
                    Ok((row.try_get("name")?, row_of))
                })
                .collect()
        ))
        .map_err(doing("read schedules"))
    }

    /// Notes that every run of `name` up to `until` has been dealt with.
    pub async fn consider_until(&mut self, name: &str, until: Timestamp) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE schedules SET considered_until = $2 WHERE name = $1 \
                           AND considered_until < $2";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(name)
            .bind(until.as_microsecond())
            .execute(conn)
            .await
            .map(|_| ()))
        .map_err(doing("move a schedule on"))
    }

    /// Claims the tick of `schedule` due at `due`. False: another node already did.
    pub async fn claim_tick(
        &mut self,
        schedule: &str,
        due: Timestamp,
        now: Timestamp,
        note: &str,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "INSERT INTO ticks (schedule, due_at, claimed_at, note) VALUES ($1, $2, $3, $4) \
                           ON CONFLICT (schedule, due_at) DO NOTHING";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(schedule)
            .bind(due.as_microsecond())
            .bind(now.as_microsecond())
            .bind(note)
            .execute(conn)
            .await
            .map(|done| done.rows_affected() == 1))
        .map_err(doing("claim a tick"))
    }

    /// The last tick of `schedule`, for the status page.
    pub async fn last_tick(&mut self, schedule: &str) -> Result<Option<Timestamp>, StoreError> {
        const SQL: &str = "SELECT max(due_at) AS due_at FROM ticks WHERE schedule = $1";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(schedule)
            .fetch_one(conn)
            .await
            .and_then(|row| row.try_get::<Option<i64>, _>("due_at")))
        .map(|due| due.map(instant))
        .map_err(doing("read the last tick"))
    }

    /// Since when the channel `name` exists; from `now` on if it is new.
    pub async fn channel_since(
        &mut self,
        name: &str,
        now: Timestamp,
    ) -> Result<Timestamp, StoreError> {
        // The no-op update makes RETURNING answer for a row that is there already.
        const SQL: &str = "INSERT INTO channels (name, since_at) VALUES ($1, $2) \
                           ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING since_at";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(name)
            .bind(now.as_microsecond())
            .fetch_one(conn)
            .await
            .and_then(|row| row.try_get("since_at")))
        .map(instant)
        .map_err(doing("read since when a channel exists"))
    }

    /// Since when each channel exists that was ever there.
    pub async fn channels(&mut self) -> Result<HashMap<String, Timestamp>, StoreError> {
        const SQL: &str = "SELECT name, since_at FROM channels";
        on_engine!(self, |conn| sqlx::query(SQL).fetch_all(conn).await.and_then(|rows| rows
            .into_iter()
            .map(|row| Ok((row.try_get("name")?, instant(row.try_get("since_at")?))))
            .collect()))
        .map_err(doing("read since when channels exist"))
    }

    /// Everything that queues have released, by post.
    pub async fn queued_releases(&mut self) -> Result<HashMap<PostId, QueuedRelease>, StoreError> {
        const SQL: &str = "SELECT queue, post_id, released_at FROM queued_releases";
        on_engine!(self, |conn| sqlx::query(SQL).fetch_all(conn).await.and_then(|rows| {
            rows.into_iter()
                .map(|row| {
                    let post = PostId::pinned(row.try_get::<String, _>("post_id")?);
                    let queue = row.try_get("queue")?;
                    let at = instant(row.try_get("released_at")?);
                    Ok((post.clone(), QueuedRelease { queue, post, at }))
                })
                .collect()
        }))
        .map_err(doing("read what queues released"))
    }

    /// `queue` releases `post` at `at`. False: it already had.
    pub async fn release_from_queue(
        &mut self,
        queue: &str,
        post: &PostId,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "INSERT INTO queued_releases (queue, post_id, released_at) VALUES ($1, $2, $3) \
                           ON CONFLICT (queue, post_id) DO NOTHING";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(queue)
            .bind(post.as_str())
            .bind(at.as_microsecond())
            .execute(conn)
            .await
            .map(|done| done.rows_affected() == 1))
        .map_err(doing("release a post from its queue"))
    }
}

//! Where each subscriber is in the welcome mails of a newsletter.

use jiff::Timestamp;
use sqlx::Row as _;

use super::StoreError;
use super::engine::{Tx, doing, instant, on_engine};
use super::segments::Houses;
use super::shares::read_send_time;
use crate::domain::{Cadence, Segment, Slot, SubscriptionId};

/// The name of the only sequence that there is.
const WELCOME: &str = "welcome";
/// How many are looked at in one transaction.
const SHARE: i64 = 500;

/// A subscriber whose next welcome mail is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueWelcome {
    pub subscription: SubscriptionId,
    /// Which mail, from 0.
    pub step: usize,
    pub language: Option<String>,
    /// Their cadence and its hour.
    pub slot: Slot,
    /// Whether they are of the newsletter's audience now.
    pub is_wanted: bool,
}

/// Subscription and step; language, cadence, zone and hour; whether they are wanted.
type DueRow = (i64, i64, String, String, String, String, bool);

fn read_due(row: DueRow) -> Result<DueWelcome, StoreError> {
    let (subscription, step, language, cadence, timezone, send_time, is_wanted) = row;
    let some = |text: String| (!text.is_empty()).then_some(text);
    Ok(DueWelcome {
        subscription: SubscriptionId(subscription),
        step: usize::try_from(step).unwrap_or(usize::MAX),
        language: some(language),
        slot: Slot {
            cadence: cadence.parse::<Cadence>()?,
            timezone: some(timezone),
            send_time: read_send_time(&send_time)?,
        },
        is_wanted,
    })
}

impl Tx {
    /// The first welcome mail of a subscription is due at `due_at`. Whoever had some before goes on
    /// where they were.
    pub async fn begin_welcome(
        &mut self,
        subscription: SubscriptionId,
        due_at: Timestamp,
    ) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO sequence_steps (subscription_id, sequence, step, due_at) \
                           VALUES ($1, $2, 0, $3) ON CONFLICT (subscription_id, sequence) DO UPDATE SET due_at = excluded.due_at \
                           WHERE sequence_steps.due_at IS NOT NULL";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(subscription.0)
            .bind(WELCOME)
            .bind(due_at.as_microsecond())
            .execute(conn)
            .await
            .map(|_| ()))
        .map_err(doing("begin the welcome mails"))
    }

    /// Those of `newsletter` to whom a welcome mail is due at `now`, the longest waiting first; some of them, if they are many.
    pub async fn due_welcomes(
        &mut self,
        newsletter: &str,
        audience: (Option<&Segment>, &Houses),
        now: Timestamp,
    ) -> Result<Vec<DueWelcome>, StoreError> {
        const SQL: &str = "SELECT q.subscription_id, q.step, s.language, s.cadence, s.timezone, s.send_time, \
                           /* audience */ AS is_wanted FROM sequence_steps q JOIN subscriptions s ON s.id = q.subscription_id \
                           JOIN subscribers p ON p.id = s.subscriber_id \
                           WHERE q.due_at <= $2 AND s.newsletter = $1 AND s.state = 'active' \
                           AND p.suppressed_at IS NULL AND (s.paused_until IS NULL OR s.paused_until <= $2) \
                           ORDER BY q.due_at, q.subscription_id LIMIT $3";
        let (sql, values) = self.with_audience(SQL, audience, 4, now);
        let found: Vec<DueRow> = on_engine!(self, |conn| sqlx::query_as(sql)
            .bind(newsletter)
            .bind(now.as_microsecond())
            .bind(SHARE)
            .bind(values)
            .fetch_all(conn)
            .await)
        .map_err(doing("read which welcome mails are due"))?;
        found.into_iter().map(read_due).collect()
    }

    /// How many of the audience wait for which welcome mail of `newsletter`, by the hour in which it is due: the mail, its first
    /// moment, and they. Of one subscription, if it is given.
    pub async fn waiting_welcomes(
        &mut self,
        (newsletter, only): (&str, Option<SubscriptionId>),
        audience: (Option<&Segment>, &Houses),
        now: Timestamp,
    ) -> Result<Vec<(usize, Timestamp, i64)>, StoreError> {
        const SQL: &str = "SELECT step, min(at) AS at, count(*) AS people FROM (SELECT q.step, CASE WHEN s.paused_until > q.due_at \
                           THEN s.paused_until ELSE q.due_at END AS at FROM sequence_steps q \
                           JOIN subscriptions s ON s.id = q.subscription_id JOIN subscribers p ON p.id = s.subscriber_id \
                           WHERE q.due_at IS NOT NULL AND s.newsletter = $1 AND s.state = 'active' \
                           AND p.suppressed_at IS NULL AND ($2 = 0 OR s.id = $2) \
                           AND /* audience */) AS waiting GROUP BY step, at / 3600000000 ORDER BY at, step";
        let (sql, values) = self.with_audience(SQL, audience, 3, now);
        let found: Vec<(i64, i64, i64)> = on_engine!(self, |conn| sqlx::query_as(sql)
            .bind(newsletter)
            .bind(only.map_or(0, |only| only.0))
            .bind(values)
            .fetch_all(conn)
            .await)
        .map_err(doing("read who waits for welcome mails"))?;
        let read =
            |(step, at, people)| (usize::try_from(step).unwrap_or(usize::MAX), instant(at), people);
        Ok(found.into_iter().map(read).collect())
    }

    /// When the next welcome mail of `newsletter` is due.
    pub async fn next_welcome(
        &mut self,
        newsletter: &str,
    ) -> Result<Option<Timestamp>, StoreError> {
        const SQL: &str = "SELECT min(CASE WHEN s.paused_until > q.due_at THEN s.paused_until ELSE q.due_at END) AS due_at \
                           FROM sequence_steps q JOIN subscriptions s ON s.id = q.subscription_id \
                           JOIN subscribers p ON p.id = s.subscriber_id WHERE q.due_at IS NOT NULL \
                           AND s.newsletter = $1 AND s.state = 'active' AND p.suppressed_at IS NULL";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(newsletter)
            .fetch_one(conn)
            .await
            .and_then(|row| row.try_get::<Option<i64>, _>("due_at")))
        .map(|due| due.map(instant))
        .map_err(doing("read when the next welcome mail is due"))
    }

    /// The subscriber had the mail that was due; the next one is due then. False: they had it before.
    pub async fn advance_welcome(
        &mut self,
        due: &DueWelcome,
        due_at: Option<Timestamp>,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE sequence_steps SET step = step + 1, due_at = $4 \
                           WHERE subscription_id = $1 AND sequence = $2 AND step = $3 AND due_at IS NOT NULL";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(due.subscription.0)
            .bind(WELCOME)
            .bind(i64::try_from(due.step).unwrap_or(i64::MAX))
            .bind(due_at.map(Timestamp::as_microsecond))
            .execute(conn)
            .await
            .map(|done| done.rows_affected() == 1))
        .map_err(doing("move the welcome mails on"))
    }

    /// The mail that is due is tried again then, unless they had it meanwhile.
    pub async fn put_off_welcome(
        &mut self,
        due: &DueWelcome,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE sequence_steps SET due_at = $4 \
                           WHERE subscription_id = $1 AND sequence = $2 AND step = $3 AND due_at IS NOT NULL";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(due.subscription.0)
            .bind(WELCOME)
            .bind(i64::try_from(due.step).unwrap_or(i64::MAX))
            .bind(until.as_microsecond())
            .execute(conn)
            .await
            .map(|_| ()))
        .map_err(doing("put a welcome mail off"))
    }
}

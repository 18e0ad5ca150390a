//! Batches: ranges of deliveries, leased as a whole to one owner, fenced by an epoch.

use jiff::Timestamp;
use sqlx::Row as _;

use super::engine::{Tx, doing, instant, on_engine};
use super::{Event, StoreError};
use crate::domain::{
    AnnouncementId, DeliveryId, EditionId, EmailAddress, Lane, LetterId, SubscriptionId, Target,
};

/// The right to send a batch. Every write under it names the epoch; whoever takes the batch over raises it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Lease {
    pub batch: i64,
    pub epoch: i64,
}

/// The batches that somebody looks after: those of one channel, in a range of lanes.
#[derive(Clone, Copy, Debug)]
pub struct Queue<'a> {
    /// `mail:NEWSLETTER` or `destination:NAME`.
    pub channel: &'a str,
    /// First and last lane.
    pub lanes: (Lane, Lane),
}

/// A batch that is ours now.
#[derive(Clone, Debug)]
pub struct Claimed {
    pub lease: Lease,
    pub lane: Lane,
    pub edition: Option<EditionId>,
    /// Which stage of the edition's release it belongs to.
    pub stage: i64,
    pub first: i64,
    pub last: i64,
    /// Deliveries that the previous owner had handed over without noting an answer. They are `uncertain` now.
    pub uncertain: Vec<DeliveryId>,
}

/// A delivery whose time has come.
#[derive(Clone, Debug)]
pub struct DueDelivery {
    pub id: DeliveryId,
    pub target: Target,
    /// How often it reached the other side before.
    pub attempts: u32,
    pub planned_at: Timestamp,
    /// Whom a mail goes to.
    pub address: Option<EmailAddress>,
    /// Why it must not go out, found when it was loaded; checked again with the intent.
    pub recipient_left: bool,
    /// Its last attempt ended without an answer.
    pub was_uncertain: bool,
}

/// The epoch of a batch that was never claimed before: nobody can have left anything in it.
const FIRST_EPOCH: i64 = 1;

/// The server's clock in microseconds, and what is added to it.
macro_rules! pg_now {
    ($more:literal) => {
        concat!("CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)", $more)
    };
}
pub(super) use pg_now;

macro_rules! claim_sql {
    ($until:expr, $now:expr, $lock:literal) => {
        concat!(
            "UPDATE batches SET owner = $1, epoch = epoch + 1, lease_until = ",
            $until,
            " WHERE id = (SELECT id FROM batches WHERE is_open AND NOT is_shut AND channel = $3 AND next_at <= $4 \
             AND (owner IS NULL OR (owner <> $1 AND lease_until < ",
            $now,
            ")) AND lane BETWEEN $5 AND $6 AND NOT EXISTS (SELECT 1 FROM instance WHERE fenced_at IS NOT NULL) \
             ORDER BY lane, turn, id LIMIT 1",
            $lock,
            ") RETURNING id, epoch, lane, edition_id, stage, first_id, last_id"
        )
    };
}

/// All rows in one value: a batch has hundreds, and to hand each over by itself costs more than to read it.
macro_rules! due_sql {
    ($all:literal, $array:literal) => {
        concat!(
            "SELECT CAST(", $all, "(", $array, "(d.id, d.edition_id, d.subscription_id, d.letter_id, d.announcement_id, \
             d.state, d.attempts, d.planned_at, coalesce(p.address, l.address), \
             CASE WHEN s.paused_until > d.planned_at THEN 'paused' ELSE s.state END, p.suppressed_at) \
             ORDER BY d.id) AS TEXT) AS due \
             FROM deliveries d LEFT JOIN subscriptions s ON s.id = d.subscription_id \
             LEFT JOIN subscribers p ON p.id = s.subscriber_id \
             LEFT JOIN letters l ON l.id = d.letter_id \
             WHERE d.id BETWEEN $1 AND $2 AND d.state IN ('planned', 'deferred', 'uncertain') \
             AND NOT d.is_held AND (d.not_before IS NULL OR d.not_before <= $3)"
        )
    };
}

/// A row of `due_sql`, in the order of its columns.
#[derive(serde::Deserialize)]
struct DueRow<'a> {
    id: i64,
    edition: Option<i64>,
    subscription: Option<i64>,
    letter: Option<i64>,
    announcement: Option<i64>,
    state: &'a str,
    attempts: u32,
    planned_at: i64,
    address: Option<String>,
    subscription_state: Option<&'a str>,
    suppressed_at: Option<i64>,
}

impl DueRow<'_> {
    fn delivery(self) -> Result<DueDelivery, StoreError> {
        let has_left = self.subscription_state != Some("active") || self.suppressed_at.is_some();
        let columns = TargetColumns {
            edition: self.edition,
            subscription: self.subscription,
            letter: self.letter,
            announcement: self.announcement,
        };
        Ok(DueDelivery {
            id: DeliveryId(self.id),
            target: columns.target()?,
            attempts: self.attempts,
            planned_at: instant(self.planned_at),
            address: self.address.and_then(|address| address.parse().ok()),
            recipient_left: self.subscription.is_some() && has_left,
            was_uncertain: self.state == "uncertain",
        })
    }
}

/// What is left of a batch after a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// Everything is final.
    Done,
    /// Something is to be tried again at this time; held deliveries alone leave the batch open without a time.
    Later(Option<Timestamp>),
    /// Somebody else has the lease.
    Lost,
}

impl Tx {
    /// Leases the most urgent due batch of `queue` until `until`; none while there is a fence. Deliveries that a dead owner left in
    /// `sending` become `uncertain`, with an event each; with `hold` they wait for a person.
    ///
    /// A batch that `owner` itself holds is never claimed, however the clock jumps: an owner is one process start, and what
    /// it holds it is working on. On PostgreSQL the server's clock says when a lease ends, since nodes' clocks differ.
    pub async fn claim_batch(
        &mut self,
        queue: Queue<'_>,
        owner: &str,
        (now, until): (Timestamp, Timestamp),
        hold: bool,
    ) -> Result<Option<Claimed>, StoreError> {
        // SKIP LOCKED keeps nodes from queueing behind each other; SQLite has one writer and does not know it.
        const SQLITE: &str = claim_sql!("$2", "$4", "");
        const POSTGRES: &str = claim_sql!(pg_now!(" + $2"), pg_now!(""), " FOR UPDATE SKIP LOCKED");
        let sql = if self.is_postgres() { POSTGRES } else { SQLITE };
        let lease = self.lease_column(now, until);
        let claimed = on_engine!(self, |conn| sqlx::query(sql)
            .bind(owner)
            .bind(lease)
            .bind(queue.channel)
            .bind(now.as_microsecond())
            .bind(queue.lanes.0.number())
            .bind(queue.lanes.1.number())
            .fetch_optional(conn)
            .await
            .and_then(|row| row
                .map(|row| Ok(Claimed {
                    lease: Lease { batch: row.try_get("id")?, epoch: row.try_get("epoch")? },
                    // A lane of a newer version is no reason to leave mail lying.
                    lane: Lane::of_number(row.try_get("lane")?).unwrap_or(Lane::Digest),
                    edition: row.try_get::<Option<i64>, _>("edition_id")?.map(EditionId),
                    stage: row.try_get("stage")?,
                    first: row.try_get("first_id")?,
                    last: row.try_get("last_id")?,
                    uncertain: Vec::new(),
                }))
                .transpose()))
        .map_err(doing("claim a batch"))?;
        let Some(mut claimed) = claimed else { return Ok(None) };
        if claimed.lease.epoch > FIRST_EPOCH {
            let range = (claimed.first, claimed.last);
            claimed.uncertain = self.mark_uncertain(range, hold, now).await?;
        }
        Ok(Some(claimed))
    }

    async fn mark_uncertain(
        &mut self,
        (first, last): (i64, i64),
        hold: bool,
        now: Timestamp,
    ) -> Result<Vec<DeliveryId>, StoreError> {
        // Nobody resends for a cancelled edition.
        const MARK: &str = "UPDATE deliveries SET state = 'uncertain', is_held = ($3 OR EXISTS (\
                            SELECT 1 FROM editions e WHERE e.id = deliveries.edition_id AND e.state = 'cancelled')), \
                            not_before = NULL, attempts = attempts + 1, changed_at = $4 \
                            WHERE id BETWEEN $1 AND $2 AND state = 'sending' RETURNING id, intent_at";
        const NOTE: &str = "INSERT INTO attempts (delivery_id, started_at, ended_at, outcome, server, reply) \
                            VALUES ($1, $2, $3, 'uncertain', '', $4)";
        const WHY: &str = "Postrider stopped between handing this over and noting the answer";
        let marked: Vec<(i64, Option<i64>)> = on_engine!(self, |conn| sqlx::query(MARK)
            .bind(first)
            .bind(last)
            .bind(hold)
            .bind(now.as_microsecond())
            .fetch_all(conn)
            .await
            .and_then(|rows| rows
                .into_iter()
                .map(|row| Ok((row.try_get("id")?, row.try_get("intent_at")?)))
                .collect::<Result<Vec<_>, _>>()))
        .map_err(doing("mark uncertain deliveries"))?;
        for (id, intent_at) in &marked {
            on_engine!(self, |conn| sqlx::query(NOTE)
                .bind(id)
                .bind(intent_at.unwrap_or_else(|| now.as_microsecond()))
                .bind(now.as_microsecond())
                .bind(WHY)
                .execute(conn)
                .await
                .map(|_| ()))
            .map_err(doing("note an uncertain attempt"))?;
            let event = Event::new("delivery.uncertain", now).delivery(DeliveryId(*id)).detail(WHY);
            self.record_event(event).await?;
        }
        Ok(marked.into_iter().map(|(id, _)| DeliveryId(id)).collect())
    }

    /// The deliveries of a claimed batch whose time has come, in send order.
    pub async fn due_deliveries(
        &mut self,
        claimed: &Claimed,
        now: Timestamp,
    ) -> Result<Vec<DueDelivery>, StoreError> {
        const SQLITE: &str = due_sql!("json_group_array", "json_array");
        const POSTGRES: &str = due_sql!("json_agg", "json_build_array");
        let sql = if self.is_postgres() { POSTGRES } else { SQLITE };
        let rows: Option<String> = on_engine!(self, |conn| sqlx::query(sql)
            .bind(claimed.first)
            .bind(claimed.last)
            .bind(now.as_microsecond())
            .fetch_one(conn)
            .await
            .and_then(|row| row.try_get("due")))
        .map_err(doing("read the due deliveries"))?;
        let rows = rows.unwrap_or_else(|| "[]".to_owned());
        let rows: Vec<DueRow<'_>> =
            serde_json::from_str(&rows).map_err(|_| StoreError::Corrupt("a due delivery"))?;
        rows.into_iter().map(DueRow::delivery).collect()
    }

    /// Ends the leases of owners whose name begins with `whose`, known to be gone; of everybody, with an empty one.
    /// Returns of how many batches.
    pub async fn end_leases(&mut self, whose: &str) -> Result<u64, StoreError> {
        // Not LIKE: names hold characters that mean something there.
        const SQL: &str = "UPDATE batches SET owner = NULL, lease_until = NULL WHERE is_open \
                           AND owner IS NOT NULL AND substr(owner, 1, length($1)) = $1";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(whose)
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))
        .map_err(doing("end the leases of who is gone"))
    }

    /// Prolongs a lease. False: somebody else has it.
    pub async fn renew_lease(
        &mut self,
        lease: Lease,
        (now, until): (Timestamp, Timestamp),
    ) -> Result<bool, StoreError> {
        const SQLITE: &str = "UPDATE batches SET lease_until = $3 WHERE id = $1 AND epoch = $2";
        const POSTGRES: &str = concat!(
            "UPDATE batches SET lease_until = ",
            pg_now!(" + $3"),
            " WHERE id = $1 AND epoch = $2"
        );
        let sql = if self.is_postgres() { POSTGRES } else { SQLITE };
        let lease_until = self.lease_column(now, until);
        on_engine!(self, |conn| sqlx::query(sql)
            .bind(lease.batch)
            .bind(lease.epoch)
            .bind(lease_until)
            .execute(conn)
            .await
            .map(|done| done.rows_affected() == 1))
        .map_err(doing("renew a lease"))
    }

    /// When a lease ends, on SQLite; how long it lasts, on PostgreSQL, which adds its own clock.
    fn lease_column(&self, now: Timestamp, until: Timestamp) -> i64 {
        let start = if self.is_postgres() { now.as_microsecond() } else { 0 };
        until.as_microsecond().saturating_sub(start)
    }

    /// Gives the lease on a batch back that nothing can be done about before `until`, so that others have their turn.
    /// False: somebody else has it.
    pub async fn postpone_batch(
        &mut self,
        lease: Lease,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE batches SET next_at = $3, owner = NULL, lease_until = NULL \
                           WHERE id = $1 AND epoch = $2";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(lease.batch)
            .bind(lease.epoch)
            .bind(until.as_microsecond())
            .execute(conn)
            .await
            .map(|done| done.rows_affected() == 1))
        .map_err(doing("postpone a batch"))
    }
}

pub(super) struct TargetColumns {
    pub(super) edition: Option<i64>,
    pub(super) subscription: Option<i64>,
    pub(super) letter: Option<i64>,
    pub(super) announcement: Option<i64>,
}

impl TargetColumns {
    pub(super) fn target(&self) -> Result<Target, StoreError> {
        match (self.edition, self.subscription, self.letter, self.announcement) {
            (Some(edition), Some(subscription), None, None) => Ok(Target::Edition {
                edition: EditionId(edition),
                subscription: SubscriptionId(subscription),
            }),
            (None, None, Some(letter), None) => Ok(Target::Letter { letter: LetterId(letter) }),
            (None, None, None, Some(announcement)) => {
                Ok(Target::Announcement { announcement: AnnouncementId(announcement) })
            }
            _ => Err(StoreError::Corrupt("a delivery's target")),
        }
    }
}

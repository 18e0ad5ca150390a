//! The ledger's two writes: the intent before the other side can have it, the outcome after it answered.
//!
//! Both name the lease; a write under a lease that was lost changes nothing.

use jiff::Timestamp;
use sqlx::Row as _;

use super::batches::Lease;
use super::engine::{Tx, doing, on_engine};
use super::{Event, StoreError};
use crate::domain::{DeliveryId, DeliveryState, EmailAddress, Keyring, Outcome};

/// Why an intent was refused: nothing may be handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IntentRefusal {
    #[error("the lease was lost")]
    LeaseLost,
    #[error("the recipient has left or is suppressed")]
    RecipientLeft,
    #[error("the delivery is not waiting to be sent")]
    NotWaiting,
}

/// What an attempt leaves behind.
#[derive(Clone, Debug)]
pub struct Recorded {
    pub lease: Lease,
    pub delivery: DeliveryId,
    pub started_at: Timestamp,
    pub ended_at: Timestamp,
    /// None: nothing was tried (the recipient left, its time was over).
    pub outcome: Option<Outcome>,
    pub next: Next,
    /// The recipient, when the outcome says that the mailbox does not exist.
    pub suppress: Option<EmailAddress>,
}

/// Where the delivery stands afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    Final(DeliveryState),
    /// `Deferred` or `Uncertain`, again at this time.
    Again(DeliveryState, Timestamp),
    /// Uncertain, until a person decides.
    Held,
}

impl Next {
    fn columns(self) -> (DeliveryState, bool, Option<Timestamp>) {
        match self {
            Self::Final(state) => (state, false, None),
            Self::Again(state, at) => (state, false, Some(at)),
            Self::Held => (DeliveryState::Uncertain, true, None),
        }
    }
}

/// A write under a lease. PostgreSQL runs whoever takes the batch over beside us: sharing its row (`lock`) makes us wait for
/// them and see their epoch, else a delivery could be handed over that they are already sending.
macro_rules! intent_sql {
    ($lock:literal) => {
        concat!(
            "UPDATE deliveries SET state = 'sending', intent_at = $2, changed_at = $2 WHERE id = $1 \
             AND state IN ('planned', 'deferred', 'uncertain') AND NOT is_held \
             AND EXISTS (SELECT 1 FROM batches WHERE id = $3 AND epoch = $4",
            $lock,
            ") AND (subscription_id IS NULL OR EXISTS (SELECT 1 FROM subscriptions s \
             JOIN subscribers p ON p.id = s.subscriber_id \
             WHERE s.id = deliveries.subscription_id AND s.state = 'active' \
             AND p.suppressed_at IS NULL))"
        )
    };
}

/// As above.
macro_rules! outcome_sql {
    ($lock:literal) => {
        concat!(
            "UPDATE deliveries SET state = $2, is_held = $3, not_before = $4, \
             attempts = attempts + $5, changed_at = $6 WHERE id = $1 \
             AND state IN ('planned', 'sending', 'deferred', 'uncertain') \
             AND EXISTS (SELECT 1 FROM batches WHERE id = $7 AND epoch = $8",
            $lock,
            ")"
        )
    };
}

impl Tx {
    /// Notes that the delivery is about to be handed over, unless the lease is gone or the recipient left.
    pub async fn note_intent(
        &mut self,
        lease: Lease,
        delivery: DeliveryId,
        now: Timestamp,
    ) -> Result<Result<(), IntentRefusal>, StoreError> {
        const SQLITE: &str = intent_sql!("");
        const POSTGRES: &str = intent_sql!(" FOR SHARE");
        let sql = if self.is_postgres() { POSTGRES } else { SQLITE };
        let noted = on_engine!(self, |conn| sqlx::query(sql)
            .bind(delivery.0)
            .bind(now.as_microsecond())
            .bind(lease.batch)
            .bind(lease.epoch)
            .execute(conn)
            .await
            .map(|done| done.rows_affected() == 1))
        .map_err(doing("note the intent to deliver"))?;
        if noted { Ok(Ok(())) } else { self.why_refused(lease, delivery).await.map(Err) }
    }

    async fn why_refused(
        &mut self,
        lease: Lease,
        delivery: DeliveryId,
    ) -> Result<IntentRefusal, StoreError> {
        const LEASE: &str = "SELECT id FROM batches WHERE id = $1 AND epoch = $2";
        const WAITING: &str = "SELECT id FROM deliveries WHERE id = $1 \
                               AND state IN ('planned', 'deferred', 'uncertain') AND NOT is_held";
        let (leased, waiting) = on_engine!(self, |conn| {
            let leased = sqlx::query(LEASE)
                .bind(lease.batch)
                .bind(lease.epoch)
                .fetch_optional(&mut *conn)
                .await
                .map_err(doing("check a lease"))?;
            let waiting = sqlx::query(WAITING)
                .bind(delivery.0)
                .fetch_optional(conn)
                .await
                .map_err(doing("check a delivery"))?;
            (leased.is_some(), waiting.is_some())
        });
        Ok(match (leased, waiting) {
            (false, _) => IntentRefusal::LeaseLost,
            (true, false) => IntentRefusal::NotWaiting,
            (true, true) => IntentRefusal::RecipientLeft,
        })
    }

    /// Notes what became of an attempt, with its event. An acceptance that comes after the lease was lost still
    /// settles a delivery that was called uncertain meanwhile.
    pub async fn record_outcome(
        &mut self,
        recorded: &Recorded,
        keyring: &Keyring,
    ) -> Result<(), StoreError> {
        let (state, held, again) = recorded.next.columns();
        let ours = self.move_delivery(recorded, state, held, again).await?;
        let accepted = matches!(recorded.outcome, Some(Outcome::Accepted(_)));
        let settled = ours || (accepted && self.settle_late(recorded).await?);
        if let Some(outcome) = &recorded.outcome {
            self.insert_attempt(recorded, outcome).await?;
        }
        if !settled {
            return Ok(());
        }
        self.record_event(
            Event::new(kind_of(state, held), recorded.ended_at).delivery(recorded.delivery).detail(
                recorded.outcome.as_ref().and_then(Outcome::reply).map_or("", |reply| &reply.text),
            ),
        )
        .await?;
        if state.is_final() {
            self.forget_letter(recorded.delivery).await?;
        }
        if let Some(address) = &recorded.suppress {
            self.suppress(address, keyring, "bounced", recorded.ended_at).await?;
        }
        Ok(())
    }

    async fn move_delivery(
        &mut self,
        recorded: &Recorded,
        state: DeliveryState,
        held: bool,
        again: Option<Timestamp>,
    ) -> Result<bool, StoreError> {
        const SQLITE: &str = outcome_sql!("");
        const POSTGRES: &str = outcome_sql!(" FOR SHARE");
        let sql = if self.is_postgres() { POSTGRES } else { SQLITE };
        let counts = match &recorded.outcome {
            None | Some(Outcome::Unreachable(_) | Outcome::NotOurs) => 0_i64,
            Some(_) => 1,
        };
        on_engine!(self, |conn| sqlx::query(sql)
            .bind(recorded.delivery.0)
            .bind(state.as_str())
            .bind(held)
            .bind(again.map(Timestamp::as_microsecond))
            .bind(counts)
            .bind(recorded.ended_at.as_microsecond())
            .bind(recorded.lease.batch)
            .bind(recorded.lease.epoch)
            .execute(conn)
            .await
            .map(|done| done.rows_affected() == 1))
        .map_err(doing("note an outcome"))
    }

    async fn settle_late(&mut self, recorded: &Recorded) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE deliveries SET state = 'accepted', is_held = FALSE, not_before = NULL, \
                           changed_at = $2 WHERE id = $1 AND state = 'uncertain'";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(recorded.delivery.0)
            .bind(recorded.ended_at.as_microsecond())
            .execute(conn)
            .await
            .map(|done| done.rows_affected() == 1))
        .map_err(doing("settle an uncertain delivery"))
    }

    async fn insert_attempt(
        &mut self,
        recorded: &Recorded,
        outcome: &Outcome,
    ) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO attempts (delivery_id, started_at, ended_at, outcome, server, code, reply) \
                           VALUES ($1, $2, $3, $4, $5, $6, $7)";
        let Some(reply) = outcome.reply() else { return Ok(()) };
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(recorded.delivery.0)
            .bind(recorded.started_at.as_microsecond())
            .bind(recorded.ended_at.as_microsecond())
            .bind(outcome.word())
            .bind(&reply.server)
            .bind(reply.code.map(i64::from))
            .bind(&reply.text)
            .execute(conn)
            .await
            .map(|_| ()))
        .map_err(doing("note an attempt"))
    }

    /// A letter may hold a token; once it is delivered or given up nobody needs it.
    async fn forget_letter(&mut self, delivery: DeliveryId) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE letters SET content = '' \
                           WHERE id = (SELECT letter_id FROM deliveries WHERE id = $1)";
        on_engine!(self, |conn| sqlx::query(SQL).bind(delivery.0).execute(conn).await.map(|_| ()))
            .map_err(doing("forget a letter"))
    }

    /// Puts a delivery that was given up, held or deferred back in the queue, with all the time that a new one has.
    /// False: it is not one of those.
    pub async fn retry_delivery(
        &mut self,
        delivery: DeliveryId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        const DELIVERY: &str = "UPDATE deliveries SET state = 'deferred', is_held = FALSE, not_before = $2, \
                                planned_at = $2, changed_at = $2 WHERE id = $1 AND (state IN ('rejected', 'expired', 'deferred') \
                                OR (state = 'uncertain' AND is_held)) \
                                AND NOT EXISTS (SELECT 1 FROM letters l WHERE l.id = deliveries.letter_id \
                                AND l.content = '') RETURNING edition_id";
        // Raising nothing but the time: a worker that holds the batch goes on with it.
        const BATCH: &str = "UPDATE batches SET is_open = TRUE, next_at = $2 WHERE id = (SELECT id FROM batches \
                             WHERE first_id <= $1 ORDER BY first_id DESC LIMIT 1)";
        const EDITION: &str = "UPDATE editions SET state = 'sealed', finished_at = NULL WHERE id = $1 \
                               AND state = 'finished'";
        let moved: Option<Option<i64>> = on_engine!(self, |conn| sqlx::query(DELIVERY)
            .bind(delivery.0)
            .bind(now.as_microsecond())
            .fetch_optional(conn)
            .await
            .and_then(|row| row.map(|row| row.try_get("edition_id")).transpose()))
        .map_err(doing("retry a delivery"))?;
        let Some(edition) = moved else { return Ok(false) };
        on_engine!(self, |conn| {
            sqlx::query(BATCH)
                .bind(delivery.0)
                .bind(now.as_microsecond())
                .execute(&mut *conn)
                .await
                .map_err(doing("reopen a batch"))?;
            sqlx::query(EDITION)
                .bind(edition)
                .execute(conn)
                .await
                .map_err(doing("reopen an edition"))?;
        });
        self.record_event(Event::new("delivery.retried", now).delivery(delivery)).await?;
        Ok(true)
    }
}

fn kind_of(state: DeliveryState, held: bool) -> &'static str {
    match state {
        DeliveryState::Planned => "delivery.planned",
        DeliveryState::Sending => "delivery.sending",
        DeliveryState::Accepted => "delivery.accepted",
        DeliveryState::Deferred => "delivery.deferred",
        DeliveryState::Rejected => "delivery.rejected",
        DeliveryState::Uncertain if held => "delivery.held",
        DeliveryState::Uncertain => "delivery.uncertain",
        DeliveryState::Skipped => "delivery.skipped",
        DeliveryState::Expired => "delivery.expired",
        DeliveryState::Cancelled => "delivery.cancelled",
    }
}

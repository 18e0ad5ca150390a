//! What people decide about single deliveries: try again, settle a doubt, cancel; and what recipients complain of.

use jiff::Timestamp;
use sqlx::Row as _;

use super::engine::{Tx, doing, on_engine};
use super::{Event, StoreError};
use crate::domain::{DeliveryId, EditionId, EditionState};

/// How a person settles a delivery of which nobody knows whether it arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// It did.
    Accepted,
    /// Send it again, with the same Message-ID.
    Resend,
    /// It is not to be sent again.
    Cancelled,
}

/// Who settles deliveries one by one.
const BY_HAND: &str = "by hand";

/// Where a delivery is, with its edition and batch taken.
#[derive(Clone, Copy)]
struct Place {
    batch: i64,
    edition: Option<EditionId>,
}

impl Tx {
    /// Puts a delivery that was given up, held or deferred back in the queue, with all the time that a new one has.
    /// False: it is not one of those, or its edition was cancelled.
    pub async fn retry_delivery(
        &mut self,
        delivery: DeliveryId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE deliveries SET state = 'deferred', is_held = FALSE, not_before = $2, \
                           planned_at = $2, changed_at = $2 WHERE id = $1 AND (state IN ('rejected', 'expired', 'deferred') \
                           OR (state = 'uncertain' AND is_held)) \
                           AND NOT EXISTS (SELECT 1 FROM letters l WHERE l.id = deliveries.letter_id \
                           AND l.content = '')";
        self.resend(delivery, SQL, now).await
    }

    /// Settles a delivery that is uncertain, held or not. False: it is not, or its edition was cancelled and it cannot be
    /// sent again.
    pub async fn settle_uncertain(
        &mut self,
        delivery: DeliveryId,
        settlement: Settlement,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        const RESEND: &str = "UPDATE deliveries SET state = 'deferred', is_held = FALSE, not_before = $2, \
                              planned_at = $2, changed_at = $2 WHERE id = $1 AND state = 'uncertain'";
        const ACCEPT: &str = "UPDATE deliveries SET state = 'accepted', is_held = FALSE, not_before = NULL, \
                              changed_at = $2 WHERE id = $1 AND state = 'uncertain'";
        const CANCEL: &str = "UPDATE deliveries SET state = 'cancelled', is_held = FALSE, not_before = NULL, \
                              changed_at = $2 WHERE id = $1 AND state = 'uncertain'";
        match settlement {
            Settlement::Resend => self.resend(delivery, RESEND, now).await,
            Settlement::Accepted => {
                self.end_by_hand(delivery, (ACCEPT, "delivery.settled", BY_HAND), now).await
            }
            Settlement::Cancelled => {
                self.end_by_hand(delivery, (CANCEL, "delivery.cancelled", BY_HAND), now).await
            }
        }
    }

    /// A delivery that waits is not sent. False: it does not wait, or is being handed over.
    pub async fn cancel_delivery(
        &mut self,
        delivery: DeliveryId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.cancel_delivery_because(delivery, BY_HAND, now).await
    }

    pub(super) async fn cancel_delivery_because(
        &mut self,
        delivery: DeliveryId,
        why: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE deliveries SET state = 'cancelled', is_held = FALSE, not_before = NULL, \
                           changed_at = $2 WHERE id = $1 AND state IN ('planned', 'deferred', 'uncertain')";
        self.end_by_hand(delivery, (SQL, "delivery.cancelled", why), now).await
    }

    /// Notes that the recipient called the mail spam. False: noted before, or there is no such delivery.
    pub async fn record_complaint(
        &mut self,
        delivery: DeliveryId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        const SQL: &str =
            "UPDATE deliveries SET complained_at = $2 WHERE id = $1 AND complained_at IS NULL";
        if !self.moves(delivery, SQL, now).await? {
            return Ok(false);
        }
        self.record_event(Event::new("delivery.complained", now).delivery(delivery)).await?;
        Ok(true)
    }

    async fn resend(
        &mut self,
        delivery: DeliveryId,
        sql: &'static str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        // Changing nothing but the time: a worker that holds the batch goes on with it.
        const BATCH: &str = "UPDATE batches SET is_open = TRUE, next_at = $2 WHERE id = $1";
        const EDITION: &str = "UPDATE editions SET state = 'sealed', finished_at = NULL WHERE id = $1 \
                               AND state = 'finished'";
        let Some(place) = self.take_place(delivery).await? else { return Ok(false) };
        if !self.moves(delivery, sql, now).await? {
            return Ok(false);
        }
        on_engine!(self, |conn| {
            sqlx::query(BATCH)
                .bind(place.batch)
                .bind(now.as_microsecond())
                .execute(&mut *conn)
                .await
                .map_err(doing("reopen a batch"))?;
            sqlx::query(EDITION)
                .bind(place.edition.map(|id| id.0))
                .execute(conn)
                .await
                .map_err(doing("reopen an edition"))?;
        });
        self.record_event(Event::new("delivery.retried", now).delivery(delivery)).await?;
        Ok(true)
    }

    async fn end_by_hand(
        &mut self,
        delivery: DeliveryId,
        (sql, kind, why): (&'static str, &'static str, &str),
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        // It may have been the last: whoever claims the batch next closes it.
        const BATCH: &str =
            "UPDATE batches SET next_at = $2 WHERE id = $1 AND is_open AND next_at > $2";
        const LETTER: &str = "UPDATE letters SET content = '' \
                              WHERE id = (SELECT letter_id FROM deliveries WHERE id = $1)";
        let place = self.take_place(delivery).await?;
        if !self.moves(delivery, sql, now).await? {
            return Ok(false);
        }
        on_engine!(self, |conn| {
            sqlx::query(BATCH)
                .bind(place.map(|place| place.batch))
                .bind(now.as_microsecond())
                .execute(&mut *conn)
                .await
                .map_err(doing("have a batch looked at"))?;
            sqlx::query(LETTER)
                .bind(delivery.0)
                .execute(conn)
                .await
                .map_err(doing("forget a letter"))?;
        });
        self.record_event(Event::new(kind, now).delivery(delivery).detail(why)).await?;
        Ok(true)
    }

    async fn moves(
        &mut self,
        delivery: DeliveryId,
        sql: &'static str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        on_engine!(self, |conn| sqlx::query(sql)
            .bind(delivery.0)
            .bind(now.as_microsecond())
            .execute(conn)
            .await
            .map(|done| done.rows_affected() == 1))
        .map_err(doing("settle a delivery by hand"))
    }

    /// Takes the edition and the batch of `delivery`, in this order. None: there is none, or its edition was cancelled.
    async fn take_place(&mut self, delivery: DeliveryId) -> Result<Option<Place>, StoreError> {
        const SQL: &str = "SELECT d.edition_id, (SELECT b.id FROM batches b WHERE b.first_id <= d.id \
                           ORDER BY b.first_id DESC LIMIT 1) AS batch FROM deliveries d WHERE d.id = $1";
        const BATCH: &str = "UPDATE batches SET epoch = epoch WHERE id = $1";
        let found: Option<(Option<i64>, i64)> = on_engine!(self, |conn| sqlx::query(SQL)
            .bind(delivery.0)
            .fetch_optional(conn)
            .await
            .and_then(|row| row
                .map(|row| Ok((row.try_get("edition_id")?, row.try_get("batch")?)))
                .transpose()))
        .map_err(doing("find the batch of a delivery"))?;
        let Some((edition, batch)) = found else { return Ok(None) };
        let edition = edition.map(EditionId);
        if let Some(id) = edition {
            let taken = self.take_edition(id).await?;
            if taken.is_some_and(|taken| taken.state == EditionState::Cancelled) {
                return Ok(None);
            }
        }
        on_engine!(self, |conn| sqlx::query(BATCH).bind(batch).execute(conn).await.map(|_| ()))
            .map_err(doing("take the batch of a delivery"))?;
        Ok(Some(Place { batch, edition }))
    }
}

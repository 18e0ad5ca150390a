//! Bounces: who must not be mailed again, from what other sides answered.

use jiff::Timestamp;
use sqlx::Row as _;

use super::StoreError;
use super::engine::{Tx, doing, instant, on_engine};
use crate::domain::{Bounce, DeliveryId, EmailAddress, Keyring, SoftBounces};

/// The recipient of a delivery, as far as bounces are concerned.
struct Bounced {
    address: EmailAddress,
    /// None: a letter to somebody who is no subscriber.
    subscriber: Option<i64>,
    /// None: none so far.
    soft: Option<SoftBounces>,
}

impl Tx {
    /// Holds a bounce against the recipient of `delivery`.
    pub(super) async fn bounced(
        &mut self,
        delivery: DeliveryId,
        bounce: Bounce,
        keyring: &Keyring,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let Some(recipient) = self.recipient_of(delivery).await? else { return Ok(()) };
        let reason = match (bounce, recipient.subscriber) {
            (Bounce::Hard, _) => "bounced",
            (Bounce::None, _) | (Bounce::Soft, None) => return Ok(()),
            (Bounce::Soft, Some(subscriber)) => {
                let soft = recipient
                    .soft
                    .map_or_else(|| SoftBounces::first(now), |before| before.add(now));
                self.note_score(subscriber, soft).await?;
                if !soft.is_too_many() {
                    return Ok(());
                }
                "bounced softly too often"
            }
        };
        self.suppress(&recipient.address, keyring, reason, now).await
    }

    async fn recipient_of(&mut self, delivery: DeliveryId) -> Result<Option<Bounced>, StoreError> {
        const SQL: &str = "SELECT coalesce(p.address, l.address) AS address, p.id AS subscriber, \
                           coalesce(p.bounce_score, 0) AS score, p.bounced_at FROM deliveries d \
                           LEFT JOIN subscriptions s ON s.id = d.subscription_id \
                           LEFT JOIN subscribers p ON p.id = s.subscriber_id \
                           LEFT JOIN letters l ON l.id = d.letter_id WHERE d.id = $1";
        let found: Option<(Option<String>, Option<i64>, f64, Option<i64>)> =
            on_engine!(self, |conn| sqlx::query(SQL)
                .bind(delivery.0)
                .fetch_optional(conn)
                .await
                .and_then(|row| row
                    .map(|row| Ok((
                        row.try_get("address")?,
                        row.try_get("subscriber")?,
                        row.try_get("score")?,
                        row.try_get("bounced_at")?,
                    )))
                    .transpose()))
            .map_err(doing("look up who bounced"))?;
        Ok(found.and_then(|(address, subscriber, score, since)| {
            let address = address?.parse().ok()?;
            let soft = since.map(|at| SoftBounces { score, at: instant(at) });
            Some(Bounced { address, subscriber, soft })
        }))
    }

    async fn note_score(&mut self, subscriber: i64, soft: SoftBounces) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE subscribers SET bounce_score = $2, bounced_at = $3 WHERE id = $1";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(subscriber)
            .bind(soft.score)
            .bind(soft.at.as_microsecond())
            .execute(conn)
            .await
            .map(|_| ()))
        .map_err(doing("note a soft bounce"))
    }
}

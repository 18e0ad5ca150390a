//! Consent: confirmations, which turn a wish into a subscription, and suppressions, which outrank everything.

use jiff::Timestamp;
use sqlx::Row as _;

use super::audience::latest_news_sql;
use super::engine::{Tx, doing, instant, on_engine};
use super::{Event, StoreError};
use crate::domain::{EmailAddress, Keyring, SubscriptionId};

/// What a confirmation link leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfirmationAnswer {
    Confirmed(SubscriptionId),
    /// Confirmed before: nothing changed.
    AlreadyConfirmed(SubscriptionId),
    Expired,
    Unknown,
}

impl Tx {
    /// Keeps the hash of a confirmation token for a pending subscription.
    pub async fn add_confirmation(
        &mut self,
        subscription: SubscriptionId,
        token_hash: &str,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO confirmations (token_hash, subscription_id, created_at, expires_at) \
                           VALUES ($1, $2, $3, $4)";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(token_hash)
            .bind(subscription.0)
            .bind(now.as_microsecond())
            .bind(expires_at.as_microsecond())
            .execute(conn)
            .await
            .map(|_| ()))
        .map_err(doing("keep a confirmation"))
    }

    /// The newsletter that a confirmation token is for, if it can still be used.
    pub async fn confirmation_newsletter(
        &mut self,
        token_hash: &str,
        now: Timestamp,
    ) -> Result<Option<String>, StoreError> {
        const SQL: &str = "SELECT s.newsletter FROM confirmations c \
                           JOIN subscriptions s ON s.id = c.subscription_id \
                           WHERE c.token_hash = $1 AND c.expires_at > $2";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(token_hash)
            .bind(now.as_microsecond())
            .fetch_optional(conn)
            .await
            .and_then(|row| row.map(|row| row.try_get("newsletter")).transpose()))
        .map_err(doing("look up a confirmation"))
    }

    /// Uses a confirmation token: the subscription becomes active. A second link of one that is not pending any more changes
    /// nothing.
    pub async fn confirm(
        &mut self,
        token_hash: &str,
        now: Timestamp,
    ) -> Result<ConfirmationAnswer, StoreError> {
        const FIND: &str = "SELECT subscription_id, expires_at, used_at FROM confirmations \
                            WHERE token_hash = $1";
        const USE: &str = "UPDATE confirmations SET used_at = $2 WHERE token_hash = $1";
        const ACTIVATE: &str = concat!(
            "UPDATE subscriptions SET state = 'active', confirmed_at = $2, ended_at = NULL, end_reason = '', owed = '', \
             had_through = ",
            latest_news_sql!("subscriptions.newsletter"),
            " WHERE id = $1 AND state = 'pending'"
        );
        let found: Option<(i64, i64, Option<i64>)> = on_engine!(self, |conn| sqlx::query(FIND)
            .bind(token_hash)
            .fetch_optional(conn)
            .await
            .and_then(|row| row
                .map(|row| Ok((
                    row.try_get("subscription_id")?,
                    row.try_get("expires_at")?,
                    row.try_get("used_at")?,
                )))
                .transpose()))
        .map_err(doing("look up a confirmation"))?;
        let Some((subscription, expires_at, used_at)) = found else {
            return Ok(ConfirmationAnswer::Unknown);
        };
        let id = SubscriptionId(subscription);
        if used_at.is_some() {
            return Ok(ConfirmationAnswer::AlreadyConfirmed(id));
        }
        if instant(expires_at) <= now {
            return Ok(ConfirmationAnswer::Expired);
        }
        let is_first = on_engine!(self, |conn| {
            sqlx::query(USE)
                .bind(token_hash)
                .bind(now.as_microsecond())
                .execute(&mut *conn)
                .await
                .map_err(doing("use a confirmation"))?;
            let activated = sqlx::query(ACTIVATE)
                .bind(subscription)
                .bind(now.as_microsecond())
                .execute(conn)
                .await;
            activated.map_err(doing("activate a subscription"))?.rows_affected() == 1
        });
        if !is_first {
            return Ok(ConfirmationAnswer::AlreadyConfirmed(id));
        }
        if let Some(row) = self.subscription(id).await? {
            self.note_slot(&row.newsletter, &row.choice).await?;
        }
        self.record_event(Event::new("subscription.confirmed", now).subscription(id)).await?;
        Ok(ConfirmationAnswer::Confirmed(id))
    }

    /// Why the address with this hash must not be mailed; none if it may.
    pub async fn suppression_of(&mut self, hash: &str) -> Result<Option<String>, StoreError> {
        const SQL: &str = "SELECT reason FROM suppressions WHERE address_hash = $1";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(hash)
            .fetch_optional(conn)
            .await
            .and_then(|row| row.map(|row| row.try_get("reason")).transpose()))
        .map_err(doing("look up a suppression"))
    }

    /// Never mail this address again. The first reason stays.
    pub async fn suppress(
        &mut self,
        address: &EmailAddress,
        keyring: &Keyring,
        reason: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        const LIST: &str = "INSERT INTO suppressions (address_hash, reason, created_at) \
                            VALUES ($1, $2, $3) ON CONFLICT (address_hash) DO NOTHING";
        const MARK: &str = "UPDATE subscribers SET suppressed_at = $2, suppression_reason = $3 \
                            WHERE address_key = $1 AND suppressed_at IS NULL";
        let hash = keyring.address_hash(address);
        on_engine!(self, |conn| {
            sqlx::query(LIST)
                .bind(&hash)
                .bind(reason)
                .bind(now.as_microsecond())
                .execute(&mut *conn)
                .await
                .map_err(doing("suppress an address"))?;
            sqlx::query(MARK)
                .bind(address.key())
                .bind(now.as_microsecond())
                .bind(reason)
                .execute(conn)
                .await
                .map_err(doing("suppress a subscriber"))?;
        });
        self.record_event(Event::new("subscriber.suppressed", now).detail(reason)).await
    }
}

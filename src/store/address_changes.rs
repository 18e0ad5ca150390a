//! Where a subscriber wants their mail instead, and what they said when they left.

use jiff::Timestamp;
use sqlx::Row as _;

use super::engine::{Tx, doing, on_engine};
use super::{Event, StoreError};
use crate::domain::{EmailAddress, Keyring, SubscriberId, SubscriptionId};

/// An address that somebody asked for and that can still be confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressChange {
    pub subscriber: SubscriberId,
    pub address: EmailAddress,
}

impl Tx {
    /// The address of a subscriber. None: there is no such subscriber any more.
    pub async fn address_of(
        &mut self,
        id: SubscriberId,
    ) -> Result<Option<EmailAddress>, StoreError> {
        const SQL: &str = "SELECT address FROM subscribers WHERE id = $1";
        let found: Option<String> =
            on_engine!(self, |conn| sqlx::query_scalar(SQL).bind(id.0).fetch_optional(conn).await)
                .map_err(doing("look up a subscriber's address"))?;
        Ok(found.and_then(|address| address.parse().ok()))
    }

    /// Whoever else acts in this person's name meanwhile waits until this transaction ends.
    pub async fn hold_subscriber(&mut self, id: SubscriberId) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE subscribers SET address = address WHERE id = $1";
        on_engine!(self, |conn| sqlx::query(SQL).bind(id.0).execute(conn).await.map(|_| ()))
            .map_err(doing("hold a subscriber"))
    }

    /// How often a subscriber asked for another address since `since`. Forgets what was asked before.
    pub async fn address_changes_since(
        &mut self,
        subscriber: SubscriberId,
        since: Timestamp,
    ) -> Result<i64, StoreError> {
        const FORGET: &str =
            "DELETE FROM address_changes WHERE subscriber_id = $1 AND created_at < $2";
        const COUNT: &str = "SELECT count(*) FROM address_changes WHERE subscriber_id = $1";
        on_engine!(self, |conn| {
            let forgotten = sqlx::query(FORGET)
                .bind(subscriber.0)
                .bind(since.as_microsecond())
                .execute(&mut *conn)
                .await;
            forgotten.map_err(doing("forget old changes of address"))?;
            let count = sqlx::query_scalar(COUNT).bind(subscriber.0).fetch_one(conn).await;
            count.map_err(doing("count changes of address"))
        })
    }

    /// Whether a link to `address` that `subscriber` asked for can still be used.
    pub async fn is_asked(
        &mut self,
        (subscriber, address): (SubscriberId, &EmailAddress),
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "SELECT count(*) FROM address_changes WHERE subscriber_id = $1 \
                           AND address_key = $3 AND used_at IS NULL AND expires_at > $2";
        let open: i64 = on_engine!(self, |conn| sqlx::query_scalar(SQL)
            .bind(subscriber.0)
            .bind(now.as_microsecond())
            .bind(address.key())
            .fetch_one(conn)
            .await)
        .map_err(doing("look up changes of address"))?;
        Ok(open > 0)
    }

    /// Keeps that `subscriber` wants their mail at `address`, until it is confirmed from there. Also where it cannot be theirs: what
    /// is counted must not tell.
    pub async fn ask_address(
        &mut self,
        (subscriber, address): (SubscriberId, &EmailAddress),
        token_hash: &str,
        (now, expires_at): (Timestamp, Timestamp),
    ) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO address_changes (token_hash, subscriber_id, address, address_key, created_at, expires_at) \
                           VALUES ($1, $2, $3, $4, $5, $6)";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(token_hash)
            .bind(subscriber.0)
            .bind(address.as_str())
            .bind(address.key())
            .bind(now.as_microsecond())
            .bind(expires_at.as_microsecond())
            .execute(conn)
            .await
            .map(|_| ()))
        .map_err(doing("keep a change of address"))
    }

    /// What a link to confirm an address is for, as long as it can be used.
    pub async fn address_change(
        &mut self,
        token_hash: &str,
        now: Timestamp,
    ) -> Result<Option<AddressChange>, StoreError> {
        const SQL: &str = "SELECT subscriber_id, address FROM address_changes \
                           WHERE token_hash = $1 AND expires_at > $2";
        let found: Option<(i64, String)> = on_engine!(self, |conn| sqlx::query(SQL)
            .bind(token_hash)
            .bind(now.as_microsecond())
            .fetch_optional(conn)
            .await
            .and_then(|row| row
                .map(|row| Ok((row.try_get("subscriber_id")?, row.try_get("address")?)))
                .transpose()))
        .map_err(doing("look up a change of address"))?;
        Ok(found.and_then(|(subscriber, address)| {
            let address = address.parse().ok()?;
            Some(AddressChange { subscriber: SubscriberId(subscriber), address })
        }))
    }

    /// Uses the link to a new address. False: it was used before, or is of no use.
    pub async fn use_address_change(
        &mut self,
        token_hash: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE address_changes SET used_at = $2 \
                           WHERE token_hash = $1 AND used_at IS NULL AND expires_at > $2";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(token_hash)
            .bind(now.as_microsecond())
            .execute(conn)
            .await
            .map(|done| done.rows_affected() == 1))
        .map_err(doing("use a link"))
    }

    /// Whether mail could go to `address` for a subscriber who has another one now: it is nobody's, and nobody forbade it.
    pub async fn is_free(
        &mut self,
        address: &EmailAddress,
        keyring: &Keyring,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "SELECT count(*) FROM subscribers WHERE address_key = $1";
        if self.suppression_of(&keyring.address_hash(address)).await?.is_some() {
            return Ok(false);
        }
        let taken: i64 = on_engine!(self, |conn| sqlx::query_scalar(SQL)
            .bind(address.key())
            .fetch_one(conn)
            .await)
        .map_err(doing("look whether an address is free"))?;
        Ok(taken == 0)
    }

    /// From now on mail to `subscriber` goes to `address`, which is free. What the old one bounced does not count any more.
    pub async fn move_to_address(
        &mut self,
        subscriber: SubscriberId,
        address: &EmailAddress,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        const OTHERS: &str = "UPDATE address_changes SET expires_at = $2 \
                              WHERE subscriber_id = $1 AND used_at IS NULL AND expires_at > $2";
        const LETTERS: &str = "UPDATE letters SET subscriber_id = $1 WHERE subscriber_id IS NULL \
                               AND address_key = (SELECT address_key FROM subscribers WHERE id = $1)";
        const SQL: &str = "UPDATE subscribers SET address = $2, address_key = $3, suppressed_at = NULL, \
                           suppression_reason = NULL, bounce_score = 0.0, bounced_at = NULL WHERE id = $1";
        // What went to the old one stays theirs.
        on_engine!(self, |conn| sqlx::query(LETTERS)
            .bind(subscriber.0)
            .execute(conn)
            .await
            .map(|_| ()))
        .map_err(doing("keep whose letters are"))?;
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(subscriber.0)
            .bind(address.as_str())
            .bind(address.key())
            .execute(conn)
            .await
            .map(|_| ()))
        .map_err(doing("change a subscriber's address"))?;
        // Every other is of no use any more: whoever moves back must not be moved again by an old link. They stay, because they
        // are what is counted when somebody asks again.
        on_engine!(self, |conn| sqlx::query(OTHERS)
            .bind(subscriber.0)
            .bind(now.as_microsecond())
            .execute(conn)
            .await
            .map(|_| ()))
        .map_err(doing("end links"))?;
        self.record_event(Event::new("subscriber.moved", now).detail("preferences")).await
    }

    /// Why a subscription ended, in the words of whoever left. The first words stay.
    pub async fn note_end_reason(
        &mut self,
        id: SubscriptionId,
        reason: &str,
    ) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE subscriptions SET end_reason = $2 \
                           WHERE id = $1 AND state = 'unsubscribed' AND end_reason = ''";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(id.0)
            .bind(reason)
            .execute(conn)
            .await
            .map(|_| ()))
        .map_err(doing("note why somebody left"))
    }
}

//! Subscribers and their subscriptions.

use jiff::Timestamp;
use sqlx::Row as _;

use super::engine::{Tx, doing, instant, on_engine, optional_instant};
use super::{Event, StoreError};
use crate::domain::{
    Cadence, EmailAddress, Keyring, SubscriberId, SubscriptionId, SubscriptionState,
};

/// A wish to subscribe, already checked.
#[derive(Clone, Debug)]
pub struct AddSubscriber<'a> {
    pub address: &'a EmailAddress,
    pub newsletter: &'a str,
    pub cadence: Cadence,
    /// `Pending` for public forms, `Active` where consent is on record elsewhere.
    pub state: SubscriptionState,
    /// Where the wish came from: `form`, `import:members.csv`, `command line`.
    pub source: &'a str,
}

/// What became of a wish to subscribe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    /// New, or back after having left.
    Subscribed(SubscriptionId),
    /// Asked before and not confirmed yet.
    StillPending(SubscriptionId),
    AlreadyActive(SubscriptionId),
    /// Left before; only they themselves may come back.
    HasLeft(SubscriptionId),
    /// Must never be mailed.
    Suppressed,
}

/// One subscriber with one subscription, as lists and exports show it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct SubscriberRow {
    pub address: String,
    pub newsletter: String,
    pub cadence: Cadence,
    pub state: SubscriptionState,
    pub source: String,
    pub created_at: Timestamp,
    pub confirmed_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    pub suppressed_at: Option<Timestamp>,
    pub suppression_reason: Option<String>,
}

/// A subscription as its owner's pages need it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriptionRow {
    pub id: SubscriptionId,
    pub newsletter: String,
    pub cadence: Cadence,
    pub state: SubscriptionState,
}

impl Tx {
    /// Adds a subscription, or says why not. Never brings back somebody who left unless `state` is `Pending`,
    /// which asks them.
    pub async fn add_subscriber(
        &mut self,
        wish: &AddSubscriber<'_>,
        keyring: &Keyring,
        now: Timestamp,
    ) -> Result<Added, StoreError> {
        let hash = keyring.address_hash(wish.address);
        if self.suppression_of(&hash).await?.is_some() {
            return Ok(Added::Suppressed);
        }
        let subscriber = self.subscriber_id(wish.address, now).await?;
        if let Some(known) = self.subscription_for(subscriber, wish.newsletter).await? {
            match (known.state, wish.state) {
                (SubscriptionState::Active, _) => return Ok(Added::AlreadyActive(known.id)),
                (SubscriptionState::Pending, SubscriptionState::Pending) => {
                    return Ok(Added::StillPending(known.id));
                }
                (SubscriptionState::Unsubscribed, SubscriptionState::Active) => {
                    return Ok(Added::HasLeft(known.id));
                }
                (_, _) => {}
            }
        }
        let id = self.upsert_subscription(subscriber, wish, now).await?;
        self.record_event(
            Event::new("subscription.added", now).subscription(id).detail(wish.source),
        )
        .await?;
        Ok(Added::Subscribed(id))
    }

    async fn subscriber_id(
        &mut self,
        address: &EmailAddress,
        now: Timestamp,
    ) -> Result<SubscriberId, StoreError> {
        const SQL: &str = "INSERT INTO subscribers (address, address_key, created_at) VALUES ($1, $2, $3) \
                           ON CONFLICT (address_key) DO UPDATE SET address_key = excluded.address_key \
                           RETURNING id";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(address.as_str())
            .bind(address.key())
            .bind(now.as_microsecond())
            .fetch_one(conn)
            .await
            .and_then(|row| row.try_get("id")))
        .map(SubscriberId)
        .map_err(doing("add a subscriber"))
    }

    async fn subscription_for(
        &mut self,
        subscriber: SubscriberId,
        newsletter: &str,
    ) -> Result<Option<SubscriptionRow>, StoreError> {
        const SQL: &str = "SELECT id, newsletter, cadence, state FROM subscriptions \
                           WHERE subscriber_id = $1 AND newsletter = $2";
        let row = on_engine!(self, |conn| sqlx::query(SQL)
            .bind(subscriber.0)
            .bind(newsletter)
            .fetch_optional(conn)
            .await
            .and_then(|row| row.map(|row| subscription_columns!(row)).transpose()))
        .map_err(doing("look up a subscription"))?;
        row.map(subscription_row).transpose()
    }

    async fn upsert_subscription(
        &mut self,
        subscriber: SubscriberId,
        wish: &AddSubscriber<'_>,
        now: Timestamp,
    ) -> Result<SubscriptionId, StoreError> {
        const SQL: &str = "INSERT INTO subscriptions (subscriber_id, newsletter, cadence, state, source, \
                           created_at, confirmed_at) VALUES ($1, $2, $3, $4, $5, $6, $7) \
                           ON CONFLICT (subscriber_id, newsletter) DO UPDATE SET cadence = excluded.cadence, \
                           state = excluded.state, source = excluded.source, \
                           confirmed_at = excluded.confirmed_at, ended_at = NULL RETURNING id";
        let confirmed_at =
            (wish.state == SubscriptionState::Active).then_some(now.as_microsecond());
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(subscriber.0)
            .bind(wish.newsletter)
            .bind(wish.cadence.as_str())
            .bind(wish.state.as_str())
            .bind(wish.source)
            .bind(now.as_microsecond())
            .bind(confirmed_at)
            .fetch_one(conn)
            .await
            .and_then(|row| row.try_get("id")))
        .map(SubscriptionId)
        .map_err(doing("add a subscription"))
    }

    /// The subscription `id`, if it exists.
    pub async fn subscription(
        &mut self,
        id: SubscriptionId,
    ) -> Result<Option<SubscriptionRow>, StoreError> {
        const SQL: &str = "SELECT id, newsletter, cadence, state FROM subscriptions WHERE id = $1";
        let row = on_engine!(self, |conn| sqlx::query(SQL)
            .bind(id.0)
            .fetch_optional(conn)
            .await
            .and_then(|row| row.map(|row| subscription_columns!(row)).transpose()))
        .map_err(doing("look up a subscription"))?;
        row.map(subscription_row).transpose()
    }

    /// Ends a subscription at once. False: it had ended already or never was.
    pub async fn unsubscribe(
        &mut self,
        id: SubscriptionId,
        how: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE subscriptions SET state = 'unsubscribed', ended_at = $2 \
                           WHERE id = $1 AND state <> 'unsubscribed'";
        let changed = on_engine!(self, |conn| sqlx::query(SQL)
            .bind(id.0)
            .bind(now.as_microsecond())
            .execute(conn)
            .await
            .map(|done| done.rows_affected() == 1))
        .map_err(doing("end a subscription"))?;
        if changed {
            let event = Event::new("subscription.ended", now).subscription(id).detail(how);
            self.record_event(event).await?;
        }
        Ok(changed)
    }

    /// The subscriptions of `address`, all or those of one newsletter.
    pub async fn subscriptions_of(
        &mut self,
        address: &EmailAddress,
        newsletter: Option<&str>,
    ) -> Result<Vec<SubscriptionRow>, StoreError> {
        const SQL: &str = "SELECT s.id, s.newsletter, s.cadence, s.state FROM subscriptions s \
                           JOIN subscribers p ON p.id = s.subscriber_id WHERE p.address_key = $1 \
                           AND (CAST($2 AS TEXT) IS NULL OR s.newsletter = $2) ORDER BY s.newsletter";
        let rows = on_engine!(self, |conn| sqlx::query(SQL)
            .bind(address.key())
            .bind(newsletter)
            .fetch_all(conn)
            .await
            .and_then(|rows| rows
                .into_iter()
                .map(|row| subscription_columns!(row))
                .collect::<Result<Vec<_>, _>>()))
        .map_err(doing("look up subscriptions"))?;
        rows.into_iter().map(subscription_row).collect()
    }

    /// Up to `limit` subscribers after the address `after`, in order of address: the caller pages.
    pub async fn subscribers_page(
        &mut self,
        newsletter: Option<&str>,
        after: (&str, &str),
        limit: i64,
    ) -> Result<Vec<SubscriberRow>, StoreError> {
        const SQL: &str = "SELECT p.address, p.address_key, s.newsletter, s.cadence, s.state, s.source, \
                           s.created_at, s.confirmed_at, s.ended_at, p.suppressed_at, p.suppression_reason \
                           FROM subscribers p JOIN subscriptions s ON s.subscriber_id = p.id \
                           WHERE (CAST($1 AS TEXT) IS NULL OR s.newsletter = $1) \
                           AND (p.address_key > $2 OR (p.address_key = $2 AND s.newsletter > $3)) \
                           ORDER BY p.address_key, s.newsletter LIMIT $4";
        let rows = on_engine!(self, |conn| sqlx::query(SQL)
            .bind(newsletter)
            .bind(after.0)
            .bind(after.1)
            .bind(limit)
            .fetch_all(conn)
            .await
            .and_then(|rows| rows
                .into_iter()
                .map(|row| {
                    Ok((
                        row.try_get::<String, _>("cadence")?,
                        row.try_get::<String, _>("state")?,
                        SubscriberRow {
                            address: row.try_get("address")?,
                            newsletter: row.try_get("newsletter")?,
                            cadence: Cadence::Instant,
                            state: SubscriptionState::Pending,
                            source: row.try_get("source")?,
                            created_at: instant(row.try_get("created_at")?),
                            confirmed_at: optional_instant(row.try_get("confirmed_at")?),
                            ended_at: optional_instant(row.try_get("ended_at")?),
                            suppressed_at: optional_instant(row.try_get("suppressed_at")?),
                            suppression_reason: row.try_get("suppression_reason")?,
                        },
                    ))
                })
                .collect::<Result<Vec<_>, _>>()))
        .map_err(doing("list subscribers"))?;
        rows.into_iter()
            .map(|(cadence, state, row)| {
                Ok(SubscriberRow { cadence: cadence.parse()?, state: state.parse()?, ..row })
            })
            .collect()
    }

    /// How many would get an edition of this cadence now.
    pub async fn audience_size(
        &mut self,
        newsletter: &str,
        cadence: Cadence,
    ) -> Result<i64, StoreError> {
        const SQL: &str = "SELECT count(*) AS audience FROM subscriptions s \
                           JOIN subscribers p ON p.id = s.subscriber_id WHERE s.newsletter = $1 \
                           AND s.cadence = $2 AND s.state = 'active' AND p.suppressed_at IS NULL";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(newsletter)
            .bind(cadence.as_str())
            .fetch_one(conn)
            .await
            .and_then(|row| row.try_get("audience")))
        .map_err(doing("count an audience"))
    }
}

/// The columns of a subscription, before their words are parsed.
macro_rules! subscription_columns {
    ($row:expr) => {
        (|| {
            Ok::<_, sqlx::Error>((
                $row.try_get::<i64, _>("id")?,
                $row.try_get::<String, _>("newsletter")?,
                $row.try_get::<String, _>("cadence")?,
                $row.try_get::<String, _>("state")?,
            ))
        })()
    };
}
use subscription_columns;

fn subscription_row(
    (id, newsletter, cadence, state): (i64, String, String, String),
) -> Result<SubscriptionRow, StoreError> {
    Ok(SubscriptionRow {
        id: SubscriptionId(id),
        newsletter,
        cadence: cadence.parse()?,
        state: state.parse()?,
    })
}

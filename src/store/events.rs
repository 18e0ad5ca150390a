//! The event log: an append-only record of facts, written in each fact's own transaction.

use jiff::Timestamp;
use sqlx::Row as _;

use super::StoreError;
use super::engine::{Tx, doing, instant, on_engine};
use crate::domain::{DeliveryId, EditionId, PostId, SubscriptionId};

/// A fact to be written down. `kind` is `thing.happened`; `detail` never holds an address or a token.
#[derive(Clone, Debug)]
pub struct Event<'a> {
    pub kind: &'static str,
    pub at: Timestamp,
    pub post: Option<&'a PostId>,
    pub edition: Option<EditionId>,
    pub delivery: Option<DeliveryId>,
    pub subscription: Option<SubscriptionId>,
    pub detail: &'a str,
}

/// A fact read back.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct EventRow {
    pub id: i64,
    pub at: Timestamp,
    pub kind: String,
    pub post: Option<String>,
    pub edition: Option<i64>,
    pub delivery: Option<i64>,
    pub detail: String,
}

impl<'a> Event<'a> {
    pub fn new(kind: &'static str, at: Timestamp) -> Self {
        Self { kind, at, post: None, edition: None, delivery: None, subscription: None, detail: "" }
    }

    #[must_use]
    pub fn post(mut self, post: &'a PostId) -> Self {
        self.post = Some(post);
        self
    }

    #[must_use]
    pub fn edition(mut self, edition: EditionId) -> Self {
        self.edition = Some(edition);
        self
    }

    #[must_use]
    pub fn delivery(mut self, delivery: DeliveryId) -> Self {
        self.delivery = Some(delivery);
        self
    }

    #[must_use]
    pub fn subscription(mut self, subscription: SubscriptionId) -> Self {
        self.subscription = Some(subscription);
        self
    }

    #[must_use]
    pub fn detail(mut self, detail: &'a str) -> Self {
        self.detail = detail;
        self
    }
}

impl Tx {
    pub async fn record_event(&mut self, event: Event<'_>) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO events (at, kind, post_id, edition_id, delivery_id, subscription_id, \
                           detail) VALUES ($1, $2, $3, $4, $5, $6, $7)";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(event.at.as_microsecond())
            .bind(event.kind)
            .bind(event.post.map(PostId::as_str))
            .bind(event.edition.map(|id| id.0))
            .bind(event.delivery.map(|id| id.0))
            .bind(event.subscription.map(|id| id.0))
            .bind(event.detail)
            .execute(conn)
            .await
            .map(|_| ()))
        .map_err(doing("record an event"))
    }

    /// As [`Tx::record_event`], for a group.
    pub(super) async fn record_events(&mut self, events: &[Event<'_>]) -> Result<(), StoreError> {
        for event in events {
            self.record_event(event.clone()).await?;
        }
        Ok(())
    }

    /// The latest `count` events, newest first.
    pub async fn latest_events(&mut self, count: i64) -> Result<Vec<EventRow>, StoreError> {
        const SQL: &str = "SELECT id, at, kind, post_id, edition_id, delivery_id, detail FROM events \
                           ORDER BY id DESC LIMIT $1";
        on_engine!(self, |conn| sqlx::query(SQL).bind(count).fetch_all(conn).await.and_then(
            |rows| {
                rows.into_iter()
                    .map(|row| {
                        Ok(EventRow {
                            id: row.try_get("id")?,
                            at: instant(row.try_get("at")?),
                            kind: row.try_get("kind")?,
                            post: row.try_get("post_id")?,
                            edition: row.try_get("edition_id")?,
                            delivery: row.try_get("delivery_id")?,
                            detail: row.try_get("detail")?,
                        })
                    })
                    .collect()
            }
        ))
        .map_err(doing("read the latest events"))
    }
}

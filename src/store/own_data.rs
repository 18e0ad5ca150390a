//! All that is known of one person, for themselves.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use sqlx::Row as _;

use super::StoreError;
use super::engine::{Tx, doing, instant, on_engine, optional_instant};
use crate::domain::SubscriberId;

/// Facts and deliveries that are told: the latest.
const ROWS: i64 = 1_000;

/// What a person gets who asks what is known of them.
#[derive(Clone, Debug, Serialize)]
pub struct OwnData {
    pub address: String,
    pub name: String,
    pub attributes: Value,
    pub tags: Value,
    pub known_since: Timestamp,
    pub suppressed_at: Option<Timestamp>,
    pub suppression_reason: Option<String>,
    pub subscriptions: Vec<OwnSubscription>,
    /// Newest first.
    pub mails: Vec<OwnMail>,
}

#[derive(Clone, Debug, Serialize)]
pub struct OwnSubscription {
    #[serde(skip)]
    id: i64,
    pub newsletter: String,
    pub state: String,
    pub cadence: String,
    pub topics: String,
    pub language: String,
    pub time_zone: String,
    pub send_time: String,
    pub source: String,
    pub created_at: Timestamp,
    pub confirmed_at: Option<Timestamp>,
    pub paused_until: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    pub end_reason: String,
    pub consents: Vec<OwnFact>,
    /// Newest first.
    pub events: Vec<OwnFact>,
}

/// Something that happened: when, what, and what is kept of it.
#[derive(Clone, Debug, Serialize)]
pub struct OwnFact {
    pub at: Timestamp,
    pub what: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub from: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

#[derive(Clone, Debug, Serialize)]
pub struct OwnMail {
    pub planned_at: Timestamp,
    pub subject: String,
    pub state: String,
}

impl Tx {
    /// All that is known of a subscriber. None: nothing.
    pub async fn own_data(&mut self, id: SubscriberId) -> Result<Option<OwnData>, StoreError> {
        let Some(mut data) = self.own_person(id).await? else { return Ok(None) };
        data.subscriptions = self.own_subscriptions(id).await?;
        for subscription in &mut data.subscriptions {
            const CONSENTS: &str = "SELECT at, kind AS what, address AS came_from, \
                                    form || ': ' || statement AS detail FROM consents WHERE subscription_id = $1 \
                                    ORDER BY id DESC LIMIT $2";
            const EVENTS: &str = "SELECT at, kind AS what, '' AS came_from, detail FROM events \
                                  WHERE subscription_id = $1 ORDER BY id DESC LIMIT $2";
            subscription.consents = self.own_facts(CONSENTS, subscription.id).await?;
            subscription.events = self.own_facts(EVENTS, subscription.id).await?;
        }
        data.mails = self.own_mails(id).await?;
        Ok(Some(data))
    }

    async fn own_person(&mut self, id: SubscriberId) -> Result<Option<OwnData>, StoreError> {
        const SQL: &str = "SELECT address, name, attributes, tags, created_at, suppressed_at, suppression_reason \
                           FROM subscribers WHERE id = $1 AND address <> ''";
        on_engine!(self, |conn| sqlx::query(SQL).bind(id.0).fetch_optional(conn).await.and_then(
            |row| row
                .map(|row| {
                    let read = |text: String| serde_json::from_str(&text).unwrap_or(Value::Null);
                    Ok(OwnData {
                        address: row.try_get("address")?,
                        name: row.try_get("name")?,
                        attributes: read(row.try_get("attributes")?),
                        tags: read(row.try_get("tags")?),
                        known_since: instant(row.try_get("created_at")?),
                        suppressed_at: optional_instant(row.try_get("suppressed_at")?),
                        suppression_reason: row.try_get("suppression_reason")?,
                        subscriptions: Vec::new(),
                        mails: Vec::new(),
                    })
                })
                .transpose()
        ))
        .map_err(doing("read what is known of somebody"))
    }

    async fn own_subscriptions(
        &mut self,
        id: SubscriberId,
    ) -> Result<Vec<OwnSubscription>, StoreError> {
        const SQL: &str = "SELECT id, newsletter, state, cadence, topics, language, timezone, send_time, source, created_at, \
                           confirmed_at, paused_until, ended_at, end_reason FROM subscriptions \
                           WHERE subscriber_id = $1 ORDER BY newsletter";
        on_engine!(self, |conn| sqlx::query(SQL).bind(id.0).fetch_all(conn).await.and_then(
            |rows| {
                rows.into_iter()
                    .map(|row| {
                        Ok(OwnSubscription {
                            id: row.try_get("id")?,
                            newsletter: row.try_get("newsletter")?,
                            state: row.try_get("state")?,
                            cadence: row.try_get("cadence")?,
                            topics: row.try_get("topics")?,
                            language: row.try_get("language")?,
                            time_zone: row.try_get("timezone")?,
                            send_time: row.try_get("send_time")?,
                            source: row.try_get("source")?,
                            created_at: instant(row.try_get("created_at")?),
                            confirmed_at: optional_instant(row.try_get("confirmed_at")?),
                            paused_until: optional_instant(row.try_get("paused_until")?),
                            ended_at: optional_instant(row.try_get("ended_at")?),
                            end_reason: row.try_get("end_reason")?,
                            consents: Vec::new(),
                            events: Vec::new(),
                        })
                    })
                    .collect()
            }
        ))
        .map_err(doing("read somebody's subscriptions"))
    }

    async fn own_facts(
        &mut self,
        sql: &'static str,
        subscription: i64,
    ) -> Result<Vec<OwnFact>, StoreError> {
        on_engine!(self, |conn| sqlx::query(sql)
            .bind(subscription)
            .bind(ROWS)
            .fetch_all(conn)
            .await
            .and_then(|rows| {
                rows.into_iter()
                    .map(|row| {
                        Ok(OwnFact {
                            at: instant(row.try_get("at")?),
                            what: row.try_get("what")?,
                            from: row.try_get("came_from")?,
                            detail: row.try_get("detail")?,
                        })
                    })
                    .collect()
            }))
        .map_err(doing("read what somebody did"))
    }

    async fn own_mails(&mut self, id: SubscriberId) -> Result<Vec<OwnMail>, StoreError> {
        const SQL: &str = "SELECT d.planned_at, d.state, coalesce(e.subject, '') AS subject FROM deliveries d \
                           LEFT JOIN editions e ON e.id = d.edition_id WHERE d.subscription_id IN \
                           (SELECT id FROM subscriptions WHERE subscriber_id = $1) ORDER BY d.id DESC LIMIT $2";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(id.0)
            .bind(ROWS)
            .fetch_all(conn)
            .await
            .and_then(|rows| {
                rows.into_iter()
                    .map(|row| {
                        Ok(OwnMail {
                            planned_at: instant(row.try_get("planned_at")?),
                            subject: row.try_get("subject")?,
                            state: row.try_get("state")?,
                        })
                    })
                    .collect()
            }))
        .map_err(doing("read what somebody was sent"))
    }
}

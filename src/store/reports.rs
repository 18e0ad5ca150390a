//! Reading for people: what is queued, what went out, what became of it.

use jiff::Timestamp;
use sqlx::Row as _;

use super::StoreError;
use super::batches::TargetColumns;
use super::engine::{Tx, doing, instant, on_engine, optional_instant};
use crate::domain::{
    AnnouncementId, DeliveryId, DeliveryState, EditionId, EditionState, LetterId, Target,
};

/// Unfinished deliveries of one channel.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct QueueRow {
    pub channel: String,
    pub waiting: i64,
    pub held: i64,
    pub oldest_at: Option<Timestamp>,
}

/// How many deliveries of an edition are in a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct StateCount {
    pub state: DeliveryState,
    pub count: i64,
}

/// How many announcements to a destination are in a state.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct DestinationCount {
    pub destination: String,
    pub state: DeliveryState,
    pub count: i64,
}

/// An edition and where its deliveries stand.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct EditionRow {
    pub id: EditionId,
    pub newsletter: String,
    pub cadence: String,
    pub subject: String,
    pub state: EditionState,
    /// Why it is paused or was cancelled.
    pub why: String,
    pub version: i64,
    /// The stages up to this one are released.
    pub stage: i64,
    pub last_stage: i64,
    pub audience: i64,
    pub sealed_at: Timestamp,
    pub counts: Vec<StateCount>,
}

impl EditionRow {
    /// How many deliveries are in a state that is `wanted`.
    pub fn count(&self, wanted: impl Fn(DeliveryState) -> bool) -> i64 {
        self.counts.iter().filter(|one| wanted(one.state)).map(|one| one.count).sum()
    }
}

/// A delivery as lists show it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct DeliveryRow {
    pub id: DeliveryId,
    pub target: Target,
    pub state: DeliveryState,
    pub held: bool,
    pub attempts: i64,
    pub not_before: Option<Timestamp>,
    pub changed_at: Timestamp,
    /// The address or the destination.
    pub recipient: String,
    /// What the other side said last.
    pub last_reply: Option<String>,
}

/// One attempt, as kept.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct AttemptRow {
    pub started_at: Timestamp,
    pub ended_at: Timestamp,
    pub outcome: String,
    pub server: String,
    pub code: Option<i64>,
    pub reply: String,
    /// Why it was refused, as a word of `Reason`.
    pub reason: Option<String>,
}

/// Which deliveries to list.
#[derive(Clone, Copy, Debug, Default)]
pub struct DeliveryFilter {
    pub id: Option<DeliveryId>,
    pub state: Option<DeliveryState>,
    /// Those that wait for a person.
    pub only_held: bool,
    pub edition: Option<EditionId>,
    pub limit: i64,
}

impl Tx {
    /// What waits, by channel. Looks at open batches only.
    pub async fn queues(&mut self) -> Result<Vec<QueueRow>, StoreError> {
        const SQL: &str = "SELECT b.channel, count(*) AS waiting, \
                           CAST(sum(CASE WHEN d.is_held THEN 1 ELSE 0 END) AS BIGINT) AS held, \
                           min(d.planned_at) AS oldest_at \
                           FROM batches b JOIN deliveries d ON d.id BETWEEN b.first_id AND b.last_id \
                           WHERE b.is_open AND d.state IN ('planned', 'sending', 'deferred', 'uncertain') \
                           GROUP BY b.channel ORDER BY b.channel";
        on_engine!(self, |conn| sqlx::query(SQL).fetch_all(conn).await.and_then(|rows| {
            rows.into_iter()
                .map(|row| {
                    Ok(QueueRow {
                        channel: row.try_get("channel")?,
                        waiting: row.try_get("waiting")?,
                        held: row.try_get("held")?,
                        oldest_at: optional_instant(row.try_get("oldest_at")?),
                    })
                })
                .collect()
        }))
        .map_err(doing("read the queues"))
    }

    /// The latest `limit` editions, newest first, with their counts.
    pub async fn latest_editions(&mut self, limit: i64) -> Result<Vec<EditionRow>, StoreError> {
        self.editions(None, limit).await
    }

    /// One edition with its counts.
    pub async fn edition(&mut self, id: EditionId) -> Result<Option<EditionRow>, StoreError> {
        Ok(self.editions(Some(id), 1).await?.pop())
    }

    async fn editions(
        &mut self,
        id: Option<EditionId>,
        limit: i64,
    ) -> Result<Vec<EditionRow>, StoreError> {
        const SQL: &str = "SELECT id, newsletter, cadence, subject, state, why, version, stage, last_stage, audience, \
                           sealed_at, first_delivery, last_delivery FROM editions \
                           WHERE (CAST($2 AS BIGINT) IS NULL OR id = $2) ORDER BY id DESC LIMIT $1";
        let found: Vec<(EditionRow, String, Option<(i64, i64)>)> =
            on_engine!(self, |conn| sqlx::query(SQL)
                .bind(limit)
                .bind(id.map(|id| id.0))
                .fetch_all(conn)
                .await
                .and_then(|rows| rows
                    .into_iter()
                    .map(|row| {
                        let first: Option<i64> = row.try_get("first_delivery")?;
                        let last: Option<i64> = row.try_get("last_delivery")?;
                        let edition = EditionRow {
                            id: EditionId(row.try_get("id")?),
                            newsletter: row.try_get("newsletter")?,
                            cadence: row.try_get("cadence")?,
                            subject: row.try_get("subject")?,
                            state: EditionState::Sealed,
                            why: row.try_get("why")?,
                            version: row.try_get("version")?,
                            stage: row.try_get("stage")?,
                            last_stage: row.try_get("last_stage")?,
                            audience: row.try_get("audience")?,
                            sealed_at: instant(row.try_get("sealed_at")?),
                            counts: Vec::new(),
                        };
                        Ok((edition, row.try_get("state")?, first.zip(last)))
                    })
                    .collect::<Result<Vec<_>, _>>()))
            .map_err(doing("read editions"))?;
        let mut editions = Vec::with_capacity(found.len());
        for (mut edition, state, range) in found {
            edition.state = state.parse()?;
            if let Some((first, last)) = range {
                edition.counts = self.counts_between(first, last).await?;
            }
            editions.push(edition);
        }
        Ok(editions)
    }

    async fn counts_between(
        &mut self,
        first: i64,
        last: i64,
    ) -> Result<Vec<StateCount>, StoreError> {
        const SQL: &str = "SELECT state, count(*) AS count FROM deliveries WHERE id BETWEEN $1 AND $2 \
                           GROUP BY state ORDER BY state";
        let rows: Vec<(String, i64)> = on_engine!(self, |conn| sqlx::query(SQL)
            .bind(first)
            .bind(last)
            .fetch_all(conn)
            .await
            .and_then(|rows| rows
                .into_iter()
                .map(|row| Ok((row.try_get("state")?, row.try_get("count")?)))
                .collect()))
        .map_err(doing("count deliveries"))?;
        rows.into_iter()
            .map(|(state, count)| Ok(StateCount { state: state.parse()?, count }))
            .collect()
    }

    /// All deliveries by state. Reads the whole table: for `status`, not for polling.
    pub async fn delivery_counts(&mut self) -> Result<Vec<StateCount>, StoreError> {
        self.counts_between(i64::MIN, i64::MAX).await
    }

    /// Announcements by destination and state. Reads the whole table: for `status`, not for polling.
    pub async fn destination_counts(&mut self) -> Result<Vec<DestinationCount>, StoreError> {
        const SQL: &str = "SELECT a.destination, d.state, count(*) AS count FROM deliveries d \
                           JOIN announcements a ON a.id = d.announcement_id \
                           WHERE d.announcement_id IS NOT NULL GROUP BY a.destination, d.state \
                           ORDER BY a.destination, d.state";
        let rows: Vec<(String, String, i64)> =
            on_engine!(self, |conn| sqlx::query(SQL).fetch_all(conn).await.and_then(|rows| rows
                .into_iter()
                .map(|row| Ok((
                    row.try_get("destination")?,
                    row.try_get("state")?,
                    row.try_get("count")?
                )))
                .collect()))
            .map_err(doing("count announcements"))?;
        rows.into_iter()
            .map(|(destination, state, count)| {
                Ok(DestinationCount { destination, state: state.parse()?, count })
            })
            .collect()
    }

    /// Deliveries, newest first.
    pub async fn deliveries(
        &mut self,
        filter: DeliveryFilter,
    ) -> Result<Vec<DeliveryRow>, StoreError> {
        const SQL: &str = "SELECT d.id, d.edition_id, d.subscription_id, d.letter_id, d.announcement_id, d.state, \
                           d.is_held, d.attempts, d.not_before, d.changed_at, \
                           coalesce(p.address, l.address, a.destination, '') AS recipient, \
                           (SELECT t.reply FROM attempts t WHERE t.delivery_id = d.id ORDER BY t.id DESC LIMIT 1) \
                           AS last_reply FROM deliveries d \
                           LEFT JOIN subscriptions s ON s.id = d.subscription_id \
                           LEFT JOIN subscribers p ON p.id = s.subscriber_id \
                           LEFT JOIN letters l ON l.id = d.letter_id \
                           LEFT JOIN announcements a ON a.id = d.announcement_id \
                           WHERE (CAST($1 AS TEXT) IS NULL OR d.state = $1) \
                           AND (CAST($2 AS BIGINT) IS NULL OR d.edition_id = $2) \
                           AND (CAST($3 AS BIGINT) IS NULL OR d.id = $3) AND (d.is_held OR NOT $5) \
                           ORDER BY d.id DESC LIMIT $4";
        let rows: Vec<Result<DeliveryRow, StoreError>> = on_engine!(self, |conn| sqlx::query(SQL)
            .bind(filter.state.map(DeliveryState::as_str))
            .bind(filter.edition.map(|id| id.0))
            .bind(filter.id.map(|id| id.0))
            .bind(filter.limit)
            .bind(filter.only_held)
            .fetch_all(conn)
            .await
            .and_then(|rows| rows
                .into_iter()
                .map(|row| {
                    let target = TargetColumns {
                        edition: row.try_get("edition_id")?,
                        subscription: row.try_get("subscription_id")?,
                        letter: row.try_get("letter_id")?,
                        announcement: row.try_get("announcement_id")?,
                    };
                    let state: String = row.try_get("state")?;
                    let id = DeliveryId(row.try_get("id")?);
                    let held = row.try_get("is_held")?;
                    let attempts = row.try_get("attempts")?;
                    let not_before = optional_instant(row.try_get("not_before")?);
                    let changed_at = instant(row.try_get("changed_at")?);
                    let recipient = row.try_get("recipient")?;
                    let last_reply = row.try_get("last_reply")?;
                    Ok((|| {
                        let (target, state) = (target.target()?, state.parse()?);
                        Ok(DeliveryRow {
                            id,
                            target,
                            state,
                            held,
                            attempts,
                            not_before,
                            changed_at,
                            recipient,
                            last_reply,
                        })
                    })())
                })
                .collect::<Result<Vec<_>, _>>()))
        .map_err(doing("list deliveries"))?;
        rows.into_iter().collect()
    }

    /// How many deliveries `filter` lets through, whatever its limit.
    pub async fn count_deliveries(&mut self, filter: DeliveryFilter) -> Result<i64, StoreError> {
        const SQL: &str = "SELECT count(*) AS count FROM deliveries d \
                           WHERE (CAST($1 AS TEXT) IS NULL OR d.state = $1) \
                           AND (CAST($2 AS BIGINT) IS NULL OR d.edition_id = $2) \
                           AND (CAST($3 AS BIGINT) IS NULL OR d.id = $3) AND (d.is_held OR NOT $4)";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(filter.state.map(DeliveryState::as_str))
            .bind(filter.edition.map(|id| id.0))
            .bind(filter.id.map(|id| id.0))
            .bind(filter.only_held)
            .fetch_one(conn)
            .await
            .and_then(|row| row.try_get("count")))
        .map_err(doing("count deliveries"))
    }

    /// Every attempt at a delivery, oldest first.
    pub async fn attempts_of(
        &mut self,
        delivery: DeliveryId,
    ) -> Result<Vec<AttemptRow>, StoreError> {
        const SQL: &str = "SELECT started_at, ended_at, outcome, server, code, reply, reason FROM attempts \
                           WHERE delivery_id = $1 ORDER BY id";
        on_engine!(self, |conn| sqlx::query(SQL).bind(delivery.0).fetch_all(conn).await.and_then(
            |rows| rows
                .into_iter()
                .map(|row| Ok(AttemptRow {
                    started_at: instant(row.try_get("started_at")?),
                    ended_at: instant(row.try_get("ended_at")?),
                    outcome: row.try_get("outcome")?,
                    server: row.try_get("server")?,
                    code: row.try_get("code")?,
                    reply: row.try_get("reply")?,
                    reason: row.try_get("reason")?,
                }))
                .collect()
        ))
        .map_err(doing("read the attempts of a delivery"))
    }

    /// The frozen content of a letter: newsletter, when it was planned, and what `mail` composed.
    pub async fn letter_content(
        &mut self,
        id: LetterId,
    ) -> Result<Option<(String, Timestamp, String)>, StoreError> {
        const SQL: &str = "SELECT newsletter, created_at, content FROM letters WHERE id = $1";
        on_engine!(self, |conn| sqlx::query(SQL).bind(id.0).fetch_optional(conn).await.and_then(
            |row| row
                .map(|row| Ok((
                    row.try_get("newsletter")?,
                    instant(row.try_get("created_at")?),
                    row.try_get("content")?,
                )))
                .transpose()
        ))
        .map_err(doing("read a letter"))
    }

    /// The frozen body of an announcement.
    pub async fn announcement_body(
        &mut self,
        id: AnnouncementId,
    ) -> Result<Option<String>, StoreError> {
        const SQL: &str = "SELECT body FROM announcements WHERE id = $1";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(id.0)
            .fetch_optional(conn)
            .await
            .and_then(|row| row.map(|row| row.try_get("body")).transpose()))
        .map_err(doing("read an announcement"))
    }
}

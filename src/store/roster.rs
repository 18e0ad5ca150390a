//! Subscribers one after the other and in numbers, as lists, exports and previews show them: all, or those of a segment.

use jiff::Timestamp;
use sqlx::{AssertSqlSafe, Row as _};

use super::engine::{Tx, doing, instant, on_engine, optional_instant};
use super::people::{read_attributes, read_evidence, read_tags};
use super::segments::{Houses, SegmentSql};
use super::shares::{read_send_time, read_topics};
use super::{Evidence, StoreError};
use crate::domain::{Cadence, Choice, Segment, SubscriptionState};

/// Whom to look at.
#[derive(Clone, Copy, Debug)]
pub struct Whom<'a> {
    /// None: those of all.
    pub newsletter: Option<&'a str>,
    /// All of these must be true of them.
    pub segments: &'a [&'a Segment],
    pub houses: &'a Houses,
    pub now: Timestamp,
}

/// One subscriber with one subscription, as lists and exports show it.
#[derive(Clone, Debug, PartialEq)]
pub struct SubscriberRow {
    pub address: String,
    /// In their order.
    pub key: String,
    pub name: String,
    pub attributes: serde_json::Map<String, serde_json::Value>,
    pub tags: Vec<String>,
    pub newsletter: String,
    pub choice: Choice,
    pub state: SubscriptionState,
    pub source: String,
    pub created_at: Timestamp,
    pub confirmed_at: Option<Timestamp>,
    pub paused_until: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    pub end_reason: String,
    pub suppressed_at: Option<Timestamp>,
    pub suppression_reason: Option<String>,
    /// Oldest first.
    pub consents: Vec<Evidence>,
}

/// So many subscriptions of one newsletter are in one state.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct RosterCount {
    pub newsletter: String,
    pub cadence: Cadence,
    pub state: SubscriptionState,
    pub is_suppressed: bool,
    pub subscriptions: i64,
}

/// The evidence of `s`, as one value.
fn consents_sql(is_postgres: bool) -> &'static str {
    if is_postgres {
        "(SELECT CAST(json_agg(json_build_object('kind', c.kind, 'at', c.at, 'address', c.address, 'form', c.form, \
         'statement', c.statement) ORDER BY c.id) AS TEXT) FROM consents c WHERE c.subscription_id = s.id) AS consents"
    } else {
        "(SELECT json_group_array(json_object('kind', c.kind, 'at', c.at, 'address', c.address, 'form', c.form, \
         'statement', c.statement) ORDER BY c.id) FROM consents c WHERE c.subscription_id = s.id) AS consents"
    }
}

/// The columns of a page, on either engine; words that are to be parsed apart.
macro_rules! roster_row {
    ($row:expr) => {
        (|| {
            let attributes: String = $row.try_get("attributes")?;
            let tags: String = $row.try_get("tags")?;
            let consents: Option<String> = $row.try_get("consents")?;
            Ok::<_, sqlx::Error>((
                [
                    $row.try_get("cadence")?,
                    $row.try_get("state")?,
                    $row.try_get("topics")?,
                    $row.try_get("language")?,
                    $row.try_get("timezone")?,
                    $row.try_get("send_time")?,
                ],
                SubscriberRow {
                    address: $row.try_get("address")?,
                    key: $row.try_get("address_key")?,
                    name: $row.try_get("name")?,
                    attributes: read_attributes(&attributes),
                    tags: read_tags(&tags),
                    newsletter: $row.try_get("newsletter")?,
                    choice: Choice::of(Cadence::Instant),
                    state: SubscriptionState::Pending,
                    source: $row.try_get("source")?,
                    created_at: instant($row.try_get("created_at")?),
                    confirmed_at: optional_instant($row.try_get("confirmed_at")?),
                    paused_until: optional_instant($row.try_get("paused_until")?),
                    ended_at: optional_instant($row.try_get("ended_at")?),
                    end_reason: $row.try_get("end_reason")?,
                    suppressed_at: optional_instant($row.try_get("suppressed_at")?),
                    suppression_reason: $row.try_get("suppression_reason")?,
                    consents: read_evidence(&consents.unwrap_or_default()),
                },
            ))
        })()
    };
}

impl Tx {
    /// Up to `limit` subscribers after the key and newsletter `after`, in order of address: the caller pages.
    pub async fn subscribers_page(
        &mut self,
        whom: Whom<'_>,
        after: (&str, &str),
        limit: i64,
    ) -> Result<Vec<SubscriberRow>, StoreError> {
        let only = SegmentSql::all(whom.segments, whom.houses, (self.is_postgres(), 5), whom.now);
        let sql = format!(
            "SELECT p.address, p.address_key, p.name, p.attributes, p.tags, s.newsletter, s.cadence, s.state, s.topics, \
             s.language, s.timezone, s.send_time, s.source, s.created_at, s.confirmed_at, s.paused_until, s.ended_at, \
             s.end_reason, p.suppressed_at, p.suppression_reason, {} \
             FROM subscribers p JOIN subscriptions s ON s.subscriber_id = p.id \
             WHERE p.address <> '' AND (CAST($1 AS TEXT) IS NULL OR s.newsletter = $1) \
             AND (p.address_key > $2 OR (p.address_key = $2 AND s.newsletter > $3)) AND {} \
             ORDER BY p.address_key, s.newsletter LIMIT $4",
            consents_sql(self.is_postgres()),
            only.condition
        );
        let rows: Vec<([String; 6], SubscriberRow)> =
            on_engine!(self, |conn| sqlx::query(AssertSqlSafe(sql))
                .bind(whom.newsletter)
                .bind(after.0)
                .bind(after.1)
                .bind(limit)
                .bind(only.values)
                .fetch_all(conn)
                .await
                .and_then(|rows| rows.into_iter().map(|row| roster_row!(row)).collect()))
            .map_err(doing("list subscribers"))?;
        rows.into_iter()
            .map(|([cadence, state, topics, language, timezone, send_time], row)| {
                let choice = Choice {
                    cadence: cadence.parse()?,
                    topics: read_topics(&topics)?,
                    language: (!language.is_empty()).then_some(language),
                    timezone: (!timezone.is_empty()).then_some(timezone),
                    send_time: read_send_time(&send_time)?,
                };
                Ok(SubscriberRow { choice, state: state.parse()?, ..row })
            })
            .collect()
    }

    /// How many they are, by newsletter, cadence and state.
    pub async fn count_subscribers(
        &mut self,
        whom: Whom<'_>,
    ) -> Result<Vec<RosterCount>, StoreError> {
        let only = SegmentSql::all(whom.segments, whom.houses, (self.is_postgres(), 2), whom.now);
        let sql = format!(
            "SELECT s.newsletter, s.cadence, s.state, (p.suppressed_at IS NOT NULL) AS is_suppressed, count(*) AS many \
             FROM subscriptions s JOIN subscribers p ON p.id = s.subscriber_id \
             WHERE p.address <> '' AND (CAST($1 AS TEXT) IS NULL OR s.newsletter = $1) AND {} GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4",
            only.condition
        );
        let rows: Vec<(String, String, String, bool, i64)> =
            on_engine!(self, |conn| sqlx::query_as(AssertSqlSafe(sql))
                .bind(whom.newsletter)
                .bind(only.values)
                .fetch_all(conn)
                .await)
            .map_err(doing("count subscribers"))?;
        rows.into_iter()
            .map(|(newsletter, cadence, state, is_suppressed, subscriptions)| {
                let (cadence, state) = (cadence.parse()?, state.parse()?);
                Ok(RosterCount { newsletter, cadence, state, is_suppressed, subscriptions })
            })
            .collect()
    }
}

//! Pings: somebody is owed the news that something changed. Each is a row of the transaction in which the change was noted.
//!
//! A change while an earlier one is still owed takes its place: who hears of it fetches what is there, not what was.

use jiff::{SignedDuration, Timestamp};
use sqlx::Row as _;

use super::StoreError;
use super::engine::{Store, Tx, doing, instant, on_engine};

/// Pings that are taken at once.
const AT_ONCE: i64 = 20;
/// What is noted is served after so long at the latest; changes in between are one.
const SERVED_AFTER: SignedDuration = SignedDuration::from_secs(2);
/// Search engines are in no hurry.
const INDEX_AFTER: SignedDuration = SignedDuration::from_mins(1);
/// A feed that has not been there for so long is nobody's yet: the first look of a new installation may take several turns.
const BASELINE: SignedDuration = SignedDuration::from_secs(10);

/// What somebody is owed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DuePing {
    /// Whom to tell.
    pub target: String,
    /// Of the feed.
    pub path: String,
    /// Which version of the feed it is about.
    pub version: i64,
    /// The first is 1. Whoever takes the ping later has another.
    pub attempt: i64,
    pub owed_at: Timestamp,
}

/// Who is told of what, and how much of it is owed.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct PushCount {
    /// The host of a hub, `index-now`, or the path of a feed at our own hub.
    pub target: String,
    /// At our own hub.
    pub subscribers: Option<i64>,
    pub owed: i64,
}

impl DuePing {
    /// What people may read.
    pub fn target_name(&self) -> String {
        name_of(&self.target)
    }
}

/// The host alone: a path may be a password.
fn name_of(target: &str) -> String {
    let hub = url::Url::parse(target).ok();
    hub.as_ref().and_then(url::Url::host_str).unwrap_or(target).to_owned()
}

impl Store {
    /// Takes what is due at `now`, unless there is a fence. Until `until` nobody else does; what is not settled by then is due
    /// again.
    pub async fn claim_pings(
        &self,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<DuePing>, StoreError> {
        const SQL: &str = "UPDATE pings SET not_before = $2, attempts = attempts + 1 \
                           WHERE (target, path) IN (SELECT target, path FROM pings \
                           WHERE not_before <= $1 ORDER BY attempts, not_before, target, path LIMIT $3) \
                           AND not_before <= $1 \
                           AND NOT EXISTS (SELECT 1 FROM instance WHERE fenced_at IS NOT NULL) \
                           RETURNING target, path, version, attempts, owed_at";
        if self.read().await?.next_ping().await?.is_none_or(|at| at > now) {
            return Ok(Vec::new());
        }
        let mut tx = self.write().await?;
        let due = on_engine!(tx, |conn| sqlx::query(SQL)
            .bind(now.as_microsecond())
            .bind(until.as_microsecond())
            .bind(AT_ONCE)
            .fetch_all(conn)
            .await
            .and_then(|rows| {
                rows.into_iter()
                    .map(|row| {
                        Ok(DuePing {
                            target: row.try_get("target")?,
                            path: row.try_get("path")?,
                            version: row.try_get("version")?,
                            attempt: row.try_get("attempts")?,
                            owed_at: instant(row.try_get("owed_at")?),
                        })
                    })
                    .collect()
            }))
        .map_err(doing("take the pings that are due"))?;
        tx.commit().await?;
        Ok(due)
    }
}

impl Tx {
    /// When the next one is due, if any is owed.
    pub async fn next_ping(&mut self) -> Result<Option<Timestamp>, StoreError> {
        self.next_of("SELECT min(not_before) AS at FROM pings").await
    }

    /// `ping` is over, unless there was another change since: that is owed now.
    pub async fn end_ping(&mut self, ping: &DuePing) -> Result<(), StoreError> {
        const SQL: &str =
            "DELETE FROM pings WHERE target = $1 AND path = $2 AND version = $3 AND attempts = $4";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(&ping.target)
            .bind(&ping.path)
            .bind(ping.version)
            .bind(ping.attempt)
            .execute(conn)
            .await
            .map(|_| ()))
        .map_err(doing("end a ping"))
    }

    /// `ping` is to be tried again at `at`, unless there was another change since.
    pub async fn delay_ping(&mut self, ping: &DuePing, at: Timestamp) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE pings SET not_before = $5 \
                           WHERE target = $1 AND path = $2 AND version = $3 AND attempts = $4";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(&ping.target)
            .bind(&ping.path)
            .bind(ping.version)
            .bind(ping.attempt)
            .bind(at.as_microsecond())
            .execute(conn)
            .await
            .map(|_| ()))
        .map_err(doing("delay a ping"))
    }

    /// Who is told of what: where something is owed, and the feeds that most subscribe to.
    pub async fn pushes(&mut self) -> Result<Vec<PushCount>, StoreError> {
        const SQL: &str =
            "SELECT target, count(*) AS owed FROM pings GROUP BY target ORDER BY target LIMIT 20";
        let owed: Vec<(String, i64)> =
            on_engine!(self, |conn| sqlx::query(SQL).fetch_all(conn).await.and_then(|rows| {
                rows.into_iter()
                    .map(|row| Ok((row.try_get("target")?, row.try_get("owed")?)))
                    .collect()
            }))
            .map_err(doing("count the pings that are owed"))?;
        let pings = owed.into_iter().map(|(target, owed)| PushCount {
            target: name_of(&target),
            subscribers: None,
            owed,
        });
        let topics = self.hub_subscribers().await?.into_iter().map(|it| PushCount {
            target: it.topic,
            subscribers: Some(it.subscribers),
            owed: it.owed,
        });
        Ok(pings.chain(topics).collect())
    }

    /// Owes each of `hubs` the news of each of `feeds`, JSON of the versions that this transaction notes. Feeds that are new are
    /// no news.
    pub(super) async fn owe_pings(
        &mut self,
        feeds: &str,
        hubs: &[String],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if hubs.is_empty() {
            return Ok(());
        }
        let hubs = serde_json::to_string(hubs).map_err(|_| StoreError::Corrupt("a hub"))?;
        let each = if self.is_postgres() {
            "jsonb_array_elements(CAST($1 AS jsonb)) AS feed(value), \
             jsonb_array_elements_text(CAST($2 AS jsonb)) AS hub(value)"
        } else {
            "json_each($1) AS feed, json_each($2) AS hub"
        };
        let sql = format!(
            "INSERT INTO pings (target, path, version, attempts, owed_at, not_before) \
             SELECT hub.value, feed.value->>'path', CAST(feed.value->>'version' AS BIGINT), 0, $3, $4 \
             FROM {each} WHERE EXISTS (SELECT 1 FROM feed_versions \
             WHERE feed_versions.path = feed.value->>'path' AND noted_at <= $5) \
             ON CONFLICT (target, path) DO UPDATE SET version = excluded.version, attempts = 0, \
             owed_at = excluded.owed_at, not_before = excluded.not_before"
        );
        let after = |wait| now.saturating_add(wait).unwrap_or(now).as_microsecond();
        on_engine!(self, |conn| sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(feeds)
            .bind(hubs)
            .bind(now.as_microsecond())
            .bind(after(SERVED_AFTER))
            .bind(after(-BASELINE))
            .execute(conn)
            .await
            .map(|_| ()))
        .map_err(doing("owe hubs the news of feeds"))
    }

    /// Owes search engines the news of pages: what is noted within a minute is one call.
    pub(super) async fn owe_index_ping(&mut self, now: Timestamp) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO pings (target, path, version, attempts, owed_at, not_before) \
                           VALUES ($1, '', $2, 0, $2, $3) ON CONFLICT (target, path) DO UPDATE SET \
                           version = excluded.version, attempts = 0, owed_at = excluded.owed_at, \
                           not_before = CASE WHEN pings.attempts > 0 THEN excluded.not_before ELSE pings.not_before END";
        let after = now.saturating_add(INDEX_AFTER).unwrap_or(now);
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(super::INDEX_NOW)
            .bind(now.as_microsecond())
            .bind(after.as_microsecond())
            .execute(conn)
            .await
            .map(|_| ()))
        .map_err(doing("owe search engines the news of pages"))
    }

    /// Nobody is owed any news: a person has decided so.
    pub(super) async fn drop_pings(&mut self) -> Result<(), StoreError> {
        const PINGS: &str = "DELETE FROM pings";
        const FEEDS: &str = "UPDATE hub_subscriptions SET attempts = 0, owed_at = NULL, etag = COALESCE(\
                             (SELECT etag FROM feed_heads WHERE path = topic), etag)";
        const PAGES: &str = "UPDATE index_pages SET is_owed = FALSE WHERE is_owed";
        on_engine!(self, |conn| {
            for sql in [PINGS, FEEDS, PAGES] {
                sqlx::query(sql)
                    .execute(&mut *conn)
                    .await
                    .map_err(doing("drop the news that is owed"))?;
            }
        });
        Ok(())
    }
}

//! Our own `WebSub` hub: what it was asked for, who is subscribed, and who is owed a feed.
//!
//! Nobody is owed anything by a row of its own: a subscriber is owed the feed while `feed_heads` has another version than it
//! has. So a newer version takes the place of one that is still owed, and a change is owed from the moment it is noted.

use jiff::{SignedDuration, Timestamp};
use sqlx::Row as _;

use super::StoreError;
use super::engine::{Store, Tx, doing, instant, on_engine};
use crate::domain::HubMode;

/// What is taken at once.
const AT_ONCE: i64 = 32;
/// Subscriptions at most, with those that are not confirmed; and of them at one host.
const MOST: i64 = 10_000;
const MOST_OF_HOST: i64 = 500;

/// What somebody asks the hub for.
#[derive(Clone, PartialEq, Eq)]
pub struct HubRequest {
    pub mode: HubMode,
    /// The path of a feed.
    pub topic: String,
    pub callback: String,
    /// Of the callback.
    pub host: String,
    pub lease: SignedDuration,
    pub secret: Option<String>,
    /// What is served at the topic: the subscriber is owed what comes after it.
    pub etag: String,
}

/// Hides the secret, and the callback, which for many subscribers is one.
impl std::fmt::Debug for HubRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HubRequest({} {} at {})", self.mode, self.topic, self.host)
    }
}

/// A request that its callback is to confirm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueRequest {
    pub request: HubRequest,
    pub asked_at: Timestamp,
    /// The first is 1.
    pub attempt: i64,
}

/// What a subscriber is owed.
#[derive(Clone)]
pub struct DueFeed {
    pub topic: String,
    pub callback: String,
    pub secret: Option<String>,
    /// The version that is served.
    pub etag: String,
    /// The first is 1. Whoever takes it later has another.
    pub attempt: i64,
    pub owed_at: Timestamp,
}

/// A feed that somebody has subscribed to at our hub.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct HubTopic {
    /// The path of the feed.
    pub topic: String,
    pub subscribers: i64,
    /// How many of them do not have what is served.
    pub owed: i64,
}

impl Store {
    /// Notes `request`, in place of an earlier one of the same callback. False: there is no room. To end a subscription that is
    /// none is nothing to note.
    pub async fn ask_hub(&self, request: &HubRequest, now: Timestamp) -> Result<bool, StoreError> {
        const ROOM: &str = "SELECT count(*) AS number, \
                            COALESCE(sum(CASE WHEN host = $1 THEN 1 ELSE 0 END), 0) AS of_host, \
                            COALESCE(sum(CASE WHEN topic = $2 AND callback = $3 THEN 1 ELSE 0 END), 0) AS own \
                            FROM (SELECT host, topic, callback FROM hub_subscriptions \
                            UNION SELECT host, topic, callback FROM hub_requests) AS known";
        const SQL: &str = "INSERT INTO hub_requests (topic, callback, host, mode, lease_seconds, secret, etag, \
                           attempts, asked_at, not_before) VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8, $8) \
                           ON CONFLICT (topic, callback) DO UPDATE SET mode = excluded.mode, \
                           lease_seconds = excluded.lease_seconds, secret = excluded.secret, etag = excluded.etag, \
                           attempts = 0, asked_at = excluded.asked_at, not_before = excluded.not_before";
        let mut tx = self.write().await?;
        let (number, of_host, own): (i64, i64, i64) = on_engine!(tx, |conn| sqlx::query(ROOM)
            .bind(&request.host)
            .bind(&request.topic)
            .bind(&request.callback)
            .fetch_one(conn)
            .await
            .and_then(|row| Ok((
                row.try_get("number")?,
                row.try_get("of_host")?,
                row.try_get("own")?
            ))))
        .map_err(doing("count the subscribers of feeds"))?;
        match request.mode {
            HubMode::Unsubscribe if own == 0 => return Ok(true),
            HubMode::Subscribe if own == 0 && (number >= MOST || of_host >= MOST_OF_HOST) => {
                return Ok(false);
            }
            HubMode::Subscribe | HubMode::Unsubscribe | HubMode::Denied => {}
        }
        on_engine!(tx, |conn| sqlx::query(SQL)
            .bind(&request.topic)
            .bind(&request.callback)
            .bind(&request.host)
            .bind(request.mode.as_str())
            .bind(request.lease.as_secs())
            .bind(request.secret.as_deref())
            .bind(&request.etag)
            .bind(now.as_microsecond())
            .execute(conn)
            .await
            .map(|_| ()))
        .map_err(doing("note what the hub is asked for"))?;
        tx.commit().await?;
        Ok(true)
    }

    /// Ends all subscriptions to the feed at `topic`; their callbacks are to be told.
    pub async fn deny_subscriptions(&self, topic: &str, now: Timestamp) -> Result<(), StoreError> {
        // Whoever just asked for something gets the answer to that.
        const TELL: &str = "INSERT INTO hub_requests (topic, callback, host, mode, lease_seconds, secret, etag, \
                            attempts, asked_at, not_before) \
                            SELECT topic, callback, host, 'denied', 0, NULL, '', 0, $2, $2 \
                            FROM hub_subscriptions WHERE topic = $1 ON CONFLICT (topic, callback) DO NOTHING";
        const END: &str = "DELETE FROM hub_subscriptions WHERE topic = $1";
        let mut tx = self.write().await?;
        on_engine!(tx, |conn| {
            let told = sqlx::query(TELL).bind(topic).bind(now.as_microsecond());
            match told.execute(&mut *conn).await {
                Ok(_) => sqlx::query(END).bind(topic).execute(conn).await.map(|_| ()),
                Err(error) => Err(error),
            }
        })
        .map_err(doing("end the subscriptions to a feed"))?;
        tx.commit().await
    }

    /// Takes requests that are to be confirmed, unless there is a fence. Until `until` nobody else does.
    pub async fn claim_hub_requests(
        &self,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<DueRequest>, StoreError> {
        const SQL: &str = "UPDATE hub_requests SET not_before = $2, attempts = attempts + 1 \
                           WHERE (topic, callback) IN (SELECT topic, callback FROM hub_requests \
                           WHERE not_before <= $1 ORDER BY attempts, not_before LIMIT $3) AND not_before <= $1 \
                           AND NOT EXISTS (SELECT 1 FROM instance WHERE fenced_at IS NOT NULL) \
                           RETURNING topic, callback, host, mode, lease_seconds, secret, etag, attempts, asked_at";
        if self.read().await?.next_hub_request().await?.is_none_or(|at| at > now) {
            return Ok(Vec::new());
        }
        let mut tx = self.write().await?;
        let rows: Vec<(String, DueRequest)> = on_engine!(tx, |conn| sqlx::query(SQL)
            .bind(now.as_microsecond())
            .bind(until.as_microsecond())
            .bind(AT_ONCE)
            .fetch_all(conn)
            .await
            .and_then(|rows| {
                rows.into_iter()
                    .map(|row| {
                        let request = HubRequest {
                            mode: HubMode::Subscribe,
                            topic: row.try_get("topic")?,
                            callback: row.try_get("callback")?,
                            host: row.try_get("host")?,
                            lease: SignedDuration::from_secs(row.try_get("lease_seconds")?),
                            secret: row.try_get("secret")?,
                            etag: row.try_get("etag")?,
                        };
                        let asked_at = instant(row.try_get("asked_at")?);
                        let attempt = row.try_get("attempts")?;
                        Ok((row.try_get("mode")?, DueRequest { request, asked_at, attempt }))
                    })
                    .collect()
            }))
        .map_err(doing("take what the hub is asked for"))?;
        tx.commit().await?;
        let with_mode = |(mode, due): (String, DueRequest)| {
            Ok(DueRequest { request: HubRequest { mode: mode.parse()?, ..due.request }, ..due })
        };
        rows.into_iter().map(with_mode).collect()
    }

    /// Takes feeds that subscribers are owed, unless there is a fence. Until `until` nobody else does. `ready`: which version of
    /// each feed this node has; another node may have one that is newer.
    pub async fn claim_owed_feeds(
        &self,
        ready: &[(&str, &str)],
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<DueFeed>, StoreError> {
        let json = serde_json::to_string(ready).map_err(|_| StoreError::Corrupt("a feed"))?;
        let mut tx = self.read().await?;
        let owed = format!(
            "hub_subscriptions s JOIN feed_heads h ON h.path = s.topic \
             JOIN (SELECT value->>0 AS topic, value->>1 AS etag FROM {}) AS ready \
             ON ready.topic = h.path AND ready.etag = h.etag \
             WHERE s.etag <> h.etag AND s.not_before <= $2 AND s.expires_at > $2",
            tx.each()
        );
        let count: i64 = on_engine!(tx, |conn| sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT count(*) AS number FROM {owed}"
        )))
        .bind(&json)
        .bind(now.as_microsecond())
        .fetch_one(conn)
        .await
        .and_then(|row| row.try_get("number")))
        .map_err(doing("look for feeds that subscribers are owed"))?;
        drop(tx);
        if count == 0 {
            return Ok(Vec::new());
        }
        // Of a newer version nothing was tried yet.
        let sql = format!(
            "UPDATE hub_subscriptions SET not_before = $3, \
             attempts = CASE WHEN tried = (SELECT etag FROM feed_heads WHERE path = topic) THEN attempts + 1 ELSE 1 END, \
             owed_at = CASE WHEN tried = (SELECT etag FROM feed_heads WHERE path = topic) \
             THEN COALESCE(owed_at, $2) ELSE $2 END, \
             tried = COALESCE((SELECT etag FROM feed_heads WHERE path = topic), '') \
             WHERE (topic, callback) IN (SELECT s.topic, s.callback FROM {owed} \
             ORDER BY s.attempts, s.not_before LIMIT $4) AND not_before <= $2 \
             AND NOT EXISTS (SELECT 1 FROM instance WHERE fenced_at IS NOT NULL) \
             RETURNING topic, callback, secret, attempts, owed_at, tried AS wanted"
        );
        let mut tx = self.write().await?;
        let due = on_engine!(tx, |conn| sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(&json)
            .bind(now.as_microsecond())
            .bind(until.as_microsecond())
            .bind(AT_ONCE)
            .fetch_all(conn)
            .await
            .and_then(|rows| {
                rows.into_iter()
                    .map(|row| {
                        Ok(DueFeed {
                            topic: row.try_get("topic")?,
                            callback: row.try_get("callback")?,
                            secret: row.try_get("secret")?,
                            etag: row.try_get("wanted")?,
                            attempt: row.try_get("attempts")?,
                            owed_at: instant(row.try_get("owed_at")?),
                        })
                    })
                    .collect()
            }))
        .map_err(doing("take the feeds that subscribers are owed"))?;
        tx.commit().await?;
        Ok(due)
    }

    /// The feeds that somebody has subscribed to. Subscriptions that are over are forgotten.
    pub async fn hub_topics(&self, now: Timestamp) -> Result<Vec<String>, StoreError> {
        const OVER: &str =
            "SELECT count(*) AS number FROM hub_subscriptions WHERE expires_at <= $1";
        const FORGET: &str = "DELETE FROM hub_subscriptions WHERE expires_at <= $1";
        const SQL: &str = "SELECT DISTINCT topic FROM hub_subscriptions";
        let mut tx = self.read().await?;
        let over: i64 = on_engine!(tx, |conn| sqlx::query(OVER)
            .bind(now.as_microsecond())
            .fetch_one(conn)
            .await
            .and_then(|row| row.try_get("number")))
        .map_err(doing("look for subscriptions that are over"))?;
        if over > 0 {
            drop(tx);
            tx = self.write().await?;
            on_engine!(tx, |conn| sqlx::query(FORGET)
                .bind(now.as_microsecond())
                .execute(conn)
                .await
                .map(|_| ()))
            .map_err(doing("forget subscriptions that are over"))?;
        }
        let topics = on_engine!(tx, |conn| sqlx::query(SQL)
            .fetch_all(conn)
            .await
            .and_then(|rows| rows.into_iter().map(|row| row.try_get("topic")).collect()))
        .map_err(doing("read which feeds have subscribers"))?;
        tx.commit().await?;
        Ok(topics)
    }
}

impl Tx {
    /// When the next request is to be confirmed.
    pub async fn next_hub_request(&mut self) -> Result<Option<Timestamp>, StoreError> {
        self.next_of("SELECT min(not_before) AS at FROM hub_requests").await
    }

    /// When the next subscriber is to be sent a feed.
    pub async fn next_owed_feed(&mut self) -> Result<Option<Timestamp>, StoreError> {
        self.next_of(
            "SELECT min(s.not_before) AS at FROM hub_subscriptions s \
             JOIN feed_heads h ON h.path = s.topic WHERE s.etag <> h.etag",
        )
        .await
    }

    pub(super) async fn next_of(
        &mut self,
        sql: &'static str,
    ) -> Result<Option<Timestamp>, StoreError> {
        let at: Option<i64> = on_engine!(self, |conn| sqlx::query(sql)
            .fetch_one(conn)
            .await
            .and_then(|row| row.try_get("at")))
        .map_err(doing("look for what is due"))?;
        Ok(at.map(instant))
    }

    /// The callback has confirmed: what it asked for is so. Nothing happens if it asked for something else since.
    pub async fn grant_hub_request(
        &mut self,
        due: &DueRequest,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        const SUBSCRIBE: &str = "INSERT INTO hub_subscriptions (topic, callback, host, secret, expires_at, etag, \
                                 attempts, owed_at, not_before, tried) VALUES ($1, $2, $3, $4, $5, $6, 0, NULL, $7, '') \
                                 ON CONFLICT (topic, callback) DO UPDATE SET secret = excluded.secret, \
                                 expires_at = excluded.expires_at, attempts = 0, owed_at = NULL, \
                                 not_before = excluded.not_before, tried = ''";
        const UNSUBSCRIBE: &str =
            "DELETE FROM hub_subscriptions WHERE topic = $1 AND callback = $2";
        if !self.end_hub_request(due).await? {
            return Ok(());
        }
        let request = &due.request;
        let expires_at = now.saturating_add(request.lease).unwrap_or(Timestamp::MAX);
        on_engine!(self, |conn| match request.mode {
            HubMode::Subscribe => {
                sqlx::query(SUBSCRIBE)
                    .bind(&request.topic)
                    .bind(&request.callback)
                    .bind(&request.host)
                    .bind(request.secret.as_deref())
                    .bind(expires_at.as_microsecond())
                    .bind(&request.etag)
                    .bind(now.as_microsecond())
                    .execute(conn)
                    .await
                    .map(|_| ())
            }
            HubMode::Unsubscribe => {
                let deleted = sqlx::query(UNSUBSCRIBE).bind(&request.topic).bind(&request.callback);
                deleted.execute(conn).await.map(|_| ())
            }
            HubMode::Denied => Ok(()),
        })
        .map_err(doing("do what the hub was asked for"))
    }

    /// A request is over. False: its callback asked for something else since, or somebody else has it now.
    pub async fn end_hub_request(&mut self, due: &DueRequest) -> Result<bool, StoreError> {
        const SQL: &str = "DELETE FROM hub_requests WHERE topic = $1 AND callback = $2 AND asked_at = $3 \
                           AND attempts = $4";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(&due.request.topic)
            .bind(&due.request.callback)
            .bind(due.asked_at.as_microsecond())
            .bind(due.attempt)
            .execute(conn)
            .await
            .map(|done| done.rows_affected() == 1))
        .map_err(doing("end what the hub was asked for"))
    }

    /// The callback could not be asked: again at `at`.
    pub async fn delay_hub_request(
        &mut self,
        due: &DueRequest,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE hub_requests SET not_before = $5 WHERE topic = $1 AND callback = $2 \
                           AND asked_at = $3 AND attempts = $4";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(&due.request.topic)
            .bind(&due.request.callback)
            .bind(due.asked_at.as_microsecond())
            .bind(due.attempt)
            .bind(at.as_microsecond())
            .execute(conn)
            .await
            .map(|_| ()))
        .map_err(doing("delay what the hub was asked for"))
    }

    /// The subscriber has what it was owed, or is not to have it any more; a newer version is owed at once.
    pub async fn settle_owed_feed(
        &mut self,
        due: &DueFeed,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE hub_subscriptions SET etag = $4, attempts = 0, owed_at = NULL, not_before = $5 \
                           WHERE topic = $1 AND callback = $2 AND attempts = $3 AND tried = $4";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(&due.topic)
            .bind(&due.callback)
            .bind(due.attempt)
            .bind(&due.etag)
            .bind(now.as_microsecond())
            .execute(conn)
            .await
            .map(|_| ()))
        .map_err(doing("note that a subscriber has a feed"))
    }

    /// The subscriber is to be tried again at `at`.
    pub async fn delay_owed_feed(
        &mut self,
        due: &DueFeed,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE hub_subscriptions SET not_before = $4 \
                           WHERE topic = $1 AND callback = $2 AND attempts = $3 AND tried = $5";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(&due.topic)
            .bind(&due.callback)
            .bind(due.attempt)
            .bind(at.as_microsecond())
            .bind(&due.etag)
            .execute(conn)
            .await
            .map(|_| ()))
        .map_err(doing("delay what a subscriber is owed"))
    }

    /// The subscriber wants no more of this feed.
    pub async fn end_subscription(&mut self, due: &DueFeed) -> Result<(), StoreError> {
        const SQL: &str = "DELETE FROM hub_subscriptions WHERE topic = $1 AND callback = $2 \
                           AND attempts = $3 AND tried = $4";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(&due.topic)
            .bind(&due.callback)
            .bind(due.attempt)
            .bind(&due.etag)
            .execute(conn)
            .await
            .map(|_| ()))
        .map_err(doing("end a subscription to a feed"))
    }

    /// How many subscribe to what at our hub: the most wanted first.
    pub async fn hub_subscribers(&mut self) -> Result<Vec<HubTopic>, StoreError> {
        const SQL: &str = "SELECT s.topic, count(*) AS subscribers, \
                           sum(CASE WHEN s.etag <> h.etag THEN 1 ELSE 0 END) AS owed \
                           FROM hub_subscriptions s LEFT JOIN feed_heads h ON h.path = s.topic \
                           GROUP BY s.topic ORDER BY count(*) DESC, s.topic LIMIT 20";
        on_engine!(self, |conn| sqlx::query(SQL).fetch_all(conn).await.and_then(|rows| {
            rows.into_iter()
                .map(|row| {
                    Ok(HubTopic {
                        topic: row.try_get("topic")?,
                        subscribers: row.try_get("subscribers")?,
                        owed: row.try_get("owed")?,
                    })
                })
                .collect()
        }))
        .map_err(doing("count who subscribes to what at the hub"))
    }
}

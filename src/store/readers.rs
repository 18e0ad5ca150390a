//! How many read each feed on each day. Counts only.

use sqlx::Row as _;

use super::StoreError;
use super::engine::{Store, Tx, doing, on_engine};

/// Days that are kept.
const DAYS: i64 = 400;
/// Days that tell how many read a feed now: of today there is only a part.
const NOW_DAYS: i64 = 2;

/// How many read a feed on a day.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct FeedReaders {
    /// Days since 1970, UTC.
    pub day: i64,
    pub path: String,
    /// Clients that came themselves.
    pub pollers: i64,
    /// Readers that services told of.
    pub subscribers: i64,
}

impl Store {
    /// Notes counts of a day, which only grow: what a node forgot at a restart, or another node did not see, takes nothing away.
    pub async fn note_readers(&self, rows: &[FeedReaders]) -> Result<(), StoreError> {
        let Some(newest) = rows.iter().map(|row| row.day).max() else { return Ok(()) };
        let json = serde_json::to_string(rows).map_err(|_| StoreError::Corrupt("a count"))?;
        let mut tx = self.write_uncounted().await?;
        tx.write_readers(&json).await?;
        tx.forget_readers(newest - DAYS).await?;
        tx.commit().await
    }
}

impl Tx {
    /// How many read each feed now, at least: the most read first, `day` being the last day.
    pub async fn feed_readers(&mut self, day: i64) -> Result<Vec<FeedReaders>, StoreError> {
        const SQL: &str = "SELECT path, max(pollers) AS pollers, max(subscribers) AS subscribers \
                           FROM feed_readers WHERE day > $1 GROUP BY path \
                           ORDER BY max(pollers) + max(subscribers) DESC, path LIMIT 20";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(day - NOW_DAYS)
            .fetch_all(conn)
            .await
            .and_then(|rows| {
                rows.into_iter()
                    .map(|row| {
                        Ok(FeedReaders {
                            day,
                            path: row.try_get("path")?,
                            pollers: row.try_get("pollers")?,
                            subscribers: row.try_get("subscribers")?,
                        })
                    })
                    .collect()
            }))
        .map_err(doing("read how many read the feeds"))
    }

    async fn write_readers(&mut self, json: &str) -> Result<(), StoreError> {
        let (each, greatest) = (self.each(), if self.is_postgres() { "greatest" } else { "max" });
        let sql = format!(
            "INSERT INTO feed_readers (day, path, pollers, subscribers) \
             SELECT CAST(value->>'day' AS BIGINT), value->>'path', \
             CAST(value->>'pollers' AS BIGINT), CAST(value->>'subscribers' AS BIGINT) \
             FROM {each} WHERE true ON CONFLICT (day, path) DO UPDATE SET \
             pollers = {greatest}(feed_readers.pollers, excluded.pollers), \
             subscribers = {greatest}(feed_readers.subscribers, excluded.subscribers)"
        );
        on_engine!(self, |conn| sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(json)
            .execute(conn)
            .await
            .map(|_| ()))
        .map_err(doing("note how many read the feeds"))
    }

    async fn forget_readers(&mut self, day: i64) -> Result<(), StoreError> {
        const SQL: &str = "DELETE FROM feed_readers WHERE day < $1";
        on_engine!(self, |conn| sqlx::query(SQL).bind(day).execute(conn).await.map(|_| ()))
            .map_err(doing("forget who read the feeds long ago"))
    }
}

//! What became news to each newsletter, in that order: the numbers that subscriptions count by.

use std::collections::HashMap;

use jiff::Timestamp;
use sqlx::Row as _;

use super::StoreError;
use super::engine::{Tx, doing, instant, on_engine, optional_instant};
use crate::domain::PostId;

/// A post that became news to a newsletter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewsRow {
    pub seq: i64,
    pub post: PostId,
    pub noted_at: Timestamp,
    /// When it was mailed by itself to those who want that.
    pub alone_at: Option<Timestamp>,
}

impl Tx {
    /// Notes that `posts` are news to `newsletter` now, in this order. One that was noted before stays where it is.
    pub async fn note_news(
        &mut self,
        newsletter: &str,
        posts: &[&PostId],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO news (newsletter, seq, post_id, noted_at) SELECT $1, \
                           coalesce((SELECT max(seq) FROM news WHERE newsletter = $1), 0) + 1, $2, $3 \
                           WHERE NOT EXISTS (SELECT 1 FROM news WHERE newsletter = $1 AND post_id = $2)";
        // Whoever plans beside us counts on from what we leave.
        self.wait_for_other_planners().await?;
        for post in posts {
            on_engine!(self, |conn| sqlx::query(SQL)
                .bind(newsletter)
                .bind(post.as_str())
                .bind(now.as_microsecond())
                .execute(conn)
                .await
                .map(|_| ()))
            .map_err(doing("note what is news"))?;
        }
        Ok(())
    }

    /// Which posts are news to `newsletter`, or were, each with its number.
    pub async fn news_of(&mut self, newsletter: &str) -> Result<HashMap<PostId, i64>, StoreError> {
        const SQL: &str = "SELECT post_id, seq FROM news WHERE newsletter = $1";
        on_engine!(self, |conn| sqlx::query(SQL).bind(newsletter).fetch_all(conn).await.and_then(
            |rows| rows
                .into_iter()
                .map(|row| {
                    Ok((PostId::pinned(row.try_get::<String, _>("post_id")?), row.try_get("seq")?))
                })
                .collect()
        ))
        .map_err(doing("read what is news"))
    }

    /// What became news after the number `after`, in order.
    pub async fn news_after(
        &mut self,
        newsletter: &str,
        after: i64,
    ) -> Result<Vec<NewsRow>, StoreError> {
        const SQL: &str = "SELECT seq, post_id, noted_at, alone_at FROM news \
                           WHERE newsletter = $1 AND seq > $2 ORDER BY seq";
        self.news_rows(SQL, newsletter, after).await
    }

    /// What was not mailed by itself yet, in order.
    pub async fn news_to_mail_alone(
        &mut self,
        newsletter: &str,
    ) -> Result<Vec<NewsRow>, StoreError> {
        const SQL: &str = "SELECT seq, post_id, noted_at, alone_at FROM news \
                           WHERE newsletter = $1 AND seq > $2 AND alone_at IS NULL ORDER BY seq";
        self.news_rows(SQL, newsletter, 0).await
    }

    async fn news_rows(
        &mut self,
        sql: &'static str,
        newsletter: &str,
        after: i64,
    ) -> Result<Vec<NewsRow>, StoreError> {
        on_engine!(self, |conn| sqlx::query(sql)
            .bind(newsletter)
            .bind(after)
            .fetch_all(conn)
            .await
            .and_then(|rows| rows
                .into_iter()
                .map(|row| Ok(NewsRow {
                    seq: row.try_get("seq")?,
                    post: PostId::pinned(row.try_get::<String, _>("post_id")?),
                    noted_at: instant(row.try_get("noted_at")?),
                    alone_at: optional_instant(row.try_get("alone_at")?),
                }))
                .collect()))
        .map_err(doing("read what is news"))
    }

    /// Notes that a post is mailed by itself. False: it was, so no edition of it must be sealed.
    pub async fn claim_alone(
        &mut self,
        newsletter: &str,
        post: &PostId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE news SET alone_at = $3 \
                           WHERE newsletter = $1 AND post_id = $2 AND alone_at IS NULL";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(newsletter)
            .bind(post.as_str())
            .bind(now.as_microsecond())
            .execute(conn)
            .await
            .map(|done| done.rows_affected() == 1))
        .map_err(doing("note that a post is mailed"))
    }

    /// Makes those who plan wait for each other, until this transaction ends.
    pub async fn wait_for_other_planners(&mut self) -> Result<(), StoreError> {
        self.reserve_ids("deliveries", 0).await.map(|_| ())
    }
}

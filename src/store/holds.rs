//! Posts that are held until a person decides.

use std::collections::HashMap;

use jiff::Timestamp;
use sqlx::Row as _;

use super::engine::{Tx, doing, instant, on_engine};
use super::{Event, StoreError};
use crate::domain::{Hold, PostId};

/// A post that is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldPost {
    pub id: PostId,
    pub title: String,
    pub slug: String,
    pub source: String,
    pub published_at: Timestamp,
    pub first_seen_at: Timestamp,
    pub hold: Hold,
    /// What the person should know: how many there were at once, or the file that it is like.
    pub detail: String,
}

impl Tx {
    /// Holds posts that nobody has decided on.
    pub async fn hold_posts(
        &mut self,
        ids: &[PostId],
        hold: Hold,
        detail: &str,
    ) -> Result<(), StoreError> {
        const SQL: &str =
            "UPDATE posts SET hold = $2, hold_detail = $3 WHERE post_id = $1 AND hold IS NULL";
        for id in ids {
            on_engine!(self, |conn| sqlx::query(SQL)
                .bind(id.as_str())
                .bind(hold.as_str())
                .bind(detail)
                .execute(conn)
                .await
                .map(|_| ()))
            .map_err(doing("hold a post"))?;
        }
        Ok(())
    }

    /// The posts that wait for a person, in the order in which they were found.
    pub async fn held_posts(&mut self) -> Result<Vec<HeldPost>, StoreError> {
        const SQL: &str = "SELECT post_id, title, slug, source, published_at, first_seen_at, hold, hold_detail FROM posts \
                           WHERE hold IS NOT NULL AND hold <> 'released' AND gone_at IS NULL \
                           ORDER BY first_seen_at, source";
        let rows =
            on_engine!(self, |conn| sqlx::query(SQL).fetch_all(conn).await.and_then(|rows| {
                rows.into_iter()
                    .map(|row| {
                        let held = HeldPost {
                            id: PostId::pinned(row.try_get::<&str, _>("post_id")?),
                            title: row.try_get("title")?,
                            slug: row.try_get("slug")?,
                            source: row.try_get("source")?,
                            published_at: instant(row.try_get("published_at")?),
                            first_seen_at: instant(row.try_get("first_seen_at")?),
                            hold: Hold::Burst,
                            detail: row.try_get("hold_detail")?,
                        };
                        Ok((held, row.try_get::<String, _>("hold")?))
                    })
                    .collect::<Result<Vec<_>, sqlx::Error>>()
            }))
            .map_err(doing("read the held posts"))?;
        let of = |(held, word): (HeldPost, String)| Ok(HeldPost { hold: word.parse()?, ..held });
        rows.into_iter().map(of).collect()
    }

    /// Lets a held post go out. False: it was not held.
    pub async fn release_post(&mut self, id: &PostId, now: Timestamp) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE posts SET hold = 'released' \
                           WHERE post_id = $1 AND hold IS NOT NULL AND hold <> 'released'";
        self.decide(SQL, id, ("post.released", "its hold"), now).await
    }

    /// Makes a held post part of the baseline: live in the feeds, never news. False: it was not held.
    pub async fn dismiss_post(&mut self, id: &PostId, now: Timestamp) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE posts SET hold = NULL, is_news = FALSE \
                           WHERE post_id = $1 AND hold IS NOT NULL AND hold <> 'released'";
        self.decide(SQL, id, ("post.dismissed", ""), now).await
    }

    async fn decide(
        &mut self,
        sql: &'static str,
        id: &PostId,
        (kind, detail): (&'static str, &str),
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let changed = on_engine!(self, |conn| sqlx::query(sql)
            .bind(id.as_str())
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))
        .map_err(doing("decide on a held post"))?;
        if changed > 0 {
            self.record_event(Event::new(kind, now).post(id).detail(detail)).await?;
        }
        Ok(changed > 0)
    }

    /// Whether posts are news, and what holds them.
    pub async fn standing(
        &mut self,
        ids: &[&PostId],
    ) -> Result<HashMap<PostId, (bool, Option<Hold>)>, StoreError> {
        let sql = format!(
            "SELECT post_id, is_news, hold FROM posts WHERE post_id IN ({})",
            self.each_text()
        );
        let json = serde_json::to_string(ids).map_err(|_| StoreError::Corrupt("an id"))?;
        let rows = on_engine!(self, |conn| sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(json)
            .fetch_all(conn)
            .await
            .and_then(|rows| {
                rows.into_iter()
                    .map(|row| {
                        Ok((
                            PostId::pinned(row.try_get::<&str, _>("post_id")?),
                            row.try_get::<bool, _>("is_news")?,
                            row.try_get::<Option<String>, _>("hold")?,
                        ))
                    })
                    .collect::<Result<Vec<_>, sqlx::Error>>()
            }))
        .map_err(doing("read what holds posts"))?;
        let standing = |(id, is_news, hold): (PostId, bool, Option<String>)| {
            Ok((id, (is_news, hold.map(|word| word.parse()).transpose()?)))
        };
        rows.into_iter().map(standing).collect()
    }
}

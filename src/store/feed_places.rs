//! The places of posts in the archive of the main feed.

use std::collections::HashSet;

use sqlx::Row as _;

use super::StoreError;
use super::engine::{Tx, doing, on_engine};
use crate::domain::{FeedPlace, FeedWindow, OpenDocument, PostId};

/// Rows of one value.
const PAGE: u32 = 5_000;
/// Rows of one statement, and the columns of each.
const SHARE: usize = 1_000;
const COLUMNS: usize = 4;

impl Tx {
    /// Places from `first` on, in their order.
    pub async fn feed_places(&mut self, first: u32) -> Result<Vec<FeedPlace>, StoreError> {
        const SQLITE: &str = "SELECT json_group_array(json_array(post_id, place, document, size)) AS page \
                              FROM (SELECT * FROM feed_places WHERE place >= $1 ORDER BY place LIMIT $2)";
        const POSTGRES: &str = "SELECT COALESCE(json_agg(json_build_array(post_id, place, document, size)), '[]')::text AS page \
                                FROM (SELECT * FROM feed_places WHERE place >= $1 ORDER BY place LIMIT $2) AS p";
        let sql = if self.is_postgres() { POSTGRES } else { SQLITE };
        let mut places: Vec<FeedPlace> = Vec::new();
        loop {
            let from = places.last().map_or(first, |last| last.place.saturating_add(1));
            let page: String = on_engine!(self, |conn| sqlx::query(sql)
                .bind(i64::from(from))
                .bind(i64::from(PAGE))
                .fetch_one(conn)
                .await
                .and_then(|row| row.try_get("page")))
            .map_err(doing("read the places of posts in the archive"))?;
            let rows: Vec<FeedPlace> = serde_json::from_str(&page)
                .map_err(|_| StoreError::Corrupt("the place of a post"))?;
            let is_last = rows.len() < PAGE as usize;
            places.extend(rows);
            if is_last {
                return Ok(places);
            }
        }
    }

    /// Gives the next places to those of `posts` that have none, in their order, each post with its bytes. Another node may be
    /// first: read what came of it.
    pub async fn place_in_feeds(
        &mut self,
        posts: &[(PostId, u64)],
        window: FeedWindow,
    ) -> Result<(), StoreError> {
        // Two at a time would leave gaps, and fill each other's unseen.
        self.lock("LOCK TABLE feed_places IN SHARE ROW EXCLUSIVE MODE").await?;
        let (mut next, mut open) = self.open_document().await?;
        for share in posts.chunks(SHARE) {
            let placed = self.placed(share).await?;
            let new: Vec<_> =
                share.iter().filter(|(post, _)| !placed.contains(post.as_str())).collect();
            if new.is_empty() {
                continue;
            }
            let rows = self.rows_of_values(new.len(), COLUMNS);
            let sql =
                format!("INSERT INTO feed_places (place, post_id, document, size) VALUES {rows}");
            let rows = new.into_iter().zip(next..).map(|((post, size), place)| {
                next = place + 1;
                (place, post, open.take(*size, window), i64::try_from(*size).unwrap_or(i64::MAX))
            });
            let rows: Vec<_> = rows.collect();
            on_engine!(self, |conn| rows
                .iter()
                .fold(
                    sqlx::query(sqlx::AssertSqlSafe(sql)),
                    |query, (place, post, document, size)| {
                        query
                            .bind(*place)
                            .bind(post.as_str())
                            .bind(i64::from(*document))
                            .bind(*size)
                    }
                )
                .execute(conn)
                .await
                .map(|_| ()))
            .map_err(doing("give posts their places in the archive"))?;
        }
        Ok(())
    }

    /// The next place, and what the document is like that is open.
    async fn open_document(&mut self) -> Result<(i64, OpenDocument), StoreError> {
        // More rows than a document has.
        const SQL: &str = "SELECT document, COUNT(*) AS posts, CAST(SUM(size) AS BIGINT) AS bytes, MAX(place) + 1 AS next \
                           FROM (SELECT * FROM feed_places ORDER BY place DESC LIMIT 200) AS last \
                           GROUP BY document ORDER BY document DESC LIMIT 1";
        let found =
            on_engine!(self, |conn| sqlx::query(SQL).fetch_optional(conn).await.and_then(|row| {
                row.map(|row| {
                    let number = |name| row.try_get::<i64, _>(name);
                    Ok((number("next")?, number("document")?, number("posts")?, number("bytes")?))
                })
                .transpose()
            }))
            .map_err(doing("read the last document of the archive"))?;
        let Some((next, document, posts, bytes)) = found else {
            return Ok((0, OpenDocument::default()));
        };
        let number = u32::try_from(document).map_err(|_| StoreError::Corrupt("a document"))?;
        let posts = usize::try_from(posts).unwrap_or(usize::MAX);
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        Ok((next, OpenDocument { number, posts, bytes }))
    }

    /// Those of `posts` that have places.
    async fn placed(&mut self, posts: &[(PostId, u64)]) -> Result<HashSet<String>, StoreError> {
        let sql =
            format!("SELECT post_id FROM feed_places WHERE post_id IN ({})", self.each_text());
        let ids: Vec<&str> = posts.iter().map(|(post, _)| post.as_str()).collect();
        let json = serde_json::to_string(&ids).map_err(|_| StoreError::Corrupt("a post"))?;
        on_engine!(self, |conn| sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(json)
            .fetch_all(conn)
            .await
            .and_then(|rows| rows.iter().map(|row| row.try_get("post_id")).collect()))
        .map_err(doing("look for posts in the archive"))
    }
}

//! The places of posts in the archive of the main feed.

use sqlx::Row as _;

use super::StoreError;
use super::engine::{Tx, doing, on_engine};
use crate::domain::PostId;

/// Rows of one value.
const PAGE: u32 = 5_000;

impl Tx {
    /// Places from `first` on, in their order.
    pub async fn feed_places(&mut self, first: u32) -> Result<Vec<(PostId, u32)>, StoreError> {
        const SQLITE: &str = "SELECT json_group_array(json_array(post_id, place)) AS page \
                              FROM (SELECT * FROM feed_places WHERE place >= $1 ORDER BY place LIMIT $2)";
        const POSTGRES: &str = "SELECT COALESCE(json_agg(json_build_array(post_id, place)), '[]')::text AS page \
                                FROM (SELECT * FROM feed_places WHERE place >= $1 ORDER BY place LIMIT $2) AS p";
        let sql = if self.is_postgres() { POSTGRES } else { SQLITE };
        let mut places: Vec<(PostId, u32)> = Vec::new();
        loop {
            let from = places.last().map_or(first, |(_, place)| place.saturating_add(1));
            let page: String = on_engine!(self, |conn| sqlx::query(sql)
                .bind(i64::from(from))
                .bind(i64::from(PAGE))
                .fetch_one(conn)
                .await
                .and_then(|row| row.try_get("page")))
            .map_err(doing("read the places of posts in the archive"))?;
            let rows: Vec<(PostId, u32)> = serde_json::from_str(&page)
                .map_err(|_| StoreError::Corrupt("the place of a post"))?;
            let is_last = rows.len() < PAGE as usize;
            places.extend(rows);
            if is_last {
                return Ok(places);
            }
        }
    }

    /// Gives the next places to those of `posts` that have none, in their order. Another node may be first: read what came
    /// of it.
    pub async fn place_in_feeds(&mut self, posts: &[PostId]) -> Result<(), StoreError> {
        // Two at a time would leave gaps, and fill each other's unseen.
        self.lock("LOCK TABLE feed_places IN SHARE ROW EXCLUSIVE MODE").await?;
        for share in posts.chunks(PAGE as usize) {
            let each = if self.is_postgres() {
                "jsonb_array_elements_text($1::jsonb) WITH ORDINALITY AS each(value, key)"
            } else {
                "json_each($1)"
            };
            let sql = format!(
                "INSERT INTO feed_places (place, post_id) \
                 SELECT (SELECT COALESCE(MAX(place) + 1, 0) FROM feed_places) + ROW_NUMBER() OVER (ORDER BY key) - 1, value \
                 FROM {each} WHERE value NOT IN (SELECT post_id FROM feed_places) ON CONFLICT DO NOTHING"
            );
            let json = serde_json::to_string(share).map_err(|_| StoreError::Corrupt("a post"))?;
            on_engine!(self, |conn| sqlx::query(sqlx::AssertSqlSafe(sql))
                .bind(json)
                .execute(conn)
                .await
                .map(|_| ()))
            .map_err(doing("give posts their places in the archive"))?;
        }
        Ok(())
    }
}

//! The ids that posts had in an earlier feed.

use std::sync::Arc;

use jiff::Timestamp;
use sqlx::Row as _;

use super::StoreError;
use super::engine::{Tx, doing, instant, on_engine};
use crate::domain::{AdoptedId, FeedFamily, FeedIds, PostId};

/// Rows of one value.
const PAGE: i64 = 5_000;

impl Tx {
    /// All ids that were taken over.
    pub async fn feed_ids(&mut self) -> Result<FeedIds, StoreError> {
        const SQLITE: &str = "SELECT json_group_array(json_array(post_id, family, id, adopted_at)) AS page \
                              FROM (SELECT * FROM feed_ids WHERE (post_id, family) > ($1, $2) \
                              ORDER BY post_id, family LIMIT $3)";
        const POSTGRES: &str = "SELECT COALESCE(json_agg(json_build_array(post_id, family, id, adopted_at)), '[]')::text \
                                AS page FROM (SELECT * FROM feed_ids WHERE (post_id, family) > ($1, $2) \
                                ORDER BY post_id, family LIMIT $3) AS p";
        let sql = if self.is_postgres() { POSTGRES } else { SQLITE };
        let mut ids: Vec<AdoptedId> = Vec::new();
        loop {
            let (post, family) =
                ids.last().map_or(("", ""), |it| (it.post.as_str(), it.family.as_str()));
            let page: String = on_engine!(self, |conn| sqlx::query(sql)
                .bind(post)
                .bind(family)
                .bind(PAGE)
                .fetch_one(conn)
                .await
                .and_then(|row| row.try_get("page")))
            .map_err(doing("read the ids of an earlier feed"))?;
            let rows: Vec<(PostId, FeedFamily, Arc<str>, i64)> =
                serde_json::from_str(&page).map_err(|_| StoreError::Corrupt("the id of a post"))?;
            let is_last = i64::try_from(rows.len()).unwrap_or(i64::MAX) < PAGE;
            ids.extend(rows.into_iter().map(|(post, family, id, at)| AdoptedId {
                post,
                family,
                id,
                adopted_at: instant(at),
            }));
            if is_last {
                return Ok(FeedIds::new(ids));
            }
        }
    }

    /// Another one when an id was taken over since. None: there is none.
    pub async fn feed_ids_stamp(&mut self) -> Result<Option<i64>, StoreError> {
        const SQL: &str = "SELECT MAX(written_at) AS latest FROM feed_ids";
        on_engine!(self, |conn| sqlx::query(SQL)
            .fetch_one(conn)
            .await
            .and_then(|row| row.try_get("latest")))
        .map_err(doing("ask for the ids of an earlier feed"))
    }

    /// Takes these ids over. One that a post has in this family is replaced, and keeps its place among the post's others.
    pub async fn adopt_feed_ids(
        &mut self,
        family: FeedFamily,
        ids: &[(&PostId, &str)],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let each = self.each();
        let sql = format!(
            "INSERT INTO feed_ids (post_id, family, id, adopted_at, written_at) \
             SELECT value->>0, $2, value->>1, $3, $3 FROM {each} WHERE true \
             ON CONFLICT (post_id, family) DO UPDATE SET id = excluded.id, written_at = excluded.written_at"
        );
        let page = usize::try_from(PAGE).unwrap_or(usize::MAX);
        for share in ids.chunks(page) {
            let json = serde_json::to_string(share).map_err(|_| StoreError::Corrupt("an id"))?;
            on_engine!(self, |conn| sqlx::query(sqlx::AssertSqlSafe(sql.as_str()))
                .bind(json)
                .bind(family.as_str())
                .bind(now.as_microsecond())
                .execute(conn)
                .await
                .map(|_| ()))
            .map_err(doing("take over the ids of an earlier feed"))?;
        }
        Ok(())
    }
}

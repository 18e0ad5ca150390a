//! What destinations were told of posts, and are still to be told.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use sqlx::Row as _;

use super::engine::{Tx, doing, instant, on_engine};
use super::withdrawals::gone;
use super::{Action, GonePost, StoreError};
use crate::domain::{DeliveryId, PostId, Revision};

/// Something that a destination is still to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallUnderWay {
    pub delivery: DeliveryId,
    pub post: PostId,
    pub destination: String,
    pub action: Action,
}

/// What became of a call that was taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Untold {
    /// Nothing: it is being told, or was.
    No,
    /// It is not tried again, and may have arrived: it counts as told.
    InDoubt,
    /// It never arrived, and counts as never planned.
    Yes,
}

/// Those of `$posts` that were announced and not retracted.
macro_rules! told_sql {
    ($posts:literal) => {
        concat!(
            "SELECT a.post_id FROM announcements a WHERE a.destination = $1 AND a.action = 'create' AND NOT a.is_void \
             AND a.post_id IN (",
            $posts,
            ") AND EXISTS (SELECT 1 FROM deliveries d WHERE d.announcement_id = a.id AND d.state = 'accepted') \
             AND NOT EXISTS (SELECT 1 FROM announcements r WHERE r.post_id = a.post_id AND r.destination = $1 \
             AND r.action = 'retract' AND NOT r.is_void)"
        )
    };
}

/// Of rows; on either engine.
macro_rules! post_ids {
    () => {
        |rows| {
            rows.into_iter()
                .map(|row| row.try_get::<String, _>("post_id").map(PostId::pinned))
                .collect()
        }
    };
}

impl Tx {
    /// What destinations are still to be told.
    pub async fn calls_under_way(&mut self) -> Result<Vec<CallUnderWay>, StoreError> {
        const SQL: &str = "SELECT d.id, a.post_id, a.destination, a.action FROM batches b \
                           JOIN deliveries d ON d.id BETWEEN b.first_id AND b.last_id \
                           JOIN announcements a ON a.id = d.announcement_id \
                           WHERE b.is_open AND b.channel LIKE 'destination:%' \
                           AND d.state IN ('planned', 'deferred', 'uncertain') ORDER BY d.id";
        let rows: Vec<(i64, String, String, String)> =
            on_engine!(self, |conn| sqlx::query_as(SQL).fetch_all(conn).await)
                .map_err(doing("read what destinations are to be told"))?;
        let call = |(delivery, post, destination, action): (i64, String, String, String)| {
            Ok(CallUnderWay {
                delivery: DeliveryId(delivery),
                post: PostId::pinned(post),
                destination,
                action: action.parse()?,
            })
        };
        rows.into_iter().map(call).collect()
    }

    /// The updates that `destination` is still to be told of `post`.
    pub async fn updates_under_way(
        &mut self,
        destination: &str,
        post: &PostId,
    ) -> Result<Vec<DeliveryId>, StoreError> {
        const SQL: &str = "SELECT d.id FROM announcements a JOIN deliveries d ON d.announcement_id = a.id \
                           WHERE a.post_id = $1 AND a.destination = $2 AND a.action = 'update' AND NOT a.is_void \
                           AND d.state IN ('planned', 'deferred', 'uncertain') ORDER BY d.id";
        let found: Vec<(i64,)> = on_engine!(self, |conn| sqlx::query_as(SQL)
            .bind(post.as_str())
            .bind(destination)
            .fetch_all(conn)
            .await)
        .map_err(doing("read which updates are to be told"))?;
        Ok(found.into_iter().map(|(id,)| DeliveryId(id)).collect())
    }

    /// The posts that are gone and of which `destination` was told, and not that they are gone.
    pub async fn unretracted(&mut self, destination: &str) -> Result<Vec<GonePost>, StoreError> {
        const SQL: &str = "SELECT p.post_id, p.source, p.slug, p.link, p.title, p.revision, p.published_at, p.gone_at \
                           FROM posts p JOIN announcements a ON a.post_id = p.post_id AND a.destination = $1 \
                           AND a.action = 'create' AND NOT a.is_void WHERE p.gone_at IS NOT NULL \
                           AND NOT EXISTS (SELECT 1 FROM announcements r WHERE r.post_id = p.post_id \
                           AND r.destination = $1 AND r.action = 'retract' AND NOT r.is_void) \
                           AND EXISTS (SELECT 1 FROM deliveries d WHERE d.announcement_id = a.id AND d.state = 'accepted')";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(destination)
            .fetch_all(conn)
            .await
            .and_then(|rows| rows.into_iter().map(|row| gone!(row)).collect()))
        .map_err(doing("read which announcements are to be retracted"))
    }

    /// Those of `posts` that `destination` has been told of, and not that they are gone.
    pub async fn told_of(
        &mut self,
        destination: &str,
        posts: &[&PostId],
    ) -> Result<HashSet<PostId>, StoreError> {
        const SQLITE: &str = told_sql!("SELECT value FROM json_each($2)");
        const POSTGRES: &str = told_sql!(
            "SELECT value FROM json_array_elements_text(CAST($2 AS json)) AS each(value)"
        );
        if posts.is_empty() {
            return Ok(HashSet::new());
        }
        let sql = if self.is_postgres() { POSTGRES } else { SQLITE };
        let posts = serde_json::to_string(posts).map_err(|_| StoreError::Corrupt("a post"))?;
        on_engine!(self, |conn| sqlx::query(sql)
            .bind(destination)
            .bind(posts)
            .fetch_all(conn)
            .await
            .and_then(post_ids!()))
        .map_err(doing("ask which posts a destination was told of"))
    }

    /// The posts that are there and of which `destination` has learnt that they are gone.
    pub async fn returned(&mut self, destination: &str) -> Result<HashSet<PostId>, StoreError> {
        const SQL: &str = "SELECT a.post_id FROM announcements a JOIN posts p ON p.post_id = a.post_id \
                           JOIN deliveries d ON d.announcement_id = a.id \
                           WHERE a.destination = $1 AND a.action = 'retract' AND NOT a.is_void \
                           AND d.state = 'accepted' AND p.gone_at IS NULL";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(destination)
            .fetch_all(conn)
            .await
            .and_then(post_ids!()))
        .map_err(doing("ask which posts are back"))
    }

    /// What `destination` was told of `post` counts no more: it has learnt that the post is gone.
    pub async fn forget_told(
        &mut self,
        destination: &str,
        post: &PostId,
    ) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE announcements SET is_void = TRUE \
                           WHERE post_id = $1 AND destination = $2 AND NOT is_void";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(post.as_str())
            .bind(destination)
            .execute(conn)
            .await
            .map(|_| ()))
        .map_err(doing("forget what a destination was told"))
    }

    /// The revision of each post that `destination` was told last, or will be, and since when it is.
    pub async fn told_revisions(
        &mut self,
        destination: &str,
    ) -> Result<HashMap<PostId, (Revision, Timestamp)>, StoreError> {
        const SQL: &str = "SELECT post_id, revision, created_at FROM announcements WHERE destination = $1 \
                           AND NOT is_void AND action IN ('create', 'update') ORDER BY id";
        on_engine!(self, |conn| sqlx::query(SQL).bind(destination).fetch_all(conn).await.and_then(
            |rows| rows
                .into_iter()
                .map(|row| {
                    let revision = Revision::stored(row.try_get::<String, _>("revision")?);
                    let told = (revision, instant(row.try_get("created_at")?));
                    Ok((PostId::pinned(row.try_get::<String, _>("post_id")?), told))
                })
                .collect()
        ))
        .map_err(doing("read what a destination was told"))
    }

    /// What waits to be told is not told any more.
    pub async fn withdraw_call(
        &mut self,
        delivery: DeliveryId,
        why: &str,
        now: Timestamp,
    ) -> Result<Untold, StoreError> {
        // What may have arrived was told, for all we know.
        const VOID: &str = "UPDATE announcements SET is_void = TRUE WHERE id = (SELECT announcement_id \
                            FROM deliveries WHERE id = $1) AND NOT EXISTS (SELECT 1 FROM attempts \
                            WHERE delivery_id = $1 AND outcome = 'uncertain')";
        if !self.cancel_delivery_because(delivery, why, now).await? {
            return Ok(Untold::No);
        }
        let is_void = on_engine!(self, |conn| sqlx::query(VOID)
            .bind(delivery.0)
            .execute(conn)
            .await
            .map(|done| done.rows_affected() == 1))
        .map_err(doing("take back an announcement"))?;
        Ok(if is_void { Untold::Yes } else { Untold::InDoubt })
    }

    /// A later update takes the place of what `destination` was told of `post` before.
    pub(super) async fn void_updates(
        &mut self,
        destination: &str,
        post: &PostId,
        revision: &Revision,
    ) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE announcements SET is_void = TRUE WHERE post_id = $1 AND destination = $2 \
                           AND action = 'update' AND revision <> $3 AND NOT is_void";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(post.as_str())
            .bind(destination)
            .bind(revision.as_str())
            .execute(conn)
            .await
            .map(|_| ()))
        .map_err(doing("replace an update"))
    }
}

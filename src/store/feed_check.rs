//! What is served of the main feed, and whether what would take its place is held until a person has looked.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use sqlx::Row as _;

use super::StoreError;
use super::engine::{Store, Tx, doing, instant, on_engine};

/// How long a person's word is good for what they were shown.
const WORD_HOLDS: SignedDuration = SignedDuration::from_hours(24);

/// A document as it was served last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedFeed {
    pub path: String,
    pub etag: String,
    pub last_modified: Timestamp,
    /// Bytes when unpacked.
    pub size: usize,
    pub packed: Vec<u8>,
}

/// Why the feeds stay as they were.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HeldFeeds {
    pub since: Timestamp,
    /// So many posts would look new to readers.
    pub marked: i64,
    pub why: String,
}

/// What would take the place of what is served.
#[derive(Clone, Copy, Debug)]
pub struct Doubtful<'a> {
    pub marked: usize,
    pub why: &'a str,
    /// The `ETag` of each of its documents.
    pub etags: &'a [(&'a str, &'a str)],
}

impl Store {
    /// Whether feeds that would flood readers are held. False: a person let them through, or another node serves them already.
    pub async fn holds_feeds(
        &self,
        doubtful: Doubtful<'_>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let marked = i64::try_from(doubtful.marked).unwrap_or(i64::MAX);
        let mut tx = self.read().await?;
        if tx.are_served(doubtful.etags).await? || tx.may_mark(marked, now).await? {
            return Ok(false);
        }
        let held = tx.held_feeds().await?;
        if !held.is_some_and(|held| held.marked == marked && held.why == doubtful.why) {
            drop(tx);
            let mut tx = self.write().await?;
            tx.hold_feeds(marked, doubtful.why, now).await?;
            tx.commit().await?;
        }
        Ok(true)
    }
}

impl Tx {
    async fn are_served(&mut self, etags: &[(&str, &str)]) -> Result<bool, StoreError> {
        const SQL: &str = "SELECT etag FROM feed_documents WHERE path = $1";
        for (path, etag) in etags {
            let served: Option<String> = on_engine!(self, |conn| sqlx::query(SQL)
                .bind(*path)
                .fetch_optional(conn)
                .await
                .and_then(|row| row.map(|row| row.try_get("etag")).transpose()))
            .map_err(doing("ask what is served"))?;
            if served.as_deref() != Some(*etag) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn may_mark(&mut self, marked: i64, now: Timestamp) -> Result<bool, StoreError> {
        const SQL: &str =
            "SELECT COUNT(*) AS words FROM feed_hold WHERE allowed >= $1 AND allowed_until > $2";
        let words: i64 = on_engine!(self, |conn| sqlx::query(SQL)
            .bind(marked)
            .bind(now.as_microsecond())
            .fetch_one(conn)
            .await
            .and_then(|row| row.try_get("words")))
        .map_err(doing("ask whether feeds were let through"))?;
        Ok(words > 0)
    }

    /// Why the feeds are held, if they are.
    pub async fn held_feeds(&mut self) -> Result<Option<HeldFeeds>, StoreError> {
        const SQL: &str = "SELECT held_at, marked, why FROM feed_hold WHERE held_at IS NOT NULL";
        on_engine!(self, |conn| sqlx::query(SQL).fetch_optional(conn).await.and_then(|row| {
            row.map(|row| {
                let since = instant(row.try_get("held_at")?);
                Ok(HeldFeeds { since, marked: row.try_get("marked")?, why: row.try_get("why")? })
            })
            .transpose()
        }))
        .map_err(doing("ask whether feeds are held"))
    }

    async fn hold_feeds(
        &mut self,
        marked: i64,
        why: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO feed_hold (one, held_at, marked, why, allowed, allowed_until) \
                           VALUES (1, $1, $2, $3, 0, 0) ON CONFLICT (one) DO UPDATE SET \
                           held_at = COALESCE(feed_hold.held_at, excluded.held_at), \
                           marked = excluded.marked, why = excluded.why";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(now.as_microsecond())
            .bind(marked)
            .bind(why)
            .execute(conn)
            .await
            .map(|_| ()))
        .map_err(doing("hold the feeds"))
    }

    /// Lets pass whatever marks no more than `marked` posts as new, for a day.
    pub async fn let_feeds_pass(&mut self, marked: i64, now: Timestamp) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO feed_hold (one, held_at, marked, why, allowed, allowed_until) \
                           VALUES (1, NULL, 0, '', $1, $2) ON CONFLICT (one) DO UPDATE SET \
                           allowed = excluded.allowed, allowed_until = excluded.allowed_until";
        let until = now.saturating_add(WORD_HOLDS).unwrap_or(Timestamp::MAX);
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(marked)
            .bind(until.as_microsecond())
            .execute(conn)
            .await
            .map(|_| ()))
        .map_err(doing("let the feeds through"))
    }

    /// The feeds are served as they should be: nothing is held any more, and a word that was given is used up.
    pub async fn feeds_are_free(&mut self) -> Result<(), StoreError> {
        const SQL: &str = "DELETE FROM feed_hold";
        on_engine!(self, |conn| sqlx::query(SQL).execute(conn).await.map(|_| ()))
            .map_err(doing("note that feeds are held no more"))
    }

    /// What is served, as last noted.
    pub async fn saved_feeds(&mut self) -> Result<Vec<SavedFeed>, StoreError> {
        const SQL: &str =
            "SELECT path, etag, last_modified, size, packed FROM feed_documents ORDER BY path";
        on_engine!(self, |conn| sqlx::query(SQL).fetch_all(conn).await.and_then(|rows| {
            rows.into_iter()
                .map(|row| {
                    Ok(SavedFeed {
                        path: row.try_get("path")?,
                        etag: row.try_get("etag")?,
                        last_modified: instant(row.try_get("last_modified")?),
                        size: usize::try_from(row.try_get::<i64, _>("size")?).unwrap_or(0),
                        packed: row.try_get("packed")?,
                    })
                })
                .collect()
        }))
        .map_err(doing("read what is served"))
    }

    /// Keeps what is served from now on.
    pub async fn save_feeds(&mut self, feeds: &[SavedFeed]) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO feed_documents (path, etag, last_modified, size, packed) \
                           VALUES ($1, $2, $3, $4, $5) ON CONFLICT (path) DO UPDATE SET etag = excluded.etag, \
                           last_modified = excluded.last_modified, size = excluded.size, packed = excluded.packed";
        for feed in feeds {
            on_engine!(self, |conn| sqlx::query(SQL)
                .bind(&feed.path)
                .bind(&feed.etag)
                .bind(feed.last_modified.as_microsecond())
                .bind(i64::try_from(feed.size).unwrap_or(i64::MAX))
                .bind(feed.packed.as_slice())
                .execute(conn)
                .await
                .map(|_| ()))
            .map_err(doing("keep what is served"))?;
        }
        Ok(())
    }
}

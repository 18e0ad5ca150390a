//! Posts as the store knows them: identity, revision, since when, and whether they are news.

use std::collections::HashMap;

use jiff::Timestamp;
use sqlx::Row as _;

use super::engine::{Tx, doing, instant, on_engine};
use super::{Event, StoreError};
use crate::domain::{PostId, Revision};

/// What the store remembers of a post.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownPost {
    pub id: PostId,
    pub source: String,
    pub slug: String,
    pub link: String,
    pub revision: Revision,
    pub first_seen_at: Timestamp,
    /// Since when the revision stands: settling counts from here.
    pub revised_at: Timestamp,
    pub is_news: bool,
    pub is_gone: bool,
}

/// What stands of a post after it was sighted. The first sighting decides, whoever's it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sighted {
    pub first_seen_at: Timestamp,
    pub revised_at: Timestamp,
    pub is_news: bool,
}

/// A post as ingest sees it now.
#[derive(Clone, Debug)]
pub struct PostSighting<'a> {
    pub id: &'a PostId,
    pub source: &'a str,
    pub slug: &'a str,
    pub link: &'a str,
    pub title: &'a str,
    pub revision: &'a Revision,
    pub published_at: Timestamp,
    /// Only kept at the first sighting.
    pub is_news: bool,
}

impl Tx {
    /// All posts ever seen, by id.
    pub async fn known_posts(&mut self) -> Result<HashMap<PostId, KnownPost>, StoreError> {
        const SQL: &str = "SELECT post_id, source, slug, link, revision, first_seen_at, revised_at, \
                           is_news, gone_at FROM posts";
        on_engine!(self, |conn| sqlx::query(SQL).fetch_all(conn).await.and_then(|rows| rows
            .into_iter()
            .map(|row| {
                let id = PostId::pinned(row.try_get::<String, _>("post_id")?);
                let post = KnownPost {
                    id: id.clone(),
                    source: row.try_get("source")?,
                    slug: row.try_get("slug")?,
                    link: row.try_get("link")?,
                    revision: Revision::stored(row.try_get::<String, _>("revision")?),
                    first_seen_at: instant(row.try_get("first_seen_at")?),
                    revised_at: instant(row.try_get("revised_at")?),
                    is_news: row.try_get("is_news")?,
                    is_gone: row.try_get::<Option<i64>, _>("gone_at")?.is_some(),
                };
                Ok((id, post))
            })
            .collect()))
        .map_err(doing("read the known posts"))
    }

    /// Remembers a post as it is now. A new revision starts to settle at `now`; the first sighting and the news flag stay,
    /// which may be those of another node.
    pub async fn sight_post(
        &mut self,
        post: &PostSighting<'_>,
        now: Timestamp,
    ) -> Result<Sighted, StoreError> {
        const SQL: &str = "INSERT INTO posts (post_id, source, slug, link, title, revision, published_at, \
                           first_seen_at, revised_at, is_news) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9) \
                           ON CONFLICT (post_id) DO UPDATE SET source = excluded.source, slug = excluded.slug, \
                           link = excluded.link, title = excluded.title, published_at = excluded.published_at, \
                           revised_at = CASE WHEN posts.revision = excluded.revision THEN posts.revised_at \
                           ELSE excluded.revised_at END, revision = excluded.revision, gone_at = NULL \
                           RETURNING first_seen_at, revised_at, is_news";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(post.id.as_str())
            .bind(post.source)
            .bind(post.slug)
            .bind(post.link)
            .bind(post.title)
            .bind(post.revision.as_str())
            .bind(post.published_at.as_microsecond())
            .bind(now.as_microsecond())
            .bind(post.is_news)
            .fetch_one(conn)
            .await
            .and_then(|row| Ok(Sighted {
                first_seen_at: instant(row.try_get("first_seen_at")?),
                revised_at: instant(row.try_get("revised_at")?),
                is_news: row.try_get("is_news")?,
            })))
        .map_err(doing("remember a post"))
    }

    /// The post's file is gone, or it is a draft again.
    pub async fn post_is_gone(&mut self, id: &PostId, now: Timestamp) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE posts SET gone_at = $2 WHERE post_id = $1 AND gone_at IS NULL";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(id.as_str())
            .bind(now.as_microsecond())
            .execute(conn)
            .await
            .map(|_| ()))
        .map_err(doing("note that a post is gone"))?;
        self.record_event(Event::new("post.gone", now).post(id)).await
    }

    /// When `folder` was scanned for the first time; none if never.
    pub async fn first_scan_of(&mut self, folder: &str) -> Result<Option<Timestamp>, StoreError> {
        const SQL: &str = "SELECT first_scanned_at FROM folders WHERE name = $1";
        on_engine!(self, |conn| sqlx::query(SQL).bind(folder).fetch_optional(conn).await.and_then(
            |row| row.map(|row| row.try_get("first_scanned_at").map(instant)).transpose()
        ))
        .map_err(doing("read when a folder was first scanned"))
    }

    /// Notes the first scan of `folder`. The first note stays.
    pub async fn note_first_scan(
        &mut self,
        folder: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO folders (name, first_scanned_at) VALUES ($1, $2) \
                           ON CONFLICT (name) DO NOTHING";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(folder)
            .bind(now.as_microsecond())
            .execute(conn)
            .await
            .map(|_| ()))
        .map_err(doing("note the first scan of a folder"))
    }

    /// A file that the first scan could not read as a post.
    pub async fn note_baseline_source(&mut self, source: &str) -> Result<(), StoreError> {
        const SQL: &str =
            "INSERT INTO baseline_sources (source) VALUES ($1) ON CONFLICT (source) DO NOTHING";
        on_engine!(self, |conn| sqlx::query(SQL).bind(source).execute(conn).await.map(|_| ()))
            .map_err(doing("note a file of the baseline"))
    }

    /// Whether the first scan found `source` and could not read it.
    pub async fn is_baseline_source(&mut self, source: &str) -> Result<bool, StoreError> {
        const SQL: &str = "SELECT source FROM baseline_sources WHERE source = $1";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(source)
            .fetch_optional(conn)
            .await
            .map(|row| row.is_some()))
        .map_err(doing("look up a file of the baseline"))
    }

    /// Keeps the last good state of a post whose file is broken now.
    pub async fn keep_last_good(&mut self, source: &str, content: &str) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO last_good (source, content) VALUES ($1, $2) \
                           ON CONFLICT (source) DO UPDATE SET content = excluded.content";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(source)
            .bind(content)
            .execute(conn)
            .await
            .map(|_| ()))
        .map_err(doing("keep the last good state of a post"))
    }

    /// The last good state of the post in `source`, if it was kept.
    pub async fn last_good(&mut self, source: &str) -> Result<Option<String>, StoreError> {
        const SQL: &str = "SELECT content FROM last_good WHERE source = $1";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(source)
            .fetch_optional(conn)
            .await
            .and_then(|row| row.map(|row| row.try_get("content")).transpose()))
        .map_err(doing("read the last good state of a post"))
    }
}

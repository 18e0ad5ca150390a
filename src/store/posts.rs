//! Posts as the store knows them: identity, revision, since when, and whether they are news.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use serde::Deserialize;
use sqlx::Row as _;

use super::engine::{Tx, doing, instant, on_engine, optional_instant};
use super::{Event, StoreError};
use crate::domain::{Hold, Likeness, PostId, Revision};

/// What the store remembers of a post.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownPost {
    pub id: PostId,
    pub source: String,
    pub slug: String,
    pub link: String,
    pub revision: Revision,
    pub published_at: Timestamp,
    pub first_seen_at: Timestamp,
    /// Since when the revision stands: settling counts from here.
    pub revised_at: Timestamp,
    /// When its author last changed what readers see.
    pub edited_at: Option<Timestamp>,
    pub is_news: bool,
    pub hold: Option<Hold>,
    /// None of those that were last seen before this was kept.
    pub likeness: Option<Likeness>,
    /// Since when no file is it.
    pub gone_at: Option<Timestamp>,
}

impl KnownPost {
    pub fn is_gone(&self) -> bool {
        self.gone_at.is_some()
    }
}

/// What stands of a post after it was sighted. The first sighting decides, whoever's it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sighted {
    pub first_seen_at: Timestamp,
    pub revised_at: Timestamp,
    pub edited_at: Option<Timestamp>,
    pub is_news: bool,
    pub hold: Option<Hold>,
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
    /// The hash of its file.
    pub written: &'a Revision,
    pub published_at: Timestamp,
    pub likeness: Likeness,
    /// Only kept at the first sighting.
    pub is_news: bool,
    /// Kept until a person decides.
    pub hold: Option<&'static str>,
    /// What the person should know.
    pub hold_detail: &'a str,
    /// Nobody knew of it when we last asked.
    pub is_new: bool,
}

impl PostSighting<'_> {
    /// What stands of it if nobody has sighted it before.
    fn first_sighted(&self, now: Timestamp) -> Result<Sighted, StoreError> {
        let at = instant(now.as_microsecond());
        let hold = self.hold.map(str::parse).transpose()?;
        Ok(Sighted {
            first_seen_at: at,
            revised_at: at,
            edited_at: None,
            is_news: self.is_news,
            hold,
        })
    }
}

/// Rows of one statement.
const SHARE: usize = 500;
/// Rows of one value.
const PAGE: i64 = 5_000;

/// A row of `posts`, in the order of the columns in `known_posts`.
#[derive(Deserialize)]
struct KnownRow(
    String,
    String,
    String,
    String,
    String,
    i64,
    i64,
    i64,
    Option<i64>,
    u8,
    Option<String>,
    String,
    Option<i64>,
);

impl TryFrom<KnownRow> for KnownPost {
    type Error = StoreError;

    fn try_from(row: KnownRow) -> Result<Self, StoreError> {
        let KnownRow(
            id,
            source,
            slug,
            link,
            revision,
            published,
            seen,
            revised,
            edited,
            news,
            hold,
            like,
            gone,
        ) = row;
        Ok(Self {
            id: PostId::pinned(id),
            source,
            slug,
            link,
            revision: Revision::stored(revision),
            published_at: instant(published),
            first_seen_at: instant(seen),
            revised_at: instant(revised),
            edited_at: optional_instant(edited),
            is_news: news != 0,
            hold: hold.as_deref().map(str::parse).transpose()?,
            likeness: like.parse().ok(),
            gone_at: optional_instant(gone),
        })
    }
}

/// Columns that `sight_posts` writes.
const WRITTEN: usize = 14;

/// What becomes of a post that was sighted before.
const SIGHTED_AGAIN: &str = "ON CONFLICT (post_id) DO UPDATE SET source = excluded.source, slug = excluded.slug, \
    link = excluded.link, title = excluded.title, published_at = excluded.published_at, \
    likeness = excluded.likeness, hold = COALESCE(posts.hold, excluded.hold), \
    hold_detail = CASE WHEN posts.hold IS NULL THEN excluded.hold_detail ELSE posts.hold_detail END, \
    edited_at = CASE WHEN posts.written IN ('', excluded.written) \
    OR posts.revision = excluded.revision THEN posts.edited_at ELSE excluded.revised_at END, \
    written = excluded.written, \
    revised_at = CASE WHEN posts.revision = excluded.revision THEN posts.revised_at \
    ELSE excluded.revised_at END, revision = excluded.revision, gone_at = NULL \
    RETURNING post_id, first_seen_at, revised_at, edited_at, is_news, hold";

/// A query with the values of rows of posts in it, for either engine.
macro_rules! bound {
    ($sql:expr, $posts:expr, $now:expr) => {{
        let at = $now.as_microsecond();
        $posts.iter().fold(sqlx::query(sqlx::AssertSqlSafe($sql)), |query, post| {
            query
                .bind(post.id.as_str())
                .bind(post.source)
                .bind(post.slug)
                .bind(post.link)
                .bind(post.title)
                .bind(post.revision.as_str())
                .bind(post.published_at.as_microsecond())
                .bind(at)
                .bind(at)
                .bind(post.is_news)
                .bind(post.likeness.to_string())
                .bind(post.written.as_str())
                .bind(post.hold)
                .bind(post.hold_detail)
        })
    }};
}

impl Tx {
    /// All posts ever seen.
    pub async fn known_posts(&mut self) -> Result<Vec<KnownPost>, StoreError> {
        // A page of rows is one value: each row by itself would be handed from thread to thread.
        const SQLITE: &str = "SELECT json_group_array(json_array(post_id, source, slug, link, revision, published_at, \
                              first_seen_at, revised_at, edited_at, is_news, hold, likeness, gone_at)) AS page \
                              FROM (SELECT * FROM posts WHERE post_id > $1 ORDER BY post_id LIMIT $2)";
        const POSTGRES: &str = "SELECT COALESCE(json_agg(json_build_array(post_id, source, slug, link, revision, \
                                published_at, first_seen_at, revised_at, edited_at, CAST(is_news AS INTEGER), hold, likeness, \
                                gone_at)), '[]')::text AS page \
                                FROM (SELECT * FROM posts WHERE post_id > $1 ORDER BY post_id LIMIT $2) AS p";
        let sql = if self.is_postgres() { POSTGRES } else { SQLITE };
        let mut known: Vec<KnownPost> = Vec::new();
        loop {
            let after = known.last().map_or_else(String::new, |post| post.id.to_string());
            let page: String = on_engine!(self, |conn| sqlx::query(sql)
                .bind(after)
                .bind(PAGE)
                .fetch_one(conn)
                .await
                .and_then(|row| row.try_get("page")))
            .map_err(doing("read the known posts"))?;
            let rows: Vec<KnownRow> =
                serde_json::from_str(&page).map_err(|_| StoreError::Corrupt("a post"))?;
            let is_last = i64::try_from(rows.len()).unwrap_or(i64::MAX) < PAGE;
            for row in rows {
                known.push(row.try_into()?);
            }
            if is_last {
                return Ok(known);
            }
        }
    }

    /// Remembers posts as they are now, each once; says what stands of each, in their order. A new revision starts to
    /// settle at `now`; the first sighting, the news flag and a hold stay, which may be those of another node.
    pub async fn sight_posts(
        &mut self,
        posts: &[PostSighting<'_>],
        now: Timestamp,
    ) -> Result<Vec<Sighted>, StoreError> {
        // In the order of the table: a hundred thousand rows here and there would be read and written page by page.
        let mut in_order: Vec<&PostSighting<'_>> = posts.iter().collect();
        in_order.sort_unstable_by_key(|post| post.id);
        let mut others = HashMap::new();
        for share in in_order.chunks(SHARE) {
            // Each row that comes back goes from thread to thread: what is new, as most of a first start is, need not.
            if !share.iter().all(|post| post.is_new) || !self.insert_all(share, now).await? {
                others.extend(self.sight_share(share, now).await?);
            }
        }
        let of = |post: &PostSighting<'_>| match others.get(post.id.as_str()) {
            Some((sighted, hold)) => {
                let hold: &Option<String> = hold;
                let hold = hold.as_deref().map(str::parse).transpose()?;
                Ok(Sighted { hold, ..*sighted })
            }
            None => post.first_sighted(now),
        };
        posts.iter().map(of).collect()
    }

    /// Inserts those that are new. False: some of them are not.
    async fn insert_all(
        &mut self,
        posts: &[&PostSighting<'_>],
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let sql = self.insert_sql(posts.len(), "ON CONFLICT DO NOTHING");
        let inserted = on_engine!(self, |conn| bound!(sql, posts, now)
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))
        .map_err(doing("remember posts"))?;
        Ok(inserted == posts.len() as u64)
    }

    /// What stands of each, by id, its hold as it is written.
    async fn sight_share(
        &mut self,
        posts: &[&PostSighting<'_>],
        now: Timestamp,
    ) -> Result<HashMap<String, (Sighted, Option<String>)>, StoreError> {
        let sql = self.insert_sql(posts.len(), SIGHTED_AGAIN);
        on_engine!(self, |conn| bound!(sql, posts, now).fetch_all(conn).await.and_then(|rows| {
            rows.into_iter()
                .map(|row| {
                    let sighted = Sighted {
                        first_seen_at: instant(row.try_get("first_seen_at")?),
                        revised_at: instant(row.try_get("revised_at")?),
                        edited_at: optional_instant(row.try_get("edited_at")?),
                        is_news: row.try_get("is_news")?,
                        hold: None,
                    };
                    let hold: Option<String> = row.try_get("hold")?;
                    Ok((row.try_get::<String, _>("post_id")?, (sighted, hold)))
                })
                .collect::<Result<HashMap<_, _>, sqlx::Error>>()
        }))
        .map_err(doing("remember posts"))
    }

    fn insert_sql(&self, rows: usize, conflict: &str) -> String {
        // Values of their own rather than JSON: taking a row of it apart costs more than writing the row.
        let rows = self.rows_of_values(rows, WRITTEN);
        format!(
            "INSERT INTO posts (post_id, source, slug, link, title, revision, published_at, first_seen_at, \
             revised_at, is_news, likeness, written, hold, hold_detail) VALUES {rows} {conflict}"
        )
    }

    /// Notes that a post has left a link, which leads to it from then on, and that `taken` are links of posts again.
    pub async fn leave_links(
        &mut self,
        left: &[(&str, &PostId)],
        taken: &[&str],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        const ANY: &str = "SELECT EXISTS (SELECT 1 FROM former_links) AS found";
        const LEAVE: &str = "INSERT INTO former_links (link, post_id, left_at) VALUES ($1, $2, $3) \
                             ON CONFLICT (link) DO UPDATE SET post_id = excluded.post_id, left_at = excluded.left_at";
        for (link, id) in left {
            on_engine!(self, |conn| sqlx::query(LEAVE)
                .bind(link)
                .bind(id.as_str())
                .bind(now.as_microsecond())
                .execute(conn)
                .await
                .map(|_| ()))
            .map_err(doing("note where a post was"))?;
        }
        // A first start takes many links, and none of them was left.
        let were_left: bool = on_engine!(self, |conn| sqlx::query(ANY)
            .fetch_one(conn)
            .await
            .and_then(|row| row.try_get("found")))
        .map_err(doing("read where posts were"))?;
        if !were_left {
            return Ok(());
        }
        let sql = format!("DELETE FROM former_links WHERE link IN ({})", self.each_text());
        for share in taken.chunks(SHARE) {
            let json = serde_json::to_string(share).map_err(|_| StoreError::Corrupt("a link"))?;
            on_engine!(self, |conn| sqlx::query(sqlx::AssertSqlSafe(&*sql))
                .bind(json)
                .execute(conn)
                .await
                .map(|_| ()))
            .map_err(doing("note where posts are"))?;
        }
        Ok(())
    }

    /// Where posts were before, and where each is now: those that are not gone.
    pub async fn former_links(&mut self) -> Result<Vec<(String, String)>, StoreError> {
        const SQL: &str = "SELECT f.link AS former, p.link AS link FROM former_links f \
                           JOIN posts p ON p.post_id = f.post_id WHERE p.gone_at IS NULL ORDER BY f.link";
        on_engine!(self, |conn| sqlx::query(SQL).fetch_all(conn).await.and_then(|rows| rows
            .into_iter()
            .map(|row| Ok((row.try_get("former")?, row.try_get("link")?)))
            .collect()))
        .map_err(doing("read where posts were"))
    }

    /// The post's file is gone, or it is a draft again. Says since when: another node may have seen it first.
    pub async fn post_is_gone(
        &mut self,
        id: &PostId,
        now: Timestamp,
    ) -> Result<Timestamp, StoreError> {
        const SQL: &str =
            "UPDATE posts SET gone_at = COALESCE(gone_at, $2) WHERE post_id = $1 RETURNING gone_at";
        let gone_at: Option<i64> = on_engine!(self, |conn| sqlx::query_scalar(SQL)
            .bind(id.as_str())
            .bind(now.as_microsecond())
            .fetch_optional(conn)
            .await)
        .map_err(doing("note that a post is gone"))?;
        self.record_event(Event::new("post.gone", now).post(id)).await?;
        Ok(gone_at.map_or(now, instant))
    }

    /// Where posts were that are gone, the latest first.
    pub async fn gone_links(&mut self) -> Result<Vec<String>, StoreError> {
        const SQL: &str =
            "SELECT link FROM posts WHERE gone_at IS NOT NULL ORDER BY gone_at DESC LIMIT 100000";
        on_engine!(self, |conn| sqlx::query(SQL)
            .fetch_all(conn)
            .await
            .and_then(|rows| rows.into_iter().map(|row| row.try_get("link")).collect()))
        .map_err(doing("read which posts are gone"))
    }

    /// When each folder was scanned for the first time.
    pub async fn first_scans(&mut self) -> Result<HashMap<String, Timestamp>, StoreError> {
        const SQL: &str = "SELECT name, first_scanned_at FROM folders";
        on_engine!(self, |conn| sqlx::query(SQL).fetch_all(conn).await.and_then(|rows| rows
            .into_iter()
            .map(|row| Ok((row.try_get("name")?, instant(row.try_get("first_scanned_at")?))))
            .collect()))
        .map_err(doing("read when folders were first scanned"))
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

    /// The files that the first scan found and could not read as posts.
    pub async fn baseline_sources(&mut self) -> Result<HashSet<String>, StoreError> {
        const SQL: &str = "SELECT source FROM baseline_sources";
        on_engine!(self, |conn| sqlx::query(SQL)
            .fetch_all(conn)
            .await
            .and_then(|rows| rows.into_iter().map(|row| row.try_get("source")).collect()))
        .map_err(doing("read the files of the baseline"))
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

//! Taking back editions that have not gone out, because one of their posts is gone.

use jiff::Timestamp;
use sqlx::Row as _;

use super::StoreError;
use super::engine::{Tx, doing, instant, on_engine};
use crate::domain::{Cadence, EditionId, PostId, Revision};

/// A post of an edition that is not through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostUnderWay {
    pub edition: EditionId,
    pub post: PostId,
    /// How many posts the edition has.
    pub posts: i64,
}

/// What became of an edition one of whose posts is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Withdrawn {
    /// Nobody had it: it is cancelled, and its recipients are owed its posts.
    Whole,
    /// Some have it: nobody else gets it.
    Rest,
    /// Some have it, and it has other posts: it is paused until a person decides.
    Paused,
    /// It was over.
    Nothing,
}

/// What is left of a post that is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GonePost {
    pub id: PostId,
    pub source: String,
    pub slug: String,
    pub link: String,
    pub title: String,
    pub revision: Revision,
    pub published_at: Timestamp,
    pub gone_at: Timestamp,
}

/// Of a row with its columns; on either engine.
macro_rules! gone {
    ($row:expr) => {
        Ok(GonePost {
            id: PostId::pinned($row.try_get::<String, _>("post_id")?),
            source: $row.try_get("source")?,
            slug: $row.try_get("slug")?,
            link: $row.try_get("link")?,
            title: $row.try_get("title")?,
            revision: Revision::stored($row.try_get::<String, _>("revision")?),
            published_at: instant($row.try_get("published_at")?),
            gone_at: instant($row.try_get("gone_at")?),
        })
    };
}
pub(super) use gone;

impl Tx {
    /// The posts of editions under way. Those whose end the author was told of are left out.
    pub async fn posts_under_way(&mut self) -> Result<Vec<PostUnderWay>, StoreError> {
        const SQL: &str = "SELECT id, post_id, posts FROM (SELECT e.id, p.post_id, p.position, p.gone_at, \
                           count(*) OVER (PARTITION BY e.id) AS posts \
                           FROM editions e JOIN edition_posts p ON p.edition_id = e.id \
                           WHERE e.state IN ('sealed', 'paused')) AS under_way WHERE gone_at IS NULL ORDER BY id, position";
        on_engine!(self, |conn| sqlx::query(SQL).fetch_all(conn).await.and_then(|rows| rows
            .into_iter()
            .map(|row| Ok(PostUnderWay {
                edition: EditionId(row.try_get("id")?),
                post: PostId::pinned(row.try_get::<String, _>("post_id")?),
                posts: row.try_get("posts")?,
            }))
            .collect()))
        .map_err(doing("read the posts of editions under way"))
    }

    /// What is left of `post`, if it is gone.
    pub async fn gone_post(&mut self, post: &PostId) -> Result<Option<GonePost>, StoreError> {
        const SQL: &str = "SELECT post_id, source, slug, link, title, revision, published_at, gone_at FROM posts \
                           WHERE post_id = $1 AND gone_at IS NOT NULL";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(post.as_str())
            .fetch_optional(conn)
            .await
            .and_then(|row| row.map(|row| gone!(row)).transpose()))
        .map_err(doing("read what is left of a post"))
    }

    /// How many posts are gone since `since`.
    pub async fn gone_since(&mut self, since: Timestamp) -> Result<i64, StoreError> {
        const SQL: &str = "SELECT count(*) AS count FROM posts WHERE gone_at >= $1";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(since.as_microsecond())
            .fetch_one(conn)
            .await
            .and_then(|row| row.try_get("count")))
        .map_err(doing("count the posts that are gone"))
    }

    /// A post of the edition is gone: nobody gets it any more who has not got it. Where the edition has other posts, they are
    /// given back if nobody has it yet; else it is paused.
    pub async fn withdraw_from_edition(
        &mut self,
        of: &PostUnderWay,
        name: &str,
        now: Timestamp,
    ) -> Result<Withdrawn, StoreError> {
        const TRIED: &str = "SELECT count(*) AS tried FROM deliveries d JOIN editions e ON e.id = $1 \
                             AND d.id BETWEEN e.first_delivery AND e.last_delivery \
                             WHERE d.state IN ('sending', 'accepted', 'uncertain')";
        const TOLD: &str =
            "UPDATE edition_posts SET gone_at = $3 WHERE edition_id = $1 AND post_id = $2";
        let id = of.edition;
        // The row first: what is handed over from now on waits for us.
        self.take_edition(id).await?;
        let tried: i64 = on_engine!(self, |conn| sqlx::query(TRIED)
            .bind(id.0)
            .fetch_one(conn)
            .await
            .and_then(|row| row.try_get("tried")))
        .map_err(doing("ask who has an edition"))?;
        let failed = || doing("take back an edition");
        if tried == 0 && !self.is_correction(id).await? {
            let why = format!("`{name}` was taken down before anybody had it");
            if self.cancel_edition(id, &why, now).await?.is_none() {
                return Ok(Withdrawn::Nothing);
            }
            self.give_back(id).await?;
            return Ok(Withdrawn::Whole);
        }
        if of.posts == 1 {
            let why = format!("`{name}` was taken down");
            let cancelled = self.cancel_edition(id, &why, now).await?;
            return Ok(cancelled.map_or(Withdrawn::Nothing, |_| Withdrawn::Rest));
        }
        on_engine!(self, |conn| sqlx::query(TOLD)
            .bind(id.0)
            .bind(of.post.as_str())
            .bind(now.as_microsecond())
            .execute(conn)
            .await
            .map(|_| ()))
        .map_err(failed())?;
        let why = format!(
            "`{name}` was taken down, and {tried} have it: correct it and resume for the others, resume as it is, or cancel"
        );
        self.pause_edition(id, &why, now).await?;
        Ok(Withdrawn::Paused)
    }

    /// Which cadence of which newsletter an edition is for.
    pub async fn cadence_of_edition(
        &mut self,
        id: EditionId,
    ) -> Result<Option<(String, Cadence)>, StoreError> {
        const SQL: &str = "SELECT newsletter, cadence FROM editions WHERE id = $1";
        let found: Option<(String, String)> =
            on_engine!(self, |conn| sqlx::query_as(SQL).bind(id.0).fetch_optional(conn).await)
                .map_err(doing("read an edition"))?;
        found.map(|(newsletter, cadence)| Ok((newsletter, cadence.parse()?))).transpose()
    }

    /// In which language an edition's own words are. None: its newsletter's.
    pub async fn language_of_edition(
        &mut self,
        id: EditionId,
    ) -> Result<Option<String>, StoreError> {
        const SQL: &str = "SELECT language FROM editions WHERE id = $1 AND language <> ''";
        on_engine!(self, |conn| sqlx::query_scalar(SQL).bind(id.0).fetch_optional(conn).await)
            .map_err(doing("read the language of an edition"))
    }
}

//! Corrections: who had an earlier revision of a post by mail, and that they are told once.

use jiff::Timestamp;
use sqlx::Row as _;

use super::StoreError;
use super::engine::{Tx, doing, on_engine};
use crate::domain::{EditionId, PostId, Revision};

/// The subscriptions of `$newsletter` that had an earlier revision of `$post` than `$revision`: a delivery of it was accepted.
/// An edition that was corrected under way has the later text for some; `version` tells who got which.
macro_rules! had_sql {
    ($newsletter:literal, $post:literal, $revision:literal) => {
        concat!(
            "SELECT d.subscription_id FROM edition_posts ep JOIN editions e ON e.id = ep.edition_id \
             JOIN deliveries d ON d.id BETWEEN e.first_delivery AND e.last_delivery WHERE ep.post_id = ",
            $post,
            " AND e.newsletter = ",
            $newsletter,
            " AND d.state = 'accepted' AND (ep.revision <> ",
            $revision,
            " OR d.version < e.version)"
        )
    };
}
pub(super) use had_sql;

impl Tx {
    /// How many are to be told of `revision` of `post`: subscribers of `newsletter` in any cadence who had an earlier one.
    pub async fn correction_audience(
        &mut self,
        newsletter: &str,
        post: &PostId,
        revision: &Revision,
    ) -> Result<i64, StoreError> {
        const SQL: &str = concat!(
            "SELECT count(*) AS count FROM subscriptions s JOIN subscribers p ON p.id = s.subscriber_id \
             WHERE s.newsletter = $1 AND s.state = 'active' AND p.suppressed_at IS NULL AND s.id IN (",
            had_sql!("$1", "$2", "$3"),
            ")"
        );
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(newsletter)
            .bind(post.as_str())
            .bind(revision.as_str())
            .fetch_one(conn)
            .await
            .and_then(|row| row.try_get("count")))
        .map_err(doing("count who had a post"))
    }

    /// Whether an edition of `newsletter` that is under way carries an earlier revision of `post`: who has had it is not known
    /// before it is over.
    pub async fn is_still_going_out(
        &mut self,
        newsletter: &str,
        post: &PostId,
        revision: &Revision,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "SELECT EXISTS (SELECT 1 FROM editions e JOIN edition_posts p ON p.edition_id = e.id \
                           WHERE e.state IN ('sealed', 'paused') AND e.newsletter = $1 AND p.post_id = $2 \
                           AND p.revision <> $3) AS is_so";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(newsletter)
            .bind(post.as_str())
            .bind(revision.as_str())
            .fetch_one(conn)
            .await
            .and_then(|row| row.try_get("is_so")))
        .map_err(doing("ask whether a post is still going out"))
    }

    /// Whether a correction with `revision` of `post` was sealed for `newsletter`.
    pub async fn is_corrected(
        &mut self,
        newsletter: &str,
        post: &PostId,
        revision: &Revision,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "SELECT EXISTS (SELECT 1 FROM corrections WHERE newsletter = $1 AND post_id = $2 \
                           AND revision = $3) AS is_so";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(newsletter)
            .bind(post.as_str())
            .bind(revision.as_str())
            .fetch_one(conn)
            .await
            .and_then(|row| row.try_get("is_so")))
        .map_err(doing("ask whether a post was corrected"))
    }

    /// Whether `edition` is a correction.
    pub async fn is_correction(&mut self, edition: EditionId) -> Result<bool, StoreError> {
        const SQL: &str =
            "SELECT EXISTS (SELECT 1 FROM corrections WHERE edition_id = $1) AS is_so";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(edition.0)
            .fetch_one(conn)
            .await
            .and_then(|row| row.try_get("is_so")))
        .map_err(doing("ask what an edition is"))
    }

    /// Notes which edition tells of `revision`. False: another one does, so this one must not be.
    pub(super) async fn note_correction(
        &mut self,
        edition: EditionId,
        newsletter: &str,
        (post, revision): (&PostId, &Revision),
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "INSERT INTO corrections (newsletter, post_id, revision, edition_id, corrected_at) \
                           VALUES ($1, $2, $3, $4, $5) ON CONFLICT (newsletter, post_id, revision) DO NOTHING";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(newsletter)
            .bind(post.as_str())
            .bind(revision.as_str())
            .bind(edition.0)
            .bind(now.as_microsecond())
            .execute(conn)
            .await
            .map(|done| done.rows_affected() == 1))
        .map_err(doing("note a correction"))
    }
}

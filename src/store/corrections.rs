//! Corrections: who had an earlier revision of a post by mail, and that they are told once.

use jiff::Timestamp;
use sqlx::Row as _;

use super::StoreError;
use super::engine::{Tx, doing, on_engine};
use crate::domain::{EditionId, PostId, Revision};

/// What its author made of a post that `newsletter` may have mailed before. Another version of Postrider, a configuration or a
/// default of its folder may show it otherwise as well: that is another revision, and no edit.
#[derive(Clone, Copy, Debug)]
pub struct Edit<'a> {
    pub newsletter: &'a str,
    pub post: &'a PostId,
    pub revision: &'a Revision,
    pub edited_at: Timestamp,
}

/// The subscriptions of `$newsletter` that had an earlier text of `$post` than `$revision`, edited at `$edited_at`: a delivery of
/// it was accepted. An edition that was corrected under way has the later text for some; `version` tells who got which.
macro_rules! had_sql {
    ($newsletter:literal, $post:literal, $revision:literal, $edited_at:literal) => {
        concat!(
            "SELECT d.subscription_id FROM edition_posts ep JOIN editions e ON e.id = ep.edition_id \
             JOIN deliveries d ON d.id BETWEEN e.first_delivery AND e.last_delivery WHERE ep.post_id = ",
            $post,
            " AND e.newsletter = ",
            $newsletter,
            " AND e.sealed_at < ",
            $edited_at,
            " AND d.state = 'accepted' AND (ep.revision <> ",
            $revision,
            " OR d.version < e.version)"
        )
    };
}
pub(super) use had_sql;

/// A correction of this edit was sealed. Whoever goes back to a text that was corrected before has edited it once more.
macro_rules! corrected_sql {
    () => {
        "EXISTS (SELECT 1 FROM corrections WHERE newsletter = $1 AND post_id = $2 AND corrected_at >= $4)"
    };
}

impl Tx {
    /// How many are to be told of an edit: subscribers of the newsletter in any cadence who had the post before.
    pub async fn correction_audience(&mut self, edit: Edit<'_>) -> Result<i64, StoreError> {
        const SQL: &str = concat!(
            "SELECT count(*) AS answer FROM subscriptions s JOIN subscribers p ON p.id = s.subscriber_id \
             WHERE s.newsletter = $1 AND s.state = 'active' AND p.suppressed_at IS NULL AND s.id IN (",
            had_sql!("$1", "$2", "$3", "$4"),
            ")"
        );
        self.ask_of(edit, SQL, "count who had a post").await
    }

    /// Whether an edition of the newsletter that is under way carries the post as it was before: who has had it is not known
    /// before it is over.
    pub async fn is_still_going_out(&mut self, edit: Edit<'_>) -> Result<bool, StoreError> {
        const SQL: &str = "SELECT count(*) AS answer FROM editions e JOIN edition_posts p ON p.edition_id = e.id \
                           WHERE e.state IN ('sealed', 'paused') AND e.newsletter = $1 AND p.post_id = $2 \
                           AND p.revision <> $3 AND e.sealed_at < $4";
        Ok(self.ask_of(edit, SQL, "ask whether a post is still going out").await? > 0)
    }

    /// Whether a correction of the edit was sealed.
    pub async fn is_corrected(&mut self, edit: Edit<'_>) -> Result<bool, StoreError> {
        const SQL: &str = concat!(
            "SELECT CAST(CASE WHEN ",
            corrected_sql!(),
            " THEN 1 ELSE 0 END AS BIGINT) AS answer"
        );
        Ok(self.ask_of(edit, SQL, "ask whether a post was corrected").await? > 0)
    }

    /// What `sql` counts of newsletter, post, revision and the time of the edit.
    async fn ask_of(
        &mut self,
        edit: Edit<'_>,
        sql: &'static str,
        what: &'static str,
    ) -> Result<i64, StoreError> {
        on_engine!(self, |conn| sqlx::query(sql)
            .bind(edit.newsletter)
            .bind(edit.post.as_str())
            .bind(edit.revision.as_str())
            .bind(edit.edited_at.as_microsecond())
            .fetch_one(conn)
            .await
            .and_then(|row| row.try_get("answer")))
        .map_err(doing(what))
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

    /// Notes which edition tells of an edit; none, where it counts as told. False: another one does, so this one must not be.
    pub async fn note_correction(
        &mut self,
        edition: Option<EditionId>,
        edit: Edit<'_>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        const SQL: &str = concat!(
            "INSERT INTO corrections (newsletter, post_id, revision, edition_id, corrected_at) \
             SELECT $1, $2, $3, $5, $6 WHERE NOT ",
            corrected_sql!(),
            " ON CONFLICT (newsletter, post_id, revision) DO UPDATE \
              SET edition_id = excluded.edition_id, corrected_at = excluded.corrected_at"
        );
        // Another node's clock may be ahead.
        let at = now.max(edit.edited_at);
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(edit.newsletter)
            .bind(edit.post.as_str())
            .bind(edit.revision.as_str())
            .bind(edit.edited_at.as_microsecond())
            .bind(edition.map(|edition| edition.0))
            .bind(at.as_microsecond())
            .execute(conn)
            .await
            .map(|done| done.rows_affected() == 1))
        .map_err(doing("note a correction"))
    }
}

//! Control of an edition under way: pause, resume, cancel, correct, release the next stage.
//!
//! Each takes the edition's row first and then its batches, as the committer does, and writes an event that says why. Batches that
//! must not be claimed are shut, so that a claim never has to look at their edition.

use jiff::Timestamp;

use super::engine::{Tx, doing, instant, on_engine};
use super::settle::front_sql;
use super::{Event, StoreError};
use crate::domain::{EditionId, EditionState, PostId, Revision};

/// The content of an edition, as its recipients get it now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EditionContent {
    pub newsletter: String,
    pub sealed_at: Timestamp,
    /// What `mail` composed.
    pub content: String,
    /// To be named with each intent.
    pub version: i64,
    pub state: EditionState,
}

/// What those who have not got an edition yet shall get instead.
#[derive(Clone, Copy, Debug)]
pub struct Correction<'a> {
    pub subject: &'a str,
    pub content: &'a str,
    pub posts: &'a [(&'a PostId, &'a Revision)],
}

/// An edition whose row is ours until the transaction ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taken {
    pub(super) state: EditionState,
    version: i64,
    stage: i64,
    last_stage: i64,
    deliveries: (i64, i64),
}

impl Taken {
    fn is_under_way(self) -> bool {
        matches!(self.state, EditionState::Sealed | EditionState::Paused)
    }
}

impl Tx {
    /// Nothing of the edition is handed over any more once this is committed. False: it is not under way.
    pub async fn pause_edition(
        &mut self,
        id: EditionId,
        why: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        const SHUT: &str = "UPDATE batches SET is_shut = TRUE WHERE edition_id = $1 AND is_open";
        if self.take_edition(id).await?.is_none_or(|taken| taken.state != EditionState::Sealed) {
            return Ok(false);
        }
        self.set_state(id, EditionState::Paused, why).await?;
        on_engine!(self, |conn| sqlx::query(SHUT).bind(id.0).execute(conn).await.map(|_| ()))
            .map_err(doing("shut the batches of an edition"))?;
        self.record_event(Event::new("edition.paused", now).edition(id).detail(why)).await?;
        Ok(true)
    }

    /// Goes on with a paused edition. False: it is not paused.
    pub async fn resume_edition(
        &mut self,
        id: EditionId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let Some(taken) = self.take_edition(id).await? else { return Ok(false) };
        if taken.state != EditionState::Paused {
            return Ok(false);
        }
        self.set_state(id, EditionState::Sealed, "").await?;
        self.unshut(id, (0, taken.stage)).await?;
        self.record_event(Event::new("edition.resumed", now).edition(id)).await?;
        Ok(true)
    }

    /// Nobody gets the edition any more who has not got it. What is being handed over right now is settled by its answer.
    /// Returns how many deliveries were cancelled; none: the edition was over.
    pub async fn cancel_edition(
        &mut self,
        id: EditionId,
        why: &str,
        now: Timestamp,
    ) -> Result<Option<i64>, StoreError> {
        const END: &str = "UPDATE editions SET finished_at = $2 WHERE id = $1";
        // The batches before the deliveries, as whoever claims does.
        const TAKE: &str = "UPDATE batches SET is_shut = TRUE WHERE edition_id = $1 AND is_open";
        const CANCEL: &str = "UPDATE deliveries SET state = 'cancelled', is_held = FALSE, not_before = NULL, \
                              changed_at = $3 WHERE id BETWEEN $1 AND $2 \
                              AND state IN ('planned', 'deferred', 'uncertain')";
        // A batch with a delivery in flight stays, so that whoever comes after a crash finds the doubt and settles it.
        const CLOSE: &str = "UPDATE batches SET is_shut = FALSE, is_open = EXISTS (SELECT 1 FROM deliveries d \
                             WHERE d.id BETWEEN batches.first_id AND batches.last_id AND d.state = 'sending') \
                             WHERE edition_id = $1 AND is_open";
        let Some(taken) = self.take_edition(id).await?.filter(|taken| taken.is_under_way()) else {
            return Ok(None);
        };
        self.set_state(id, EditionState::Cancelled, why).await?;
        let (first, last) = taken.deliveries;
        let micros = now.as_microsecond();
        let cancelled = on_engine!(self, |conn| {
            let failed = || doing("cancel an edition");
            sqlx::query(END).bind(id.0).bind(micros).execute(&mut *conn).await.map_err(failed())?;
            sqlx::query(TAKE).bind(id.0).execute(&mut *conn).await.map_err(failed())?;
            let done = sqlx::query(CANCEL)
                .bind(first)
                .bind(last)
                .bind(micros)
                .execute(&mut *conn)
                .await
                .map_err(failed())?;
            sqlx::query(CLOSE).bind(id.0).execute(conn).await.map_err(failed())?;
            i64::try_from(done.rows_affected()).unwrap_or(i64::MAX)
        });
        let detail = format!("{cancelled} not sent: {why}");
        self.record_event(Event::new("edition.cancelled", now).edition(id).detail(&detail)).await?;
        Ok(Some(cancelled))
    }

    /// From now on everybody who has not got the edition yet gets this instead; what it said before is kept. Returns the new
    /// version; none: the edition is over.
    pub async fn correct_edition(
        &mut self,
        id: EditionId,
        correction: &Correction<'_>,
        now: Timestamp,
    ) -> Result<Option<i64>, StoreError> {
        const KEEP: &str = "INSERT INTO edition_versions (edition_id, version, subject, content, posts, replaced_at) \
                            SELECT id, version, subject, content, $2, $3 FROM editions WHERE id = $1";
        const REPLACE: &str =
            "UPDATE editions SET subject = $2, content = $3, version = version + 1 WHERE id = $1";
        const FORGET: &str = "DELETE FROM edition_posts WHERE edition_id = $1";
        let Some(taken) = self.take_edition(id).await?.filter(|taken| taken.is_under_way()) else {
            return Ok(None);
        };
        let posts = serde_json::to_string(&self.posts_of_edition(id).await?)
            .expect("texts can be written as JSON");
        on_engine!(self, |conn| {
            let failed = || doing("correct an edition");
            sqlx::query(KEEP)
                .bind(id.0)
                .bind(&posts)
                .bind(now.as_microsecond())
                .execute(&mut *conn)
                .await
                .map_err(failed())?;
            sqlx::query(REPLACE)
                .bind(id.0)
                .bind(correction.subject)
                .bind(correction.content)
                .execute(&mut *conn)
                .await
                .map_err(failed())?;
            sqlx::query(FORGET).bind(id.0).execute(conn).await.map_err(failed())?;
        });
        for (position, (post, revision)) in (0_i64..).zip(correction.posts) {
            self.insert_edition_post(id, position, post, revision).await?;
        }
        let version = taken.version + 1;
        let detail = format!("version {version}: {}", correction.subject);
        self.record_event(Event::new("edition.corrected", now).edition(id).detail(&detail)).await?;
        Ok(Some(version))
    }

    /// Releases the stages of an edition up to `stage`. False: they were, or it is over.
    pub async fn release_stage(
        &mut self,
        id: EditionId,
        stage: i64,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE editions SET stage = $2, stage_at = $3 WHERE id = $1";
        let Some(taken) = self.take_edition(id).await?.filter(|taken| taken.is_under_way()) else {
            return Ok(false);
        };
        let stage = stage.min(taken.last_stage);
        if stage <= taken.stage {
            return Ok(false);
        }
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(id.0)
            .bind(stage)
            .bind(now.as_microsecond())
            .execute(conn)
            .await
            .map(|_| ()))
        .map_err(doing("release a stage"))?;
        if taken.state == EditionState::Sealed {
            self.unshut(id, (taken.stage + 1, stage)).await?;
        }
        let detail = format!("stage {stage} of {}", taken.last_stage);
        let event = Event::new("edition.released", now).edition(id).detail(&detail);
        self.record_event(event).await?;
        Ok(true)
    }

    /// The content of an edition, if there is one.
    pub async fn edition_content(
        &mut self,
        id: EditionId,
    ) -> Result<Option<EditionContent>, StoreError> {
        const SQL: &str =
            "SELECT newsletter, sealed_at, content, version, state FROM editions WHERE id = $1";
        let found: Option<(String, i64, String, i64, String)> =
            on_engine!(self, |conn| sqlx::query_as(SQL).bind(id.0).fetch_optional(conn).await)
                .map_err(doing("read an edition"))?;
        let content = found.map(|(newsletter, sealed_at, content, version, state)| {
            let (sealed_at, state) = (instant(sealed_at), state.parse()?);
            Ok(EditionContent { newsletter, sealed_at, content, version, state })
        });
        content.transpose()
    }

    /// Locks the edition's row. Before its batches and deliveries, everywhere: else two could wait for each other.
    pub(super) async fn take_edition(
        &mut self,
        id: EditionId,
    ) -> Result<Option<Taken>, StoreError> {
        const SQLITE: &str = "SELECT state, version, stage, last_stage, first_delivery, last_delivery \
                              FROM editions WHERE id = $1";
        const POSTGRES: &str = "SELECT state, version, stage, last_stage, first_delivery, last_delivery \
                                FROM editions WHERE id = $1 FOR NO KEY UPDATE";
        let sql = if self.is_postgres() { POSTGRES } else { SQLITE };
        let found: Option<(String, i64, i64, i64, Option<i64>, Option<i64>)> =
            on_engine!(self, |conn| sqlx::query_as(sql).bind(id.0).fetch_optional(conn).await)
                .map_err(doing("take an edition"))?;
        let taken = found.map(|(state, version, stage, last_stage, first, last)| {
            // Without deliveries the range is empty.
            let deliveries = (first.unwrap_or(0), last.unwrap_or(-1));
            Ok(Taken { state: state.parse()?, version, stage, last_stage, deliveries })
        });
        taken.transpose()
    }

    async fn set_state(
        &mut self,
        id: EditionId,
        state: EditionState,
        why: &str,
    ) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE editions SET state = $2, why = $3 WHERE id = $1";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(id.0)
            .bind(state.as_str())
            .bind(why)
            .execute(conn)
            .await
            .map(|_| ()))
        .map_err(doing("change the state of an edition"))
    }

    /// Opens the batches of these stages for claims, beside those of other editions: neither ahead of them nor behind.
    async fn unshut(&mut self, id: EditionId, (first, last): (i64, i64)) -> Result<(), StoreError> {
        // First of all, how far ahead: opened batches would be looked at by those that follow.
        const AHEAD: &str = concat!(
            "SELECT min(o.turn) - coalesce(",
            front_sql!(
                "(SELECT c.channel FROM batches c WHERE c.edition_id = $1 LIMIT 1)",
                "(SELECT c.lane FROM batches c WHERE c.edition_id = $1 LIMIT 1)"
            ),
            ", 0) FROM batches o WHERE o.edition_id = $1 AND o.is_open AND o.epoch = 0 AND o.stage BETWEEN $2 AND $3"
        );
        const SQL: &str = "UPDATE batches SET is_shut = FALSE, turn = turn - $4 \
                           WHERE edition_id = $1 AND is_open AND is_shut AND stage BETWEEN $2 AND $3";
        on_engine!(self, |conn| {
            let failed = || doing("open the batches of an edition");
            let (ahead,): (Option<i64>,) = sqlx::query_as(AHEAD)
                .bind(id.0)
                .bind(first)
                .bind(last)
                .fetch_one(&mut *conn)
                .await
                .map_err(failed())?;
            sqlx::query(SQL)
                .bind(id.0)
                .bind(first)
                .bind(last)
                .bind(ahead.unwrap_or(0))
                .execute(conn)
                .await
                .map_err(failed())?;
        });
        Ok(())
    }

    /// The posts of an edition with the revisions that it carries, in its order.
    pub async fn posts_of_edition(
        &mut self,
        id: EditionId,
    ) -> Result<Vec<(String, String)>, StoreError> {
        const SQL: &str =
            "SELECT post_id, revision FROM edition_posts WHERE edition_id = $1 ORDER BY position";
        on_engine!(self, |conn| sqlx::query_as(SQL).bind(id.0).fetch_all(conn).await)
            .map_err(doing("read the posts of an edition"))
    }
}

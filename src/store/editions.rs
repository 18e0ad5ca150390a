//! Planning editions, each with the deliveries it owes, in the planner's transaction.

use jiff::Timestamp;
use sqlx::Row as _;

use super::corrections::{Edit, had_sql};
use super::engine::{Tx, doing, on_engine};
use super::settle::front_sql;
use super::{Event, StoreError};
use crate::domain::{Cadence, EditionId, Lane, PostId, Revision};

/// How many deliveries are leased together, in an edition of ordinary size.
const BATCH_SIZE: i64 = 500;
/// At most about so many batches make an edition; larger audiences have larger batches.
const MOST_BATCHES: i64 = 5_000;
/// The audience is dealt into so many hands, from which the first stages are taken.
const HANDS: i64 = 100;

/// An edition to be sealed.
#[derive(Clone, Debug)]
pub struct NewEdition<'a> {
    pub newsletter: &'a str,
    pub cadence: Cadence,
    /// Of its own words; none: its newsletter's.
    pub language: Option<&'a str>,
    pub subject: &'a str,
    /// The composed mail, as `mail` froze it.
    pub content: &'a str,
    pub posts: &'a [(&'a PostId, &'a Revision)],
    pub lane: Lane,
    /// `mail:NEWSLETTER`.
    pub channel: &'a str,
    /// How many recipients the first stages have: a sample of all. Whoever is left is in one more. Stage 0 is released, the
    /// others wait for `release_stage`. Empty: everybody is in stage 0.
    pub samples: &'a [i64],
}

/// What sealing made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SealedEdition {
    pub id: EditionId,
    pub audience: i64,
}

/// Who an edition is for.
#[derive(Clone, Copy)]
enum Recipients {
    /// So many who were dealt this share.
    Share(i64, i64),
    /// So many who had its post before it was edited, and when that was.
    Corrected(i64, Timestamp),
}

/// Inserts a delivery for each of the subscriptions. The first stages are a sample of all: dealt by number, else the first per
/// cent would be the oldest subscribers. The others stay in the order of their rows, in which they are read fastest.
macro_rules! deliveries_sql {
    ($from:literal, $($whose:expr),+) => {
        concat!(
            "INSERT INTO deliveries (id, edition_id, subscription_id, state, attempts, is_held, planned_at, changed_at) \
             SELECT $1 - 1 + row_number() OVER (ORDER BY \
             CASE WHEN (s.id + $2) % 100 < $6 THEN (s.id + $2) % 100 ELSE 100 END, s.id), \
             $2, s.id, 'planned', 0, FALSE, $3, $3 FROM ",
            $from,
            " JOIN subscribers p ON p.id = s.subscriber_id \
             WHERE s.state = 'active' AND p.suppressed_at IS NULL AND ",
            $($whose),+
        )
    };
}

/// A range of deliveries to be leased together.
#[derive(Clone, Copy, Debug, serde::Serialize)]
struct NewBatch {
    first: i64,
    last: i64,
    stage: i64,
    is_shut: bool,
    turn: i64,
}

macro_rules! batches_sql {
    ($rows:literal) => {
        concat!(
            "INSERT INTO batches (lane, channel, edition_id, first_id, last_id, is_open, next_at, epoch, stage, \
             is_shut, turn) SELECT $2, $3, $4, n.first, n.last, TRUE, $5, 0, n.stage, n.is_shut, n.turn + coalesce(",
            front_sql!("$3", "$2"),
            ", 0) FROM ",
            $rows
        )
    };
}

impl Tx {
    /// Seals an edition and inserts one delivery for each of the `audience` subscriptions that were dealt this share.
    pub async fn seal_edition(
        &mut self,
        edition: &NewEdition<'_>,
        (share, audience): (i64, i64),
        now: Timestamp,
    ) -> Result<SealedEdition, StoreError> {
        self.seal_to(edition, Recipients::Share(share, audience), now).await
    }

    /// Seals an edition for the `audience` that had its only post before it was edited, in whatever cadence. None: there is one
    /// for this edit; the transaction is to be dropped.
    pub async fn seal_correction(
        &mut self,
        edition: &NewEdition<'_>,
        (audience, edited_at): (i64, Timestamp),
        now: Timestamp,
    ) -> Result<Option<SealedEdition>, StoreError> {
        let [(post, revision)] = *edition.posts else { return Ok(None) };
        let sealed = self.seal_to(edition, Recipients::Corrected(audience, edited_at), now).await?;
        let edit = Edit { newsletter: edition.newsletter, post, revision, edited_at };
        let is_first = self.note_correction(Some(sealed.id), edit, now).await?;
        Ok(is_first.then_some(sealed))
    }

    async fn seal_to(
        &mut self,
        edition: &NewEdition<'_>,
        recipients: Recipients,
        now: Timestamp,
    ) -> Result<SealedEdition, StoreError> {
        let id = self.insert_edition(edition, now).await?;
        for (position, (post, revision)) in (0_i64..).zip(edition.posts) {
            self.insert_edition_post(id, position, post, revision).await?;
        }
        // Taking the counter's row first makes the numbers contiguous whoever else is planning.
        let first = self.reserve_ids("deliveries", 0).await?;
        let to = (edition, recipients);
        let audience = self.insert_edition_deliveries(id, to, first, now).await?;
        self.reserve_ids("deliveries", audience).await?;
        let batches = batches_of(first, audience, edition.samples);
        self.insert_batches(edition, id, &batches, now).await?;
        let last_stage = batches.last().map_or(0, |batch| batch.stage);
        self.note_audience(id, (first, audience), last_stage, now).await?;
        let what = match recipients {
            Recipients::Share(..) => edition.cadence.as_str(),
            Recipients::Corrected(..) => "correction",
        };
        let detail = format!("{} {what} to {audience}", edition.newsletter);
        self.record_event(Event::new("edition.sealed", now).edition(id).detail(&detail)).await?;
        Ok(SealedEdition { id, audience })
    }

    async fn insert_edition(
        &mut self,
        edition: &NewEdition<'_>,
        now: Timestamp,
    ) -> Result<EditionId, StoreError> {
        const SQL: &str = "INSERT INTO editions (newsletter, cadence, subject, content, state, audience, \
                           sealed_at, stage_at, language) VALUES ($1, $2, $3, $4, 'sealed', 0, $5, $5, $6) RETURNING id";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(edition.newsletter)
            .bind(edition.cadence.as_str())
            .bind(edition.subject)
            .bind(edition.content)
            .bind(now.as_microsecond())
            .bind(edition.language.unwrap_or_default())
            .fetch_one(conn)
            .await
            .and_then(|row| row.try_get("id")))
        .map(EditionId)
        .map_err(doing("seal an edition"))
    }

    pub(super) async fn insert_edition_post(
        &mut self,
        edition: EditionId,
        position: i64,
        post: &PostId,
        revision: &Revision,
    ) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO edition_posts (edition_id, position, post_id, revision) \
                           VALUES ($1, $2, $3, $4)";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(edition.0)
            .bind(position)
            .bind(post.as_str())
            .bind(revision.as_str())
            .execute(conn)
            .await
            .map(|_| ()))
        .map_err(doing("note the posts of an edition"))
    }

    async fn insert_edition_deliveries(
        &mut self,
        id: EditionId,
        (edition, recipients): (&NewEdition<'_>, Recipients),
        first: i64,
        now: Timestamp,
    ) -> Result<i64, StoreError> {
        // Nothing to look for by newsletter here: SQLite would do that first, for each share.
        const SHARE: &str = deliveries_sql!(
            "shares x JOIN subscriptions s ON s.id = x.subscription_id",
            "x.share = CAST($5 AS BIGINT) AND CAST($4 AS TEXT) IS NOT NULL"
        );
        const CORRECTED: &str = deliveries_sql!(
            "subscriptions s",
            "s.newsletter = $4 AND s.id IN (",
            had_sql!("$4", "$5", "$7", "$8"),
            ")"
        );
        let (sql, audience) = match recipients {
            Recipients::Share(_, audience) => (SHARE, audience),
            Recipients::Corrected(audience, _) => (CORRECTED, audience),
        };
        let sampled: i64 = edition.samples.iter().sum();
        let hands = if sampled == 0 {
            0
        } else {
            sampled.saturating_mul(HANDS).checked_div(audience).map_or(0, |hands| hands + 1)
        };
        let (whose, before) = match (recipients, edition.posts.first()) {
            (Recipients::Corrected(_, edited_at), Some((post, revision))) => {
                let before = (revision.as_str(), edited_at.as_microsecond());
                (post.as_str().to_owned(), Some(before))
            }
            (Recipients::Share(share, _), _) => (share.to_string(), None),
            (Recipients::Corrected(..), None) => (String::new(), None),
        };
        on_engine!(self, |conn| {
            let query = sqlx::query(sql)
                .bind(first)
                .bind(id.0)
                .bind(now.as_microsecond())
                .bind(edition.newsletter)
                .bind(whose)
                .bind(hands);
            // Only one of the two statements has them.
            let query = match before {
                Some((revision, edited_at)) => query.bind(revision).bind(edited_at),
                None => query,
            };
            query
                .execute(conn)
                .await
                .map(|done| i64::try_from(done.rows_affected()).unwrap_or(i64::MAX))
        })
        .map_err(doing("plan the deliveries of an edition"))
    }

    async fn note_audience(
        &mut self,
        id: EditionId,
        (first, audience): (i64, i64),
        last_stage: i64,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE editions SET audience = $2, first_delivery = $3, last_delivery = $4, \
                           last_stage = $5 WHERE id = $1";
        const FINISH: &str =
            "UPDATE editions SET state = 'finished', finished_at = $2 WHERE id = $1";
        on_engine!(self, |conn| {
            sqlx::query(SQL)
                .bind(id.0)
                .bind(audience)
                .bind(first)
                .bind(first + audience - 1)
                .bind(last_stage)
                .execute(&mut *conn)
                .await
                .map_err(doing("note the audience of an edition"))?;
            if audience == 0 {
                sqlx::query(FINISH)
                    .bind(id.0)
                    .bind(now.as_microsecond())
                    .execute(conn)
                    .await
                    .map_err(doing("finish an edition without an audience"))?;
            }
        });
        Ok(())
    }

    async fn insert_batches(
        &mut self,
        edition: &NewEdition<'_>,
        id: EditionId,
        batches: &[NewBatch],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        const SQLITE: &str = batches_sql!(
            "(SELECT value->>'first' AS first, value->>'last' AS last, value->>'stage' AS stage, \
             value->>'is_shut' AS is_shut, value->>'turn' AS turn FROM json_each($1)) AS n"
        );
        const POSTGRES: &str = batches_sql!(
            "json_to_recordset(CAST($1 AS json)) AS n(first BIGINT, last BIGINT, stage BIGINT, is_shut BOOLEAN, \
             turn BIGINT)"
        );
        let sql = if self.is_postgres() { POSTGRES } else { SQLITE };
        let rows = serde_json::to_string(batches).expect("numbers can be written as JSON");
        on_engine!(self, |conn| sqlx::query(sql)
            .bind(rows)
            .bind(edition.lane.number())
            .bind(edition.channel)
            .bind(id.0)
            .bind(now.as_microsecond())
            .execute(conn)
            .await
            .map(|_| ()))
        .map_err(doing("plan the batches of an edition"))
    }
}

/// The batches of an edition, in send order: none reaches into two stages.
fn batches_of(first: i64, audience: i64, stages: &[i64]) -> Vec<NewBatch> {
    let size = BATCH_SIZE.max(audience / MOST_BATCHES + 1);
    let end = first + audience;
    let mut batches = Vec::new();
    let mut from = first;
    let mut stage = 0;
    let rest = std::iter::once(audience);
    for stage_size in stages.iter().copied().filter(|size| *size > 0).chain(rest) {
        let until = end.min(from.saturating_add(stage_size));
        if from == until {
            continue;
        }
        while from < until {
            let last = until.min(from + size) - 1;
            let turn = i64::try_from(batches.len()).unwrap_or(i64::MAX);
            batches.push(NewBatch { first: from, last, stage, is_shut: stage > 0, turn });
            from = last + 1;
        }
        stage += 1;
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(audience: i64, stages: &[i64]) -> Vec<(i64, i64, i64)> {
        let batches = batches_of(1, audience, stages);
        batches.into_iter().map(|batch| (batch.stage, batch.first, batch.last)).collect()
    }

    #[test]
    fn batches_follow_each_other_and_none_reaches_into_two_stages() {
        assert_eq!(shape(0, &[]), []);
        assert_eq!(shape(501, &[]), [(0, 1, 500), (0, 501, 501)]);
        assert_eq!(
            shape(1_000, &[10, 600]),
            [(0, 1, 10), (1, 11, 510), (1, 511, 610), (2, 611, 1_000)]
        );
        assert_eq!(
            shape(5, &[0, 10, 20]),
            [(0, 1, 5)],
            "stages that are too large or empty are no stages"
        );
    }

    #[test]
    fn an_audience_of_a_hundred_million_has_no_more_batches_than_can_be_looked_through() {
        assert!(batches_of(1, 100_000_000, &[1_000_000]).len() <= 5_002);
    }
}

//! The ledger's two writes, for a whole group at once: outcomes after the other sides answered, intents before they can have it.
//!
//! A group is a handful of statements, however many deliveries are in it: its rows travel as one JSON text, which both engines
//! read as a table. Locks are taken in one order everywhere, else two nodes could wait for each other: editions, batches,
//! deliveries.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use serde::Serialize;
use sqlx::Row as _;

use super::StoreError;
use super::batches::Lease;
use super::engine::{Tx, doing, on_engine};
use super::entries::{IntentRow, OutcomeRow, attempt_of, event_of, outcome_row};
use super::outcomes::{IntentRefusal, IntentRequest, Recorded};
use crate::domain::{Bounce, DeliveryId, EditionId, EditionState, Keyring, Outcome};

/// A batch that somebody writes under, and its edition; neither changes before the transaction ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    pub(super) epoch: i64,
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) edition: Option<(EditionId, EditionState, i64)>,
    /// Nothing more goes out.
    pub(super) is_fenced: bool,
}

/// The batches of a group, by id.
#[derive(Default)]
pub(super) struct Leases(pub(super) HashMap<i64, Held>);

impl Leases {
    /// The batch, if the lease is good for this delivery.
    pub(super) fn good(&self, lease: Lease, delivery: DeliveryId) -> Option<&Held> {
        self.0.get(&lease.batch).filter(|held| {
            held.epoch == lease.epoch && (held.first..=held.last).contains(&delivery.0)
        })
    }
}

/// Of a row of `deliveries`: it waits, and whoever gets it has not left, nor paused before it was planned or since. (SQLite builds a table for each long `IN`.)
macro_rules! may_be_sent_sql {
    () => {
        "(deliveries.state = 'planned' OR deliveries.state = 'deferred' OR deliveries.state = 'uncertain') \
         AND NOT deliveries.is_held AND (deliveries.subscription_id IS NULL OR EXISTS (\
         SELECT 1 FROM subscriptions s JOIN subscribers p ON p.id = s.subscriber_id \
         WHERE s.id = deliveries.subscription_id AND s.state = 'active' AND p.suppressed_at IS NULL \
         AND (s.paused_until IS NULL OR s.paused_until <= deliveries.planned_at)))"
    };
}
pub(super) use may_be_sent_sql;

/// There is a fence around the database. On PostgreSQL a group that is written in the very moment may still miss it. By its key,
/// because the committer's sessions take a scan for so dear that a plan with one is compiled for seconds.
macro_rules! is_fenced_sql {
    () => {
        "EXISTS (SELECT 1 FROM instance WHERE only_row = 1 AND fenced_at IS NOT NULL)"
    };
}
pub(super) use is_fenced_sql;

macro_rules! outcome_sql {
    ($rows:literal) => {
        concat!(
            "UPDATE deliveries SET state = o.next, is_held = o.held, not_before = o.again, \
             attempts = attempts + o.counts, changed_at = o.at FROM ",
            $rows,
            " WHERE deliveries.id = o.delivery AND o.origins LIKE '%' || deliveries.state || '%' \
             RETURNING deliveries.id AS id"
        )
    };
}

macro_rules! attempts_sql {
    ($rows:literal) => {
        concat!(
            "INSERT INTO attempts (delivery_id, started_at, ended_at, outcome, server, code, reply, reason) \
             SELECT delivery, started, ended, outcome, server, code, reply, reason FROM ",
            $rows
        )
    };
}

macro_rules! intent_sql {
    ($rows:literal) => {
        concat!(
            "UPDATE deliveries SET state = 'sending', intent_at = $2, changed_at = $2, version = i.version FROM ",
            $rows,
            " WHERE deliveries.id = i.delivery AND ",
            $crate::store::step::may_be_sent_sql!(),
            " RETURNING deliveries.id AS id"
        )
    };
}

/// Batches and their editions. Whoever writes on SQLite is alone.
const HOLD_ON_SQLITE: &str = concat!(
    "SELECT b.id, b.epoch, b.first_id, b.last_id, b.edition_id, e.state, e.version, ",
    is_fenced_sql!(),
    " AS is_fenced FROM batches b LEFT JOIN editions e ON e.id = b.edition_id \
     WHERE b.id IN (SELECT value FROM json_each($1))"
);
/// Sharing the rows makes us wait for whoever takes a batch over or pauses an edition, and see what they did. The count
/// makes the editions come first.
const HOLD_ON_POSTGRES: &str = concat!(
    "WITH ids AS MATERIALIZED (\
     SELECT CAST(value AS BIGINT) AS id FROM json_array_elements_text(CAST($1 AS json))), \
     e AS MATERIALIZED (SELECT id, state, version FROM editions WHERE id IN \
     (SELECT edition_id FROM batches JOIN ids USING (id)) ORDER BY id FOR SHARE), \
     b AS MATERIALIZED (SELECT id, epoch, first_id, last_id, edition_id FROM batches \
     WHERE id IN (SELECT id FROM ids) AND (SELECT count(*) FROM e) >= 0 ORDER BY id FOR SHARE) \
     SELECT b.id, b.epoch, b.first_id, b.last_id, b.edition_id, e.state, e.version, ",
    is_fenced_sql!(),
    " AS is_fenced FROM b LEFT JOIN e ON e.id = b.edition_id"
);

/// What the committer writes in one transaction.
impl Tx {
    /// Notes what became of `outcomes`, and then that `intents` are about to be handed over. Returns an answer for each intent.
    ///
    /// An outcome under a lease that was lost changes nothing, except that an acceptance settles a delivery that was
    /// called uncertain meanwhile. Its attempt is kept in any case.
    pub async fn step(
        &mut self,
        outcomes: &[&Recorded],
        intents: &[IntentRequest],
        at: Timestamp,
        keyring: &Keyring,
    ) -> Result<Vec<Result<(), IntentRefusal>>, StoreError> {
        let batches = outcomes.iter().map(|one| one.lease.batch);
        let batches: HashSet<i64> =
            batches.chain(intents.iter().map(|one| one.lease.batch)).collect();
        let leases = self.hold(&batches).await?;
        // One statement can speak of a delivery once; the second answer to the same one follows in the next.
        let mut rest = outcomes.to_vec();
        while !rest.is_empty() {
            let mut seen = HashSet::new();
            let (now, later): (Vec<_>, Vec<_>) =
                rest.into_iter().partition(|one| seen.insert(one.delivery));
            self.note_outcomes(&now, &leases, keyring).await?;
            rest = later;
        }
        if intents.is_empty() { Ok(Vec::new()) } else { self.intend(intents, &leases, at).await }
    }

    /// Reads the batches and editions of a group, so that neither a lease nor a pause can change before the commit.
    async fn hold(&mut self, batches: &HashSet<i64>) -> Result<Leases, StoreError> {
        let sql = if self.is_postgres() { HOLD_ON_POSTGRES } else { HOLD_ON_SQLITE };
        let rows: Vec<_> = on_engine!(self, |conn| sqlx::query(sql)
            .bind(json(&batches))
            .fetch_all(conn)
            .await
            .and_then(|rows| rows
                .into_iter()
                .map(|row| {
                    let state: Option<String> = row.try_get("state")?;
                    let edition: Option<i64> = row.try_get("edition_id")?;
                    let version: Option<i64> = row.try_get("version")?;
                    let held = Held {
                        epoch: row.try_get("epoch")?,
                        first: row.try_get("first_id")?,
                        last: row.try_get("last_id")?,
                        edition: None,
                        is_fenced: row.try_get("is_fenced")?,
                    };
                    Ok((row.try_get("id")?, held, edition.zip(state).zip(version)))
                })
                .collect::<Result<Vec<_>, _>>()))
        .map_err(doing("check the leases of a group"))?;
        rows.into_iter()
            .map(|(id, held, edition)| {
                let edition = match edition {
                    Some(((id, state), version)) => Some((EditionId(id), state.parse()?, version)),
                    None => None,
                };
                Ok((id, Held { edition, ..held }))
            })
            .collect::<Result<_, StoreError>>()
            .map(Leases)
    }

    async fn note_outcomes(
        &mut self,
        outcomes: &[&Recorded],
        leases: &Leases,
        keyring: &Keyring,
    ) -> Result<(), StoreError> {
        let mut rows = Vec::with_capacity(outcomes.len());
        let mut told = HashMap::with_capacity(outcomes.len());
        for &one in outcomes {
            let held = leases.good(one.lease, one.delivery);
            let is_late = held.is_none();
            if is_late && !matches!(one.outcome, Some(Outcome::Accepted(_))) {
                continue;
            }
            let edition = held.and_then(|held| held.edition);
            let next = match edition {
                Some((_, EditionState::Cancelled, _)) => one.next.of_cancelled(),
                _ => one.next,
            };
            rows.push(outcome_row(one, next, is_late));
            told.insert(one.delivery.0, (one, next, held.is_some_and(|h| h.edition.is_none())));
        }
        let moved = self.move_deliveries(&rows).await?;
        self.insert_attempts(outcomes).await?;
        let mut letters = Vec::new();
        let mut events = Vec::new();
        for id in moved {
            let Some((one, next, may_be_letter)) = told.get(&id).copied() else { continue };
            if may_be_letter && next.columns().0.is_final() {
                letters.push(id);
            }
            events.extend(event_of(one, next));
            if one.bounce != Bounce::None {
                self.bounced(one.delivery, one.bounce, keyring, one.ended_at).await?;
            }
        }
        self.record_events(&events).await?;
        if letters.is_empty() { Ok(()) } else { self.forget_letters(&letters).await }
    }

    async fn move_deliveries(&mut self, rows: &[OutcomeRow]) -> Result<Vec<i64>, StoreError> {
        const SQLITE: &str = outcome_sql!(
            "(SELECT value->>'delivery' AS delivery, value->>'next' AS next, value->>'held' AS held, \
             value->>'again' AS again, value->>'counts' AS counts, value->>'at' AS at, \
             value->>'origins' AS origins FROM json_each($1)) AS o"
        );
        const POSTGRES: &str = outcome_sql!(
            "json_to_recordset(CAST($1 AS json)) AS o(delivery BIGINT, next TEXT, held BOOLEAN, again BIGINT, \
             counts BIGINT, at BIGINT, origins TEXT)"
        );
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let sql = if self.is_postgres() { POSTGRES } else { SQLITE };
        on_engine!(self, |conn| sqlx::query(sql)
            .bind(json(&rows))
            .fetch_all(conn)
            .await
            .and_then(|rows| rows.into_iter().map(|row| row.try_get("id")).collect()))
        .map_err(doing("note outcomes"))
    }

    async fn insert_attempts(&mut self, outcomes: &[&Recorded]) -> Result<(), StoreError> {
        const SQLITE: &str = attempts_sql!(
            "(SELECT value->>'delivery' AS delivery, value->>'started' AS started, value->>'ended' AS ended, \
             value->>'outcome' AS outcome, value->>'server' AS server, value->>'code' AS code, \
             value->>'reply' AS reply, value->>'reason' AS reason FROM json_each($1))"
        );
        const POSTGRES: &str = attempts_sql!(
            "json_to_recordset(CAST($1 AS json)) AS a(delivery BIGINT, started BIGINT, ended BIGINT, outcome TEXT, \
             server TEXT, code BIGINT, reply TEXT, reason TEXT)"
        );
        let rows: Vec<_> = outcomes.iter().filter_map(|one| attempt_of(one)).collect();
        if rows.is_empty() {
            return Ok(());
        }
        let sql = if self.is_postgres() { POSTGRES } else { SQLITE };
        on_engine!(self, |conn| sqlx::query(sql).bind(json(&rows)).execute(conn).await.map(|_| ()))
            .map_err(doing("note attempts"))
    }

    /// A letter may hold a token; once it is delivered or given up nobody needs it.
    async fn forget_letters(&mut self, deliveries: &[i64]) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE letters SET content = '' \
                           WHERE id = (SELECT letter_id FROM deliveries WHERE id = $1)";
        for delivery in deliveries {
            on_engine!(self, |conn| sqlx::query(SQL)
                .bind(delivery)
                .execute(conn)
                .await
                .map(|_| ()))
            .map_err(doing("forget a letter"))?;
        }
        Ok(())
    }

    async fn intend(
        &mut self,
        intents: &[IntentRequest],
        leases: &Leases,
        at: Timestamp,
    ) -> Result<Vec<Result<(), IntentRefusal>>, StoreError> {
        let checked: Vec<_> = intents.iter().map(|intent| check(intent, leases)).collect();
        let rows: Vec<IntentRow> = intents
            .iter()
            .zip(&checked)
            .filter_map(|(intent, version)| {
                let version = *version.as_ref().ok()?;
                Some(IntentRow { delivery: intent.delivery.0, version })
            })
            .collect();
        let mut noted = self.mark_sending(&rows, at).await?;
        let missed: Vec<i64> =
            rows.iter().map(|row| row.delivery).filter(|id| !noted.contains(id)).collect();
        let waiting = self.waiting(&missed).await?;
        let answers = intents.iter().zip(checked).map(|(intent, version)| {
            let id = intent.delivery.0;
            version?;
            // Taking it out: of two that ask for the same delivery one gets it.
            match (noted.remove(&id), waiting.contains(&id)) {
                (true, _) => Ok(()),
                (false, true) => Err(IntentRefusal::RecipientLeft),
                (false, false) => Err(IntentRefusal::NotWaiting),
            }
        });
        Ok(answers.collect())
    }

    async fn mark_sending(
        &mut self,
        rows: &[IntentRow],
        at: Timestamp,
    ) -> Result<HashSet<i64>, StoreError> {
        const SQLITE: &str = intent_sql!(
            "(SELECT value->>'delivery' AS delivery, value->>'version' AS version FROM json_each($1)) AS i"
        );
        const POSTGRES: &str = intent_sql!(
            "json_to_recordset(CAST($1 AS json)) AS i(delivery BIGINT, version BIGINT)"
        );
        if rows.is_empty() {
            return Ok(HashSet::new());
        }
        let sql = if self.is_postgres() { POSTGRES } else { SQLITE };
        on_engine!(self, |conn| sqlx::query(sql)
            .bind(json(&rows))
            .bind(at.as_microsecond())
            .fetch_all(conn)
            .await
            .and_then(|rows| rows.into_iter().map(|row| row.try_get("id")).collect()))
        .map_err(doing("note intents"))
    }

    /// Those of `deliveries` that wait to be sent: nobody but their recipient can be why they were refused.
    async fn waiting(&mut self, deliveries: &[i64]) -> Result<HashSet<i64>, StoreError> {
        const SQL: &str = "SELECT id FROM deliveries WHERE id = $1 \
                           AND state IN ('planned', 'deferred', 'uncertain') AND NOT is_held";
        let mut waiting = HashSet::new();
        for delivery in deliveries {
            let found: Option<i64> = on_engine!(self, |conn| sqlx::query(SQL)
                .bind(delivery)
                .fetch_optional(conn)
                .await
                .and_then(|row| row.map(|row| row.try_get("id")).transpose()))
            .map_err(doing("ask why an intent was refused"))?;
            waiting.extend(found);
        }
        Ok(waiting)
    }
}

/// The version that goes out, or why nothing does.
pub(super) fn check(intent: &IntentRequest, leases: &Leases) -> Result<Option<i64>, IntentRefusal> {
    let held = leases.good(intent.lease, intent.delivery).ok_or(IntentRefusal::LeaseLost)?;
    if held.is_fenced {
        return Err(IntentRefusal::Fenced);
    }
    let Some((_, state, version)) = held.edition else { return Ok(None) };
    match state {
        EditionState::Sealed if intent.content_version.is_some_and(|meant| meant != version) => {
            Err(IntentRefusal::Superseded)
        }
        EditionState::Sealed => Ok(Some(version)),
        EditionState::Paused => Err(IntentRefusal::Paused),
        EditionState::Finished | EditionState::Cancelled => Err(IntentRefusal::NotWaiting),
    }
}

fn json(rows: &impl Serialize) -> String {
    serde_json::to_string(rows).expect("numbers and texts can be written as JSON")
}

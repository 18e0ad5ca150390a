//! The ledger's step on SQLite when nothing is out of the ordinary, which is nearly always.
//!
//! `Tx::step` is what counts. But on SQLite each of its statements, and each row that one returns, is handed from thread to
//! thread, which takes several times as long as the statements themselves. So the committer has a connection of its own that
//! works on the committer's thread, one prepared statement a row. It does what needs no second thought: every lease good, every
//! delivery where it should be, nothing to be noted besides. Anything else it undoes and leaves to `Tx::step`.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, TransactionBehavior, params};

use super::batches::Lease;
use super::entries::{attempt_of, event_of, outcome_row};
use super::outcomes::{IntentRequest, Recorded};
use super::step::{Held, Leases, check, is_fenced_sql, may_be_sent_sql};
use super::{StoreError, open};
use crate::domain::{Bounce, EditionId, EditionState};

/// The committer's own connection, opened when it is first needed and after each failure.
pub(super) struct Express {
    path: PathBuf,
    connection: Option<Connection>,
}

pub(super) fn doing(doing: &'static str) -> impl FnOnce(rusqlite::Error) -> StoreError {
    move |source| StoreError::Sqlite { doing, source }
}

impl Express {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), connection: None }
    }

    /// `Tx::step`, if every outcome can be noted as it is and no intent need be refused. False: nothing was written.
    pub(super) fn step(
        &mut self,
        outcomes: &[&Recorded],
        intents: &[IntentRequest],
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        if !outcomes.iter().all(|one| is_plain(one)) {
            return Ok(false);
        }
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => open::ledger(&self.path)?,
        };
        let tx = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(doing("begin a transaction"))?;
        let is_done = Step { tx: &tx, leases: Leases::default() }.take(outcomes, intents, at)?;
        if is_done {
            tx.commit().map_err(doing("commit a transaction"))?;
        } else {
            tx.rollback().map_err(doing("undo a transaction"))?;
        }
        self.connection = Some(connection);
        Ok(is_done)
    }
}

/// It moves its delivery and leaves an attempt, and that is all.
fn is_plain(one: &Recorded) -> bool {
    one.bounce == Bounce::None && one.outcome.is_some() && event_of(one, one.next).is_none()
}

struct Step<'a> {
    tx: &'a Transaction<'a>,
    leases: Leases,
}

impl Step<'_> {
    fn take(
        mut self,
        outcomes: &[&Recorded],
        intents: &[IntentRequest],
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        for one in outcomes {
            self.hold(one.lease)?;
        }
        for one in intents {
            self.hold(one.lease)?;
        }
        Ok(self.move_deliveries(outcomes)?
            && self.mark_sending(intents, at).map_err(doing("note intents"))?
            && self.insert_attempts(outcomes).map(|()| true).map_err(doing("note attempts"))?)
    }

    /// Reads the batch and its edition, unless another delivery of it is in the group. Whoever writes on SQLite is alone.
    fn hold(&mut self, lease: Lease) -> Result<(), StoreError> {
        const SQL: &str = concat!(
            "SELECT b.epoch, b.first_id, b.last_id, b.edition_id, e.state, e.version, ",
            is_fenced_sql!(),
            " FROM batches b JOIN editions e ON e.id = b.edition_id WHERE b.id = ?1"
        );
        if self.leases.0.contains_key(&lease.batch) {
            return Ok(());
        }
        let row = self.tx.prepare_cached(SQL).and_then(|mut statement| {
            let read = |row: &Row<'_>| {
                let state: String = row.get(4)?;
                let (id, version) = (EditionId(row.get(3)?), row.get(5)?);
                let range = (row.get(1)?, row.get(2)?);
                Ok((row.get(0)?, range, (id, state, version), row.get(6)?))
            };
            statement.query_row([lease.batch], read).optional()
        });
        if let Some((epoch, (first, last), edition, is_fenced)) =
            row.map_err(doing("check a lease"))?
        {
            let (id, state, version) = edition;
            let edition = Some((id, state.parse()?, version));
            let held = Held { epoch, first, last, edition, is_fenced };
            self.leases.0.insert(lease.batch, held);
        }
        Ok(())
    }

    fn move_deliveries(&self, outcomes: &[&Recorded]) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE deliveries SET state = ?2, is_held = ?3, not_before = ?4, \
                           attempts = attempts + ?5, changed_at = ?6 \
                           WHERE id = ?1 AND ?7 LIKE '%' || state || '%'";
        let failed = || doing("note outcomes");
        let mut statement = self.tx.prepare_cached(SQL).map_err(failed())?;
        for one in outcomes {
            let held = self.leases.good(one.lease, one.delivery);
            let Some((_, state, _)) = held.and_then(|held| held.edition) else { return Ok(false) };
            let row = outcome_row(one, one.next, false);
            let row = params![
                row.delivery,
                row.next,
                row.held,
                row.again,
                row.counts,
                row.at,
                row.origins
            ];
            if state == EditionState::Cancelled || statement.execute(row).map_err(failed())? != 1 {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn insert_attempts(&self, outcomes: &[&Recorded]) -> rusqlite::Result<()> {
        const SQL: &str = "INSERT INTO attempts \
                           (delivery_id, started_at, ended_at, outcome, server, code, reply, reason) \
                           VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
        let mut statement = self.tx.prepare_cached(SQL)?;
        for a in outcomes.iter().filter_map(|one| attempt_of(one)) {
            let row = params![
                a.delivery, a.started, a.ended, a.outcome, a.server, a.code, a.reply, a.reason
            ];
            statement.execute(row)?;
        }
        Ok(())
    }

    fn mark_sending(&self, intents: &[IntentRequest], at: Timestamp) -> rusqlite::Result<bool> {
        const SQL: &str = concat!(
            "UPDATE deliveries SET state = 'sending', intent_at = ?2, changed_at = ?2, version = ?3 WHERE id = ?1 AND ",
            may_be_sent_sql!()
        );
        let mut statement = self.tx.prepare_cached(SQL)?;
        for intent in intents {
            let Ok(version) = check(intent, &self.leases) else { return Ok(false) };
            let row = params![intent.delivery.0, at.as_microsecond(), version];
            if statement.execute(row)? != 1 {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

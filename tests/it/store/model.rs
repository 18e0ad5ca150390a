//! Whatever happens in whatever order, the ledger is where a naive model of it is.

use std::collections::BTreeMap;

use postrider::store::Settlement;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::*;

const OWNERS: [&str; 2] = ["one", "two"];
const RECIPIENTS: usize = 3;

#[derive(Clone, Copy, Debug)]
enum Op {
    Claim(usize, bool),
    Intend(usize, usize, bool),
    Record(usize, usize, Answer),
    /// What became of one, and the next, in one step.
    Step(usize, (usize, Answer), usize),
    Settle(usize),
    Pause,
    Resume,
    Cancel,
    Correct,
    Retry(usize),
    Decide(usize, Settlement),
    CancelOne(usize),
    Leave(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Accepted,
    Deferred,
    Rejected,
    Uncertain,
    Held,
    Unreachable,
    Skipped,
    Expired,
}

fn op() -> impl Strategy<Value = Op> {
    let owner = || 0..OWNERS.len();
    let which = || 0..RECIPIENTS;
    let answer = || {
        prop::sample::select(vec![
            Answer::Accepted,
            Answer::Deferred,
            Answer::Rejected,
            Answer::Uncertain,
            Answer::Held,
            Answer::Unreachable,
            Answer::Skipped,
            Answer::Expired,
        ])
    };
    let decision =
        prop::sample::select(vec![Settlement::Accepted, Settlement::Resend, Settlement::Cancelled]);
    prop_oneof![
        6 => (owner(), any::<bool>()).prop_map(|(owner, hold)| Op::Claim(owner, hold)),
        8 => (owner(), which(), prop::bool::weighted(0.9)).prop_map(|(o, d, good)| Op::Intend(o, d, good)),
        8 => (owner(), which(), answer()).prop_map(|(o, d, answer)| Op::Record(o, d, answer)),
        8 => (owner(), (which(), answer()), which()).prop_map(|(o, told, d)| Op::Step(o, told, d)),
        4 => owner().prop_map(Op::Settle),
        1 => Just(Op::Pause),
        2 => Just(Op::Resume),
        1 => prop::bool::weighted(0.3).prop_map(|really| if really { Op::Cancel } else { Op::Resume }),
        1 => Just(Op::Correct),
        2 => which().prop_map(Op::Retry),
        2 => (which(), decision).prop_map(|(d, decision)| Op::Decide(d, decision)),
        1 => which().prop_map(Op::CancelOne),
        1 => which().prop_map(Op::Leave),
    ]
}

/// One edition to three people in one batch.
struct Model {
    rows: [Row; RECIPIENTS],
    left: [bool; RECIPIENTS],
    edition: EditionState,
    version: i64,
    is_open: bool,
    /// Something of it is to be done without a person.
    is_due: bool,
    owner: Option<usize>,
    epoch: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Row {
    state: DeliveryState,
    held: bool,
    attempts: i64,
}

impl Row {
    fn is_waiting(self) -> bool {
        use DeliveryState::{Deferred, Planned, Uncertain};
        matches!(self.state, Planned | Deferred | Uncertain) && !self.held
    }

    fn becomes(&mut self, state: DeliveryState, held: bool) {
        (self.state, self.held) = (state, held);
    }
}

impl Model {
    fn new() -> Self {
        Self {
            rows: [Row { state: DeliveryState::Planned, held: false, attempts: 0 }; RECIPIENTS],
            left: [false; RECIPIENTS],
            edition: EditionState::Sealed,
            version: 1,
            is_open: true,
            is_due: true,
            owner: None,
            epoch: 0,
        }
    }

    fn claim(&mut self, owner: usize, hold: bool) -> bool {
        let is_shut = self.edition == EditionState::Paused;
        if !self.is_open || is_shut || !self.is_due || self.owner == Some(owner) {
            return false;
        }
        (self.owner, self.epoch) = (Some(owner), self.epoch + 1);
        for row in &mut self.rows {
            if row.state == DeliveryState::Sending {
                row.becomes(
                    DeliveryState::Uncertain,
                    hold || self.edition == EditionState::Cancelled,
                );
                row.attempts += 1;
            }
        }
        true
    }

    fn intend(&mut self, epoch: i64, which: usize, version: i64) -> Result<(), IntentRefusal> {
        if epoch != self.epoch {
            return Err(IntentRefusal::LeaseLost);
        }
        match self.edition {
            EditionState::Paused => return Err(IntentRefusal::Paused),
            EditionState::Finished | EditionState::Cancelled => {
                return Err(IntentRefusal::NotWaiting);
            }
            EditionState::Sealed if version != self.version => {
                return Err(IntentRefusal::Superseded);
            }
            EditionState::Sealed => {}
        }
        if !self.rows[which].is_waiting() {
            return Err(IntentRefusal::NotWaiting);
        }
        if self.left[which] {
            return Err(IntentRefusal::RecipientLeft);
        }
        self.rows[which].state = DeliveryState::Sending;
        Ok(())
    }

    fn record(&mut self, epoch: i64, which: usize, answer: Answer) {
        let row = &mut self.rows[which];
        if epoch != self.epoch {
            if answer == Answer::Accepted && row.state == DeliveryState::Uncertain {
                row.becomes(DeliveryState::Accepted, false);
            }
            return;
        }
        let (mut state, mut held) = match answer {
            Answer::Accepted => (DeliveryState::Accepted, false),
            Answer::Deferred | Answer::Unreachable => (DeliveryState::Deferred, false),
            Answer::Rejected => (DeliveryState::Rejected, false),
            Answer::Uncertain => (DeliveryState::Uncertain, false),
            Answer::Held => (DeliveryState::Uncertain, true),
            Answer::Skipped => (DeliveryState::Skipped, false),
            Answer::Expired => (DeliveryState::Expired, false),
        };
        if self.edition == EditionState::Cancelled {
            match state {
                DeliveryState::Deferred => state = DeliveryState::Cancelled,
                DeliveryState::Uncertain => held = true,
                _ => {}
            }
        }
        if row.state.is_final() || !row.state.may_become(state) {
            return;
        }
        row.becomes(state, held);
        if !matches!(answer, Answer::Unreachable | Answer::Skipped | Answer::Expired) {
            row.attempts += 1;
        }
    }

    fn settle(&mut self, epoch: i64) {
        if epoch != self.epoch {
            return;
        }
        self.owner = None;
        self.is_open = self.rows.iter().any(|row| !row.state.is_final());
        self.is_due = self.rows.iter().any(|row| !row.state.is_final() && !row.held);
        if !self.is_open && matches!(self.edition, EditionState::Sealed | EditionState::Paused) {
            self.edition = EditionState::Finished;
        }
    }

    fn cancel(&mut self) {
        if !matches!(self.edition, EditionState::Sealed | EditionState::Paused) {
            return;
        }
        self.edition = EditionState::Cancelled;
        for row in &mut self.rows {
            if !row.state.is_final() && row.state != DeliveryState::Sending {
                row.becomes(DeliveryState::Cancelled, false);
            }
        }
        self.is_open &= self.rows.iter().any(|row| row.state == DeliveryState::Sending);
    }

    fn resend(&mut self, which: usize, from: &[DeliveryState]) {
        let row = &mut self.rows[which];
        if self.edition == EditionState::Cancelled || !from.contains(&row.state) {
            return;
        }
        row.becomes(DeliveryState::Deferred, false);
        (self.is_open, self.is_due) = (true, true);
        if self.edition == EditionState::Finished {
            self.edition = EditionState::Sealed;
        }
    }

    fn end(&mut self, which: usize, state: DeliveryState) {
        self.rows[which].becomes(state, false);
        self.is_due = true;
    }
}

struct Run {
    store: Store,
    model: Model,
    edition: EditionId,
    leases: BTreeMap<usize, Claimed>,
    hour: i64,
}

impl Run {
    async fn start(database: &Database) -> Self {
        let store = database.open(NOW).await;
        for name in ["ann", "bob", "cis"] {
            subscribe(&store, name).await;
        }
        let edition = seal_in_stages(&store, "urn:1", &[]).await.id;
        Self { store, model: Model::new(), edition, leases: BTreeMap::new(), hour: 0 }
    }

    /// Does the same to both. Time goes on, so that whatever waits for a time is due.
    async fn apply(&mut self, op: Op) {
        self.hour += 1;
        let now = later(60 * self.hour);
        let store = &self.store;
        match op {
            Op::Claim(owner, hold) => {
                let lease = (now, now);
                let claimed =
                    write(store, async |tx| tx.claim_batch(BULK, OWNERS[owner], lease, hold).await);
                let claimed = claimed.await;
                assert_eq!(claimed.is_some(), self.model.claim(owner, hold));
                self.leases.extend(claimed.map(|claimed| (owner, claimed)));
            }
            Op::Intend(owner, which, good) => {
                let Some(claimed) = self.leases.get(&owner) else { return };
                let version = if good { self.model.version } else { self.model.version - 1 };
                let content_version = Some(version);
                let intent =
                    IntentRequest { content_version, ..intent(claimed, delivery_id(which)) };
                let answers = step(store, (vec![], vec![intent]), now).await;
                let expected = self.model.intend(claimed.lease.epoch, which, version);
                assert_eq!(answers, [expected]);
            }
            Op::Record(owner, which, answer) => {
                let Some(claimed) = self.leases.get(&owner) else { return };
                record(store, Self::told(claimed, delivery_id(which), answer, now)).await;
                self.model.record(claimed.lease.epoch, which, answer);
            }
            Op::Step(owner, (which, answer), next) => {
                let Some(claimed) = self.leases.get(&owner) else { return };
                let told = Self::told(claimed, delivery_id(which), answer, now);
                let intent = intent(claimed, delivery_id(next));
                let answers = step(store, (vec![told], vec![intent]), now).await;
                self.model.record(claimed.lease.epoch, which, answer);
                let version = self.model.version;
                let expected = self.model.intend(claimed.lease.epoch, next, version);
                assert_eq!(answers, [expected]);
            }
            Op::Settle(owner) => {
                let Some(claimed) = self.leases.get(&owner) else { return };
                write(store, async |tx| tx.settle_batch(claimed, None, now).await).await;
                self.model.settle(claimed.lease.epoch);
            }
            Op::Pause | Op::Resume | Op::Cancel | Op::Correct => self.control(op, now).await,
            Op::Retry(which) | Op::Decide(which, _) | Op::CancelOne(which) | Op::Leave(which) => {
                self.decide(op, which, now).await;
            }
        }
    }

    async fn control(&mut self, op: Op, now: Timestamp) {
        let (store, edition) = (&self.store, self.edition);
        match op {
            Op::Pause => {
                let paused =
                    write(store, async |tx| tx.pause_edition(edition, "", now).await).await;
                assert_eq!(paused, self.model.edition == EditionState::Sealed);
                if paused {
                    self.model.edition = EditionState::Paused;
                }
            }
            Op::Resume => {
                let resumed = write(store, async |tx| tx.resume_edition(edition, now).await).await;
                assert_eq!(resumed, self.model.edition == EditionState::Paused);
                if resumed {
                    self.model.edition = EditionState::Sealed;
                }
            }
            Op::Cancel => {
                write(store, async |tx| tx.cancel_edition(edition, "", now).await).await;
                self.model.cancel();
            }
            Op::Correct => {
                let correction = Correction { subject: "", content: "", posts: &[] };
                let version =
                    write(store, async |tx| tx.correct_edition(edition, &correction, now).await);
                if let Some(version) = version.await {
                    self.model.version = version;
                }
            }
            _ => unreachable!("not of the edition"),
        }
    }

    async fn decide(&mut self, op: Op, which: usize, now: Timestamp) {
        let (store, id) = (&self.store, delivery_id(which));
        match op {
            Op::Retry(_) => {
                write(store, async |tx| tx.retry_delivery(id, now).await).await;
                let mut from =
                    vec![DeliveryState::Deferred, DeliveryState::Expired, DeliveryState::Rejected];
                from.extend(self.model.rows[which].held.then_some(DeliveryState::Uncertain));
                self.model.resend(which, &from);
            }
            Op::Decide(_, how) => {
                write(store, async |tx| tx.settle_uncertain(id, how, now).await).await;
                let is_uncertain = self.model.rows[which].state == DeliveryState::Uncertain;
                match how {
                    Settlement::Resend => self.model.resend(which, &[DeliveryState::Uncertain]),
                    Settlement::Accepted if is_uncertain => {
                        self.model.end(which, DeliveryState::Accepted);
                    }
                    Settlement::Cancelled if is_uncertain => {
                        self.model.end(which, DeliveryState::Cancelled);
                    }
                    Settlement::Accepted | Settlement::Cancelled => {}
                }
            }
            Op::CancelOne(_) => {
                let done = write(store, async |tx| tx.cancel_delivery(id, now).await).await;
                let row = self.model.rows[which];
                let may = !row.state.is_final() && row.state != DeliveryState::Sending;
                assert_eq!(done, may);
                if may {
                    self.model.end(which, DeliveryState::Cancelled);
                }
            }
            Op::Leave(_) => {
                let subscription = postrider::domain::SubscriptionId(id.0);
                write(store, async |tx| tx.unsubscribe(subscription, "", now).await).await;
                self.model.left[which] = true;
            }
            _ => unreachable!("not of a delivery"),
        }
    }

    fn told(claimed: &Claimed, id: DeliveryId, answer: Answer, now: Timestamp) -> Recorded {
        let reason = Reason::System;
        let (outcome, next) = match answer {
            Answer::Accepted => {
                (Some(Outcome::Accepted(reply(250))), Next::Final(DeliveryState::Accepted))
            }
            Answer::Deferred => (
                Some(Outcome::Deferred { reply: reply(451), reason, not_before: None }),
                Next::Again(DeliveryState::Deferred, now),
            ),
            Answer::Rejected => (
                Some(Outcome::Rejected { reply: reply(550), reason }),
                Next::Final(DeliveryState::Rejected),
            ),
            Answer::Uncertain => {
                (Some(Outcome::Uncertain(reply(0))), Next::Again(DeliveryState::Uncertain, now))
            }
            Answer::Held => (Some(Outcome::Uncertain(reply(0))), Next::Held),
            Answer::Unreachable => {
                (Some(Outcome::Unreachable(reply(0))), Next::Again(DeliveryState::Deferred, now))
            }
            Answer::Skipped => (None, Next::Final(DeliveryState::Skipped)),
            Answer::Expired => (None, Next::Final(DeliveryState::Expired)),
        };
        let recorded = recorded_maybe(claimed, id, outcome, next);
        Recorded { ended_at: now, ..recorded }
    }

    async fn agrees(&self, after: Op) {
        let filter = DeliveryFilter { limit: 10, ..DeliveryFilter::default() };
        let mut rows = self.store.read().await.unwrap().deliveries(filter).await.unwrap();
        rows.reverse();
        let rows: Vec<Row> = rows
            .into_iter()
            .map(|row| Row { state: row.state, held: row.held, attempts: row.attempts })
            .collect();
        assert_eq!(rows, self.model.rows, "after {after:?}");
        let edition = edition_state(&self.store, self.edition).await;
        assert_eq!(edition, self.model.edition, "after {after:?}");
    }
}

fn recorded_maybe(
    claimed: &Claimed,
    id: DeliveryId,
    outcome: Option<Outcome>,
    next: Next,
) -> Recorded {
    Recorded {
        lease: claimed.lease,
        delivery: id,
        started_at: NOW,
        ended_at: NOW,
        outcome,
        next,
        bounce: Bounce::None,
    }
}

fn delivery_id(which: usize) -> DeliveryId {
    DeliveryId(i64::try_from(which).unwrap() + 1)
}

/// As many random histories as fit into a few seconds.
fn histories_on(engine: Engine, cases: u32) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let config =
        Config { cases, max_shrink_iters: 200, failure_persistence: None, ..Config::default() };
    let histories = prop::collection::vec(op(), 1..40);
    let checked = TestRunner::new(config).run(&histories, |history| {
        runtime.block_on(async {
            let database = engine.database().await;
            let mut run = Run::start(&database).await;
            for op in history {
                run.apply(op).await;
                run.agrees(op).await;
            }
            run.store.close().await;
        });
        Ok(())
    });
    checked.unwrap();
}

#[test]
fn sqlite_is_where_the_model_is() {
    histories_on(Engine::Sqlite, 60);
}

#[test]
fn postgres_is_where_the_model_is() {
    if Engine::all().contains(&Engine::Postgres) {
        histories_on(Engine::Postgres, 15);
    }
}

//! Group commit: the intents and outcomes of all connections, each group in one transaction.
//!
//! No timer: whatever is queued when a commit ends makes the next one, so an idle daemon answers in one fsync and a busy
//! one shares it. An outcome is kept and tried again until the database takes it; an intent that fails is refused,
//! because what has no durable intent must not be handed over. On SQLite all this happens on a thread of its own.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::runtime::Handle;
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::express::Express;
use super::outcomes::{IntentRefusal, IntentRequest, Recorded};
use super::{Store, StoreError};
use crate::domain::DeliveryId;
use crate::telemetry;

/// At most so many steps share a transaction.
const GROUP_LIMIT: usize = 256;
/// How long an outcome waits when the database refuses it.
const DATABASE_PAUSE: Duration = Duration::from_millis(500);

/// The committer is gone, and what it was told with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the ledger is closing")]
pub struct LedgerClosed;

/// The answer to each intent of a step, in its order.
pub type IntentAnswers = Vec<(DeliveryId, Result<(), IntentRefusal>)>;

/// A handle on the committer. Cheap to clone; one for each connection.
#[derive(Clone, Debug)]
pub struct Ledger {
    entries: mpsc::Sender<Entry>,
}

#[derive(Debug)]
struct Entry {
    outcomes: Vec<Recorded>,
    intents: Vec<IntentRequest>,
    /// The database did not take the intents at once; asked again they could be answered too late.
    is_refused: bool,
    at: Timestamp,
    answer: oneshot::Sender<IntentAnswers>,
}

impl Ledger {
    /// The handle, and the queue for `run_committer`.
    pub fn new() -> (Self, LedgerQueue) {
        let (entries, queue) = mpsc::channel(GROUP_LIMIT);
        (Self { entries }, LedgerQueue(queue))
    }

    /// Makes `outcomes` durable, then `intents`, in one commit; says which intents are.
    ///
    /// Resolves when every outcome is durable, however long the database takes; the intents of a step that the database did
    /// not take at once are refused as `Unavailable`. Once called, the outcomes are the committer's: dropping the future
    /// loses the answer, not the outcomes.
    pub async fn step(
        &self,
        outcomes: Vec<Recorded>,
        intents: Vec<IntentRequest>,
        at: Timestamp,
    ) -> Result<IntentAnswers, LedgerClosed> {
        if outcomes.is_empty() && intents.is_empty() {
            return Ok(Vec::new());
        }
        let (answer, durable) = oneshot::channel();
        let entry = Entry { outcomes, intents, is_refused: false, at, answer };
        self.entries.send(entry).await.map_err(|_| LedgerClosed)?;
        durable.await.map_err(|_| LedgerClosed)
    }
}

/// What the committer reads from.
#[derive(Debug)]
pub struct LedgerQueue(mpsc::Receiver<Entry>);

/// Commits until every `Ledger` is dropped, or until `abandon` while the database is away.
pub async fn run_committer(store: Store, queue: LedgerQueue, abandon: CancellationToken) {
    let express = store.express();
    let on_own_thread = express.is_some();
    let committer = Committer { store, express, queue: queue.0, abandon, is_away: false };
    if !on_own_thread {
        return committer.run().await;
    }
    // SQLite works, and waits for the disk, on the thread that asks it to.
    let (runtime, (ending, ended)) = (Handle::current(), oneshot::channel::<()>());
    let run = move || {
        runtime.block_on(committer.run());
        drop(ending);
    };
    let thread = std::thread::Builder::new().name("ledger".to_owned()).spawn(run);
    let thread = thread.expect("the system has room for a thread");
    let _ = ended.await;
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

struct Committer {
    store: Store,
    express: Option<(Express, Arc<Mutex<()>>)>,
    queue: mpsc::Receiver<Entry>,
    abandon: CancellationToken,
    /// The last commit failed, and that was told.
    is_away: bool,
}

impl Committer {
    async fn run(mut self) {
        let mut group = Vec::with_capacity(GROUP_LIMIT);
        while self.queue.recv_many(&mut group, GROUP_LIMIT).await > 0 {
            if !self.work_off(std::mem::take(&mut group)).await {
                return;
            }
        }
    }

    /// Commits `group`, whatever it takes. False: abandoned.
    async fn work_off(&mut self, group: Vec<Entry>) -> bool {
        let mut groups = vec![group];
        while let Some(group) = groups.pop() {
            let error = match self.commit(&group).await {
                Ok(answers) => {
                    if std::mem::take(&mut self.is_away) {
                        tracing::info!("the ledger can be written again");
                    }
                    answer(group, answers);
                    continue;
                }
                Err(error) => error,
            };
            if error.is_of_the_data() {
                groups.extend(self.take_apart(group).await);
                continue;
            }
            if !std::mem::replace(&mut self.is_away, true) {
                tracing::error!(
                    error = %telemetry::causes(&error),
                    "the ledger cannot be written; nothing new is sent until it can"
                );
            }
            groups.push(group);
            if !self.pause(&mut groups).await {
                return false;
            }
            // Not before: whoever is refused asks again at once.
            groups.iter_mut().for_each(refuse_intents);
            groups.retain(|group| !group.is_empty());
        }
        true
    }

    async fn commit(
        &mut self,
        group: &[Entry],
    ) -> Result<Vec<Result<(), IntentRefusal>>, StoreError> {
        let outcomes: Vec<&Recorded> = group.iter().flat_map(|entry| &entry.outcomes).collect();
        let open = group.iter().filter(|entry| !entry.is_refused);
        let intents: Vec<IntentRequest> = open.flat_map(|entry| entry.intents.clone()).collect();
        // Nobody was told yet: the latest is the hour of all.
        let at = group.iter().map(|entry| entry.at).max().unwrap_or_default();
        if let Some((express, turn)) = &mut self.express {
            let _turn = turn.lock().await;
            if express.step(&outcomes, &intents, at)? {
                self.store.count_commit();
                return Ok(vec![Ok(()); intents.len()]);
            }
        }
        let mut tx = self.store.commit_group().await?;
        let answers = tx.step(&outcomes, &intents, at, self.store.keyring()).await?;
        tx.commit().await?;
        Ok(answers)
    }

    /// One of `group` cannot be written, whatever the weather, and the others must not wait for it: halves it until
    /// that one is alone, and then gives it up. Returns what is left to be committed.
    async fn take_apart(&mut self, mut group: Vec<Entry>) -> Vec<Vec<Entry>> {
        if group.len() > 1 {
            let half = group.split_off(group.len() / 2);
            return vec![half, group];
        }
        let Some(mut entry) = group.pop() else { return Vec::new() };
        entry.is_refused = true;
        while let Some(recorded) = entry.outcomes.last() {
            if let Err(error) = commit_alone(&self.store, recorded).await {
                if !error.is_of_the_data() {
                    return vec![vec![entry]];
                }
                tracing::error!(
                    delivery.id = recorded.delivery.0,
                    error = %telemetry::causes(&error),
                    "an outcome cannot be written and is given up; after a restart its delivery counts as uncertain"
                );
            }
            entry.outcomes.pop();
        }
        answer(vec![entry], Vec::new());
        Vec::new()
    }

    /// Waits a while and takes in what comes meanwhile. False: abandoned.
    async fn pause(&mut self, groups: &mut Vec<Vec<Entry>>) -> bool {
        let pause = tokio::time::sleep(DATABASE_PAUSE);
        tokio::pin!(pause);
        loop {
            tokio::select! {
                () = self.abandon.cancelled() => return false,
                () = &mut pause => return true,
                // Behind the others: this is a stack.
                Some(entry) = self.queue.recv() => groups.insert(0, vec![entry]),
            }
        }
    }
}

/// Refuses the intents of `group` and answers what has nothing else; what remains are outcomes, to be kept.
fn refuse_intents(group: &mut Vec<Entry>) {
    for entry in &mut *group {
        entry.is_refused = true;
    }
    let (kept, done) = group.drain(..).partition(|entry| !entry.outcomes.is_empty());
    *group = kept;
    answer(done, Vec::new());
}

async fn commit_alone(store: &Store, recorded: &Recorded) -> Result<(), StoreError> {
    let mut tx = store.commit_group().await?;
    tx.step(&[recorded], &[], recorded.ended_at, store.keyring()).await?;
    tx.commit().await
}

/// Hands `answers`, which are in the order of the intents that were not refused before, to whoever waits for them.
fn answer(group: Vec<Entry>, answers: Vec<Result<(), IntentRefusal>>) {
    let mut answers = answers.into_iter();
    for Entry { intents, is_refused, answer, .. } in group {
        let verdicts = intents.into_iter().map(|intent| {
            let verdict = if is_refused { None } else { answers.next() };
            (intent.delivery, verdict.unwrap_or(Err(IntentRefusal::Unavailable)))
        });
        // A connection that went away meanwhile needs no answer.
        let _ = answer.send(verdicts.collect());
    }
}

//! Group commit: the intents and outcomes of all connections, each group in one transaction.
//!
//! No timer: whatever is queued when a commit ends makes the next one, so an idle daemon answers in one fsync and a busy
//! one shares it. An outcome is kept and tried again until the database takes it; an intent that fails is refused at
//! once, because what has no durable intent must not be handed over.

use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::batches::Lease;
use super::outcomes::{IntentRefusal, Recorded};
use super::{Store, StoreError};
use crate::domain::DeliveryId;
use crate::telemetry;

/// At most so many writes share a transaction.
const GROUP_LIMIT: usize = 256;
/// How long an outcome waits when the database refuses it.
const DATABASE_PAUSE: Duration = Duration::from_millis(500);

/// Why a write to the ledger did not happen.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    #[error(transparent)]
    Refused(#[from] IntentRefusal),
    #[error("the database did not take the intent")]
    Database,
    #[error("the ledger is closing")]
    Closing,
}

/// A handle on the committer. Cheap to clone; one for each connection.
#[derive(Clone, Debug)]
pub struct Ledger {
    entries: mpsc::Sender<Entry>,
}

#[derive(Debug)]
enum Entry {
    Intent {
        lease: Lease,
        delivery: DeliveryId,
        at: Timestamp,
        answer: oneshot::Sender<Result<(), LedgerError>>,
    },
    Outcome {
        recorded: Box<Recorded>,
        answer: oneshot::Sender<()>,
    },
}

impl Ledger {
    /// The handle, and the queue for `run_committer`.
    pub fn new() -> (Self, LedgerQueue) {
        let (entries, queue) = mpsc::channel(GROUP_LIMIT);
        (Self { entries }, LedgerQueue(queue))
    }

    /// Resolves when the intent is durable.
    pub async fn intent(
        &self,
        lease: Lease,
        delivery: DeliveryId,
        at: Timestamp,
    ) -> Result<(), LedgerError> {
        let (answer, durable) = oneshot::channel();
        let entry = Entry::Intent { lease, delivery, at, answer };
        self.entries.send(entry).await.map_err(|_| LedgerError::Closing)?;
        durable.await.map_err(|_| LedgerError::Closing)?
    }

    /// Resolves when the outcome is durable, however long the database takes.
    pub async fn outcome(&self, recorded: Recorded) -> Result<(), LedgerError> {
        let (answer, durable) = oneshot::channel();
        let entry = Entry::Outcome { recorded: Box::new(recorded), answer };
        self.entries.send(entry).await.map_err(|_| LedgerError::Closing)?;
        durable.await.map_err(|_| LedgerError::Closing)
    }
}

/// What the committer reads from.
#[derive(Debug)]
pub struct LedgerQueue(mpsc::Receiver<Entry>);

/// Commits until every `Ledger` is dropped, or until `abandon` while the database is away.
pub async fn run_committer(store: Store, queue: LedgerQueue, abandon: CancellationToken) {
    let mut queue = queue.0;
    let mut group = Vec::with_capacity(GROUP_LIMIT);
    while queue.recv_many(&mut group, GROUP_LIMIT).await > 0 {
        match commit(&store, &group).await {
            Ok(answers) => answer(std::mem::take(&mut group), answers),
            Err(error) => {
                tracing::error!(
                    error = %telemetry::causes(&error),
                    "the ledger cannot be written; nothing new is sent until it can"
                );
                refuse_intents(&mut group);
                if !keep_trying(&store, &mut group, &abandon).await {
                    return;
                }
            }
        }
    }
}

/// Tries the outcomes in `group` until the database takes them. False: abandoned.
async fn keep_trying(store: &Store, group: &mut Vec<Entry>, abandon: &CancellationToken) -> bool {
    while !group.is_empty() {
        tokio::select! {
            () = abandon.cancelled() => return false,
            () = tokio::time::sleep(DATABASE_PAUSE) => {}
        }
        if let Ok(answers) = commit(store, group).await {
            answer(std::mem::take(group), answers);
            tracing::info!("the ledger can be written again");
        }
    }
    true
}

fn refuse_intents(group: &mut Vec<Entry>) {
    let mut outcomes = Vec::new();
    for entry in group.drain(..) {
        match entry {
            Entry::Intent { answer, .. } => {
                // A connection that went away meanwhile needs no answer.
                let _ = answer.send(Err(LedgerError::Database));
            }
            Entry::Outcome { .. } => outcomes.push(entry),
        }
    }
    *group = outcomes;
}

async fn commit(
    store: &Store,
    group: &[Entry],
) -> Result<Vec<Result<(), IntentRefusal>>, StoreError> {
    let mut tx = store.write().await?;
    let mut answers = Vec::with_capacity(group.len());
    for entry in group {
        answers.push(match entry {
            Entry::Intent { lease, delivery, at, .. } => {
                tx.note_intent(*lease, *delivery, *at).await?
            }
            Entry::Outcome { recorded, .. } => {
                tx.record_outcome(recorded, store.keyring()).await?;
                Ok(())
            }
        });
    }
    tx.commit().await?;
    Ok(answers)
}

fn answer(group: Vec<Entry>, answers: Vec<Result<(), IntentRefusal>>) {
    for (entry, verdict) in group.into_iter().zip(answers) {
        match entry {
            Entry::Intent { answer, .. } => {
                let _ = answer.send(verdict.map_err(LedgerError::from));
            }
            Entry::Outcome { answer, .. } => {
                let _ = answer.send(());
            }
        }
    }
}

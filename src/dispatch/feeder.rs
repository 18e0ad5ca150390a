//! A feeder: leases batches of a channel and pushes their deliveries to the workers.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio_util::task::TaskTracker;

use super::content::{self, ContentError};
use super::queue::{Content, Job, JobSender};
use super::{ChannelSpec, Dispatch};
use crate::domain::{EditionId, Lane, Target};
use crate::store::{Claimed, DueDelivery, Queue, Settled, StoreError};
use crate::telemetry;

/// Longer than the longest wait in an SMTP dialogue (10 minutes for the reply to the final dot, RFC 5321 section 4.5.3.2.6).
const LEASE: SignedDuration = SignedDuration::from_mins(15);
/// How often a lease is renewed while its batch is under way.
const HEARTBEAT: Duration = Duration::from_mins(1);
/// How often the database is asked without being told: other processes plan too.
const POLL: Duration = Duration::from_secs(2);
/// How long to wait when the database does not answer.
const DATABASE_PAUSE: Duration = Duration::from_secs(1);
/// How long a batch waits whose content cannot be read back.
const UNREADABLE_PAUSE: SignedDuration = SignedDuration::from_mins(5);

pub(crate) struct Feeder {
    pub(crate) dispatch: Dispatch,
    pub(crate) channel: Arc<ChannelSpec>,
    pub(crate) lanes: (Lane, Lane),
    pub(crate) jobs: JobSender,
}

impl Feeder {
    pub(crate) async fn run(self) {
        while !self.dispatch.stop.is_cancelled() {
            let next = match self.claim().await {
                Ok(Claim::Batch(claimed)) => {
                    self.work_off(claimed).await;
                    continue;
                }
                Ok(Claim::Nothing { next }) => next,
                Err(error) => {
                    tracing::error!(
                        channel = %self.channel.name,
                        error = %telemetry::causes(&error),
                        "cannot claim deliveries; trying again"
                    );
                    self.pause(DATABASE_PAUSE).await;
                    continue;
                }
            };
            self.wait(next).await;
        }
    }

    async fn wait(&self, next: Option<Timestamp>) {
        let due = self.dispatch.clock.sleep_until(next.unwrap_or(Timestamp::MAX));
        tokio::select! {
            () = self.dispatch.stop.cancelled() => {}
            () = self.dispatch.planned.notified() => {}
            () = due => {}
            () = tokio::time::sleep(POLL) => {}
        }
    }

    async fn pause(&self, pause: Duration) {
        tokio::select! {
            () = self.dispatch.stop.cancelled() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }

    async fn claim(&self) -> Result<Claim, StoreError> {
        let queue = Queue { channel: &self.channel.name, lanes: self.lanes };
        let now = self.dispatch.clock.now();
        // Reading first: an idle daemon takes no write lock.
        let next = self.dispatch.store.read().await?.next_batch_at(queue, now).await?;
        if next.is_none_or(|at| at > now) {
            return Ok(Claim::Nothing { next });
        }
        let until = now.saturating_add(LEASE).unwrap_or(Timestamp::MAX);
        let hold = !self.channel.retry.resend_uncertain;
        let mut tx = self.dispatch.store.write().await?;
        let claimed = tx.claim_batch(queue, &self.dispatch.owner, (now, until), hold).await?;
        tx.commit().await?;
        Ok(claimed.map_or(Claim::Nothing { next: None }, Claim::Batch))
    }

    async fn work_off(&self, claimed: Claimed) {
        if !claimed.uncertain.is_empty() {
            tracing::warn!(
                channel = %self.channel.name,
                edition.id = claimed.edition.map(|id| id.0),
                count = claimed.uncertain.len(),
                deliveries = ?claimed.uncertain.iter().map(|id| id.0).collect::<Vec<_>>(),
                resend = self.channel.retry.resend_uncertain,
                "a previous run stopped while these were being handed over; whether they arrived is unknown"
            );
        }
        let pushed = self.push_all(&claimed).await;
        if let Err(error) = &pushed {
            tracing::error!(
                channel = %self.channel.name,
                batch.id = claimed.lease.batch,
                error = %telemetry::causes(error),
                "a batch could not be worked off; it is tried again"
            );
        }
        match pushed {
            Ok(()) => self.settle(&claimed).await,
            Err(ContentError::Store(StoreError::Database { .. })) => {
                self.pause(DATABASE_PAUSE).await;
                self.settle(&claimed).await;
            }
            // It would be the first to be claimed again, for ever: behind it others wait for their turn.
            Err(_) => self.postpone(&claimed).await,
        }
    }

    async fn push_all(&self, claimed: &Claimed) -> Result<(), ContentError> {
        let now = self.dispatch.clock.now();
        let due = self.dispatch.store.read().await?.due_deliveries(claimed, now).await?;
        let tracker = TaskTracker::new();
        let pushing = self.push(claimed, due, &tracker);
        let heart = self.keep_lease(claimed);
        let pushed = tokio::select! {
            pushed = pushing => pushed,
            () = heart => Ok(()),
        };
        // Whatever went wrong: what was pushed is under way, and the lease must last as long as it is.
        tracker.close();
        tokio::select! {
            () = tracker.wait() => {}
            () = self.keep_lease(claimed) => tracker.wait().await,
        }
        pushed
    }

    async fn push(
        &self,
        claimed: &Claimed,
        due: Vec<DueDelivery>,
        tracker: &TaskTracker,
    ) -> Result<(), ContentError> {
        let mut editions: HashMap<EditionId, Content> = HashMap::new();
        for delivery in due {
            let content = match delivery.target {
                Target::Edition { edition, .. } => {
                    if let Some(known) = editions.get(&edition) {
                        known.clone()
                    } else {
                        let content = content::load(&self.dispatch, delivery.target).await?;
                        editions.entry(edition).or_insert(content).clone()
                    }
                }
                Target::Letter { .. } | Target::Announcement { .. } => {
                    content::load(&self.dispatch, delivery.target).await?
                }
            };
            let job = Job { lease: claimed.lease, due: delivery, content, _open: tracker.token() };
            tokio::select! {
                () = self.dispatch.stop.cancelled() => return Ok(()),
                taken = self.jobs.send(claimed.lane, job) => if !taken { return Ok(()) },
            }
        }
        Ok(())
    }

    /// Renews the lease for as long as it is ours; resolves when it is lost.
    async fn keep_lease(&self, claimed: &Claimed) {
        loop {
            tokio::time::sleep(HEARTBEAT).await;
            match self.renew(claimed).await {
                Ok(true) => {}
                Ok(false) => {
                    tracing::warn!(channel = %self.channel.name, "a lease was lost to another node");
                    return;
                }
                Err(error) => tracing::error!(
                    error = %telemetry::causes(&error),
                    "cannot renew a lease; trying again"
                ),
            }
        }
    }

    async fn renew(&self, claimed: &Claimed) -> Result<bool, StoreError> {
        let now = self.dispatch.clock.now();
        let until = now.saturating_add(LEASE).unwrap_or(Timestamp::MAX);
        let mut tx = self.dispatch.store.write().await?;
        let ours = tx.renew_lease(claimed.lease, (now, until)).await?;
        tx.commit().await?;
        Ok(ours)
    }

    async fn postpone(&self, claimed: &Claimed) {
        let now = self.dispatch.clock.now();
        let until = now.saturating_add(UNREADABLE_PAUSE).unwrap_or(Timestamp::MAX);
        let postponed = async {
            let mut tx = self.dispatch.store.write().await?;
            tx.postpone_batch(claimed.lease, until).await?;
            tx.commit().await
        };
        if let Err(error) = postponed.await {
            tracing::error!(
                error = %telemetry::causes(&error),
                "cannot postpone a batch; its lease runs out by itself"
            );
        }
    }

    /// Gives the lease back, as soon as the database takes it: until then nobody else could go on with the batch, and
    /// once the database is back nobody should have to wait for the lease to run out.
    async fn settle(&self, claimed: &Claimed) {
        loop {
            match self.try_to_settle(claimed).await {
                Ok(Settled::Done) => {
                    if let Some(edition) = claimed.edition {
                        tracing::debug!(edition.id = edition.0, "a batch is done");
                    }
                    return;
                }
                Ok(Settled::Later(_) | Settled::Lost) => return,
                Err(error) => {
                    let error = telemetry::causes(&error);
                    if self.dispatch.stop.is_cancelled() {
                        tracing::error!(
                            %error,
                            "cannot settle a batch; its lease runs out by itself"
                        );
                        return;
                    }
                    tracing::error!(
                        channel = %self.channel.name,
                        %error,
                        "cannot settle a batch; trying again"
                    );
                }
            }
            self.pause(DATABASE_PAUSE).await;
        }
    }

    async fn try_to_settle(&self, claimed: &Claimed) -> Result<Settled, StoreError> {
        let mut tx = self.dispatch.store.write().await?;
        let settled = tx.settle_batch(claimed, None, self.dispatch.clock.now()).await?;
        tx.commit().await?;
        Ok(settled)
    }
}

enum Claim {
    Batch(Claimed),
    Nothing { next: Option<Timestamp> },
}

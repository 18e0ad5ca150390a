//! A feeder: leases batches of a channel and puts their deliveries on the exchange.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::task::JoinSet;
use tokio_util::task::TaskTracker;

use super::content::{self, ContentError};
use super::exchange::Exchange;
use super::job::{Content, Job};
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
/// The same for letters: a person waits for each.
const LETTER_POLL: Duration = Duration::from_millis(500);
/// How long to wait when the database does not answer.
const DATABASE_PAUSE: Duration = Duration::from_secs(1);
/// How long a batch waits whose content cannot be read back.
const UNREADABLE_PAUSE: SignedDuration = SignedDuration::from_mins(5);
/// How often it is looked whether a batch is stuck.
const LOOK: Duration = Duration::from_secs(1);
/// How long a batch rests of which nobody knows when it can go on.
const REST: SignedDuration = SignedDuration::from_secs(30);

#[derive(Clone)]
pub(crate) struct Feeder {
    pub(crate) dispatch: Dispatch,
    pub(crate) channel: Arc<ChannelSpec>,
    pub(crate) lanes: (Lane, Lane),
    /// How many batches may be under way.
    pub(crate) batches: usize,
    pub(crate) exchange: Arc<Exchange>,
}

impl Feeder {
    pub(crate) async fn run(self) {
        let mut under_way = JoinSet::new();
        while !self.dispatch.stop.is_cancelled() {
            if under_way.len() >= self.batches {
                joined(under_way.join_next().await);
                continue;
            }
            match self.claim().await {
                Ok(Claim::Batch(claimed)) => {
                    let feeder = self.clone();
                    under_way.spawn(async move { feeder.work_off(claimed).await });
                }
                Ok(Claim::Nothing { next }) => self.wait(next, &mut under_way).await,
                Err(error) => {
                    tracing::error!(
                        channel = %self.channel.name,
                        error = %telemetry::causes(&error),
                        "cannot claim deliveries; trying again"
                    );
                    self.pause(DATABASE_PAUSE).await;
                }
            }
        }
        while let Some(ended) = under_way.join_next().await {
            joined(Some(ended));
        }
    }

    async fn wait(&self, next: Option<Timestamp>, under_way: &mut JoinSet<()>) {
        let due = self.dispatch.clock.sleep_until(next.unwrap_or(Timestamp::MAX));
        let poll = if self.lanes.0 == Lane::Letter { LETTER_POLL } else { POLL };
        tokio::select! {
            () = self.dispatch.stop.cancelled() => {}
            () = self.dispatch.planned.notified() => {}
            // What it left may be due again.
            Some(ended) = under_way.join_next() => joined(Some(ended)),
            () = due => {}
            () = tokio::time::sleep(poll) => {}
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
        if self.lanes.0 != Lane::Letter
            && let Some(window) = &self.channel.send_window
            && let opens = window.next_open(now)
            && opens > now
        {
            return Ok(Claim::Nothing { next: Some(opens) });
        }
        let store = &self.dispatch.store;
        let freed = store.free_strays(&self.dispatch.owner).await?;
        if freed > 0 {
            tracing::warn!(batches = freed, "going on with what was left when the database failed");
        }
        // Reading first: an idle daemon takes no write lock.
        let mut tx = store.read().await?;
        if tx.fenced().await?.is_some() {
            return Ok(Claim::Nothing { next: None });
        }
        let next = tx.next_batch_at(queue, now).await?;
        drop(tx);
        if next.is_none_or(|at| at > now) {
            return Ok(Claim::Nothing { next });
        }
        let until = now.saturating_add(LEASE).unwrap_or(Timestamp::MAX);
        let hold = !self.channel.retry.resend_uncertain;
        let mut tx = store.write().await?;
        let claimed = tx.claim_batch(queue, &self.dispatch.owner, (now, until), hold).await?;
        if let Err(error) = tx.commit().await {
            store.may_have_claimed();
            return Err(error);
        }
        if let Some(claimed) = &claimed {
            store.begin_work(claimed.lease);
        }
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
        let offered = self.offer_all(&claimed).await;
        self.exchange.forget(claimed.lease.batch);
        if let Err(error) = &offered {
            tracing::error!(
                channel = %self.channel.name,
                batch.id = claimed.lease.batch,
                error = %telemetry::causes(error),
                "a batch could not be worked off; it is tried again"
            );
        }
        let is_settled = match offered {
            Ok(not_before) => self.settle(&claimed, not_before).await,
            Err(ContentError::Store(StoreError::Database { .. })) => {
                self.pause(DATABASE_PAUSE).await;
                self.settle(&claimed, None).await
            }
            // It would be the first to be claimed again, for ever: behind it others wait for their turn.
            Err(_) => self.postpone(&claimed).await,
        };
        self.dispatch.store.end_work(claimed.lease, is_settled);
    }

    /// Puts the batch on the exchange and waits until it is through. A time: the rest of it must wait until then.
    async fn offer_all(&self, claimed: &Claimed) -> Result<Option<Timestamp>, ContentError> {
        let now = self.dispatch.clock.now();
        let due = self.dispatch.store.read().await?.due_deliveries(claimed, now).await?;
        let tracker = TaskTracker::new();
        let jobs = self.jobs(claimed, due, &tracker).await?;
        self.exchange.offer(jobs);
        // Whatever happens: what was offered is under way, and the lease must last as long as it is.
        tracker.close();
        let mut heart = tokio::time::interval(HEARTBEAT);
        heart.tick().await;
        let mut look = tokio::time::interval(LOOK);
        let mut not_before = None;
        loop {
            tokio::select! {
                () = tracker.wait() => return Ok(not_before),
                _ = heart.tick() => self.keep_lease(claimed).await,
                // Letters are first in line anyway, and hold up nothing but letters.
                _ = look.tick(), if self.lanes.0 != Lane::Letter => {
                    if let Some(stuck) = self.exchange.take_back_stuck(claimed.lease.batch) {
                        let now = self.dispatch.clock.now();
                        let rest = now.saturating_add(REST).unwrap_or(Timestamp::MAX);
                        not_before = Some(stuck.next_at.filter(|next| *next > now).unwrap_or(rest));
                    }
                }
            }
        }
    }

    async fn jobs(
        &self,
        claimed: &Claimed,
        due: Vec<DueDelivery>,
        tracker: &TaskTracker,
    ) -> Result<Vec<Job>, ContentError> {
        let mut editions: HashMap<EditionId, Content> = HashMap::new();
        let mut domains: HashMap<String, Arc<str>> = HashMap::new();
        let mut jobs = Vec::with_capacity(due.len());
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
            let domain = delivery.address.as_ref().map_or("", |address| address.domain());
            let domain = domain.to_ascii_lowercase();
            let domain = domains.entry(domain).or_insert_with_key(|name| name.as_str().into());
            jobs.push(Job {
                channel: Arc::clone(&self.channel),
                lane: claimed.lane,
                lease: claimed.lease,
                domain: Arc::clone(domain),
                due: delivery,
                content,
                put_back: 0,
                _open: tracker.token(),
            });
        }
        Ok(jobs)
    }

    /// Renews the lease, if it is still ours. If it is not, every write under it is refused anyway.
    async fn keep_lease(&self, claimed: &Claimed) {
        match self.renew(claimed).await {
            Ok(true) => {}
            Ok(false) => {
                tracing::warn!(channel = %self.channel.name, "a lease was lost to another node");
            }
            Err(error) => tracing::error!(
                error = %telemetry::causes(&error),
                "cannot renew a lease; trying again"
            ),
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

    /// Whether the database has noted it.
    async fn postpone(&self, claimed: &Claimed) -> bool {
        let now = self.dispatch.clock.now();
        let until = now.saturating_add(UNREADABLE_PAUSE).unwrap_or(Timestamp::MAX);
        let postponed = async {
            let mut tx = self.dispatch.store.write().await?;
            tx.postpone_batch(claimed.lease, until).await?;
            tx.commit().await
        };
        let noted = postponed.await.inspect_err(|error| {
            tracing::error!(error = %telemetry::causes(error), "cannot postpone a batch");
        });
        noted.is_ok()
    }

    /// Gives the lease back, as soon as the database takes it: until then nobody else could go on with the batch, and
    /// once the database is back nobody should have to wait for the lease to run out. Whether it has noted it.
    async fn settle(&self, claimed: &Claimed, not_before: Option<Timestamp>) -> bool {
        loop {
            match self.try_to_settle(claimed, not_before).await {
                Ok(Settled::Done) => {
                    if let Some(edition) = claimed.edition {
                        tracing::debug!(edition.id = edition.0, "a batch is done");
                    }
                    return true;
                }
                Ok(Settled::Later(_) | Settled::Lost) => return true,
                Err(error) => {
                    let error = telemetry::causes(&error);
                    if self.dispatch.stop.is_cancelled() {
                        tracing::error!(
                            %error,
                            "cannot settle a batch; its lease runs out by itself"
                        );
                        return false;
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

    async fn try_to_settle(
        &self,
        claimed: &Claimed,
        not_before: Option<Timestamp>,
    ) -> Result<Settled, StoreError> {
        let mut tx = self.dispatch.store.write().await?;
        let settled = tx.settle_batch(claimed, not_before, self.dispatch.clock.now()).await?;
        tx.commit().await?;
        Ok(settled)
    }
}

enum Claim {
    Batch(Claimed),
    Nothing { next: Option<Timestamp> },
}

/// A panic is a bug that must end the process.
fn joined(ended: Option<Result<(), tokio::task::JoinError>>) {
    if let Some(Err(error)) = ended {
        std::panic::resume_unwind(error.into_panic());
    }
}

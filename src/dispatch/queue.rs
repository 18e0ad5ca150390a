//! Jobs between those who claim batches and those who own connections, with a fast lane.

use std::sync::Arc;

use crate::domain::{EmailAddress, Lane};
use crate::store::{DueDelivery, Lease};

/// One delivery on its way to a connection.
pub(crate) struct Job {
    pub(crate) lease: Lease,
    pub(crate) due: DueDelivery,
    pub(crate) content: Content,
    /// Dropped with the job: the batch is done when all are.
    pub(crate) _open: tokio_util::task::task_tracker::TaskTrackerToken,
}

/// What the parcel is made of.
#[derive(Clone)]
pub(crate) enum Content {
    /// The same for all recipients of an edition; the rest is filled in per recipient.
    Mail(Arc<MailContent>),
    Call(Arc<str>),
}

/// A mail, but for its recipient.
pub(crate) struct MailContent {
    pub(crate) blueprint: crate::mail::Blueprint,
    pub(crate) from: EmailAddress,
    pub(crate) return_path: crate::mail::ReturnPath,
    /// Whether we sign; else the server does.
    pub(crate) is_signed: bool,
}

/// Two lanes of one queue: letters overtake everything else.
#[derive(Clone)]
pub(crate) struct Jobs {
    urgent: async_channel::Receiver<Job>,
    bulk: async_channel::Receiver<Job>,
}

/// The sending side.
#[derive(Clone)]
pub(crate) struct JobSender {
    urgent: async_channel::Sender<Job>,
    bulk: async_channel::Sender<Job>,
}

/// `room`: how many jobs may wait in each lane.
pub(crate) fn jobs(room: usize) -> (JobSender, Jobs) {
    let (urgent_sender, urgent) = async_channel::bounded(room);
    let (bulk_sender, bulk) = async_channel::bounded(room);
    (JobSender { urgent: urgent_sender, bulk: bulk_sender }, Jobs { urgent, bulk })
}

impl JobSender {
    /// False: nobody takes jobs any more.
    pub(crate) async fn send(&self, lane: Lane, job: Job) -> bool {
        let lane = match lane {
            Lane::Letter => &self.urgent,
            Lane::Instant | Lane::Digest | Lane::Announcement => &self.bulk,
        };
        lane.send(job).await.is_ok()
    }
}

impl Jobs {
    /// The next job, the urgent ones first; none when no more will come.
    pub(crate) async fn next(&self) -> Option<Job> {
        tokio::select! {
            biased;
            Ok(job) = self.urgent.recv() => Some(job),
            Ok(job) = self.bulk.recv() => Some(job),
            else => None,
        }
    }

    /// Takes no more jobs, for all workers, and throws away what waits: the deliveries stay planned. A job that slipped in
    /// after the last worker had gone would hold its batch open, and with it the process.
    pub(crate) fn close(&self) {
        self.urgent.close();
        self.bulk.close();
        while self.urgent.try_recv().is_ok() || self.bulk.try_recv().is_ok() {}
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use tokio_util::task::TaskTracker;

    use super::*;
    use crate::domain::{AnnouncementId, DeliveryId, Target};

    fn job(tracker: &TaskTracker) -> Job {
        let due = DueDelivery {
            id: DeliveryId(1),
            target: Target::Announcement { announcement: AnnouncementId(1) },
            attempts: 0,
            planned_at: Timestamp::UNIX_EPOCH,
            address: None,
            recipient_left: false,
            was_uncertain: false,
        };
        let lease = Lease { batch: 1, epoch: 1 };
        Job { lease, due, content: Content::Call("{}".into()), _open: tracker.token() }
    }

    #[tokio::test]
    async fn no_job_slips_in_behind_the_last_worker_and_holds_its_batch_open() {
        let tracker = TaskTracker::new();
        let (sender, jobs) = jobs(1);
        assert!(sender.send(Lane::Digest, job(&tracker)).await);
        jobs.close();
        assert!(!sender.send(Lane::Digest, job(&tracker)).await);
        assert!(!sender.send(Lane::Letter, job(&tracker)).await);
        drop(jobs);
        tracker.close();
        assert!(tracker.is_empty(), "a batch waits for all of its jobs");
    }
}

//! A job: one delivery on its way to a connection.

use std::sync::Arc;

use jiff::Timestamp;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::ChannelSpec;
use crate::domain::{EditionId, EmailAddress, Lane, Target};
use crate::store::{DueDelivery, Lease};

/// One delivery that waits for a connection, or is under way on one.
pub(crate) struct Job {
    pub(crate) channel: Arc<ChannelSpec>,
    pub(crate) lane: Lane,
    pub(crate) lease: Lease,
    pub(crate) due: DueDelivery,
    pub(crate) content: Content,
    /// The recipient's domain in small letters; empty for a call.
    pub(crate) domain: Arc<str>,
    /// How often a connection gave it back without having tried.
    pub(crate) put_back: u32,
    /// Dropped with the job: the batch is done when all are.
    pub(crate) _open: TaskTrackerToken,
}

impl Job {
    pub(crate) fn edition(&self) -> Option<EditionId> {
        match self.due.target {
            Target::Edition { edition, .. } => Some(edition),
            Target::Letter { .. } | Target::Announcement { .. } => None,
        }
    }

    /// Since when it might have gone: a calendar that keeps it back must not use up the time that it is worth sending.
    pub(crate) fn might_go_at(&self) -> Timestamp {
        let window = self.channel.send_window.as_ref();
        window.map_or(self.due.planned_at, |window| window.next_open(self.due.planned_at))
    }
}

/// What the parcel is made of.
#[derive(Clone)]
pub(crate) enum Content {
    /// The same for all recipients of an edition; the rest is filled in per recipient.
    Mail(Arc<MailContent>),
    Call(Arc<str>),
}

impl Content {
    /// Which text of its edition it is. None: it is of no edition.
    pub(crate) fn version(&self) -> Option<i64> {
        match self {
            Self::Mail(mail) => mail.version,
            Self::Call(_) => None,
        }
    }
}

/// A mail, but for its recipient.
pub(crate) struct MailContent {
    pub(crate) blueprint: crate::mail::Blueprint,
    pub(crate) from: EmailAddress,
    pub(crate) return_path: crate::mail::ReturnPath,
    pub(crate) version: Option<i64>,
}

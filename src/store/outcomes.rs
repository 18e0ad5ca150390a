//! What the ledger is told: that a delivery is about to be handed over, and what became of it.

use jiff::Timestamp;

use super::batches::Lease;
use crate::domain::{Bounce, DeliveryId, DeliveryState, Outcome};

/// A delivery that is about to be handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IntentRequest {
    pub lease: Lease,
    pub delivery: DeliveryId,
    /// Which version of the edition's content would be handed over; none for what is no edition.
    pub content_version: Option<i64>,
}

/// Why an intent was refused: nothing may be handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IntentRefusal {
    #[error("the lease was lost")]
    LeaseLost,
    #[error("there is a fence around the database")]
    Fenced,
    #[error("the recipient has left or is suppressed")]
    RecipientLeft,
    #[error("the delivery is not waiting to be sent")]
    NotWaiting,
    #[error("the edition is paused")]
    Paused,
    #[error("the content was corrected meanwhile")]
    Superseded,
    #[error("the database did not take the intent")]
    Unavailable,
}

/// What an attempt leaves behind.
#[derive(Clone, Debug)]
pub struct Recorded {
    pub lease: Lease,
    pub delivery: DeliveryId,
    pub started_at: Timestamp,
    pub ended_at: Timestamp,
    /// None: nothing was tried (the recipient left, its time was over).
    pub outcome: Option<Outcome>,
    pub next: Next,
    /// What the outcome says about the address: a hard bounce suppresses it, soft ones add up.
    pub bounce: Bounce,
}

/// Where the delivery stands afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    Final(DeliveryState),
    /// `Deferred` or `Uncertain`, again at this time.
    Again(DeliveryState, Timestamp),
    /// Uncertain, until a person decides.
    Held,
}

impl Next {
    pub(super) fn columns(self) -> (DeliveryState, bool, Option<Timestamp>) {
        match self {
            Self::Final(state) => (state, false, None),
            Self::Again(state, at) => (state, false, Some(at)),
            Self::Held => (DeliveryState::Uncertain, true, None),
        }
    }

    /// The same for a delivery whose edition was cancelled: nothing is tried again.
    pub(super) fn of_cancelled(self) -> Self {
        match self {
            Self::Again(DeliveryState::Uncertain, _) => Self::Held,
            Self::Again(_, _) => Self::Final(DeliveryState::Cancelled),
            Self::Final(_) | Self::Held => self,
        }
    }
}

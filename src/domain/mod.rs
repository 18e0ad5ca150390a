//! The words of Postrider as types, and every decision that needs nothing but data.
//!
//! Pure: no clock, database, network, file or async. Callers pass `now` in and carry the verdict out.

mod address;
mod bounce;
mod canary;
mod catalog;
mod correction;
mod delivery;
mod diagnostic;
mod edition;
mod fence;
mod id;
mod politeness;
mod post;
mod release;
mod retry;
mod schedule;
mod signing_key;
mod subscription;
mod token;

pub use address::{EmailAddress, EmailAddressError};
pub use bounce::{Bounce, SoftBounces};
pub use canary::{Canary, CanaryLimits, Counts, Gate};
pub use catalog::{Catalog, CatalogPost};
pub use correction::{Correction, correction_of};
pub use delivery::{DeliveryState, Lane, Outcome, Reason, Reply, Target};
pub use diagnostic::{Diagnostic, Position, Severity};
pub use edition::EditionState;
pub use fence::{Doubt, Mark, Memory, Place, Seen, doubt};
pub use id::{
    AnnouncementId, BatchId, DeliveryId, EditionId, LetterId, PostId, Revision, SubscriberId,
    SubscriptionId,
};
pub use politeness::{Breaker, Congestion, DomainLimits, Pace, Passage, Rate, SendWindow, WarmUp};
pub use post::{Author, Body, Post, Written};
pub use release::{Channel, Due, Queue, QueuedRelease, Release, Releases};
pub use retry::{Attempt, RetryPolicy, Verdict};
pub use schedule::{MissedRuns, Schedule, ScheduleError};
pub use signing_key::{SigningAlgorithm, SigningKey, SigningKeyError, VerifyingKey};
pub use subscription::{Cadence, SubscriptionState, UnknownWord};
pub use token::{
    BOUNCE_TOKEN_LENGTH, Keyring, TOKEN_LENGTH, random_bytes, random_spread, random_token,
    token_hash,
};

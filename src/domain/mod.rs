//! The words of Postrider as types, and every decision that needs nothing but data.
//!
//! Pure: no clock, database, network, file or async. Callers pass `now` in and carry the verdict out.

mod address;
mod bounce;
mod canary;
mod catalog;
mod choice;
mod correction;
mod delivery;
mod diagnostic;
mod edition;
mod feed_ids;
mod feeds;
mod fence;
mod field;
mod hold;
mod id;
mod likeness;
mod lint;
mod live;
mod politeness;
mod post;
mod release;
mod retry;
mod schedule;
mod segment;
mod served;
mod signing_key;
mod slip;
mod subscription;
mod token;
mod translation;
mod websub;
mod wishes;

pub use address::{EmailAddress, EmailAddressError};
pub use bounce::{Bounce, SoftBounces};
pub use canary::{Canary, CanaryLimits, Counts, Gate};
pub use catalog::{Catalog, CatalogPost, Tombstone};
pub use choice::{Choice, SendTime, SendTimeError, Slot, Topics};
pub use correction::{Correction, correction_of};
pub use delivery::{DeliveryState, Lane, Outcome, Reason, Reply, Target};
pub use diagnostic::{Diagnostic, Position, Severity};
pub use edition::EditionState;
pub use feed_ids::{AdoptedId, FeedFamily, FeedIds};
pub use feeds::{FeedCheck, FeedPlace, FeedTopic, FeedWindow, OpenDocument};
pub use fence::{Doubt, Mark, Memory, Place, Seen, doubt};
pub use field::{DateSource, Field};
pub use hold::Hold;
pub use id::{
    AnnouncementId, BatchId, BodyId, DeliveryId, EditionId, LetterId, PostId, Revision,
    SubscriberId, SubscriptionId,
};
pub use likeness::{Alike, Likeness};
pub use lint::{FINDINGS, LINTS, Lint, explain};
pub use live::{Live, LivePost, unlike};
pub use politeness::{Breaker, Congestion, DomainLimits, Pace, Passage, Rate, SendWindow, WarmUp};
pub use post::{Author, Body, Enclosure, Post, Series, Written, reading_minutes};
pub use release::{Channel, Due, Queue, QueuedPosts, QueuedRelease, Release, Releases};
pub use retry::{Attempt, RetryPolicy, Verdict};
pub use schedule::{MissedRuns, Schedule, ScheduleError};
pub use segment::{
    Collection, Comparison, Condition, Operand, Segment, SegmentError, Segments, Subject,
    is_segment_word,
};
pub use served::{EntryHash, FeedVersion, ServedFeed, a_second_after};
pub use signing_key::{SigningAlgorithm, SigningKey, SigningKeyError, VerifyingKey};
pub use slip::nearest;
pub use subscription::{Cadence, SubscriptionState, UnknownWord};
pub use token::{
    BOUNCE_TOKEN_LENGTH, Keyring, TOKEN_LENGTH, hex, random_bytes, random_spread, random_token,
    token_hash,
};
pub use translation::{Translation, VersionKey, Versions, other_languages};
pub use websub::{HubMode, lease};
pub use wishes::{EmailWish, Notify, Refusal, SOCIAL, Wishes};

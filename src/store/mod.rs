//! The store: every fact that must outlive the process, in SQLite or PostgreSQL.
//!
//! One `Tx` type for both engines; each function is one or a few statements whose SQL is written once. Where the engines
//! differ the difference is in `engine.rs` or beside the statement. Nothing here waits on the network inside a transaction.
//! The committer alone has a second, faster way to SQLite: `express`.

mod address_changes;
mod allowances;
mod audience;
mod batches;
mod bounces;
mod committer;
mod consent;
mod control;
mod corrections;
mod dossier;
mod due;
mod editions;
mod engine;
mod entries;
mod events;
mod evidence;
mod express;
mod feed_check;
mod feed_ids;
mod feed_places;
mod feeds;
mod fence;
mod holds;
mod index_pages;
mod lock;
mod news;
mod open;
mod outcomes;
mod people;
mod pings;
mod post_cache;
mod posts;
mod privacy;
mod probe;
mod readers;
mod reports;
mod roster;
mod schedules;
mod seen;
mod segments;
mod settle;
mod settlement;
mod shares;
mod singles;
mod stages;
mod step;
mod told;
mod websub;
mod welcome;
mod withdrawals;
mod work;

pub use address_changes::AddressChange;
pub use allowances::Grant;
pub use audience::{AddSubscriber, Added, SubscriptionRow};
pub use batches::{Claimed, DueDelivery, Lease, Queue, Settled};
pub use committer::{IntentAnswers, Ledger, LedgerClosed, LedgerQueue, run_committer};
pub use consent::ConfirmationAnswer;
pub use control::{Correction, EditionContent};
pub use corrections::Edit;
pub use dossier::{Dossier, DossierDelivery, DossierEvent, DossierPerson};
pub use due::{Due, Whose};
pub use editions::{NewEdition, SealedEdition};
pub use engine::{Store, StoreError, Tx};
pub use events::{Event, EventRow};
pub use evidence::{Consent, ConsentRow};
pub use feed_check::{Doubtful, HeldFeeds, SavedFeed};
pub use feeds::NotedFeed;
pub use fence::{Fenced, Pending, Watchman};
pub use holds::HeldPost;
pub use index_pages::INDEX_NOW;
pub use lock::{DaemonLock, LockError};
pub use news::NewsRow;
pub use outcomes::{IntentRefusal, IntentRequest, Next, Recorded};
pub use people::{
    Asked, Ending, Evidence, KnownPerson, KnownSubscription, NewPerson, NewSubscription,
    NewSuppression, PersonProfile,
};
pub use pings::{DuePing, PushCount};
pub use post_cache::{CacheReader, CachedBody, CachedFile, Fingerprint, Pen, PostCache, PostTexts};
pub use posts::{KnownPost, PostSighting, Sighted};
pub use privacy::Dust;
pub use probe::is_set_up;
pub use readers::FeedReaders;
pub use reports::{
    AttemptRow, DeliveryFilter, DeliveryRow, DestinationCount, EditionRow, QueueRow, StateCount,
};
pub use roster::{RosterCount, SubscriberRow, Whom};
pub use schedules::ScheduleRow;
pub use segments::{Houses, SegmentSql};
pub use settlement::Settlement;
pub use shares::{Dealt, Profile};
pub use singles::{Action, NewAnnouncement, NewLetter};
pub use stages::{RunningEdition, StageCounts};
pub use told::{CallUnderWay, Untold};
pub use websub::{DueFeed, DueRequest, HubRequest, HubTopic};
pub use welcome::DueWelcome;
pub use withdrawals::{GonePost, PostUnderWay, Withdrawn};

//! Which posts a channel may carry now, and when that changes by itself. Pure.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;

use crate::domain::{
    Catalog, CatalogPost, Channel, Due, MissedRuns, PostId, QueuedRelease, Releases, Schedule,
};

/// How late a run may be and still count as on time: loops wake, machines suspend.
const ON_TIME_SECONDS: i64 = 90;

/// What a channel is, and what it has had.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ChannelView<'a> {
    pub(crate) channel: &'a Channel,
    /// What was live before the channel existed is not news to it.
    pub(crate) since: Timestamp,
    pub(crate) had: &'a HashSet<PostId>,
}

/// Facts that every channel looks at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct World<'a> {
    pub(crate) catalog: &'a Catalog,
    pub(crate) releases: &'a Releases,
    pub(crate) taken: &'a HashMap<PostId, QueuedRelease>,
    pub(crate) now: Timestamp,
}

/// A post that a channel will carry, and from when on it may.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) post: Arc<CatalogPost>,
    pub(crate) ready_at: Timestamp,
}

impl Candidate {
    pub(crate) fn is_ready(&self, now: Timestamp) -> bool {
        self.ready_at <= now
    }
}

/// The posts that the channel has not had and will carry, oldest first.
///
/// A post is ready when it is released on the channel and has been unchanged for its settling time.
pub(crate) fn candidates(world: World<'_>, view: ChannelView<'_>) -> Vec<Candidate> {
    let mut found = Vec::new();
    for known in &world.catalog.posts {
        let is_over = view.had.contains(&known.post.id) || known.is_expired(world.now);
        if is_over || known.is_held() {
            continue;
        }
        let Due::At(due_at) = world.releases.due(&known.post, view.channel, world.taken) else {
            continue;
        };
        // A post of the baseline goes out only where an author scheduled it by name for a time that was yet to come.
        let is_wanted = if known.is_news {
            due_at.max(known.first_seen_at) >= view.since
        } else {
            due_at >= view.since && world.releases.schedules(&known.post, view.channel)
        };
        if !is_wanted {
            continue;
        }
        let ready_at = due_at.max(known.settled_at());
        found.push(Candidate { post: Arc::clone(known), ready_at });
    }
    found.sort_by(|a, b| {
        let (a, b) = (&a.post.post, &b.post.post);
        a.published_at.cmp(&b.published_at).then_with(|| a.id.cmp(&b.id))
    });
    found
}

/// What to do about a schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Run {
    /// No run fell due.
    NotYet,
    Fire {
        due: Timestamp,
    },
    /// A run fell due while nobody was there, and the policy lets it go.
    Missed {
        due: Timestamp,
    },
}

/// Looks at the runs in `(considered, now]`: only the latest counts, earlier ones are part of it.
pub(crate) fn latest_run(
    schedule: &Schedule,
    policy: MissedRuns,
    considered: Timestamp,
    now: Timestamp,
) -> Run {
    let Some(due) = schedule.latest_within(considered, now) else { return Run::NotYet };
    let late = now.duration_since(due);
    let within = match policy {
        MissedRuns::Skip => jiff::SignedDuration::from_secs(ON_TIME_SECONDS),
        MissedRuns::Once { within } => within.max(jiff::SignedDuration::from_secs(ON_TIME_SECONDS)),
    };
    if late <= within { Run::Fire { due } } else { Run::Missed { due } }
}

/// The earlier of two instants, either of which may not come.
pub(crate) fn earlier(a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

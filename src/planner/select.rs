//! Which posts a channel may carry now, and when that changes by itself. Pure.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;

use crate::domain::{
    Cadence, Catalog, CatalogPost, Channel, Due, MissedRuns, PostId, QueuedRelease, Refusal,
    Releases, Schedule,
};

/// How late a run may be and still count as on time: loops wake, machines suspend.
const ON_TIME_SECONDS: i64 = 90;

/// What a channel is, and what it has had.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ChannelView<'a> {
    pub(crate) channel: &'a Channel,
    /// Of a newsletter.
    pub(crate) cadence: Option<Cadence>,
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
/// A post is ready when it is released on the channel, has been unchanged for its settling time, and the time that its author
/// wishes has come.
pub(crate) fn candidates(world: World<'_>, view: ChannelView<'_>) -> Vec<Candidate> {
    let mut found: Vec<Candidate> =
        due(world, view).filter(|candidate| refusal(&candidate.post, view).is_none()).collect();
    found.sort_by(|a, b| {
        let (a, b) = (&a.post.post, &b.post.post);
        a.published_at.cmp(&b.published_at).then_with(|| a.id.cmp(&b.id))
    });
    found
}

/// The posts that would go out on the channel if their authors did not wish otherwise, and why they don't.
pub(crate) fn withheld(
    world: World<'_>,
    view: ChannelView<'_>,
) -> Vec<(Arc<CatalogPost>, Refusal)> {
    due(world, view)
        .filter_map(|candidate| {
            let why = refusal(&candidate.post, view)?;
            Some((candidate.post, why))
        })
        .collect()
}

fn refusal(known: &CatalogPost, view: ChannelView<'_>) -> Option<Refusal> {
    known.post.wishes().refuse(view.channel, view.cadence)
}

/// What is news to the channel, whatever its author wishes.
fn due<'a>(world: World<'a>, view: ChannelView<'a>) -> impl Iterator<Item = Candidate> + use<'a> {
    let may_be_scheduled = !world.releases.is_empty();
    let posts = world.catalog.posts.iter();
    // Most posts are of the baseline: they are passed over without a look at anything else.
    let posts = posts.filter(move |known| known.is_news || may_be_scheduled);
    posts.filter_map(move |known| {
        let is_over = view.had.contains(&known.post.id) || known.is_expired(world.now);
        if is_over || known.is_held() {
            return None;
        }
        let Due::At(due_at) = world.releases.due(&known.post, view.channel, world.taken) else {
            return None;
        };
        let due_at = known.post.wishes().send_at.map_or(due_at, |send_at| due_at.max(send_at));
        // A post of the baseline goes out only where an author scheduled it by name for a time that was yet to come.
        let is_wanted = if known.is_news {
            due_at.max(known.first_seen_at) >= view.since
        } else {
            due_at >= view.since && world.releases.schedules(&known.post, view.channel)
        };
        let ready_at = due_at.max(known.settled_at());
        is_wanted.then(|| Candidate { post: Arc::clone(known), ready_at })
    })
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

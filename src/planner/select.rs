//! Which posts a channel may carry now, and when that changes by itself. Pure.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;

use crate::domain::{
    Cadence, Catalog, CatalogPost, Channel, Due, MissedRuns, PostId, QueuedRelease, Refusal,
    Releases, Schedule, VersionKey,
};

/// How late a run may be and still count as on time: loops wake, machines suspend.
const ON_TIME_SECONDS: i64 = 90;

/// What a channel is, and what it has had.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ChannelView<'a> {
    pub(crate) channel: &'a Channel,
    /// Of a newsletter.
    pub(crate) cadence: Option<Cadence>,
    /// In which language its readers get posts that are there in several. None: in all of them.
    pub(crate) language: Option<&'a str>,
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
    let mut found: Vec<Candidate> = due(world, view).collect();
    let versions = tongues(world, view, &found);
    found.retain(|candidate| versions.refusal(&candidate.post, view).is_none());
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
    let due: Vec<Candidate> = due(world, view).collect();
    let versions = tongues(world, view, &due);
    let withheld = due.into_iter().filter_map(|candidate| {
        let why = versions.refusal(&candidate.post, view)?;
        Some((candidate.post, why))
    });
    withheld.collect()
}

fn tongues<'a>(world: World<'a>, view: ChannelView<'_>, due: &[Candidate]) -> Tongues<'a> {
    // Channels without a language carry all versions.
    let due = if view.language.is_some() { due } else { &[] };
    Tongues::of(world, &due.iter().map(|candidate| &candidate.post).collect::<Vec<_>>())
}

fn wish_against(known: &CatalogPost, view: ChannelView<'_>) -> Option<Refusal> {
    known.post.wishes().refuse(view.channel, view.cadence)
}

/// The posts that are one with some of those that are due, but in other languages.
pub(crate) struct Tongues<'a>(HashMap<VersionKey, Vec<&'a CatalogPost>>);

impl<'a> Tongues<'a> {
    pub(crate) fn of(world: World<'a>, due: &[&Arc<CatalogPost>]) -> Self {
        let mut versions = HashMap::new();
        let Some(first) = due.first() else { return Self(versions) };
        versions.extend(due.iter().map(|known| (VersionKey::of(&known.post), Vec::new())));
        // Where all is in one language nothing need be asked further.
        let first = &first.post.language;
        let is_mixed = due.iter().any(|known| known.post.language != *first);
        for known in &*world.catalog.posts {
            let may_be_one = is_mixed || known.post.language != *first;
            if may_be_one
                && !known.is_expired(world.now)
                && let Some(versions) = versions.get_mut(&VersionKey::of(&known.post))
            {
                versions.push(known);
            }
        }
        Self(versions)
    }

    /// The other versions of `known`, as far as it is the one for readers of `language`: the one in their language, else the first.
    /// One of the baseline, or that its author dismissed, counts as well: a translation of it is no news either. None: it is not
    /// for them; nor is, where they want `only` posts in their language, one that is in none of these.
    pub(crate) fn others(
        &self,
        known: &CatalogPost,
        language: &str,
        only: bool,
        view: ChannelView<'_>,
    ) -> Option<Vec<&'a PostId>> {
        if only && !speaks(&known.post.language, language) {
            return None;
        }
        let rank = |it: &CatalogPost| {
            let is_theirs = speaks(&it.post.language, language);
            (!is_theirs, it.post.published_at, it.post.id.clone())
        };
        let versions = self.0.get(&VersionKey::of(&known.post)).into_iter().flatten().copied();
        let others = versions.filter(|it| {
            it.post.language != known.post.language
                && wish_against(it, view).is_none()
                && (!only || speaks(&it.post.language, language))
        });
        let others: Vec<&'a CatalogPost> = others.collect();
        let is_first = others.iter().all(|it| rank(known) <= rank(it));
        is_first.then(|| others.into_iter().map(|it| &it.post.id).collect())
    }

    /// Why the post is not to go out on the channel.
    fn refusal(&self, known: &CatalogPost, view: ChannelView<'_>) -> Option<Refusal> {
        if let Some(refusal) = wish_against(known, view) {
            return Some(refusal);
        }
        let others = self.others(known, view.language?, false, view);
        let is_other = others.is_none_or(|others| others.iter().any(|id| view.had.contains(*id)));
        is_other.then_some(Refusal::OtherVersion)
    }
}

/// Whether readers of `wanted` are served by `language`: `pt-BR` by `pt`, too.
fn speaks(language: &str, wanted: &str) -> bool {
    let primary = |tag: &str| tag.split('-').next().unwrap_or_default().to_ascii_lowercase();
    primary(language) == primary(wanted)
}

/// What is news to the channel, whatever its author wishes.
fn due<'a>(world: World<'a>, view: ChannelView<'a>) -> impl Iterator<Item = Candidate> + use<'a> {
    let may_be_scheduled = !world.releases.is_empty();
    let posts = world.catalog.posts.iter();
    // Most posts are of the baseline: they are passed over without a look at anything else.
    let posts = posts.filter(move |known| known.is_news || may_be_scheduled);
    posts.filter_map(move |known| {
        if view.had.contains(&known.post.id) || known.is_expired(world.now) {
            return None;
        }
        let ready_at = ready_at(world, view, known)?;
        Some(Candidate { post: Arc::clone(known), ready_at })
    })
}

/// When a post may go out on the channel. None: it is held, or no news there.
pub(crate) fn ready_at(
    world: World<'_>,
    view: ChannelView<'_>,
    known: &CatalogPost,
) -> Option<Timestamp> {
    if known.is_held() {
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
    is_wanted.then(|| due_at.max(known.settled_at()))
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

//! Which posts readers of feeds see, kept up by what changed.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::{BodyId, Catalog, CatalogPost, Channel, Due, Post, PostId, QueuedRelease, Releases};

/// More changed posts than these are not looked at one by one.
const FEW: usize = 64;

/// A post that readers of feeds see now.
#[derive(Clone, Debug)]
pub struct LivePost {
    pub post: Arc<Post>,
    /// Its text, in the post cache.
    pub body: BodyId,
}

impl LivePost {
    /// Whether it is the same object, not only alike.
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.post, &other.post) && self.body == other.body
    }
}

/// The posts that are live in feeds, and what that follows from.
#[derive(Clone, Debug, Default)]
pub struct Live {
    /// Newest first.
    pub posts: Arc<[LivePost]>,
    /// When they change by themselves, or earlier.
    pub changes_at: Option<Timestamp>,
    /// Those whose time is over.
    expired: Vec<Arc<CatalogPost>>,
    of: Arc<Vec<Arc<CatalogPost>>>,
    under: Under,
    at: Timestamp,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Under {
    releases: Releases,
    taken: HashMap<PostId, QueuedRelease>,
}

impl Live {
    /// The posts of `catalog` that are live at `now`. What did not change is not looked at again: `previous` has it.
    pub fn of(
        catalog: &Catalog,
        (releases, taken): (&Releases, &HashMap<PostId, QueuedRelease>),
        previous: &Self,
        now: Timestamp,
    ) -> Self {
        let of = Arc::clone(&catalog.posts);
        let is_as_before = previous.under.releases == *releases && previous.under.taken == *taken;
        let is_over = now < previous.at || previous.changes_at.is_some_and(|at| at <= now);
        let under = || Under { releases: releases.clone(), taken: taken.clone() };
        if !is_as_before || is_over {
            return Self::anew(of, under(), now);
        }
        let (gone, come) = unlike(&previous.of, &of, Arc::ptr_eq);
        if gone.len() + come.len() > FEW {
            return Self::anew(of, under(), now);
        }
        let mut next = Self { of: Arc::clone(&of), at: now, ..previous.clone() };
        if gone.is_empty() && come.is_empty() {
            return next;
        }
        let mut posts = previous.posts.to_vec();
        let place = |posts: &[LivePost], one: &LivePost| {
            posts.binary_search_by(|it| Post::newest_first(&it.post, &one.post))
        };
        next.expired.retain(|known| !gone.iter().any(|it| Arc::ptr_eq(it, known)));
        next.expired.extend(
            come.iter().filter(|known| known.is_expired(now)).map(|known| Arc::clone(known)),
        );
        for known in gone {
            if let Some(one) = next.under.shown(known, now).post
                && let Ok(at) = place(&posts, &one)
            {
                posts.remove(at);
            }
        }
        for known in come {
            let Shown { post, changes_at } = next.under.shown(known, now);
            next.changes_at = next.changes_at.into_iter().chain(changes_at).min();
            if let Some(one) = post {
                let at = place(&posts, &one).unwrap_or_else(|at| at);
                posts.insert(at, one);
            }
        }
        next.posts = posts.into();
        next
    }

    /// Posts whose time is over.
    pub fn expired(&self) -> impl Iterator<Item = &CatalogPost> {
        self.expired.iter().map(AsRef::as_ref)
    }

    fn anew(of: Arc<Vec<Arc<CatalogPost>>>, under: Under, now: Timestamp) -> Self {
        let mut posts: Vec<LivePost> = Vec::with_capacity(of.len());
        let mut next: Option<Timestamp> = None;
        for known in &*of {
            let Shown { post, changes_at } = under.shown(known, now);
            next = next.into_iter().chain(changes_at).min();
            posts.extend(post);
        }
        // Those that were released later than they are dated are out of order.
        let order = |a: &LivePost, b: &LivePost| Post::newest_first(&a.post, &b.post);
        if !posts.is_sorted_by(|a, b| order(a, b).is_le()) {
            posts.sort_by(order);
        }
        let expired = of.iter().filter(|known| known.is_expired(now)).cloned().collect();
        Self { posts: posts.into(), changes_at: next, expired, of, under, at: now }
    }
}

/// What readers of feeds see of a post, and when that changes by itself.
struct Shown {
    post: Option<LivePost>,
    changes_at: Option<Timestamp>,
}

impl Under {
    fn shown(&self, known: &CatalogPost, now: Timestamp) -> Shown {
        if known.is_expired(now) {
            return Shown { post: None, changes_at: None };
        }
        match self.releases.due(&known.post, &Channel::Feeds, &self.taken) {
            Due::At(at) if at <= now => {
                let post = LivePost { post: as_readers_saw_it(known, at), body: known.body };
                Shown { post: Some(post), changes_at: known.expires_at }
            }
            Due::At(at) => Shown { post: None, changes_at: Some(at) },
            Due::InQueue => Shown { post: None, changes_at: None },
        }
    }
}

/// So far ahead the next common element is looked for.
const AHEAD: usize = 8;

/// What of `before` is not in `after` any more, and what is new there, each in its order. Both have most elements in common, in the
/// same order; what else they have in common may be named as gone and come.
pub fn unlike<'b, 'a, T>(
    before: &'b [T],
    after: &'a [T],
    is: impl Fn(&T, &T) -> bool,
) -> (Vec<&'b T>, Vec<&'a T>) {
    let (mut gone, mut come) = (Vec::new(), Vec::new());
    let (mut before, mut after) = (before, after);
    loop {
        let same = before.iter().zip(after).take_while(|(old, new)| is(old, new)).count();
        (before, after) = (&before[same..], &after[same..]);
        let (Some(old), Some(new)) = (before.first(), after.first()) else { break };
        let mut ahead = (1..=AHEAD).flat_map(|by| [(by, 0), (0, by)]);
        let next = ahead.find(|(old_by, new_by)| match (old_by, new_by) {
            (by, 0) => before.get(*by).is_some_and(|old| is(old, new)),
            (_, by) => after.get(*by).is_some_and(|new| is(old, new)),
        });
        let (old_by, new_by) = next.unwrap_or((1, 1));
        gone.extend(&before[..old_by]);
        come.extend(&after[..new_by]);
        (before, after) = (&before[old_by..], &after[new_by..]);
    }
    gone.extend(before);
    come.extend(after);
    (gone, come)
}

/// A post that was released later than its own date counts as published then: that is when readers could first see it.
/// One that was edited since and does not say so itself counts as updated.
fn as_readers_saw_it(known: &CatalogPost, at: Timestamp) -> Arc<Post> {
    let post = &known.post;
    let published_at = post.published_at.max(at);
    let updated_at = post.updated_at.or(known.edited_at.filter(|edited| *edited > published_at));
    if (published_at, updated_at) == (post.published_at, post.updated_at) {
        return Arc::clone(post);
    }
    Arc::new(Post { published_at, updated_at, ..Post::clone(post) })
}

#[cfg(test)]
impl<const N: usize> From<[LivePost; N]> for Live {
    fn from(posts: [LivePost; N]) -> Self {
        Self { posts: posts.into(), ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::SignedDuration;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::Release;
    use crate::domain::catalog::tests::known_post;
    use crate::domain::post::tests::post;

    fn day(number: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * number)
    }

    /// What an author does to one of a few posts, and how many days go by before anybody looks.
    #[derive(Clone, Debug)]
    struct Deed {
        slug: u8,
        dated: Option<i64>,
        edited: Option<i64>,
        expires: Option<i64>,
        days: i64,
    }

    fn deeds() -> impl Strategy<Value = Vec<Deed>> {
        let day = || proptest::option::weighted(0.4, 0..20_i64);
        let deed = (0..6_u8, proptest::option::weighted(0.8, 0..20_i64), day(), day(), -1..4_i64);
        let deed = deed.prop_map(|(slug, dated, edited, expires, days)| Deed {
            slug,
            dated,
            edited,
            expires,
            days,
        });
        proptest::collection::vec(deed, 1..40)
    }

    fn seen(live: &Live) -> Vec<(String, Timestamp, Option<Timestamp>)> {
        let posts = live.posts.iter().map(|it| &it.post);
        posts.map(|post| (post.id.to_string(), post.published_at, post.updated_at)).collect()
    }

    /// What is left of `all` without `taken`, which are some of its elements in its order.
    fn left<'a>(all: &'a [u16], taken: &[&u16]) -> Vec<&'a u16> {
        let mut taken = taken.iter().peekable();
        let is_left = |it: &&u16| taken.next_if(|other| std::ptr::eq(**other, *it)).is_none();
        all.iter().filter(is_left).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn what_neither_went_nor_came_is_the_same(
            before in proptest::collection::vec(0..9_u16, 0..30),
            after in proptest::collection::vec(0..9_u16, 0..30),
        ) {
            let (gone, come) = unlike(&before, &after, PartialEq::eq);
            prop_assert_eq!(left(&before, &gone), left(&after, &come));
        }

        #[test]
        fn of_many_posts_only_those_that_an_author_touched_went_or_came(
            at in 0..1_000_usize, to in 0..1_000_usize, edited in 0..1_000_usize, new in 0..1_000_usize,
        ) {
            let before: Vec<u16> = (0..1_000).collect();
            let mut after = before.clone();
            after[edited] += 2_000;
            let moved = after.remove(at);
            after.insert(to.min(999), moved);
            after.insert(new, 5_000);
            let (gone, come) = unlike(&before, &after, PartialEq::eq);
            prop_assert!(gone.len() + come.len() <= 3 * AHEAD, "{gone:?} {come:?}");
        }

        #[test]
        fn whatever_changed_readers_see_what_a_look_at_everything_would_show(deeds in deeds()) {
            let release = Release { post: "p3".to_owned(), at: day(9), channels: None };
            let releases = Releases { releases: vec![release], queues: Vec::new() };
            let (mut posts, mut live, mut now) = (BTreeMap::new(), Live::default(), 0);
            for deed in deeds {
                let name = format!("p{}", deed.slug);
                posts.retain(|(_, slug), _| *slug != name);
                if let Some(dated) = deed.dated {
                    let mut known = CatalogPost::clone(&known_post(post(&name, "01-01")));
                    let dated_post = Post { published_at: day(dated), ..Post::clone(&known.post) };
                    known.post = Arc::new(dated_post);
                    known.edited_at = deed.edited.map(day);
                    known.expires_at = deed.expires.map(day);
                    posts.insert((std::cmp::Reverse(dated), name), Arc::new(known));
                }
                now += deed.days;
                let listed = posts.values().cloned().collect();
                let catalog = Catalog { posts: Arc::new(listed), ..Catalog::default() };
                let none = HashMap::new();
                live = Live::of(&catalog, (&releases, &none), &live, day(now));
                let anew = Live::of(&catalog, (&releases, &none), &Live::default(), day(now));
                prop_assert_eq!(seen(&live), seen(&anew));
                // Woken early, they look in vain; woken late, a post would not appear.
                let first = |live: &Live| live.changes_at.unwrap_or(Timestamp::MAX);
                prop_assert!(first(&live) <= first(&anew));
            }
        }
    }
}

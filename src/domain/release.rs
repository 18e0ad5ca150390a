//! Releases: when a post goes live on a channel, from its date and from what the authors schedule.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Post, PostId, Schedule, Series};

/// A way out of the house. Written `feeds`, `newsletter:weekly`, `destination:chat`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Channel {
    Feeds,
    Newsletter(String),
    Destination(String),
}

/// One `[[release]]` of `config/releases.toml`: a post at an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// Slug, source path or id of the post.
    pub post: String,
    pub at: Timestamp,
    /// `None`: every channel.
    pub channels: Option<Vec<Channel>>,
}

/// One `[[queue]]`: so many posts at each tick, in the order listed.
#[derive(Clone, Debug, PartialEq)]
pub struct Queue {
    pub name: String,
    pub schedule: Schedule,
    pub take: usize,
    pub posts: QueuedPosts,
    pub channels: Option<Vec<Channel>>,
}

/// Which posts have their turn in a queue, and in which order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QueuedPosts {
    /// Slugs, source paths or ids, in the order of their turn.
    Listed(Vec<String>),
    /// The posts of a series: those that are numbered in that order, then the others by date.
    Series(String),
}

impl QueuedPosts {
    /// The names that the author listed, one by one.
    pub fn names(&self) -> &[String] {
        match self {
            Self::Listed(names) => names,
            Self::Series(_) => &[],
        }
    }

    fn include(&self, post: &Post) -> bool {
        match self {
            Self::Listed(names) => names.iter().any(|name| post.is_called(name)),
            Self::Series(name) => {
                let same = |series: &Series| series.name.to_lowercase() == name.to_lowercase();
                post.series.as_ref().is_some_and(same)
            }
        }
    }

    fn in_order<'a>(&self, posts: &'a [Arc<Post>]) -> Vec<&'a Arc<Post>> {
        match self {
            Self::Listed(names) => names
                .iter()
                .filter_map(|name| posts.iter().find(|post| post.is_called(name)))
                .collect(),
            Self::Series(_) => {
                let mut turns: Vec<_> = posts.iter().filter(|post| self.include(post)).collect();
                let part = |post: &Post| post.series.as_ref().and_then(|series| series.part);
                turns.sort_by_key(|post| {
                    (part(post).is_none(), part(post), post.published_at, post.id.clone())
                });
                turns
            }
        }
    }
}

/// A post that a queue has released: a fact from the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueuedRelease {
    pub queue: String,
    pub post: PostId,
    pub at: Timestamp,
}

/// When a post goes live on a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    At(Timestamp),
    /// Waits for its turn in a queue.
    InQueue,
}

impl Due {
    pub fn is_live(self, now: Timestamp) -> bool {
        match self {
            Self::At(at) => at <= now,
            Self::InQueue => false,
        }
    }
}

/// Everything that the authors schedule.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Releases {
    pub releases: Vec<Release>,
    pub queues: Vec<Queue>,
}

impl Releases {
    /// Whether nobody schedules anything.
    pub fn is_empty(&self) -> bool {
        self.releases.is_empty() && self.queues.is_empty()
    }

    /// When `post` goes live on `channel`: its own date or that of its release, whichever is later; in a queue, when its turn came.
    pub fn due(
        &self,
        post: &Post,
        channel: &Channel,
        taken: &HashMap<PostId, QueuedRelease>,
    ) -> Due {
        let speaks_for = |channels: &Option<Vec<Channel>>| {
            channels.as_ref().is_none_or(|listed| listed.contains(channel))
        };
        let mut at = post.published_at;
        for release in &self.releases {
            if post.is_called(&release.post) && speaks_for(&release.channels) {
                at = at.max(release.at);
            }
        }
        for queue in &self.queues {
            if queue.posts.include(post) && speaks_for(&queue.channels) {
                match taken.get(&post.id) {
                    Some(taken) => at = at.max(taken.at),
                    None => return Due::InQueue,
                }
            }
        }
        Due::At(at)
    }

    /// Whether an author scheduled `post` for `channel` by name: then it may go out there though it is old.
    pub fn schedules(&self, post: &Post, channel: &Channel) -> bool {
        let speaks_for = |channels: &Option<Vec<Channel>>| {
            channels.as_ref().is_none_or(|listed| listed.contains(channel))
        };
        let in_release =
            |release: &Release| post.is_called(&release.post) && speaks_for(&release.channels);
        let in_queue = |queue: &Queue| queue.posts.include(post) && speaks_for(&queue.channels);
        self.releases.iter().any(in_release) || self.queues.iter().any(in_queue)
    }

    /// The posts whose turn it is when `queue` falls due: the first `take` that exist and were not released yet.
    pub fn next_in_queue<'a>(
        queue: &Queue,
        posts: &'a [Arc<Post>],
        taken: &HashMap<PostId, QueuedRelease>,
    ) -> Vec<&'a PostId> {
        // A post may be listed twice, or once by slug and once by path: it has one turn all the same.
        let mut seen = HashSet::new();
        queue
            .posts
            .in_order(posts)
            .into_iter()
            .map(|post| &post.id)
            .filter(|id| !taken.contains_key(id) && seen.insert(*id))
            .take(queue.take)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;
    use crate::domain::post::tests::{at, post};

    fn weekly() -> Channel {
        Channel::Newsletter("weekly".to_owned())
    }

    fn release(post: &str, day: &str, channels: Option<Vec<Channel>>) -> Releases {
        let release = Release { post: post.to_owned(), at: at(day), channels };
        Releases { releases: vec![release], queues: Vec::new() }
    }

    fn queue(posts: &[&str], take: usize, channels: Option<Vec<Channel>>) -> Queue {
        Queue {
            name: "evergreen".to_owned(),
            schedule: Schedule::parse("@weekly", TimeZone::UTC).unwrap(),
            take,
            posts: QueuedPosts::Listed(posts.iter().map(ToString::to_string).collect()),
            channels,
        }
    }

    fn taken(posts: &[(&Post, &str)]) -> HashMap<PostId, QueuedRelease> {
        let fact = |(post, day): &(&Post, &str)| {
            let fact =
                QueuedRelease { queue: "evergreen".to_owned(), post: post.id.clone(), at: at(day) };
            (post.id.clone(), fact)
        };
        posts.iter().map(fact).collect()
    }

    #[test]
    fn a_post_that_nobody_scheduled_goes_live_on_its_own_date() {
        let due =
            Releases::default().due(&post("hello", "03-01"), &Channel::Feeds, &HashMap::new());
        assert_eq!(due, Due::At(at("03-01")));
        assert!(!due.is_live(at("02-28")));
        assert!(due.is_live(at("03-01")), "from that instant on");
    }

    #[test]
    fn a_release_delays_a_post_and_never_hastens_it() {
        let hello = post("hello", "03-01");
        let due = |releases: Releases| releases.due(&hello, &Channel::Feeds, &HashMap::new());
        assert_eq!(due(release("hello", "04-01", None)), Due::At(at("04-01")));
        assert_eq!(due(release("hello", "02-01", None)), Due::At(at("03-01")));
        assert_eq!(due(release("other", "04-01", None)), Due::At(at("03-01")));
    }

    #[test]
    fn authors_may_name_a_post_by_slug_source_or_id() {
        let hello = post("hello", "03-01");
        for name in ["hello", "posts/hello.md", hello.id.as_str()] {
            let due = release(name, "04-01", None).due(&hello, &Channel::Feeds, &HashMap::new());
            assert_eq!(due, Due::At(at("04-01")), "{name}");
        }
    }

    #[test]
    fn a_release_for_some_channels_leaves_the_others_alone() {
        let hello = post("hello", "03-01");
        let releases = release("hello", "04-01", Some(vec![weekly()]));
        let due = |channel| releases.due(&hello, &channel, &HashMap::new());
        assert_eq!(due(weekly()), Due::At(at("04-01")));
        assert_eq!(due(Channel::Feeds), Due::At(at("03-01")));
        assert_eq!(due(Channel::Newsletter("daily".to_owned())), Due::At(at("03-01")));
        assert_eq!(due(Channel::Destination("weekly".to_owned())), Due::At(at("03-01")));
    }

    #[test]
    fn of_several_releases_the_last_one_counts() {
        let mut releases = release("hello", "05-01", None);
        releases.releases.extend(release("hello", "04-01", None).releases);
        let due = releases.due(&post("hello", "03-01"), &Channel::Feeds, &HashMap::new());
        assert_eq!(due, Due::At(at("05-01")));
    }

    #[test]
    fn a_queued_post_waits_for_its_turn_and_for_its_own_date() {
        let hello = post("hello", "03-01");
        let queues = vec![queue(&["hello"], 1, Some(vec![weekly()]))];
        let releases = Releases { releases: Vec::new(), queues };
        let due = |channel, taken| releases.due(&hello, &channel, &taken);
        assert_eq!(due(weekly(), HashMap::new()), Due::InQueue);
        assert!(!Due::InQueue.is_live(Timestamp::MAX));
        assert_eq!(due(Channel::Feeds, HashMap::new()), Due::At(at("03-01")));
        assert_eq!(due(weekly(), taken(&[(&hello, "06-01")])), Due::At(at("06-01")));
        assert_eq!(due(weekly(), taken(&[(&hello, "01-01")])), Due::At(at("03-01")));
    }

    #[test]
    fn a_queue_takes_what_is_there_in_the_listed_order_once() {
        let posts = ["a", "b", "c"].map(|slug| Arc::new(post(slug, "03-01")));
        let next = |queue: &Queue, taken: &HashMap<PostId, QueuedRelease>| -> Vec<String> {
            let ids = Releases::next_in_queue(queue, &posts, taken);
            let slug = |id: &PostId| posts.iter().find(|post| post.id == *id).unwrap().slug.clone();
            ids.into_iter().map(slug).collect()
        };
        let evergreen = queue(&["c", "not-written-yet", "a", "posts/c.md", "b"], 2, None);
        assert_eq!(next(&evergreen, &HashMap::new()), ["c", "a"]);
        assert_eq!(next(&evergreen, &taken(&[(&posts[2], "04-01")])), ["a", "b"]);
        let all = taken(&[(&posts[0], "04-01"), (&posts[1], "04-01"), (&posts[2], "04-01")]);
        assert!(next(&evergreen, &all).is_empty());
        assert_eq!(next(&queue(&["c", "posts/c.md", "b"], 2, None), &HashMap::new()), ["c", "b"]);
        assert!(next(&queue(&["a"], 0, None), &HashMap::new()).is_empty());
    }

    #[test]
    fn a_series_takes_its_turns_by_part_and_else_by_date() {
        let part = |slug, day, part| {
            let series = Some(Series { name: "Moss".to_owned(), part });
            Arc::new(Post { series, ..post(slug, day) })
        };
        let posts = [
            part("late", "05-01", None),
            part("second", "01-01", Some(2)),
            Arc::new(post("other", "01-01")),
            part("early", "04-01", None),
            part("first", "03-01", Some(1)),
        ];
        let queue = Queue { posts: QueuedPosts::Series("moss".to_owned()), ..queue(&[], 9, None) };
        let turns = Releases::next_in_queue(&queue, &posts, &HashMap::new());
        let expected = [&posts[4], &posts[1], &posts[3], &posts[0]].map(|post| &post.id);
        assert_eq!(turns, expected);
        let releases = Releases { releases: Vec::new(), queues: vec![queue] };
        let due = |post| releases.due(post, &Channel::Feeds, &HashMap::new());
        assert_eq!(due(&posts[1]), Due::InQueue);
        assert_eq!(due(&posts[2]), Due::At(at("01-01")));
    }
}

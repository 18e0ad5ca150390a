//! Releases: when a post goes live on a channel, from its date and from what the authors schedule.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Post, PostId, Schedule};

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
    /// Slugs, source paths or ids, in the order of their turn.
    pub posts: Vec<String>,
    pub channels: Option<Vec<Channel>>,
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
            if release.names(post) && speaks_for(&release.channels) {
                at = at.max(release.at);
            }
        }
        for queue in &self.queues {
            if queue.posts.iter().any(|name| names(name, post)) && speaks_for(&queue.channels) {
                match taken.get(&post.id) {
                    Some(taken) => at = at.max(taken.at),
                    None => return Due::InQueue,
                }
            }
        }
        Due::At(at)
    }

    /// The posts whose turn it is when `queue` falls due: the first `take` that exist and were not released yet.
    pub fn next_in_queue<'a>(
        queue: &Queue,
        posts: &'a [std::sync::Arc<Post>],
        taken: &HashMap<PostId, QueuedRelease>,
    ) -> Vec<&'a PostId> {
        queue
            .posts
            .iter()
            .filter_map(|name| posts.iter().find(|post| names(name, post)))
            .map(|post| &post.id)
            .filter(|id| !taken.contains_key(id))
            .take(queue.take)
            .collect()
    }
}

impl Release {
    pub fn names(&self, post: &Post) -> bool {
        names(&self.post, post)
    }
}

/// Whether `name`, as an author writes it, means `post`: its slug, its source path or its id.
fn names(name: &str, post: &Post) -> bool {
    name == post.slug || name == post.source || name == post.id.as_str()
}

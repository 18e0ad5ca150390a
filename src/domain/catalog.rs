//! The catalog: an immutable picture of all posts, replaced as a whole on change.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::{
    BodyId, Channel, Diagnostic, Due, Hold, Likeness, Post, PostId, QueuedRelease, Releases,
};

/// A post and what the store knows of it.
#[derive(Clone, Debug)]
pub struct CatalogPost {
    pub post: Arc<Post>,
    /// Its text, in the post cache.
    pub body: BodyId,
    pub first_seen_at: Timestamp,
    /// Since when its revision stands.
    pub revised_at: Timestamp,
    /// When its author last changed what readers see, as far as we saw it.
    pub edited_at: Option<Timestamp>,
    /// False for posts of the baseline: live in feeds, never mailed or announced.
    pub is_news: bool,
    pub hold: Option<Hold>,
    /// How long it must be unchanged before anything irreversible.
    pub settle: SignedDuration,
    pub expires_at: Option<Timestamp>,
    /// By which it is known when its file and address are others.
    pub likeness: Likeness,
}

impl CatalogPost {
    /// Whether it waits for a person.
    pub fn is_held(&self) -> bool {
        self.hold.is_some_and(Hold::holds)
    }

    /// When it may do what cannot be undone, if it stays as it is.
    pub fn settled_at(&self) -> Timestamp {
        self.revised_at.saturating_add(self.settle).unwrap_or(Timestamp::MAX)
    }

    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }
}

/// A post that readers of feeds see now.
#[derive(Clone, Debug)]
pub struct LivePost {
    pub post: Arc<Post>,
    /// Its text, in the post cache.
    pub body: BodyId,
}

/// All posts that are neither drafts nor broken, newest first, and what is wrong with the others.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    pub posts: Vec<Arc<CatalogPost>>,
    /// Errors and warnings about files, in order of file.
    pub problems: Vec<Diagnostic>,
    /// Paths at which posts were before, and where each is now.
    pub moved: Arc<BTreeMap<String, String>>,
    pub drafts: usize,
    pub broken: usize,
}

impl Catalog {
    /// The post that an author calls `name`: its slug, its source path or its id.
    pub fn find(&self, name: &str) -> Option<&Arc<CatalogPost>> {
        self.posts.iter().find(|known| known.post.is_called(name))
    }

    /// The posts that are live in feeds at `now`, newest first, and when that changes by itself.
    pub fn live(
        &self,
        releases: &Releases,
        taken: &HashMap<PostId, QueuedRelease>,
        now: Timestamp,
    ) -> (Vec<LivePost>, Option<Timestamp>) {
        let mut live: Vec<LivePost> = Vec::with_capacity(self.posts.len());
        let mut is_in_order = true;
        let mut changes_at: Option<Timestamp> = None;
        let mut note = |at: Timestamp| {
            changes_at = Some(changes_at.map_or(at, |known| known.min(at)));
        };
        for known in &self.posts {
            if known.is_expired(now) {
                continue;
            }
            match releases.due(&known.post, &Channel::Feeds, taken) {
                Due::At(at) if at <= now => {
                    if let Some(expires_at) = known.expires_at {
                        note(expires_at);
                    }
                    let post = as_readers_saw_it(known, at);
                    let follows = |last: &LivePost| Post::newest_first(&last.post, &post).is_le();
                    is_in_order &= live.last().is_none_or(follows);
                    live.push(LivePost { post, body: known.body });
                }
                Due::At(at) => note(at),
                Due::InQueue => {}
            }
        }
        // Those that were released later than they are dated are out of order.
        if !is_in_order {
            live.sort_by(|a, b| Post::newest_first(&a.post, &b.post));
        }
        (live, changes_at)
    }
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

//! The catalog: an immutable picture of all posts, replaced as a whole on change.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::{BodyId, Diagnostic, Hold, Likeness, Post, PostId};

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

/// What is left of a post that is gone: feeds say so to those who have it (RFC 6721).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tombstone {
    pub id: PostId,
    pub gone_at: Timestamp,
}

/// All posts that are neither drafts nor broken, newest first, and what is wrong with the others.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    pub posts: Arc<Vec<Arc<CatalogPost>>>,
    /// Errors and warnings about files, in order of file.
    pub problems: Vec<Diagnostic>,
    /// Paths at which posts were before, and where each is now.
    pub moved: Arc<BTreeMap<String, String>>,
    /// Posts whose files are gone or are drafts again, in no order.
    pub gone: Vec<Tombstone>,
    pub drafts: usize,
    pub broken: usize,
}

impl Catalog {
    /// The post that an author calls `name`: its slug, its source path or its id.
    pub fn find(&self, name: &str) -> Option<&Arc<CatalogPost>> {
        self.posts.iter().find(|known| known.post.is_called(name))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A post that was first seen when it was published.
    pub(in crate::domain) fn known_post(post: Post) -> Arc<CatalogPost> {
        CatalogPost::bare(post)
    }

    impl CatalogPost {
        pub(crate) fn bare(post: Post) -> Arc<Self> {
            let seen_at = post.published_at;
            Arc::new(Self {
                post: Arc::new(post),
                body: BodyId(1),
                first_seen_at: seen_at,
                revised_at: seen_at,
                edited_at: None,
                is_news: true,
                hold: None,
                likeness: Likeness::of(""),
                settle: SignedDuration::ZERO,
                expires_at: None,
            })
        }
    }
}

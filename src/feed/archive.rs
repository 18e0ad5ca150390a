//! The archive of the main feed (RFC 5005): every post has a place for ever, in one of its documents.
//!
//! A document closes when the head can do without it. It never changes by new posts: those go into later ones.

use std::sync::Arc;

use hashbrown::HashMap;

use super::{FeedUrls, Neighbours, Publication};
use crate::domain::{FeedPlace, FeedWindow, PostId};

/// The document that each post is in. Deleted posts leave their places empty.
#[derive(Debug, Default)]
pub struct Places {
    by_id: HashMap<PostId, u32>,
    /// One more than the last place.
    taken: u32,
    /// The posts that each document has got, and their bytes at that time.
    documents: Vec<(usize, u64)>,
    /// Whose they are: another database gives others.
    pub(super) identity: Arc<()>,
}

impl Places {
    /// The document of `post`.
    pub fn of(&self, post: &PostId) -> Option<u32> {
        self.by_id.get(post).copied()
    }

    /// One more than the last place.
    pub fn taken(&self) -> u32 {
        self.taken
    }

    /// Takes in places that follow those there are.
    pub fn extend(&mut self, places: impl IntoIterator<Item = FeedPlace>) {
        for FeedPlace { post, place, document, size } in places {
            self.taken = self.taken.max(place.saturating_add(1));
            let number = usize::try_from(document).unwrap_or(usize::MAX);
            if self.documents.len() <= number {
                self.documents.resize(number + 1, (0, 0));
            }
            let (posts, bytes) = &mut self.documents[number];
            *posts += 1;
            *bytes = bytes.saturating_add(size);
            self.by_id.insert(post, document);
        }
    }

    /// So many documents get no more posts: all but the last one.
    pub(super) fn complete(&self) -> u32 {
        u32::try_from(self.documents.len().saturating_sub(1)).unwrap_or(u32::MAX)
    }

    /// So many documents are closed: the first ones. The head can do without them.
    pub(super) fn closed(&self, window: FeedWindow) -> u32 {
        u32::try_from(window.closed(&self.documents)).unwrap_or(u32::MAX)
    }
}

/// The folder of a document, below the public URL, with `/` at its end.
pub(super) fn folder(document: u32) -> String {
    format!("feeds/archive/{}/", u64::from(document) + 1)
}

/// The document that a folder's last part names. Each has one name.
pub(super) fn named(name: &str) -> Option<u32> {
    let number: u64 = name.parse().ok()?;
    let document = u32::try_from(number.checked_sub(1)?).ok()?;
    (number.to_string() == name).then_some(document)
}

pub(super) fn urls(publication: &Publication, document: u32) -> FeedUrls {
    FeedUrls::within(&publication.folder(&folder(document)))
}

/// What leads on from a document.
pub(super) fn around(publication: &Publication, document: u32) -> Neighbours {
    let previous = document.checked_sub(1).map(|before| urls(publication, before));
    Neighbours { current: Some(publication.main_urls()), previous }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_means_one_document() {
        assert_eq!(folder(2), "feeds/archive/3/");
        assert_eq!(named("3"), Some(2));
        for name in ["0", "03", "", "25-3", "99999999999", "-1", "+3"] {
            assert_eq!(named(name), None, "{name}");
        }
    }
}

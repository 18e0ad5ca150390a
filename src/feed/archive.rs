//! The archive of the main feed (RFC 5005): every post has a place for ever, and so many places are one document.
//!
//! A document closes when the head can do without it. It never changes by new posts: those have later places.

use std::collections::HashMap;
use std::sync::Arc;

use super::{FeedUrls, Neighbours, Publication};
use crate::domain::PostId;

/// Documents hold no more posts than this.
const MOST: usize = 100;

/// The place of each post: the order in which they first appeared in feeds. Deleted posts leave theirs empty.
#[derive(Debug, Default)]
pub struct Places {
    by_id: HashMap<PostId, u32>,
    /// One more than the last place.
    taken: u32,
    /// Whose they are: another database gives others.
    pub(super) identity: Arc<()>,
}

impl Places {
    pub fn of(&self, post: &PostId) -> Option<u32> {
        self.by_id.get(post).copied()
    }

    /// One more than the last place.
    pub fn taken(&self) -> u32 {
        self.taken
    }

    pub fn extend(&mut self, places: impl IntoIterator<Item = (PostId, u32)>) {
        for (post, place) in places {
            self.taken = self.taken.max(place.saturating_add(1));
            self.by_id.insert(post, place);
        }
    }
}

/// How the places are shared out among documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shares {
    /// Places in a document.
    pub(super) size: u32,
    /// What stays in the head beside the document that is open. A new post is there for a while, whatever its date.
    margin: u32,
}

impl Shares {
    /// For a head of so many posts: it always has room for what no closed document holds.
    pub(super) fn of(items: usize) -> Self {
        let size = (items / 2).clamp(1, MOST);
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Self { size: number(size), margin: number(items.saturating_sub(size)) }
    }

    /// The document of a place.
    pub(super) fn document(self, place: u32) -> u32 {
        place / self.size
    }

    /// So many documents are closed: the first ones.
    pub(super) fn closed(self, taken: u32) -> u32 {
        taken.saturating_sub(self.margin) / self.size
    }

    /// The last part of the folder of a document. Its size is in it: with another size the documents are others.
    pub(super) fn name(self, document: u32) -> String {
        format!("{}-{}", self.size, u64::from(document) + 1)
    }

    /// What [`Shares::name`] named so.
    pub(super) fn named(self, name: &str) -> Option<u32> {
        let number: u64 = name.split_once('-')?.1.parse().ok()?;
        let document = u32::try_from(number.checked_sub(1)?).ok()?;
        (self.name(document) == name).then_some(document)
    }

    pub(super) fn urls(self, publication: &Publication, document: u32) -> FeedUrls {
        FeedUrls::within(&publication.folder(&format!("feeds/archive/{}/", self.name(document))))
    }

    /// What leads on from a document.
    pub(super) fn around(self, publication: &Publication, document: u32) -> Neighbours {
        let previous = document.checked_sub(1).map(|before| self.urls(publication, before));
        Neighbours { current: Some(publication.main_urls()), previous }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_in_a_closed_document_fits_into_the_head() {
        for items in [1, 2, 3, 10, 50, 199, 200, 1000] {
            let shares = Shares::of(items);
            for taken in 0..3000 {
                let open = taken - shares.closed(taken) * shares.size;
                assert!(open as usize <= items.max(1), "{items} {taken}");
            }
        }
    }

    #[test]
    fn a_name_means_one_document_of_this_size() {
        let shares = Shares::of(50);
        assert_eq!(shares.name(2), "25-3");
        assert_eq!(shares.named("25-3"), Some(2));
        for name in ["25-0", "50-3", "25-03", "25-", "3", "25-99999999999", "-1", "25-+3"] {
            assert_eq!(shares.named(name), None, "{name}");
        }
    }
}

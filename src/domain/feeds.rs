//! By what posts are gathered in feeds of their own.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Post, PostId};

/// What each may have feeds of its own.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum FeedTopic {
    Tag,
    Category,
    Author,
    Language,
    Section,
}

/// What becomes of feeds that would look wrong to readers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FeedCheck {
    /// What would mark many old posts as new is held until a person has looked; of the rest there is a warning.
    #[default]
    Hold,
    /// It is told, and served.
    Warn,
    /// Nobody looks.
    Off,
}

/// How much a feed holds: what is more is left to its archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeedWindow {
    /// Posts, at most.
    pub items: usize,
    /// Bytes, about; `None`: as many as `items` makes. A few posts are there in any case.
    pub bytes: Option<u64>,
}

impl FeedWindow {
    /// Posts that a feed holds however long they are: who polls once a day misses none.
    const FEWEST: usize = 10;
    /// Posts in a document of the archive, at most.
    const MOST_IN_DOCUMENT: usize = 100;

    /// How many of `sizes`, the first ones, there is room for.
    pub fn fits(self, sizes: impl IntoIterator<Item = u64>) -> usize {
        let mut sum = 0_u64;
        let has_room = |(number, size): &(usize, u64)| {
            sum = sum.saturating_add(*size);
            *number < Self::FEWEST || self.bytes.is_none_or(|most| sum <= most)
        };
        sizes.into_iter().take(self.items).enumerate().take_while(has_room).count()
    }

    /// How many of `documents` of the archive, in their order, each with its posts and bytes, are closed: there is no room in the
    /// feed for them beside what came later. All others are in the feed, so a new post is there for a while whatever its date.
    pub fn closed(self, documents: &[(usize, u64)]) -> usize {
        let fewest = self.document_fewest();
        let (mut posts, mut bytes) = (0, 0);
        let is_open = |(more, size): &&(usize, u64)| {
            let later = posts;
            posts += more;
            bytes += size;
            // One place stays free for what was edited or has no place yet.
            let has_room = posts < self.items && self.bytes.is_none_or(|most| bytes <= most);
            has_room || later < fewest
        };
        documents.len() - documents.iter().rev().take_while(is_open).count()
    }

    fn document_items(self) -> usize {
        (self.items / 2).clamp(1, Self::MOST_IN_DOCUMENT)
    }

    /// Posts in a document however long they are.
    fn document_fewest(self) -> usize {
        self.document_items().min(Self::FEWEST / 2)
    }
}

/// The document of a feed's archive (RFC 5005) that the next post goes into, and how full it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpenDocument {
    pub number: u32,
    pub posts: usize,
    pub bytes: u64,
}

impl OpenDocument {
    /// Takes a post of so many bytes. Gives back the number of its document: this one, or the next, which is the open one then.
    pub fn take(&mut self, size: u64, window: FeedWindow) -> u32 {
        let most = window.document_items();
        let bytes = self.bytes.saturating_add(size);
        let is_long = window.bytes.is_some_and(|all| bytes > all / 2);
        if self.posts >= most || (is_long && self.posts >= window.document_fewest()) {
            *self = Self { number: self.number.saturating_add(1), ..Self::default() };
        }
        self.posts += 1;
        self.bytes = self.bytes.saturating_add(size);
        self.number
    }
}

/// Where a post is in the archive of the main feed, for ever.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct FeedPlace {
    pub post: PostId,
    /// Its number, by the order in which posts first appeared.
    pub place: u32,
    pub document: u32,
    /// Its bytes at that time.
    pub size: u64,
}

impl FeedTopic {
    pub const ALL: [Self; 5] =
        [Self::Tag, Self::Category, Self::Author, Self::Language, Self::Section];

    /// The folder of its feeds: `/tags/ponds/feed.xml`.
    pub fn folder(self) -> &'static str {
        match self {
            Self::Tag => "tags",
            Self::Category => "categories",
            Self::Author => "authors",
            Self::Language => "languages",
            Self::Section => "sections",
        }
    }

    /// What `post` has of it. Nothing by itself for a post whose author is the site's.
    pub fn names_in(self, post: &Post) -> Vec<&str> {
        match self {
            Self::Tag => post.tags.iter().map(String::as_str).collect(),
            Self::Category => post.categories.iter().map(String::as_str).collect(),
            Self::Author => post.authors.iter().map(|author| author.name.as_str()).collect(),
            Self::Language => vec![post.language.as_str()],
            Self::Section => post.section.as_deref().into_iter().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_in_a_closed_document_fits_into_the_feed_and_none_opens_again() {
        for items in [1, 2, 3, 10, 50, 199, 200, 1000] {
            let window = FeedWindow { items, bytes: None };
            let (mut open, mut documents, mut closed) = (OpenDocument::default(), Vec::new(), 0);
            for posts in 1..3000 {
                let number = open.take(700, window) as usize;
                documents.resize(number + 1, (0, 0));
                documents[number] = (open.posts, open.bytes);
                let before = std::mem::replace(&mut closed, window.closed(&documents));
                assert!(before <= closed, "{items} {posts}");
                let left: usize = documents[closed..].iter().map(|it| it.0).sum();
                assert!((1..=items).contains(&left), "{items} {posts}: {left}");
                assert!(documents.iter().all(|it| it.0 <= 100), "{items} {posts}");
            }
        }
    }
}

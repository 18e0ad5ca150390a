//! By what posts are gathered in feeds of their own.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Post;

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

//! Feeds: posts become RSS 2.0, Atom 1.0 and JSON Feed 1.1 bytes, with the validators that readers poll by.
//!
//! Pure: the same input gives the same bytes, and no clock is asked. Nothing of the program's version is
//! in them either, so an upgrade makes no reader fetch everything again. What is selected and when it may
//! be shown is decided by the caller; how documents travel over HTTP is the business of `web`.
//!
//! `entry` makes every string fit for all three formats once; `rss`, `atom` and `json` only lay out.

mod adopt;
mod archive;
mod atom;
mod coding;
mod delta;
mod document;
mod effect;
mod entry;
mod identity;
mod json;
mod last_asked;
mod media;
mod opml;
mod place;
mod podcast;
mod publication;
mod read;
mod rss;
mod selections;
mod shelf;
#[cfg(test)]
mod tests;
mod text;

use jiff::Timestamp;
use url::Url;

use crate::config::{FeedAbout, Podcast};
use crate::domain::{Author, FeedFamily, FeedIds, Tombstone, Written};

pub use adopt::{Adoption, Fate, OldEntry, PostAddress, adopt};
pub use archive::Places;
pub use coding::{Coding, Forms};
pub use document::{Document, etag};
pub use effect::{Behind, Effect, ill_formed, worst};
pub use identity::known_as;
pub use last_asked::LastAsked;
pub use place::{FeedUrls, Neighbours};
pub use publication::Publication;
pub use read::{ReadEntry, ReadError, ReadFeed, read};
pub use selections::{
    MakeError, OPML, Selection, Selections, Texts, Wanted, is_for_all_hubs, usual_escapes,
};
pub use shelf::Shelf;

/// What the feeds call themselves in `generator`.
const GENERATOR: &str = "Postrider";
/// The namespace of `fh:archive` (RFC 5005).
const HISTORY_NAMESPACE: &str = "http://purl.org/syndication/history/1.0";

/// The three formats, each at its own URL: readers follow a URL, not an Accept header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Format {
    Rss,
    Atom,
    Json,
}

impl Format {
    pub const ALL: [Self; 3] = [Self::Rss, Self::Atom, Self::Json];

    /// What its document is called in the folder of a feed.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Rss => "feed.xml",
            Self::Atom => "atom.xml",
            Self::Json => "feed.json",
        }
    }

    /// The media type alone, as links to the feed state it.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Rss => "application/rss+xml",
            Self::Atom => "application/atom+xml",
            Self::Json => "application/feed+json",
        }
    }

    /// Whose ids its entries carry.
    pub fn family(self) -> FeedFamily {
        match self {
            Self::Rss => FeedFamily::Rss,
            Self::Atom => FeedFamily::Atom,
            Self::Json => FeedFamily::Json,
        }
    }

    /// The value of the `Content-Type` header.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Rss => "application/rss+xml; charset=utf-8",
            Self::Atom => "application/atom+xml; charset=utf-8",
            Self::Json => "application/feed+json", // RFC 8259: JSON types have no charset parameter
        }
    }
}

/// What a feed says about itself, in whatever format.
#[derive(Clone, Copy, Debug)]
pub struct FeedSpec<'a> {
    /// Plain text.
    pub title: &'a str,
    /// Plain text; the title stands in for an empty one.
    pub description: &'a str,
    /// The author's own site.
    pub site_url: &'a Url,
    /// BCP 47 tag, the language of posts that have the same or none.
    pub language: &'a str,
    /// Stands in for posts that name nobody.
    pub author: Option<&'a Author>,
    /// Where it is fetched from.
    pub urls: &'a FeedUrls,
    /// Whole posts, or summaries only.
    pub full_text: bool,
    pub about: &'a FeedAbout,
    /// What directories of podcasts want to know, if there is audio.
    pub podcast: Option<&'a Podcast>,
    /// For a feed that has an archive, and for the documents of that.
    pub neighbours: Option<&'a Neighbours>,
    /// Posts that were in it and are gone.
    pub gone: &'a [Tombstone],
    /// Ids that posts had in an earlier feed.
    pub ids: &'a FeedIds,
}

/// Why a feed could not be written. Nothing in a post leads here: it takes a fault in a format's library.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    #[error("cannot write the feed as RSS")]
    Rss(#[source] ::rss::Error),
    #[error("cannot write the feed as Atom")]
    Atom(#[source] atom_syndication::Error),
    #[error("cannot write the feed as JSON")]
    Json(#[source] serde_json::Error),
    #[error("the feed was not written in UTF-8")]
    Encoding(#[from] std::string::FromUtf8Error),
}

/// Writes `posts`, newest first, in `format`.
///
/// The document's time is the newest change of its posts, or when the last one went (1970 when there are none), never the time of
/// writing.
pub fn render(
    format: Format,
    spec: &FeedSpec<'_>,
    posts: &[Written],
) -> Result<Document, FeedError> {
    let changed = posts.iter().map(|it| it.post.changed_at());
    let changed_at = changed
        .chain(spec.gone.iter().map(|it| it.gone_at))
        .map(text::instant)
        .max()
        .unwrap_or(Timestamp::UNIX_EPOCH);
    let feed = entry::Feed::new(format, spec, posts, changed_at);
    let text = match format {
        Format::Rss => rss::write(&feed)?,
        Format::Atom => atom::write(&feed)?,
        Format::Json => json::write(&feed)?,
    };
    Ok(Document::new(format, text, changed_at))
}

//! A post: one source file, parsed, rendered, complete.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use url::Url;

use super::{PostId, Revision};

/// Who wrote a post. At least the name is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Author {
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<Url>,
}

/// A post with its identity. What it says is all here; where it may go is for `Releases` to decide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Post {
    pub id: PostId,
    pub revision: Revision,
    /// The file it came from, relative to the project folder, with `/`.
    pub source: String,
    pub slug: String,
    /// Where it lives on the author's site: absolute.
    pub link: Url,
    /// Front matter's canonical URL, when it is not `link`.
    pub canonical: Option<Url>,
    /// Plain text, one line.
    pub title: String,
    /// The author's publication date.
    pub published_at: Timestamp,
    /// The author's own date of the last change, if given.
    pub updated_at: Option<Timestamp>,
    /// Plain text, one paragraph.
    pub summary: String,
    /// Sanitised, every URL absolute: safe for feeds and mail.
    pub html: String,
    /// The same as plain text for mail: wrapped by nobody, links as `text <url>`.
    pub text: String,
    pub authors: Vec<Author>,
    pub tags: Vec<String>,
    pub categories: Vec<String>,
    /// BCP 47 tag, `en` or `pt-BR`.
    pub language: String,
    pub image: Option<Url>,
}

impl Post {
    /// The later of publication and the author's own update.
    pub fn changed_at(&self) -> Timestamp {
        self.updated_at.map_or(self.published_at, |updated| updated.max(self.published_at))
    }
}

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
    /// Whether `name`, as an author writes it, means this post: its slug, its source path or its id.
    pub fn is_called(&self, name: &str) -> bool {
        name == self.slug || name == self.source || name == self.id.as_str()
    }

    /// The later of publication and the author's own update.
    pub fn changed_at(&self) -> Timestamp {
        self.updated_at.map_or(self.published_at, |updated| updated.max(self.published_at))
    }
}

/// Minutes that people take for `text`: 230 words each, or 500 characters where a script has no blanks between words.
pub fn reading_minutes(text: &str) -> usize {
    let unspaced =
        |c: &char| matches!(u32::from(*c), 0x0e00..=0x0eff | 0x3040..=0x30ff | 0x3400..=0x9fff);
    let is_spoken = |word: &&str| word.contains(char::is_alphanumeric) && !word.contains("://");
    let words = text.split_whitespace().filter(is_spoken).count();
    let characters = text.chars().filter(unspaced).count();
    (words * 500 + characters * 230).div_ceil(230 * 500).max(1)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A post without text, published on day `published_at` (`03-01`) of 2026.
    pub(in crate::domain) fn post(slug: &str, published_at: &str) -> Post {
        let link = format!("https://example.org/posts/{slug}/").parse().unwrap();
        Post {
            id: PostId::mint(&link),
            revision: Revision::of([slug]),
            source: format!("posts/{slug}.md"),
            slug: slug.to_owned(),
            link,
            canonical: None,
            title: slug.to_owned(),
            published_at: at(published_at),
            updated_at: None,
            summary: String::new(),
            html: String::new(),
            text: String::new(),
            authors: Vec::new(),
            tags: Vec::new(),
            categories: Vec::new(),
            language: "en".to_owned(),
            image: None,
        }
    }

    pub(in crate::domain) fn at(day: &str) -> Timestamp {
        format!("2026-{day}T08:00Z").parse().unwrap()
    }

    #[test]
    fn a_post_is_as_new_as_its_latest_date() {
        let hello = post("hello", "03-01");
        let updated = |day| Post { updated_at: Some(at(day)), ..hello.clone() }.changed_at();
        assert_eq!(hello.changed_at(), at("03-01"));
        assert_eq!(updated("03-05"), at("03-05"));
        assert_eq!(updated("02-05"), at("03-01"), "an update from before the publication is none");
    }
}

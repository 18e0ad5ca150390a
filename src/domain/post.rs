//! A post: one source file, parsed, rendered, complete.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use url::Url;

use super::{PostId, Revision, Wishes};

/// Who wrote a post. At least the name is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Author {
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<Url>,
}

/// Posts that belong together in an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Series {
    pub name: String,
    /// Its place, where the author counts; else the date decides.
    pub part: Option<u32>,
}

/// A recording that goes with a post.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enclosure {
    pub url: Url,
    /// `audio/mpeg`, as the author says or the file's ending tells.
    pub media_type: Option<String>,
    /// In bytes.
    pub length: Option<u64>,
    pub duration: Option<SignedDuration>,
}

/// A post with its identity, and all that is known of it but its text: of a hundred thousand posts few are read at a time.
/// Where it may go is for `Releases` to decide.
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
    pub canonical: Option<Box<Url>>,
    /// Plain text, one line.
    pub title: String,
    /// The author's publication date.
    pub published_at: Timestamp,
    /// The author's own date of the last change, if given.
    pub updated_at: Option<Timestamp>,
    /// Plain text, one paragraph.
    pub summary: String,
    /// Bytes of its text, as HTML.
    #[serde(default)]
    pub size: u32,
    pub authors: Vec<Author>,
    pub tags: Vec<String>,
    pub categories: Vec<String>,
    /// BCP 47 tag, `en` or `pt-BR`.
    pub language: String,
    pub image: Option<Box<Url>>,
    /// What the image shows, for those who don't see it.
    #[serde(default)]
    pub image_alt: Option<String>,
    /// What readers may choose by, where that is not the tags; ask `topics()`.
    #[serde(default)]
    pub topics: Vec<String>,
    /// The outermost folder, or what the front matter calls it.
    #[serde(default)]
    pub section: Option<String>,
    #[serde(default)]
    pub series: Option<Series>,
    /// What all versions of a post in other languages share.
    #[serde(default)]
    pub translation_key: Option<String>,
    /// The author shows it before others. The order of feeds is not changed by it.
    #[serde(default)]
    pub featured: bool,
    /// Where a post leads that is about something elsewhere.
    #[serde(default)]
    pub external: Option<Box<Url>>,
    /// Where it lived before, on the author's site.
    #[serde(default)]
    pub aliases: Vec<Url>,
    #[serde(default)]
    pub enclosure: Option<Box<Enclosure>>,
    /// Few posts have any; ask `wishes()`.
    #[serde(default)]
    pub wishes: Option<Box<Wishes>>,
}

/// The text of a post.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Body {
    /// Sanitised, every URL absolute: safe for feeds and mail.
    pub html: String,
    /// What mail shows, where that is not `html`.
    pub mail_html: Option<String>,
    /// For the post's own page, where that is not `html`: the author's HTML as it is.
    pub web_html: Option<String>,
    /// What mail shows, as plain text: wrapped by nobody, links as `text <url>`.
    pub text: String,
    /// `html` as plain text, where that is not `text`.
    pub web_text: Option<String>,
}

impl Body {
    pub fn for_mail(&self) -> &str {
        self.mail_html.as_deref().unwrap_or(&self.html)
    }

    /// `html` as plain text: without what only mail shows.
    pub fn text_for_web(&self) -> &str {
        self.web_text.as_deref().unwrap_or(&self.text)
    }
}

/// A post with its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    pub post: Arc<Post>,
    pub body: Arc<Body>,
}

impl Post {
    /// What the author wishes of each channel.
    pub fn wishes(&self) -> &Wishes {
        static NONE: Wishes = Wishes::NONE;
        self.wishes.as_deref().unwrap_or(&NONE)
    }

    /// What readers may choose by: the author's topics, else the tags.
    pub fn topics(&self) -> &[String] {
        if self.topics.is_empty() { &self.tags } else { &self.topics }
    }

    /// Whether `name`, as an author writes it, means this post: its slug, its source path or its id.
    pub fn is_called(&self, name: &str) -> bool {
        name == self.slug || name == self.source || name == self.id.as_str()
    }

    /// Bytes that it takes in a feed, about: of whole posts, or of summaries.
    pub fn size_in_feed(&self, full_text: bool) -> u64 {
        /// Its addresses, dates and names, and the elements around them.
        const REST: u64 = 600;
        let text = if full_text { u64::from(self.size) } else { 0 };
        REST + text + self.summary.len() as u64
    }

    /// Newest first by publication; those of one instant in the order of their ids.
    pub fn newest_first(a: &Self, b: &Self) -> std::cmp::Ordering {
        b.published_at.cmp(&a.published_at).then_with(|| a.id.cmp(&b.id))
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

    impl Post {
        /// A post with what it must have, at `https://example.org/posts/SLUG/`.
        pub(crate) fn bare(slug: &str, published_at: Timestamp) -> Self {
            let link = format!("https://example.org/posts/{slug}/").parse().unwrap();
            Self {
                id: PostId::mint(&link),
                revision: Revision::of([slug]),
                source: format!("posts/{slug}.md"),
                slug: slug.to_owned(),
                link,
                canonical: None,
                title: slug.to_owned(),
                published_at,
                updated_at: None,
                summary: String::new(),
                size: 0,
                authors: Vec::new(),
                tags: Vec::new(),
                categories: Vec::new(),
                language: "en".to_owned(),
                image: None,
                image_alt: None,
                topics: Vec::new(),
                section: None,
                series: None,
                translation_key: None,
                featured: false,
                external: None,
                aliases: Vec::new(),
                enclosure: None,
                wishes: None,
            }
        }
    }

    /// A post published on day `published_at` (`03-01`) of 2026.
    pub(in crate::domain) fn post(slug: &str, published_at: &str) -> Post {
        Post::bare(slug, at(published_at))
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

//! What comes out of a file: a post that does not know its id yet.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::domain::{Author, Enclosure, Likeness, Post, PostId, Revision, Series, Wishes};

/// A post without its identity, which the store knows. What it lacks is left out where it is kept: of a hundred thousand posts most
/// lack most.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parsed {
    /// The id that the author fixed in front matter: an IRI.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pinned_id: Option<String>,
    pub revision: Revision,
    /// The hash of the file itself.
    pub written: Revision,
    pub source: String,
    pub slug: String,
    pub link: Url,
    /// Where the author says the original is, when that is not `link`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canonical: Option<Box<Url>>,
    /// Plain text, one line, at most 500 characters.
    pub title: String,
    pub published_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
    /// From then on the post is to be live nowhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Plain text, one paragraph, perhaps empty.
    pub summary: String,
    /// Bytes of `html`.
    pub size: u32,
    /// Sanitised, every URL absolute, ids beginning with the slug. Empty where it is kept elsewhere.
    #[serde(skip)]
    pub html: String,
    /// What mail shows, where that is not `html`: blocks for one channel make the difference.
    #[serde(skip)]
    pub mail_html: Option<String>,
    /// For the post's own page, where that is not `html`: the author's HTML as it is, but for addresses and ids.
    #[serde(skip)]
    pub web_html: Option<String>,
    /// By which it is known when its file and address are others.
    pub likeness: Likeness,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authors: Vec<Author>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<String>,
    pub language: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<Box<Url>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_alt: Option<String>,
    /// Where they are not the tags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub topics: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub section: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub series: Option<Series>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub translation_key: Option<String>,
    pub featured: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external: Option<Url>,
    /// None of them is `link`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<Url>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enclosure: Option<Enclosure>,
    #[serde(default, skip_serializing_if = "Wishes::is_empty")]
    pub wishes: Wishes,
}

impl Parsed {
    /// The post under the id that is its for life.
    pub fn into_post(self, id: PostId) -> Post {
        Post {
            id,
            revision: self.revision,
            source: self.source,
            slug: self.slug,
            link: self.link,
            canonical: self.canonical,
            title: self.title,
            published_at: self.published_at,
            updated_at: self.updated_at,
            summary: self.summary,
            size: self.size,
            authors: self.authors,
            tags: self.tags,
            categories: self.categories,
            language: self.language,
            image: self.image,
            image_alt: self.image_alt,
            topics: self.topics,
            section: self.section,
            series: self.series,
            translation_key: self.translation_key,
            featured: self.featured,
            external: self.external.map(Box::new),
            aliases: self.aliases,
            enclosure: self.enclosure.map(Box::new),
            wishes: (!self.wishes.is_empty()).then(|| Box::new(self.wishes)),
        }
    }

    /// Hashes all that readers can see, and nothing else: renaming the file is no news, nor is what only the post's own page
    /// would show (`web_html`) as long as nothing shows that.
    pub(super) fn revised(mut self) -> Self {
        let instant = |at: Option<Timestamp>| at.map(|at| at.to_string()).unwrap_or_default();
        let url = |url: Option<&Url>| url.map(Url::to_string).unwrap_or_default();
        let dates = [Some(self.published_at), self.updated_at, self.expires_at].map(instant);
        let urls = [url(self.canonical.as_deref()), url(self.image.as_deref())];
        let counts =
            format!("{} {} {}", self.authors.len(), self.tags.len(), self.categories.len());
        let authors: Vec<[String; 3]> = self
            .authors
            .iter()
            .map(|author| {
                [
                    author.name.clone(),
                    author.email.clone().unwrap_or_default(),
                    url(author.url.as_ref()),
                ]
            })
            .collect();
        let parts =
            [self.link.as_str(), &self.title, &self.summary, &self.html, &self.language, &counts];
        let more = self.more_words();
        self.revision = Revision::of(
            parts
                .into_iter()
                .chain(dates.iter().map(String::as_str))
                .chain(urls.iter().map(String::as_str))
                .chain(authors.iter().flatten().map(String::as_str))
                .chain(self.tags.iter().map(String::as_str))
                .chain(self.categories.iter().map(String::as_str))
                .chain(more.iter().map(String::as_str))
                // Named, and only where there are any: most posts look the same everywhere.
                .chain(self.mail_html.iter().flat_map(|html| ["mail", html])),
        );
        self
    }

    /// Each with its name, and only where it is there: posts without them keep the revision that they have always had.
    fn more_words(&self) -> Vec<String> {
        let mut words = Vec::new();
        let mut add = |name: &str, value: Option<String>| {
            words.extend(value.map(|value| format!("{name}={value}")));
        };
        add("image_alt", self.image_alt.clone());
        add("external", self.external.as_ref().map(Url::to_string));
        add("series", self.series.as_ref().map(|it| format!("{:?} {}", it.part, it.name)));
        add(
            "enclosure",
            self.enclosure.as_ref().map(|it| {
                format!("{} {:?} {:?} {:?}", it.url, it.media_type, it.length, it.duration)
            }),
        );
        for (name, text) in self.wishes.words() {
            add(&format!("wish:{name}"), Some(text.to_owned()));
        }
        words
    }
}

//! A feed and its posts with every string fit for all three formats: what is said, before how it is laid out.

use std::borrow::Cow;

use jiff::Timestamp;

use super::media::Recording;
use super::{FeedSpec, FeedUrls, Format, known_as, text};
use crate::config::{FeedAbout, Podcast};
use crate::domain::{Author, FeedIds, Post, PostId, Tombstone, Written};

/// A whole feed. Nothing in it is empty, and everything is legal in XML.
pub(super) struct Feed<'a> {
    /// `urn:uuid:…`, for Atom.
    pub(super) id: PostId,
    pub(super) title: String,
    pub(super) description: String,
    pub(super) site_url: &'a str,
    pub(super) self_url: &'a str,
    pub(super) media_type: &'static str,
    pub(super) language: Option<&'a str>,
    pub(super) author: Option<Person>,
    pub(super) about: &'a FeedAbout,
    pub(super) copyright: Option<String>,
    pub(super) podcast: Option<&'a Podcast>,
    /// Where new posts appear, in a document of the archive.
    pub(super) current: Option<&'a str>,
    /// The document with the posts before these.
    pub(super) previous: Option<&'a str>,
    pub(super) changed_at: Timestamp,
    pub(super) entries: Vec<Entry<'a>>,
    /// Those that are gone, as readers of this format know them, and since when.
    pub(super) gone: Vec<(String, Timestamp)>,
}

/// One post in a feed.
pub(super) struct Entry<'a> {
    /// As readers of this format know it.
    pub(super) id: String,
    pub(super) link: &'a str,
    /// Plain text.
    pub(super) title: String,
    /// Plain text.
    pub(super) summary: Option<String>,
    /// `None` in a feed of summaries too.
    pub(super) html: Option<Cow<'a, str>>,
    /// The post's own; the feed's author stands in when there are none.
    pub(super) authors: Vec<Person>,
    pub(super) terms: Vec<Term>,
    pub(super) published_at: Timestamp,
    pub(super) changed_at: Timestamp,
    /// Only when it is not the feed's.
    pub(super) language: Option<&'a str>,
    pub(super) canonical: Option<&'a str>,
    /// Where a post leads that is about something elsewhere.
    pub(super) external: Option<&'a str>,
    pub(super) image: Option<&'a str>,
    pub(super) image_alt: Option<String>,
    pub(super) recording: Option<Recording<'a>>,
}

/// An author. Email addresses stay out of feeds: harvesters read them too.
pub(super) struct Person {
    pub(super) name: String,
    pub(super) url: Option<String>,
}

/// A tag, a category or a series.
pub(super) struct Term {
    pub(super) name: String,
    /// An IRI that tells one from the other.
    pub(super) scheme: String,
}

impl<'a> Feed<'a> {
    pub(super) fn new(
        format: Format,
        spec: &FeedSpec<'a>,
        posts: &'a [Written],
        changed_at: Timestamp,
    ) -> Self {
        let self_url = spec.urls.of(format);
        // The site and the feed's path name the feed, whatever host serves it.
        let mut named = spec.site_url.clone();
        // Documents of an archive are parts of their feed.
        let whole = spec.neighbours.and_then(|it| it.current.as_ref());
        named.set_fragment(Some(whole.map_or(self_url, |urls| urls.of(format)).path()));
        let title = text::line(spec.title).unwrap_or_else(|| spec.site_url.to_string());
        let language = text::language(spec.language);
        let leading = |urls: Option<&'a FeedUrls>| urls.map(|urls| urls.of(format).as_str());
        Self {
            id: PostId::mint(&named),
            description: text::line(spec.description).unwrap_or_else(|| title.clone()),
            title,
            site_url: spec.site_url.as_str(),
            self_url: self_url.as_str(),
            media_type: format.media_type(),
            language,
            author: spec.author.and_then(Person::new),
            about: spec.about,
            copyright: spec.about.copyright.as_deref().and_then(text::line),
            podcast: spec.podcast,
            current: leading(spec.neighbours.and_then(|it| it.current.as_ref())),
            previous: leading(spec.neighbours.and_then(|it| it.previous.as_ref())),
            changed_at,
            entries: posts.iter().map(|it| Entry::new((format, spec), language, it)).collect(),
            gone: spec.gone.iter().map(|it| gone(it, spec.ids, format)).collect(),
        }
    }
}

fn gone(it: &Tombstone, ids: &FeedIds, format: Format) -> (String, Timestamp) {
    (known_as(&it.id, ids, format.family()).into_owned(), it.gone_at)
}

impl<'a> Entry<'a> {
    fn new(
        (format, spec): (Format, &FeedSpec<'_>),
        feed_language: Option<&str>,
        written: &'a Written,
    ) -> Self {
        let post = &*written.post;
        let foreign =
            |tag: &&str| !feed_language.is_some_and(|feed| feed.eq_ignore_ascii_case(tag));
        let html = spec.full_text.then(|| text::clean(&written.body.html));
        Self {
            id: text::line(&known_as(&post.id, spec.ids, format.family()))
                .unwrap_or_else(|| post.link.to_string()),
            link: post.link.as_str(),
            title: text::line(&post.title).unwrap_or_else(|| post.link.to_string()),
            summary: text::line(&post.summary),
            html: html.filter(|html| !html.trim().is_empty()),
            authors: post.authors.iter().filter_map(Person::new).collect(),
            terms: terms(spec, post),
            published_at: text::instant(post.published_at),
            changed_at: text::instant(post.changed_at()),
            language: text::language(&post.language).filter(foreign),
            canonical: post.canonical.as_deref().map(url::Url::as_str),
            external: post.external.as_deref().map(url::Url::as_str),
            image: post.image.as_deref().map(url::Url::as_str),
            image_alt: post.image_alt.as_deref().and_then(text::line),
            recording: post.enclosure.as_deref().map(Recording::new),
        }
    }
}

impl Person {
    fn new(author: &Author) -> Option<Self> {
        let url = author.url.as_ref().map(url::Url::to_string);
        text::line(&author.name).map(|name| Self { name, url })
    }
}

/// Categories, tags and the series, each name once.
fn terms(spec: &FeedSpec<'_>, post: &Post) -> Vec<Term> {
    let mut terms: Vec<Term> = Vec::new();
    let series: Vec<String> = post.series.iter().map(|series| series.name.clone()).collect();
    let kinds = [(&post.categories, "categories"), (&post.tags, "tags"), (&series, "series")];
    for (names, kind) in kinds {
        let mut scheme = spec.site_url.clone();
        scheme.set_fragment(Some(kind));
        for name in names.iter().filter_map(|name| text::line(name)) {
            if !terms.iter().any(|term| term.name == name) {
                terms.push(Term { name, scheme: scheme.to_string() });
            }
        }
    }
    terms
}

//! What cross-post templates see.

use jiff::Timestamp;
use serde::Serialize;

use super::{AuthorContext, Context, PostContext, SiteContext, samples};
use crate::domain::{SOCIAL, Translation, Written};

/// Bytes of HTML that a call carries at most; receivers refuse bodies from some 256 kB on.
const MAX_HTML: usize = 100_000;

/// What happened to the post.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum CrosspostEvent {
    #[serde(rename = "post.published")]
    Published,
    #[serde(rename = "post.updated")]
    Updated,
    #[serde(rename = "post.removed")]
    Removed,
}

/// `crosspost/*.json`: the body of a call, in the shape of Standard Webhooks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CrosspostContext {
    pub r#type: CrosspostEvent,
    /// When it happened (RFC 3339, UTC): stays the same on every attempt.
    pub timestamp: Timestamp,
    pub data: CrosspostData,
    pub site: SiteContext,
}

/// `data`: the post. Times are RFC 3339 in UTC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CrosspostData {
    pub id: String,
    pub url: String,
    pub title: String,
    pub summary: String,
    /// `none` when it has more than 100,000 bytes.
    pub html: Option<String>,
    pub text: String,
    pub authors: Vec<AuthorContext>,
    pub tags: Vec<String>,
    pub categories: Vec<String>,
    pub language: String,
    pub published_at: Timestamp,
    pub updated_at: Option<Timestamp>,
    pub image: Option<String>,
    pub image_alt: Option<String>,
    pub topics: Vec<String>,
    pub series: Option<SeriesContext>,
    /// What the post is about, where it is about something elsewhere.
    pub external: Option<String>,
    /// `social` in the front matter: what the author says of the post on other sites.
    pub social: Option<String>,
    /// What the author says of it at this destination: its own text, else `social`.
    pub text_for_here: Option<String>,
    /// The other languages that the post is in.
    pub translations: Vec<TranslationContext>,
}

/// `data.series`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SeriesContext {
    pub name: String,
    pub part: Option<u32>,
}

/// One of `data.translations`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TranslationContext {
    /// BCP 47 tag.
    pub language: String,
    pub url: String,
}

impl CrosspostContext {
    /// The call that tells `destination` what happened to `post` at `at`.
    pub fn of(
        event: CrosspostEvent,
        (Written { post, body }, destination): (&Written, &str),
        translations: &[Translation],
        site: SiteContext,
        at: Timestamp,
    ) -> Self {
        let translations = translations.iter().map(|one| TranslationContext {
            language: one.language.clone(),
            url: one.link.to_string(),
        });
        let data = CrosspostData {
            id: post.id.to_string(),
            url: post.canonical.as_deref().unwrap_or(&post.link).to_string(),
            title: post.title.clone(),
            summary: post.summary.clone(),
            html: (body.html.len() <= MAX_HTML).then(|| body.html.clone()),
            text: body.text_for_web().to_owned(),
            authors: post.authors.iter().map(AuthorContext::of).collect(),
            tags: post.tags.clone(),
            categories: post.categories.clone(),
            language: post.language.clone(),
            published_at: post.published_at,
            updated_at: post.updated_at,
            image: post.image.as_ref().map(ToString::to_string),
            image_alt: post.image_alt.clone(),
            topics: post.topics().to_vec(),
            series: post
                .series
                .as_ref()
                .map(|series| SeriesContext { name: series.name.clone(), part: series.part }),
            external: post.external.as_ref().map(ToString::to_string),
            social: post.wishes().texts.get(SOCIAL).cloned(),
            text_for_here: post.wishes().text_for(destination).map(str::to_owned),
            translations: translations.collect(),
        };
        Self { r#type: event, timestamp: at, data, site }
    }

    fn sample(event: CrosspostEvent, post: PostContext) -> Self {
        let data = CrosspostData {
            id: post.id,
            url: post.url,
            title: post.title,
            summary: post.summary,
            html: Some(post.html),
            text: post.text,
            authors: post.authors,
            tags: post.tags,
            categories: post.categories,
            language: post.language,
            published_at: post.published_at.timestamp(),
            updated_at: post.updated_at.map(|at| at.timestamp()),
            image: post.image,
            image_alt: Some("A river in the morning".to_owned()),
            topics: vec!["Rivers".to_owned()],
            series: Some(SeriesContext { name: "Down the river".to_owned(), part: Some(2) }),
            external: None,
            social: None,
            text_for_here: Some("Two days with a kettle and a map.".to_owned()),
            translations: vec![TranslationContext {
                language: "de".to_owned(),
                url: "https://example.org/de/river/".to_owned(),
            }],
        };
        let timestamp = samples::now().timestamp();
        Self { r#type: event, timestamp, data, site: samples::site() }
    }
}

impl Context for CrosspostContext {
    const TEMPLATES: &'static [&'static str] = &["crosspost/"];

    fn samples() -> Vec<(&'static str, Self)> {
        let mut long = Self::sample(CrosspostEvent::Updated, samples::rich_post());
        long.data.html = None;
        vec![
            ("a post", Self::sample(CrosspostEvent::Published, samples::rich_post())),
            ("no image, right to left", Self::sample(CrosspostEvent::Removed, samples::odd_post())),
            ("a post too large for a call", long),
        ]
    }
}

//! What cross-post templates see.

use jiff::Timestamp;
use serde::Serialize;

use super::{AuthorContext, Context, PostContext, SiteContext, samples};
use crate::domain::Written;

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
}

impl CrosspostContext {
    /// The call that tells what happened to a post at `at`.
    pub fn of(
        event: CrosspostEvent,
        Written { post, body }: &Written,
        site: SiteContext,
        at: Timestamp,
    ) -> Self {
        let data = CrosspostData {
            id: post.id.to_string(),
            url: post.canonical.as_ref().unwrap_or(&post.link).to_string(),
            title: post.title.clone(),
            summary: post.summary.clone(),
            html: (body.html.len() <= MAX_HTML).then(|| body.html.clone()),
            text: body.text.clone(),
            authors: post.authors.iter().map(AuthorContext::of).collect(),
            tags: post.tags.clone(),
            categories: post.categories.clone(),
            language: post.language.clone(),
            published_at: post.published_at,
            updated_at: post.updated_at,
            image: post.image.as_ref().map(ToString::to_string),
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

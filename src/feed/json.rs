//! JSON Feed 1.1.

use serde::Serialize;
use url::Url;

use super::FeedError;
use super::entry::{Entry, Feed, Person};
use super::media::Recording;

const VERSION: &str = "https://jsonfeed.org/version/1.1";

#[derive(Serialize)]
struct JsonFeed<'a> {
    version: &'static str,
    title: &'a str,
    home_page_url: &'a str,
    feed_url: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_url: Option<&'a str>,
    description: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    icon: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    favicon: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    authors: Vec<JsonAuthor<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hubs: Vec<JsonHub<'a>>,
    items: Vec<JsonItem<'a>>,
}

#[derive(Serialize)]
struct JsonHub<'a> {
    r#type: &'static str,
    url: &'a str,
}

#[derive(Serialize)]
struct JsonAuthor<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
}

/// Everything is plain text but `content_html`.
#[derive(Serialize)]
struct JsonItem<'a> {
    id: &'a str,
    url: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_url: Option<&'a str>,
    title: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_html: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<&'a str>,
    date_published: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    date_modified: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    authors: Vec<JsonAuthor<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attachments: Vec<Attachment<'a>>,
}

#[derive(Serialize)]
struct Attachment<'a> {
    url: &'a str,
    mime_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    size_in_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_in_seconds: Option<i64>,
}

/// The feed as JSON.
pub(super) fn write(feed: &Feed<'_>) -> Result<String, FeedError> {
    let document = JsonFeed {
        version: VERSION,
        title: &feed.title,
        home_page_url: feed.site_url,
        feed_url: feed.self_url,
        next_url: feed.previous,
        description: &feed.description,
        icon: feed.about.logo.as_ref().map(Url::as_str),
        favicon: feed.about.icon.as_ref().map(Url::as_str),
        authors: feed.author.iter().map(author).collect(),
        language: feed.language,
        hubs: feed
            .about
            .hubs
            .iter()
            .map(|hub| JsonHub { r#type: "WebSub", url: hub.as_str() })
            .collect(),
        items: feed.entries.iter().map(item).collect(),
    };
    let text = serde_json::to_string_pretty(&document).map_err(FeedError::Json)?;
    Ok(text + "\n")
}

fn item<'a>(entry: &'a Entry<'_>) -> JsonItem<'a> {
    // An item must have one content or the other.
    let content_html = entry.html.as_deref();
    let in_its_place = entry.summary.as_deref().unwrap_or(&entry.title);
    JsonItem {
        id: &entry.id,
        url: entry.link,
        external_url: entry.external,
        title: &entry.title,
        content_html,
        content_text: content_html.is_none().then_some(in_its_place),
        summary: entry.summary.as_deref(),
        image: entry.image,
        date_published: entry.published_at.to_string(),
        date_modified: (entry.changed_at != entry.published_at)
            .then(|| entry.changed_at.to_string()),
        authors: entry.authors.iter().map(author).collect(),
        tags: entry.terms.iter().map(|term| term.name.as_str()).collect(),
        language: entry.language,
        attachments: entry.recording.iter().map(attachment).collect(),
    }
}

fn attachment<'a>(recording: &'a Recording<'_>) -> Attachment<'a> {
    Attachment {
        url: recording.url,
        mime_type: &recording.media_type,
        size_in_bytes: recording.length,
        duration_in_seconds: recording.seconds(),
    }
}

fn author(who: &Person) -> JsonAuthor<'_> {
    JsonAuthor { name: &who.name, url: who.url.as_deref() }
}

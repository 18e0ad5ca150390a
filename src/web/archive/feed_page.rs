//! What a person gets who opens a feed in a browser: what it is, its address, its posts. Everybody else gets the feed.

use axum::http::header::{ACCEPT, CACHE_CONTROL, VARY};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;

use super::{navigation, newsletters};
use crate::config::Config;
use crate::feed::{Document, Shelf};
use crate::template::{AuthorContext, FeedLink, FeedPage, PostRow};
use crate::web::{WebState, page};

/// Browsers say by it what they want a document for; programs that read feeds do not know it.
const FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");
/// Posts shown; the feed has the others.
const MOST_POSTS: usize = 30;

/// The main feeds: path below the public URL, what people call the format, media type.
pub(super) const MAIN: [(&str, &str, &str); 3] = [
    ("feed.xml", "RSS 2.0", "application/rss+xml"),
    ("atom.xml", "Atom 1.0", "application/atom+xml"),
    ("feed.json", "JSON Feed 1.1", "application/feed+json"),
];

/// The posts of a feed, from its JSON form.
#[derive(Default, Deserialize)]
#[serde(default)]
struct JsonFeed {
    title: String,
    language: Option<String>,
    items: Vec<Item>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Item {
    url: String,
    title: Option<String>,
    summary: Option<String>,
    date_published: Option<Timestamp>,
    authors: Vec<Author>,
    language: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Author {
    name: String,
    url: Option<String>,
}

/// The page that stands for the feed at `path`, if a person asks for it.
pub(in crate::web) fn feed_page(
    state: &WebState,
    path: &str,
    headers: &HeaderMap,
) -> Option<Response> {
    if !is_person(headers) {
        return None;
    }
    let shelf = state.shelf.load();
    let document = shelf.documents.get(path)?;
    let config = state.config.load();
    let context = context(&config, &shelf, path, document)?;
    // A page that cannot be laid out is no reason not to have the feed.
    let laid_out = page::html(state, "page/feed.html", &context).ok()?;
    let told = [
        // The address is the feed's: no cache between may keep the page for readers.
        (CACHE_CONTROL, HeaderValue::from_static("private, no-store")),
        (VARY, HeaderValue::from_static("Accept, Accept-Encoding, Sec-Fetch-Dest")),
    ];
    Some((told, laid_out).into_response())
}

/// Whether a browser is about to show what it gets in a tab of its own.
fn is_person(headers: &HeaderMap) -> bool {
    let goes_there = headers.get(FETCH_DEST).is_some_and(|dest| dest == "document");
    let accepted = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    goes_there && accepted.contains("text/html")
}

fn context(config: &Config, shelf: &Shelf, path: &str, document: &Document) -> Option<FeedPage> {
    let (folder, _) = path.rsplit_once('/')?;
    let beside = |name: &str| shelf.documents.get(&format!("{folder}/{name}"));
    let json = beside("feed.json").and_then(|it| serde_json::from_slice(&it.bytes).ok());
    let JsonFeed { title, language, items } = json.unwrap_or_default();
    let title = if title.is_empty() { config.site.title.clone() } else { title };
    let public_url = config.server.public_url.as_str().trim_end_matches('/');
    let link = |path: &str, document: &Document| FeedLink {
        title: title.clone(),
        url: format!("{public_url}{path}"),
        format: format_of(document).to_owned(),
        media_type: media_type(document).to_owned(),
    };
    let others = MAIN.iter().filter_map(|(name, ..)| {
        let other = format!("{folder}/{name}");
        Some(link(&other, shelf.documents.get(&other)?)).filter(|_| other != path)
    });
    let language = language.unwrap_or_else(|| config.site.language.clone());
    let row = |item: Item| row(item, &language, &config.site.time_zone);
    Some(FeedPage {
        site: page::site(config),
        nav: if config.archive.enabled { navigation(config, false) } else { Vec::new() },
        feed: link(path, document),
        others: others.collect(),
        newsletters: newsletters(config),
        posts: items.into_iter().take(MOST_POSTS).filter_map(row).collect(),
        title: title.clone(),
    })
}

fn media_type(document: &Document) -> &str {
    document.content_type.split(';').next().unwrap_or_default()
}

fn format_of(document: &Document) -> &'static str {
    let media_type = media_type(document);
    MAIN.iter().find(|(_, _, known)| *known == media_type).map_or("a feed", |(_, format, _)| format)
}

/// None: without a date it is no post.
fn row(item: Item, language: &str, zone: &TimeZone) -> Option<PostRow> {
    let author = |it: Author| AuthorContext { name: it.name, url: it.url };
    Some(PostRow {
        title: item.title.unwrap_or_else(|| item.url.clone()),
        url: item.url,
        summary: item.summary.unwrap_or_default(),
        authors: item.authors.into_iter().map(author).collect(),
        language: item.language.unwrap_or_else(|| language.to_owned()),
        published_at: item.date_published?.to_zoned(zone.clone()),
    })
}

//! What a person gets who opens a feed in a browser: what it is, its address, its posts. Everybody else gets the feed.

use std::sync::Arc;

use axum::http::header::{ACCEPT, CACHE_CONTROL, VARY};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse as _, Response};
use url::Url;

use super::{lists, navigation, newsletters};
use crate::config::Config;
use crate::domain::LivePost;
use crate::feed::{FeedUrls, Format, Selection, Shelf};
use crate::template::{FeedLink, FeedPage};
use crate::web::{WebState, page};

/// Browsers say by it what they want a document for; programs that read feeds do not know it.
const FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");
/// Posts shown; the feed has the others.
const MOST_POSTS: usize = 30;

/// Whether a browser is about to show what it gets in a tab of its own.
pub(in crate::web) fn is_person(headers: &HeaderMap) -> bool {
    let goes_there = headers.get(FETCH_DEST).is_some_and(|dest| dest == "document");
    let accepted = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    goes_there && accepted.contains("text/html")
}

/// The page that stands for the feed at `path`, which is a path of the shelf. None: it is no feed of posts.
pub(in crate::web) async fn feed_page(
    state: &WebState,
    shelf: &Arc<Shelf>,
    path: &str,
) -> Option<Response> {
    if shelf.selections.is_unknown() {
        return None;
    }
    let (state, shelf, path) = (state.clone(), Arc::clone(shelf), path.to_owned());
    // Nothing of it is kept: few people open a feed, and each of them is counted and slowed as readers are.
    let made = tokio::task::spawn_blocking(move || {
        let context = context(&state.config.load(), &shelf, &path)?;
        // A page that cannot be laid out is no reason not to have the feed.
        page::html(&state, "page/feed.html", &context).ok()
    });
    let told = [
        // The address is the feed's: no cache between may keep the page for readers.
        (CACHE_CONTROL, HeaderValue::from_static("private, no-store")),
        (VARY, HeaderValue::from_static("Accept, Accept-Encoding, Sec-Fetch-Dest")),
    ];
    Some((told, made.await.ok().flatten()?).into_response())
}

/// A feed, as a person is told of it.
struct Told<'a> {
    title: &'a str,
    urls: &'a FeedUrls,
    posts: &'a [LivePost],
    formats: Vec<Format>,
}

fn context(config: &Config, shelf: &Shelf, path: &str) -> Option<FeedPage> {
    let main = FeedUrls::within(&config.server.public_url);
    let is_at = |urls: &FeedUrls, format: &Format| {
        page::path_here(config, urls.of(*format)).is_some_and(|it| it == path)
    };
    if Format::ALL.iter().any(|format| is_at(&main, format)) {
        let head = shelf.selections.head();
        let title = config.site.title.as_str();
        let told =
            Told { title, urls: &main, posts: &head, formats: Format::ALL.into_iter().collect() };
        return laid_out(config, &told, path);
    }
    let feed = shelf.selections.feed_of(&shelf.selections.find(path)?)?;
    let is_there = |format: &Format| {
        let other = page::path_here(config, feed.urls.of(*format));
        let other = other.and_then(|path| shelf.selections.find(&path));
        let other = other.and_then(|wanted| shelf.selections.feed_of(&wanted));
        other.is_some_and(|other| std::ptr::eq(other, feed))
    };
    let formats = Format::ALL.into_iter().filter(is_there).collect();
    let told = Told { title: &feed.title, urls: &feed.urls, posts: feed.newest(), formats };
    laid_out(config, &told, path)
}

fn laid_out(config: &Config, told: &Told<'_>, path: &str) -> Option<FeedPage> {
    let is_it = |format: &Format| {
        page::path_here(config, told.urls.of(*format)).is_some_and(|it| it == path)
    };
    let (this, others): (Vec<Format>, Vec<Format>) = told.formats.iter().partition(|it| is_it(it));
    let link = |format: Format| feed_link(told.title, told.urls.of(format), format);
    let row = |it: &LivePost| lists::row(config, &it.post, it.post.link.to_string());
    Some(FeedPage {
        site: page::site(config),
        nav: if config.archive.enabled { navigation(config, false) } else { Vec::new() },
        title: told.title.to_owned(),
        feed: link(*this.first()?),
        others: others.into_iter().map(link).collect(),
        newsletters: newsletters(config),
        posts: told.posts.iter().take(MOST_POSTS).map(row).collect(),
    })
}

/// The main feeds, as pages tell of them.
pub(super) fn main_feeds(config: &Config) -> Vec<FeedLink> {
    links(&config.site.title, &FeedUrls::within(&config.server.public_url))
}

/// The same of the feed of some posts.
pub(super) fn feeds_of(selection: &Selection) -> Vec<FeedLink> {
    links(&selection.title, &selection.urls)
}

fn links(title: &str, urls: &FeedUrls) -> Vec<FeedLink> {
    Format::ALL.map(|format| feed_link(title, urls.of(format), format)).into()
}

fn feed_link(title: &str, url: &Url, format: Format) -> FeedLink {
    let called = match format {
        Format::Rss => "RSS 2.0",
        Format::Atom => "Atom 1.0",
        Format::Json => "JSON Feed 1.1",
    };
    FeedLink {
        title: title.to_owned(),
        url: url.to_string(),
        format: called.to_owned(),
        media_type: format.media_type().to_owned(),
    }
}

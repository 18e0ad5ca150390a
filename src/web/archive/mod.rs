//! The archive: a page for each post that readers see, lists of them, and the sitemap.
//!
//! A page is made when somebody asks for it, from the texts that the cache of posts has. The database is not asked.

mod answer;
mod feed_page;
mod index;
mod lists;
mod post;
mod sitemap;

use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use url::Url;

use super::refusal::Refusal;
use super::{WebState, page};
use crate::config::Config;
use crate::content::percent_decoded;
use crate::domain::LivePost;
use crate::store::{PostCache, PostTexts};
use crate::template::{FeedLink, Link};
use answer::Page;
use index::{Found, Index};

pub(super) use feed_page::feed_page;

/// Paths of posts that are gone, at most.
const MOST_GONE: usize = 10_000;

/// The posts that readers see, newest first, and what of them is where.
#[derive(Debug, Default)]
pub struct Archive {
    /// None until the posts were read, and where there is to be no archive.
    shown: Option<Shown>,
    /// Paths of pages that were there, without percent escapes.
    gone: Arc<HashSet<String>>,
}

#[derive(Debug)]
struct Shown {
    config: Arc<Config>,
    posts: Arc<[LivePost]>,
    texts: PostTexts,
    /// Made when the first visitor comes: most changes are never looked at.
    index: OnceLock<Index>,
    sitemap: OnceLock<Vec<Page>>,
}

impl Archive {
    /// The archive of `posts`, which takes the place of `before`; it stays if there is nothing new.
    pub fn succeeding(
        before: &Arc<Self>,
        config: &Arc<Config>,
        posts: Arc<[LivePost]>,
        cache: &PostCache,
    ) -> Arc<Self> {
        let (same, gone) = match &before.shown {
            Some(shown) => shown.compare(config, &posts),
            None => (false, Vec::new()),
        };
        if same {
            return Arc::clone(before);
        }
        let mut all = Arc::clone(&before.gone);
        if !gone.is_empty() && all.len() < MOST_GONE {
            Arc::make_mut(&mut all).extend(gone);
        }
        let shown = config.archive.enabled.then(|| Shown {
            config: Arc::clone(config),
            posts,
            texts: cache.texts(),
            index: OnceLock::new(),
            sitemap: OnceLock::new(),
        });
        Arc::new(Self { shown, gone: all })
    }

    /// The archive of a daemon that has not read the posts yet, and knows from before which are gone.
    pub fn of_the_gone(config: &Config, links: &[String]) -> Self {
        let urls = links.iter().filter_map(|link| Url::parse(link).ok());
        let paths = urls.filter_map(|url| index::usual_path(config, &url)).map(decoded);
        Self { shown: None, gone: Arc::new(paths.take(MOST_GONE).collect()) }
    }

    /// Whether the posts have not been read yet, or are not to be shown.
    pub fn is_empty(&self) -> bool {
        self.shown.is_none()
    }

    /// The path of every page, as the daemon serves them.
    pub fn paths(&self) -> Vec<String> {
        let Some(shown) = &self.shown else { return Vec::new() };
        let mut paths = shown.index().all_paths();
        paths.extend(shown.sitemap().iter().map(|page| page.path.clone()));
        paths
    }
}

impl Shown {
    fn index(&self) -> &Index {
        self.index.get_or_init(|| Index::new(&self.config, &self.posts))
    }

    fn sitemap(&self) -> &[Page] {
        self.sitemap.get_or_init(|| sitemap::pages(&self.config, &self.posts))
    }

    /// Whether `posts` are the same, and the paths of those that are there no more.
    fn compare(&self, config: &Arc<Config>, posts: &[LivePost]) -> (bool, Vec<String>) {
        let is_same = |a: &LivePost, b: &LivePost| {
            a.body == b.body && (Arc::ptr_eq(&a.post, &b.post) || a.post == b.post)
        };
        // Of a hundred thousand posts one has changed: only what is between equal ends is looked at closely.
        let (old, new) = (&self.posts[..], posts);
        let front = old.iter().zip(new).take_while(|(a, b)| is_same(a, b)).count();
        let (old, new) = (&old[front..], &new[front..]);
        let back =
            old.iter().rev().zip(new.iter().rev()).take_while(|(a, b)| is_same(a, b)).count();
        let (old, new) = (&old[..old.len() - back], &new[..new.len() - back]);
        if old.is_empty() && new.is_empty() {
            return (Arc::ptr_eq(&self.config, config), Vec::new());
        }
        let ids: HashSet<&str> = new.iter().map(|it| it.post.id.as_str()).collect();
        let gone = old.iter().filter(|it| !ids.contains(it.post.id.as_str()));
        let path = |it: &LivePost| index::usual_path(&self.config, &it.post.link);
        (false, gone.filter_map(path).take(MOST_GONE).map(decoded).collect())
    }

    /// A link to a page on this host.
    fn local(&self, path: &str) -> String {
        page::local(&self.config, path.trim_start_matches('/'))
    }

    /// The whole address of a page.
    fn whole(&self, path: &str) -> String {
        format!("{}{}", self.config.server.public_url, path.trim_start_matches('/'))
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is mapped over paths")]
fn decoded(path: String) -> String {
    percent_decoded(&path).into_owned()
}

/// The page at `uri`, if it is one of the archive's.
pub(super) async fn serve(
    state: &WebState,
    uri: &Uri,
    headers: &HeaderMap,
) -> Option<Result<Response, Refusal>> {
    let archive = state.archive.load_full();
    let Some(shown) = &archive.shown else { return not_yet(state, uri) };
    if let Some(page) = sitemap::at(uri.path()).and_then(|at| shown.sitemap().get(at)) {
        return Some(Ok(page.answer(headers)));
    }
    shown.index().find(uri.path())?;
    let templates = state.templates.load_full();
    let feeds = feeds(&shown.config);
    let (path, headers) = (uri.path().to_owned(), headers.clone());
    // A text may be long, and is compressed besides.
    let made = tokio::task::spawn_blocking(move || {
        let shown = archive.shown.as_ref()?;
        let made = match shown.index().find(&path)? {
            Found::Post(at) => post::page(shown, at, &templates, feeds),
            Found::List(list, page) => lists::page(shown, (list, page), &templates, feeds),
        };
        Some(made.map(|page| page.answer(&headers)))
    });
    match made.await {
        Ok(answer) => answer,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// Before the first scan is over nobody knows what is there.
fn not_yet(state: &WebState, uri: &Uri) -> Option<Result<Response, Refusal>> {
    let is_ours = ["/archive/", "/posts/"].iter().any(|folder| uri.path().starts_with(folder));
    let is_coming = state.config.load().archive.enabled && state.shelf.load().made_of.is_none();
    (is_ours && is_coming).then(|| Err(Refusal::not_yet()))
}

/// What to answer where nothing is: where the page went, or that it is gone.
pub(super) fn instead(state: &WebState, uri: &Uri) -> Option<Result<Response, Refusal>> {
    let archive = state.archive.load_full();
    let shown = archive.shown.as_ref()?;
    if let Some(path) = shown.index().instead(uri.path()) {
        let location = [(header::LOCATION, shown.local(&path))];
        return Some(Ok((StatusCode::MOVED_PERMANENTLY, location).into_response()));
    }
    archive.gone.contains(&*percent_decoded(uri.path())).then(|| Err(Refusal::gone()))
}

/// `GET /robots.txt`.
pub(super) async fn show_robots(State(state): State<WebState>, headers: HeaderMap) -> Response {
    sitemap::robots(&state.config.load()).answer(&headers)
}

/// What shows search engines that who tells them of pages may do so.
pub(super) fn index_key(config: &Config, path: &str) -> Option<Response> {
    let key = &config.archive.index_now.as_ref()?.key;
    let asked = path.strip_prefix('/')?.strip_suffix(".txt")?;
    (asked == key).then(|| key.clone().into_response())
}

/// The main feeds, as pages tell of them.
fn feeds(config: &Config) -> Vec<FeedLink> {
    feed_page::MAIN
        .map(|(path, format, media_type)| FeedLink {
            title: config.site.title.clone(),
            url: format!("{}{path}", config.server.public_url),
            format: format.to_owned(),
            media_type: media_type.to_owned(),
        })
        .into()
}

/// Where people subscribe by mail.
fn newsletters(config: &Config) -> Vec<Link> {
    let link = |it: &crate::config::Newsletter| Link {
        title: it.title.clone(),
        // A page may be shown from somewhere else, where nobody answers for us.
        url: format!("{}subscribe/{}", config.server.public_url, it.name),
        current: false,
    };
    config.newsletters.values().map(link).collect()
}

/// What the archive's pages link to in their heads.
fn navigation(config: &Config, is_first: bool) -> Vec<Link> {
    let url = page::local(config, "archive/");
    vec![Link { title: "All posts".to_owned(), url, current: is_first }]
}

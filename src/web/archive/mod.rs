//! The archive: a page for each post that readers see, lists of them, and the sitemap.
//!
//! A page is made when somebody asks for it, from the texts that the cache of posts has. The database is not asked.

mod answer;
mod feed_page;
mod index;
mod kept;
mod lists;
mod post;
mod sitemap;

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, OnceLock};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use url::Url;

use super::refusal::Refusal;
use super::{WebState, page};
use crate::config::Config;
use crate::content::percent_decoded;
use crate::domain::{LivePost, unlike};
use crate::feed::Selections;
use crate::store::{PostCache, PostTexts};
use crate::template::Link;
use answer::Page;
use index::{Found, Index};
use kept::Setting;

pub use answer::SMALL;
pub(super) use feed_page::{feed_page, is_person};
pub(super) use kept::Pages;

/// The posts that readers see, newest first, and what of them is where.
#[derive(Debug, Default)]
pub struct Archive {
    /// None until the posts were read, and where there is to be no archive.
    shown: Option<Shown>,
    /// Where pages were.
    gone: Arc<Gone>,
}

#[derive(Debug)]
struct Shown {
    config: Arc<Config>,
    posts: Arc<[LivePost]>,
    selections: Arc<Selections>,
    texts: PostTexts,
    /// Another one whenever anything is another.
    version: Arc<()>,
    /// Made when the first visitor comes: most changes are never looked at.
    index: OnceLock<Index>,
    sitemap: OnceLock<Vec<Arc<Page>>>,
}

/// Paths of pages that are no more. Of each there is a hash: two that meet would make of a 404 a 410, and there may be many.
#[derive(Clone, Debug, Default)]
struct Gone(HashSet<u64>);

impl Gone {
    fn hash_of(config: &Config, link: &Url) -> Option<u64> {
        index::usual_path(config, link).map(|path| Self::hash(&path))
    }

    fn has(&self, path: &str) -> bool {
        self.0.contains(&Self::hash(path))
    }

    fn hash(path: &str) -> u64 {
        let mut hasher = DefaultHasher::new();
        percent_decoded(path).hash(&mut hasher);
        hasher.finish()
    }
}

impl Archive {
    /// The archive of `posts`, which takes the place of `before`; it stays if there is nothing new. At `expired` were posts
    /// whose time is over: of those the database does not know that they are gone.
    pub fn succeeding<'a>(
        before: &Arc<Self>,
        config: &Arc<Config>,
        selections: &Arc<Selections>,
        expired: impl Iterator<Item = &'a Url>,
        cache: &PostCache,
    ) -> Arc<Self> {
        let posts = Arc::clone(selections.live());
        let (same, left) = match &before.shown {
            Some(shown) => shown.compare(config, &posts),
            None => (false, Vec::new()),
        };
        if same {
            return Arc::clone(before);
        }
        let mut gone = Arc::clone(&before.gone);
        let left = left.into_iter().filter_map(|link| Gone::hash_of(config, link));
        let expired = expired.filter_map(|link| Gone::hash_of(config, link));
        for hash in left.chain(expired) {
            // Most changes take nothing away, and then there is nothing to copy.
            if !gone.0.contains(&hash) {
                Arc::make_mut(&mut gone).0.insert(hash);
            }
        }
        let shown = config.archive.enabled.then(|| Shown {
            config: Arc::clone(config),
            posts,
            selections: Arc::clone(selections),
            texts: cache.texts(),
            version: Arc::default(),
            index: OnceLock::new(),
            sitemap: OnceLock::new(),
        });
        Arc::new(Self { shown, gone })
    }

    /// The archive of a daemon that has not read the posts yet, and knows from before which are gone.
    pub fn of_the_gone(config: &Config, links: &[String]) -> Self {
        let links = links.iter().filter_map(|link| Url::parse(link).ok());
        let gone = links.filter_map(|link| Gone::hash_of(config, &link)).collect();
        Self { shown: None, gone: Arc::new(Gone(gone)) }
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

    fn sitemap(&self) -> &[Arc<Page>] {
        self.sitemap.get_or_init(|| {
            let pages = sitemap::pages(&self.config, &self.posts, self.index());
            pages.into_iter().map(Arc::new).collect()
        })
    }

    /// Whether `posts` are the same, and where those were that are there no more.
    fn compare(&self, config: &Arc<Config>, posts: &[LivePost]) -> (bool, Vec<&Url>) {
        let (old, new) = unlike(&self.posts, posts, LivePost::is);
        if old.is_empty() && new.is_empty() {
            return (Arc::ptr_eq(&self.config, config), Vec::new());
        }
        let ids: HashSet<&str> = new.iter().map(|it| it.post.id.as_str()).collect();
        let gone = old.iter().filter(|it| !ids.contains(it.post.id.as_str()));
        (false, gone.map(|it| &it.post.link).collect())
    }

    fn setting(&self, state: &WebState) -> Setting {
        Setting {
            version: Arc::clone(&self.version),
            config: Arc::clone(&self.config),
            templates: state.templates.load_full(),
        }
    }

    /// The page at `path`, if that takes no time. `Err`: there is none, or it must be made; ask [`Shown::make`].
    fn ready(&self, path: &str, setting: &Setting, pages: &Pages) -> Result<Arc<Page>, Missing> {
        if let Some(at) = sitemap::at(path) {
            let sitemap = self.sitemap.get().ok_or(Missing::Unmade)?;
            return sitemap.get(at).cloned().ok_or(Missing::Unknown);
        }
        let index = self.index.get().ok_or(Missing::Unmade)?;
        index.find(path).ok_or(Missing::Unknown)?;
        pages.get(&percent_decoded(path), setting).ok_or(Missing::Unmade)
    }

    /// The page at `path`. Blocks for as long as reading and laying out a post takes.
    fn make(
        &self,
        path: &str,
        setting: &Setting,
        pages: &Pages,
    ) -> Option<Result<Arc<Page>, Refusal>> {
        if let Some(at) = sitemap::at(path) {
            return self.sitemap().get(at).cloned().map(Ok);
        }
        let known = percent_decoded(path);
        let templates = &setting.templates;
        Some(match self.index().find(path)? {
            Found::Post(at) => {
                let draft = post::Draft::new(self, at);
                pages.get_or_make(&known, setting, draft.hash(), || draft.page(templates))
            }
            Found::List(list, number) => {
                let context = lists::context(self, (list, number));
                pages.get_or_make(&known, setting, kept::hash(&context, &[]), || {
                    let html = templates.render("page/posts.html", &context)?;
                    Ok(Page::html(index::page_path(list, number), &html, ("", "")))
                })
            }
        })
    }

    /// A link to a page on this host.
    fn local(&self, path: &str) -> String {
        page::local(&self.config, path.trim_start_matches('/'))
    }

    /// The whole address of a page.
    fn whole(&self, path: &str) -> String {
        page::whole(&self.config, path)
    }
}

/// Why there is no page at once.
enum Missing {
    /// There is none.
    Unknown,
    Unmade,
}

/// The page at `uri`, if it is one of the archive's. The index is made when this has answered.
pub(super) async fn serve(
    state: &WebState,
    archive: &Arc<Archive>,
    (uri, headers): (&Uri, &HeaderMap),
) -> Option<Result<Response, Refusal>> {
    let shown = archive.shown.as_ref()?;
    let setting = shown.setting(state);
    let page = match shown.ready(uri.path(), &setting, &state.kept.pages) {
        Ok(page) => Ok(page),
        Err(Missing::Unknown) => return None,
        Err(Missing::Unmade) => make(state, archive, uri.path(), setting).await?,
    };
    match page {
        Ok(page) => Some(Ok(page.answer(headers).await)),
        Err(refusal) => Some(Err(refusal)),
    }
}

/// A text may be long, and an index of a hundred thousand posts takes a while.
async fn make(
    state: &WebState,
    archive: &Arc<Archive>,
    path: &str,
    setting: Setting,
) -> Option<Result<Arc<Page>, Refusal>> {
    let _turn = state.kept.pages.turn().await;
    let (state, archive, path) = (state.clone(), Arc::clone(archive), path.to_owned());
    let made = tokio::task::spawn_blocking(move || {
        archive.shown.as_ref()?.make(&path, &setting, &state.kept.pages)
    });
    match made.await {
        Ok(page) => page,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// What to answer where nothing is: where the page went, or that it is gone.
pub(super) fn instead(archive: &Archive, uri: &Uri) -> Option<Result<Response, Refusal>> {
    let shown = archive.shown.as_ref()?;
    if let Some(path) = shown.index().by_id(uri.path()) {
        // Not for ever: the post may move again.
        let location = [(header::LOCATION, shown.local(path))];
        return Some(Ok((StatusCode::FOUND, location).into_response()));
    }
    if let Some(path) = shown.index().instead(uri.path()) {
        let location = [(header::LOCATION, shown.local(&path))];
        return Some(Ok((StatusCode::MOVED_PERMANENTLY, location).into_response()));
    }
    archive.gone.has(uri.path()).then(|| Err(Refusal::gone()))
}

/// `GET /robots.txt`.
pub(super) async fn show_robots(State(state): State<WebState>, headers: HeaderMap) -> Response {
    Arc::new(sitemap::robots(&state.config.load())).answer(&headers).await
}

/// What shows search engines that who tells them of pages may do so.
pub(super) fn index_key(config: &Config, path: &str) -> Option<Response> {
    let key = &config.archive.index_now.as_ref()?.key;
    let asked = path.strip_prefix('/')?.strip_suffix(".txt")?;
    (asked == key).then(|| key.clone().into_response())
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

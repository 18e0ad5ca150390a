//! Pages that were asked for, as long as there is room for them.
//!
//! Of a change of posts most pages show nothing: what a page shows is hashed before it is laid out, and who shows the same as before
//! stays as it is, compressed forms included.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::answer::Page;
use crate::config::Config;
use crate::domain::Revision;
use crate::feed::LastAsked;
use crate::template::Templates;
use crate::web::refusal::Refusal;

/// Bytes that all of them may have, compressed forms included.
const ROOM: usize = 16 << 20;
/// What a page weighs besides its bytes.
const OVERHEAD: usize = 1024;
/// Pages that are made at once: a crawler must not have all threads and all memory.
const TURNS: usize = 4;

/// What pages are made with.
#[derive(Clone, Debug)]
pub(super) struct Setting {
    /// Of the posts: as long as it is the same, nothing has changed at all.
    pub(super) version: Arc<()>,
    pub(super) config: Arc<Config>,
    pub(super) templates: Arc<Templates>,
}

impl Setting {
    /// Whether the same posts would become the same pages.
    fn is_alike(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.config, &other.config) && Arc::ptr_eq(&self.templates, &other.templates)
    }

    fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.version, &other.version) && self.is_alike(other)
    }
}

/// The hash of `context` and of what is put into the page besides. None: this one cannot be told from others.
pub(super) fn hash(context: &impl Serialize, besides: &[&str]) -> Option<Revision> {
    let context = serde_json::to_string(context).ok()?;
    Some(Revision::of(std::iter::once(&*context).chain(besides.iter().copied())))
}

/// The pages asked for last.
#[derive(Debug)]
pub(in crate::web) struct Pages {
    /// By path without percent escapes.
    entries: Mutex<LastAsked<String, Entry>>,
    turns: Semaphore,
}

#[derive(Debug)]
struct Entry {
    page: Arc<Page>,
    shows: Option<Revision>,
    /// When this was right.
    setting: Setting,
}

impl Default for Pages {
    fn default() -> Self {
        Self { entries: Mutex::new(LastAsked::new(ROOM)), turns: Semaphore::new(TURNS) }
    }
}

impl Pages {
    /// Whoever waits for a turn holds no thread.
    pub(super) async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        self.turns.acquire().await.ok()
    }

    /// The page at `path`, if it is certain that nothing has changed. Takes no time.
    pub(super) fn get(&self, path: &str, setting: &Setting) -> Option<Arc<Page>> {
        self.find(path, |entry| entry.setting.is(setting))
    }

    /// The page at `path`, made unless the one that is kept `shows` the same.
    pub(super) fn get_or_make(
        &self,
        path: &str,
        setting: &Setting,
        shows: Option<Revision>,
        make: impl FnOnce() -> Result<Page, Refusal>,
    ) -> Result<Arc<Page>, Refusal> {
        let is_right = |entry: &mut Entry| {
            let is_right =
                shows.is_some() && entry.shows == shows && entry.setting.is_alike(setting);
            if is_right {
                entry.setting.version = Arc::clone(&setting.version);
            }
            is_right
        };
        if let Some(page) = self.find(path, is_right) {
            return Ok(page);
        }
        let page = Arc::new(make()?);
        let entry = Entry { page: Arc::clone(&page), shows, setting: setting.clone() };
        // With its compressed forms, which are made when somebody asks.
        self.held().put(path.to_owned(), entry, 2 * page.len() + OVERHEAD);
        Ok(page)
    }

    fn find(&self, path: &str, is_right: impl FnOnce(&mut Entry) -> bool) -> Option<Arc<Page>> {
        let mut entries = self.held();
        let entry = entries.get(path)?;
        is_right(entry).then(|| Arc::clone(&entry.page))
    }

    fn held(&self) -> MutexGuard<'_, LastAsked<String, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting(config: &Arc<Config>) -> Setting {
        let templates = Templates::load(None).unwrap();
        Setting {
            version: Arc::default(),
            config: Arc::clone(config),
            templates: Arc::new(templates),
        }
    }

    fn page(text: &str) -> Page {
        Page::new("/a/".to_owned(), text.to_owned(), "text/plain")
    }

    #[tokio::test]
    async fn a_page_is_made_again_only_when_it_shows_something_else() {
        let config = Arc::new(crate::audience::fixture::House::new().await.config);
        let pages = Pages::default();
        let first = setting(&config);
        let shows = |what: &str| hash(&what, &[]);
        let made = |setting: &Setting, what: &str, text: &str| {
            let page = pages.get_or_make("/a/", setting, shows(what), || Ok(page(text)));
            page.unwrap().text().to_owned()
        };
        assert!(pages.get("/a/", &first).is_none());
        assert_eq!(made(&first, "tea", "1"), "1");
        assert_eq!(pages.get("/a/", &first).unwrap().text(), "1");
        let another_post_changed = Setting { version: Arc::new(()), ..first.clone() };
        assert!(pages.get("/a/", &another_post_changed).is_none(), "nobody has looked yet");
        assert_eq!(made(&another_post_changed, "tea", "2"), "1");
        assert!(pages.get("/a/", &another_post_changed).is_some());
        assert_eq!(made(&another_post_changed, "coffee", "3"), "3");
        let other_templates = setting(&config);
        assert_eq!(made(&other_templates, "coffee", "4"), "4");
    }

    #[tokio::test]
    async fn the_pages_asked_for_last_are_kept_and_there_is_an_end_to_it() {
        let setting = setting(&Arc::new(crate::audience::fixture::House::new().await.config));
        let pages = Pages::default();
        let large = "x".repeat(ROOM / 8);
        for path in ["/1", "/2", "/3", "/1", "/4", "/5"] {
            pages.get_or_make(path, &setting, hash(&path, &[]), || Ok(page(&large))).unwrap();
        }
        let kept = ["/1", "/2", "/3", "/4", "/5"].map(|path| pages.get(path, &setting).is_some());
        assert_eq!(kept, [true, false, false, true, true]);
        let huge = "x".repeat(ROOM);
        pages.get_or_make("/6", &setting, None, || Ok(page(&huge))).unwrap();
        assert!(pages.get("/6", &setting).is_some(), "what was asked for last");
        assert!(pages.get("/5", &setting).is_none());
    }
}

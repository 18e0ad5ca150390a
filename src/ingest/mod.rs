//! Ingest: changed paths go in, the catalog and the store's picture of the posts come out.
//!
//! A broken file keeps its last good revision live. Identity is decided here: front matter's own id, else the id known
//! for the file, else that of a vanished post with the same slug, else a new one from the permalink.

mod files;
mod identity;
mod neighbours;
mod publish;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

pub use publish::publish_feeds;

use crate::config::{Config, PostFolder};
use crate::content::{self, FolderRules, Parsed, SourceFile};
use crate::domain::{Catalog, CatalogPost, Diagnostic, Post, PostId};
use crate::store::{KnownPost, Store, StoreError};
use files::{Fingerprint, Found, FoundState};
use neighbours::Beside;

/// The state of all post folders. One owner, one task.
#[derive(Debug)]
pub struct Ingest {
    config: Arc<Config>,
    store: Store,
    known: HashMap<PostId, KnownPost>,
    /// By source path.
    files: BTreeMap<String, FileState>,
    /// Folders that the last scan could not read, by index into `config.posts`.
    unreadable: BTreeMap<usize, Diagnostic>,
}

/// What became of one file.
#[derive(Debug)]
struct FileState {
    /// None for files that are refused unread.
    fingerprint: Option<Fingerprint>,
    /// Index into `config.posts`.
    folder: usize,
    reading: Reading,
    warnings: Vec<Diagnostic>,
    /// The post as last accepted: stays live while the file is broken.
    post: Option<Arc<CatalogPost>>,
    /// The store has `post` for a restart while the file is broken, or was asked for it.
    last_good_kept: bool,
}

#[derive(Debug)]
enum Reading {
    /// Parsed, and not yet taken into the store.
    Fresh(Box<Parsed>),
    /// As in `post`.
    Taken,
    Draft,
    /// A section's own page, say: nobody waits for it.
    NotAPost,
    Broken(Vec<Diagnostic>),
    /// Parsed, but another file has its id or address. Tried again with every change: it may be the other that is mended.
    Rival(Box<Parsed>, Box<Diagnostic>),
}

impl Ingest {
    /// Loads what the store knows. Call `rescan` next.
    pub async fn open(config: Arc<Config>, store: Store) -> Result<Self, StoreError> {
        let mut tx = store.read().await?;
        let known = tx.known_posts().await?;
        Ok(Self { config, store, known, files: BTreeMap::new(), unreadable: BTreeMap::new() })
    }

    /// Looks at every file. The truth, however many events were lost.
    pub async fn rescan(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let config = Arc::clone(&self.config);
        let scans: Vec<_> = blocking(move || config.posts.iter().map(files::find).collect()).await;
        self.unreadable.clear();
        let mut found = Vec::new();
        let mut present: HashSet<String> = HashSet::new();
        for (index, scan) in scans.into_iter().enumerate() {
            match scan {
                Ok(files) => {
                    present.extend(files.iter().map(|file| file.source.clone()));
                    found.extend(files.into_iter().map(|file| (index, file)));
                }
                // An unmounted disk must not look like a thousand deleted posts.
                Err(problem) => {
                    self.unreadable.insert(index, *problem);
                }
            }
        }
        let unreadable = &self.unreadable;
        self.files.retain(|source, state| {
            present.contains(source) || unreadable.contains_key(&state.folder)
        });
        self.take(found, now).await
    }

    /// Looks at `paths` only. Folders are looked at with all that is below.
    pub async fn refresh(&mut self, paths: &[PathBuf], now: Timestamp) -> Result<(), StoreError> {
        // A path whose post folder is gone says that a disk was unmounted, not that a post was deleted: the rescan can tell.
        let is_homeless =
            |path: &PathBuf| self.folder_of(path).is_some_and(|(_, folder)| !folder.path.is_dir());
        if paths.iter().any(|path| path.is_dir() || self.is_known_folder(path) || is_homeless(path))
        {
            return self.rescan(now).await;
        }
        let mut found = Vec::new();
        for path in paths {
            let Some((index, folder)) = self.folder_of(path) else { continue };
            if let Some(candidate) = files::candidate(folder, path) {
                found.push((index, candidate));
            } else if let Ok(within) = path.strip_prefix(&folder.path) {
                let source = format!("{}/{}", folder.name, within.to_string_lossy());
                self.files.remove(&source);
            }
        }
        self.take(found, now).await
    }

    fn folder_of(&self, path: &Path) -> Option<(usize, &PostFolder)> {
        self.config.posts.iter().enumerate().find(|(_, folder)| path.starts_with(&folder.path))
    }

    /// Whether files were read below `path`, which may be gone by now.
    fn is_known_folder(&self, path: &Path) -> bool {
        let Some((_, folder)) = self.folder_of(path) else { return false };
        let Ok(within) = path.strip_prefix(&folder.path) else { return false };
        let prefix = format!("{}/{}/", folder.name, within.to_string_lossy());
        self.files
            .range(prefix.clone()..)
            .next()
            .is_some_and(|(source, _)| source.starts_with(&prefix))
    }

    /// Reads and parses what changed, then settles identities and tells the store.
    async fn take(&mut self, found: Vec<(usize, Found)>, now: Timestamp) -> Result<(), StoreError> {
        let changed: Vec<(usize, Found)> =
            found.into_iter().filter(|(_, found)| self.has_changed(found)).collect();
        let config = Arc::clone(&self.config);
        for (found, folder, reading, warnings) in parse_all(config, changed).await {
            let fingerprint = match found.state {
                FoundState::Readable(fingerprint) => Some(fingerprint),
                FoundState::Refused(_) => None,
            };
            let before = self.files.remove(&found.source).and_then(|state| state.post);
            let post =
                if matches!(reading, Reading::Draft | Reading::NotAPost) { None } else { before };
            let state =
                FileState { fingerprint, folder, reading, warnings, post, last_good_kept: false };
            self.files.insert(found.source, state);
        }
        self.settle_identities(now).await
    }

    fn has_changed(&self, found: &Found) -> bool {
        let Some(state) = self.files.get(&found.source) else { return true };
        match found.state {
            FoundState::Readable(fingerprint) => state.fingerprint != Some(fingerprint),
            FoundState::Refused(_) => true,
        }
    }

    /// The picture as it is now.
    pub fn catalog(&self) -> Catalog {
        let mut catalog =
            Catalog { problems: self.unreadable.values().cloned().collect(), ..Catalog::default() };
        for state in self.files.values() {
            catalog.posts.extend(state.post.clone());
            catalog.problems.extend(state.warnings.iter().cloned());
            match &state.reading {
                Reading::Fresh(_) | Reading::Taken | Reading::NotAPost => {}
                Reading::Draft => catalog.drafts += 1,
                Reading::Broken(problems) => {
                    let errors = problems.iter().any(Diagnostic::is_error);
                    catalog.broken += usize::from(errors);
                    catalog.problems.extend(problems.iter().cloned());
                }
                Reading::Rival(_, problem) => {
                    catalog.broken += 1;
                    catalog.problems.push(Diagnostic::clone(problem));
                }
            }
        }
        catalog.posts.sort_by(|a, b| {
            (b.post.published_at, &a.post.id).cmp(&(a.post.published_at, &b.post.id))
        });
        catalog
    }
}

type ParsedFile = (Found, usize, Reading, Vec<Diagnostic>);

/// Reads and parses on the blocking pool, a share of the files per core.
async fn parse_all(config: Arc<Config>, files: Vec<(usize, Found)>) -> Vec<ParsedFile> {
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let share = files.len().div_ceil(workers).max(16);
    let mut tasks = Vec::new();
    let mut files = files.into_iter().peekable();
    while files.peek().is_some() {
        let share: Vec<_> = files.by_ref().take(share).collect();
        let config = Arc::clone(&config);
        tasks.push(blocking(move || {
            share
                .into_iter()
                .filter_map(|(folder, found)| parse_one(&config, folder, found))
                .collect::<Vec<_>>()
        }));
    }
    futures_util::future::join_all(tasks).await.into_iter().flatten().collect()
}

/// None: the file vanished since it was found. The next look will not find it, or find what came in its place.
fn parse_one(config: &Config, index: usize, found: Found) -> Option<ParsedFile> {
    let broken = |problem: Diagnostic| Reading::Broken(vec![problem]);
    if let FoundState::Refused(problem) = &found.state {
        let reading = broken(Diagnostic::clone(problem));
        return Some((found, index, reading, Vec::new()));
    }
    let bytes = match files::read(&found.path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return None,
        Err(error) => {
            let problem = Diagnostic::error("unreadable", format!("cannot be read: {error}"))
                .in_file(found.source.clone())
                .effect("what was live of it before stays live");
            return Some((found, index, broken(problem), Vec::new()));
        }
    };
    let folder = &config.posts[index];
    let rules = FolderRules {
        site_url: &config.site.url,
        permalink: &folder.permalink,
        language: folder.language.as_deref().unwrap_or(&config.site.language),
        time_zone: &config.site.time_zone,
        default_author: config.site.author.as_ref(),
        highlight: folder.markdown.highlight,
        smart_punctuation: folder.markdown.smart_punctuation,
        excerpt_separator: folder.markdown.excerpt_separator.as_deref(),
    };
    let file = SourceFile {
        source: &found.source,
        within: &found.within,
        bytes: &bytes,
        neighbours: &Beside { root: &folder.path, post: &found.path },
    };
    // One file that the parsers choke on must not take the daemon down, now and at every start.
    let parsed = catch_unwind(AssertUnwindSafe(|| content::parse(&file, &rules)));
    let (reading, warnings) = match parsed.unwrap_or_else(|_| Err(vec![fault_of_ours(&found)])) {
        Ok((content::Verdict::Post(parsed), warnings)) => (Reading::Fresh(parsed), warnings),
        Ok((content::Verdict::NotAPost, warnings)) => (Reading::NotAPost, warnings),
        Ok((content::Verdict::Draft, warnings)) => (Reading::Draft, warnings),
        Err(problems) => (Reading::Broken(problems), Vec::new()),
    };
    Some((found, index, reading, warnings))
}

fn fault_of_ours(found: &Found) -> Diagnostic {
    let message = "cannot be read because of a bug in Postrider, please report it";
    Diagnostic::error("internal", message)
        .in_file(found.source.clone())
        .effect("what was live of it before stays live")
}

/// Runs `work` where it may block. A panic in it is ours, and ends us.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// The post that a catalog entry is made of.
fn into_catalog_post(
    post: Post,
    folder: &PostFolder,
    known: &KnownPost,
    expires_at: Option<Timestamp>,
) -> Arc<CatalogPost> {
    Arc::new(CatalogPost {
        post: Arc::new(post),
        first_seen_at: known.first_seen_at,
        revised_at: known.revised_at,
        is_news: known.is_news,
        settle: folder.settle,
        expires_at,
    })
}

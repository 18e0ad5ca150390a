//! Ingest: changed paths go in, the catalog and the store's picture of the posts come out.
//!
//! A broken file keeps its last good revision live. Only what changed is read and told to the store.

mod absent;
mod effect;
mod files;
mod history;
mod identity;
mod live;
mod names;
mod neighbours;
mod picture;
mod publish;
mod reading;
mod settling;
mod sighting;
mod surroundings;
mod validators;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

pub use files::SIZE_LIMIT;
pub use publish::{PATHS, Press, Published, publish_feeds, restored};
pub use validators::{settle_document, settle_validators};

use crate::config::{Config, PostFolder};
use crate::domain::{CatalogPost, Diagnostic};
use crate::store::{Fingerprint, PostCache, Store, StoreError};
use crate::watch::Ignored;
use absent::Absent;
use files::{Found, FoundState};
use live::Live;
use names::{Asked, Names};
use reading::{Context, Fresh, Outcome, Read, ToRead};
use surroundings::Surroundings;

/// The state of all post folders. One owner, one task.
#[derive(Debug)]
pub struct Ingest {
    config: Arc<Config>,
    store: Store,
    cache: PostCache,
    live: Live,
    absent: Absent,
    /// By source path.
    files: BTreeMap<String, FileState>,
    /// Files that ask for a place in the catalog: just read, or refused before.
    asking: BTreeSet<String>,
    /// Files of which there is something to tell: warnings, errors, that they are drafts.
    telling: BTreeSet<String>,
    /// Broken files whose last good state is not in the store yet, or was not asked for.
    unkept: BTreeSet<String>,
    /// Folders that the last scan could not read, by index into `config.posts`.
    unreadable: BTreeMap<usize, Diagnostic>,
    /// Every folder that could be read has its first scan noted.
    first_scans_noted: bool,
    /// Paths at which posts were before, and where each is now.
    moved: Arc<BTreeMap<String, String>>,
    /// The devices that the folders were on when they were last read, by index into `config.posts`.
    devices: BTreeMap<usize, Option<u64>>,
    /// What has a say in the posts, as of the last scan.
    around: Arc<Surroundings>,
    /// Posts that name others, and what names lead to, as of the last look; nothing while no post names another.
    naming: BTreeSet<String>,
    names: Arc<Names>,
    /// Files went since names were looked up.
    has_lost: bool,
    /// Everything was looked at once: before that, what is not known here is not gone.
    has_scanned: bool,
}

/// What became of one file.
#[derive(Debug)]
struct FileState {
    /// None for files that are refused unread, and for those that are to be read again.
    fingerprint: Option<Fingerprint>,
    /// Index into `config.posts`.
    folder: usize,
    reading: Reading,
    warnings: Vec<Diagnostic>,
    /// The posts that it names.
    asked: Asked,
    /// The post as last accepted: stays live while the file is broken.
    post: Option<Arc<CatalogPost>>,
}

#[derive(Debug)]
enum Reading {
    /// Parsed, and not yet taken into the store.
    Fresh(Fresh),
    /// As in `post`.
    Taken,
    Draft,
    /// A section's own page, say: nobody waits for it.
    NotAPost,
    Broken(Vec<Diagnostic>),
    /// Parsed, but another file has its id or address. Tried again with every change: it may be the other that is mended.
    Rival(Fresh, Box<Diagnostic>),
}

impl Reading {
    fn is_broken(&self) -> bool {
        matches!(self, Self::Broken(_) | Self::Rival(..))
    }
}

impl Ingest {
    /// Loads what the store and the cache know. Call `rescan` next.
    pub async fn open(
        config: Arc<Config>,
        store: Store,
        cache: PostCache,
    ) -> Result<Self, StoreError> {
        let mut tx = store.read().await?;
        let absent = Absent::of(tx.known_posts().await?);
        let moved = live::moved(&tx.former_links().await?);
        drop(tx);
        let around = Arc::new(Surroundings::new(&config));
        Ok(Self {
            config,
            store,
            cache,
            live: Live::default(),
            absent,
            files: BTreeMap::new(),
            asking: BTreeSet::new(),
            telling: BTreeSet::new(),
            unkept: BTreeSet::new(),
            unreadable: BTreeMap::new(),
            first_scans_noted: false,
            moved,
            devices: BTreeMap::new(),
            around,
            naming: BTreeSet::new(),
            names: Arc::default(),
            has_lost: false,
            has_scanned: false,
        })
    }

    /// Looks at every file. The truth, however many events were lost.
    pub async fn rescan(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let config = Arc::clone(&self.config);
        let scans: Vec<_> = blocking(move || config.posts.iter().map(files::find).collect()).await;
        self.unreadable.clear();
        let mut found = Vec::new();
        let mut present: HashSet<String> = HashSet::new();
        let mut around = Surroundings::clone(&self.around);
        for (index, scan) in scans.into_iter().enumerate() {
            match self.unless_unmounted(index, scan) {
                Ok(files) => {
                    around.look(&self.config, index, &files).await;
                    if !self.files.is_empty() {
                        present.extend(files.iter().map(|file| file.source.clone()));
                    }
                    found.extend(files.into_iter().map(|file| (index, file)));
                }
                // An unmounted disk must not look like a thousand deleted posts.
                Err(problem) => {
                    self.first_scans_noted = false;
                    let folder = &self.config.posts[index];
                    if self.files.is_empty() {
                        let remembered = files::remembered(folder, &self.cache);
                        found.extend(remembered.into_iter().map(|file| (index, file)));
                    }
                    self.unreadable.insert(index, *problem);
                }
            }
        }
        let is_lost = |(source, state): &(&String, &FileState)| {
            !present.contains(*source) && !self.unreadable.contains_key(&state.folder)
        };
        let lost: Vec<String> =
            self.files.iter().filter(is_lost).map(|(source, _)| source.clone()).collect();
        self.lose(&lost)?;
        self.settle_in(around);
        self.take(found, now).await?;
        self.has_scanned = true;
        Ok(())
    }

    /// Takes a folder for unmounted that lost all its posts and is another than before. When we come nobody knows what it
    /// was before: then an empty one is enough.
    fn unless_unmounted(&mut self, index: usize, scan: Scan) -> Scan {
        let found = scan?;
        let folder = &self.config.posts[index];
        let device = files::device(folder);
        let is_another = self.devices.get(&index).is_none_or(|before| *before != device);
        if found.is_empty() && is_another && self.had_posts(index) && !files::is_marked(folder) {
            return Err(files::unmounted(folder));
        }
        self.devices.insert(index, device);
        Ok(found)
    }

    fn had_posts(&self, index: usize) -> bool {
        let prefix = format!("{}/", self.config.posts[index].name);
        let of_it = |source: &str| source.starts_with(&prefix);
        self.files.values().any(|state| state.folder == index)
            || self.absent.iter().any(|known| !known.is_gone() && of_it(&known.source))
    }

    /// Takes over what is around the posts; those that it says something else of are to be read again.
    fn settle_in(&mut self, around: Surroundings) {
        for (index, folder) in self.config.posts.iter().enumerate() {
            let (before, now) = (self.around.of(index), around.of(index));
            let (Some(before), Some(now)) = (before, now) else { continue };
            if now.is_as(before) {
                continue;
            }
            for (source, state) in self.files.iter_mut().filter(|(_, it)| it.folder == index) {
                let within = source.strip_prefix(&folder.name).unwrap_or(source);
                if !now.says_the_same(before, within.trim_start_matches('/')) {
                    state.fingerprint = None;
                }
            }
        }
        self.around = Arc::new(around);
    }

    /// Looks at `paths` only. Folders are looked at with all that is below.
    pub async fn refresh(&mut self, paths: &[PathBuf], now: Timestamp) -> Result<(), StoreError> {
        // A path whose post folder is gone says that a disk was unmounted, not that a post was deleted: the rescan can tell.
        let is_homeless =
            |path: &PathBuf| self.folder_of(path).is_some_and(|(_, folder)| !folder.path.is_dir());
        let concerns_many = |path: &PathBuf| {
            path.is_dir()
                || self.is_known_folder(path)
                || is_homeless(path)
                || surroundings::speaks_for_many(path)
        };
        if !self.has_scanned || paths.iter().any(concerns_many) {
            return self.rescan(now).await;
        }
        let (mut found, mut lost) = (Vec::new(), Vec::new());
        let mut ignored: BTreeMap<usize, Ignored> = BTreeMap::new();
        for path in paths {
            let Some((index, folder)) = self.folder_of(path) else { continue };
            let ignored = ignored.entry(index).or_insert_with(|| Ignored::within(&folder.path));
            if let Some(candidate) = files::candidate(folder, path, ignored) {
                found.push((index, candidate));
            } else if let Ok(within) = path.strip_prefix(&folder.path) {
                lost.push(format!("{}/{}", folder.name, within.to_string_lossy()));
            }
        }
        self.lose(&lost)?;
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

    /// Files that are not there any more.
    fn lose(&mut self, sources: &[String]) -> Result<(), StoreError> {
        if sources.is_empty() {
            return Ok(());
        }
        for source in sources {
            let Some(state) = self.files.remove(source) else { continue };
            self.forget_notes(source);
            self.withdraw(state.post);
            self.has_lost = true;
        }
        self.cache.write(|pen| sources.iter().try_for_each(|source| pen.forget_file(source)))
    }

    fn forget_notes(&mut self, source: &str) {
        self.asking.remove(source);
        self.unkept.remove(source);
        self.telling.remove(source);
        self.naming.remove(source);
    }

    /// Posts whose text is lost: their files are to be read again with the next look at everything.
    pub fn read_again(&mut self, sources: &[String]) -> Result<(), StoreError> {
        for source in sources {
            if let Some(state) = self.files.get_mut(source) {
                state.fingerprint = None;
            }
        }
        self.cache.write(|pen| sources.iter().try_for_each(|source| pen.forget_file(source)))
    }

    /// Takes a post out of the catalog. Its file may turn up under another name.
    fn withdraw(&mut self, post: Option<Arc<CatalogPost>>) {
        if let Some(live) = post {
            self.live.leave(&live);
            self.absent.insert(sighting::known_of(&live));
        }
    }

    /// Reads and parses what changed, then settles identities and tells the store.
    async fn take(&mut self, found: Vec<(usize, Found)>, now: Timestamp) -> Result<(), StoreError> {
        let changed = found.into_iter().filter(|(_, found)| self.has_changed(found));
        let to_read: Vec<ToRead> =
            changed.map(|(folder, found)| ToRead { folder, found, anew: false }).collect();
        // Where nothing was read nothing lives elsewhere, and what asked for the names of others has been told.
        let has_lost = std::mem::take(&mut self.has_lost);
        if has_lost || !to_read.is_empty() {
            self.read(to_read, now).await?;
            let misled = self.misled();
            self.read(misled, now).await?;
        }
        self.settle_identities(now).await
    }

    async fn read(&mut self, files: Vec<ToRead>, now: Timestamp) -> Result<(), StoreError> {
        if files.is_empty() {
            return Ok(());
        }
        let context = Context {
            config: Arc::clone(&self.config),
            around: Arc::clone(&self.around),
            names: Arc::clone(&self.names),
        };
        let cache = self.cache.clone();
        let read = blocking(move || reading::read_all(&context, &cache, &files, now)).await?;
        for file in read {
            self.note(file);
        }
        Ok(())
    }

    fn has_changed(&self, found: &Found) -> bool {
        let Some(state) = self.files.get(&found.source) else { return true };
        match found.state {
            FoundState::Readable(fingerprint) => state.fingerprint != Some(fingerprint),
            FoundState::Refused(_) => true,
        }
    }

    fn note(&mut self, read: Read) {
        let Read { source, folder, fingerprint, outcome, warnings, asked } = read;
        let before = self.files.remove(&source).and_then(|state| state.post);
        self.forget_notes(&source);
        if !asked.is_empty() {
            self.naming.insert(source.clone());
        }
        let reading = match outcome {
            Outcome::Post(fresh) => Reading::Fresh(fresh),
            Outcome::Draft => Reading::Draft,
            Outcome::NotAPost => Reading::NotAPost,
            Outcome::Broken(problems) => Reading::Broken(problems),
        };
        let post = match &reading {
            Reading::Draft | Reading::NotAPost => {
                self.withdraw(before);
                None
            }
            Reading::Broken(_) => {
                self.unkept.insert(source.clone());
                before
            }
            _ => {
                self.asking.insert(source.clone());
                before
            }
        };
        let says_more = matches!(reading, Reading::Draft | Reading::Broken(_));
        if says_more || !warnings.is_empty() {
            self.telling.insert(source.clone());
        }
        let state = FileState { fingerprint, folder, reading, warnings, asked, post };
        self.files.insert(source, state);
    }
}

/// What was found in a folder of posts.
type Scan = Result<Vec<Found>, Box<Diagnostic>>;

/// The cache that belongs to a configuration and its store.
pub fn open_cache(config: &Config, store: &Store) -> Result<PostCache, StoreError> {
    let only_look = !store.is_for_real(&config.store);
    PostCache::open(&config.post_cache(), &reading::stamp(config), only_look)
}

/// Runs `work` where it may block. A panic in it is ours, and ends us.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

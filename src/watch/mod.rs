//! File events as hints. An event can be lost, doubled or late (network mounts send none at all); the rescan is the truth.
//!
//! What is watched is set up anew before each look at everything: folders come, go and are replaced. Where there are no
//! events, the rescan alone finds what changed, and the operator is told.

mod gather;
mod git;
mod ignored;
mod mounts;
mod problem;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use jiff::{SignedDuration, Timestamp};
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use walkdir::WalkDir;

use crate::config::{self, PostFolder, WatchMode};
use crate::domain::Diagnostic;
use gather::Gathering;
use git::Locks;

pub use ignored::{IGNORE_FILE, Ignored, is_ignored};

/// Folders deeper than this are not looked at.
pub const MOST_LEVELS: usize = 16;

/// For so long beyond the silence a change may go on, a checkout of thousands of files, say, before it is looked at.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often to see whether git has finished.
const GIT_POLL: Duration = Duration::from_millis(50);

/// When to ask the operating system again after it had no events to give.
const TRY_AGAIN: SignedDuration = SignedDuration::from_mins(10);

/// Linux watches each folder by itself, so that we choose which. Elsewhere a folder is watched with all below.
const EACH_FOLDER: bool = cfg!(target_os = "linux");

/// Something may have changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hint {
    /// Look at these.
    Paths(Vec<PathBuf>),
    /// Look at everything, after `Watch::renew`.
    Rescan,
}

/// The seam to the operating system.
type Open = fn(Arc<Gathering>) -> notify::Result<Box<dyn Watcher + Send + Sync>>;

fn open_native(gathering: Arc<Gathering>) -> notify::Result<Box<dyn Watcher + Send + Sync>> {
    let config = notify::Config::default().with_follow_symlinks(false);
    let watcher = RecommendedWatcher::new(move |event| gathering.take_in(event), config)?;
    Ok(Box::new(watcher))
}

/// Watches folders for as long as it lives.
pub struct Watch {
    /// With their names for people.
    folders: Vec<(PathBuf, String)>,
    mode: WatchMode,
    debounce: Duration,
    rescan: SignedDuration,
    open: Open,
    gathering: Arc<Gathering>,
    locks: Locks,
    native: Option<Native>,
    /// Why the events ended.
    lost: Option<notify::Error>,
    /// Not before then are events asked for again.
    failed_until: Timestamp,
    failure: Option<Diagnostic>,
    remote: Vec<Diagnostic>,
}

/// What the operating system watches for us.
struct Native {
    watcher: Box<dyn Watcher + Send + Sync>,
    /// The watched folders, and which ones they were: another one can have the same path by now.
    watched: BTreeMap<PathBuf, Option<Identity>>,
    /// A watched folder moved or went away, and what is watched is no longer certain.
    is_stale: bool,
}

/// Device, inode, and when it was made: the number of a removed folder is soon given to another.
type Identity = (u64, u64, Option<SystemTime>);

impl Watch {
    /// Watches for posts. Nothing, until it is renewed.
    pub fn for_posts(folders: &[PostFolder], config: &config::Watch) -> Self {
        let paths: Vec<PathBuf> = folders.iter().map(|folder| folder.path.clone()).collect();
        let names = folders.iter().map(|folder| folder.name.clone());
        Self {
            folders: paths.iter().cloned().zip(names).collect(),
            mode: config.mode,
            debounce: Duration::try_from(config.debounce).unwrap_or_default(),
            rescan: config.rescan,
            open: open_native,
            gathering: Arc::new(Gathering::for_posts(paths)),
            locks: Locks::default(),
            native: None,
            lost: None,
            failed_until: Timestamp::MIN,
            failure: None,
            remote: Vec::new(),
        }
    }

    /// Watches for files of any kind and name. Nothing, until it is renewed.
    pub fn for_files(folders: Vec<PathBuf>, debounce: SignedDuration) -> Self {
        let config =
            config::Watch { mode: WatchMode::Native, debounce, rescan: SignedDuration::MAX };
        // Events name absolute paths.
        let absolute = |path: PathBuf| std::path::absolute(&path).unwrap_or(path);
        let folders: Vec<PathBuf> = folders.into_iter().map(absolute).collect();
        Self {
            folders: folders.iter().cloned().map(|path| (path, String::new())).collect(),
            gathering: Arc::new(Gathering::for_files(folders)),
            ..Self::for_posts(&[], &config)
        }
    }

    /// Watches what is there now. What happened before need not be told any more: look at everything after this.
    pub fn renew(&mut self, now: Timestamp) {
        if self.mode == WatchMode::Poll {
            return;
        }
        let gathered = self.gathering.take();
        if let Some(native) = &mut self.native {
            native.note(&gathered.paths);
        }
        if let Some(failure) = gathered.failure.or(self.lost.take()) {
            self.fail(&failure, now);
        }
        let folders = self.watchable();
        self.locks.find(folders.iter());
        if folders.is_empty() {
            self.native = None;
            return;
        }
        if now < self.failed_until {
            return;
        }
        if let Err(error) = self.watch_all(&folders) {
            self.fail(&error, now);
        } else {
            self.failure = None;
        }
    }

    /// What keeps changes from being noticed at once.
    pub fn problems(&self) -> impl Iterator<Item = &Diagnostic> {
        self.failure.iter().chain(&self.remote)
    }

    /// Whether changes send events.
    pub fn has_events(&self) -> bool {
        self.native.is_some()
    }

    /// The next hint, once a change has been quiet for a while. Never, where there are no events. Can be dropped and asked
    /// again without losing one.
    pub async fn next(&mut self) -> Hint {
        let bound = self.debounce.saturating_add(PATIENCE);
        loop {
            let first = self.gathering.quiet(self.debounce, bound).await;
            if !self.locks.held() {
                break;
            }
            if first.elapsed() >= bound {
                self.locks.give_up();
                break;
            }
            tokio::time::sleep(GIT_POLL).await;
        }
        let gathered = self.gathering.take();
        let is_structural = self.native.as_mut().is_some_and(|native| native.note(&gathered.paths));
        // What it means is told when the watch is renewed.
        self.lost = gathered.failure.or(self.lost.take());
        if gathered.everything || is_structural {
            return Hint::Rescan;
        }
        Hint::Paths(gathered.paths.into_iter().collect())
    }

    /// The folders that can send events, as far as the configuration wants them.
    fn watchable(&mut self) -> Vec<PathBuf> {
        self.remote.clear();
        let mut paths = Vec::new();
        for (path, name) in &self.folders {
            let wanted = self.mode == WatchMode::Native;
            let remote = mounts::remote(path);
            if let Some(kind) = &remote {
                self.remote.push(problem::remote(name, kind, wanted, self.rescan));
            }
            if remote.is_none() || wanted {
                paths.push(path.clone());
            }
        }
        paths
    }

    fn watch_all(&mut self, folders: &[PathBuf]) -> notify::Result<()> {
        let native = match self.native.take().filter(Native::is_current) {
            Some(native) => native,
            None => Native {
                watcher: (self.open)(Arc::clone(&self.gathering))?,
                watched: BTreeMap::new(),
                is_stale: false,
            },
        };
        let native = self.native.insert(native);
        folders.iter().try_for_each(|folder| native.watch_folder(folder))
    }

    /// Half a watch would use up what other programs need, and tell half of what happens.
    fn fail(&mut self, error: &notify::Error, now: Timestamp) {
        self.native = None;
        self.failed_until = now.saturating_add(TRY_AGAIN).unwrap_or(Timestamp::MAX);
        self.failure = Some(problem::failed(error, self.rescan));
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let watched = self.native.as_ref().map(|native| &native.watched);
        f.debug_struct("Watch")
            .field("folders", &self.folders)
            .field("watched", &watched)
            .finish_non_exhaustive()
    }
}

impl Native {
    /// Whether all that is watched is still what it was.
    fn is_current(&self) -> bool {
        !self.is_stale && self.watched.iter().all(|(path, known)| identity(path) == *known)
    }

    /// Takes note of changed paths; true if folders came, went or moved.
    fn note(&mut self, paths: &BTreeSet<PathBuf>) -> bool {
        self.is_stale |= paths.iter().any(|path| self.watched.contains_key(path));
        self.is_stale || paths.iter().any(|path| path.is_dir())
    }

    /// A folder of posts with all below, or, where there is none, the place where it will be.
    fn watch_folder(&mut self, folder: &Path) -> notify::Result<()> {
        if !folder.is_dir() {
            return problem::nearest_parent(folder).map_or(Ok(()), |parent| self.watch(parent));
        }
        // Another target is an event of the folder that the link is in.
        if folder.is_symlink()
            && let Some(parent) = folder.parent()
        {
            self.watch(parent)?;
        }
        self.watch(folder)?;
        if !EACH_FOLDER {
            return Ok(());
        }
        let mut ignored = Ignored::within(folder);
        let walk = WalkDir::new(folder).min_depth(1).max_depth(MOST_LEVELS).into_iter();
        let folders = walk
            .filter_entry(|entry| entry.file_type().is_dir() && !ignored.skips(entry.path(), true));
        // Each is watched before the walk lists what is in it: what comes in between is an event or in the list.
        for entry in folders.flatten() {
            self.watch(entry.path())?;
        }
        Ok(())
    }

    fn watch(&mut self, path: &Path) -> notify::Result<()> {
        if self.watched.contains_key(path) {
            return Ok(());
        }
        let identity = identity(path);
        let depth =
            if EACH_FOLDER { RecursiveMode::NonRecursive } else { RecursiveMode::Recursive };
        match self.watcher.watch(path, depth) {
            Ok(()) => {
                self.watched.insert(path.to_owned(), identity);
                Ok(())
            }
            Err(error) if problem::is_of_one_folder(&error) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

#[cfg(unix)]
fn identity(path: &Path) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.dev(), metadata.ino(), metadata.created().ok()))
}

#[cfg(not(unix))]
fn identity(path: &Path) -> Option<Identity> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((0, 0, metadata.created().ok()))
}

#[cfg(test)]
mod tests;

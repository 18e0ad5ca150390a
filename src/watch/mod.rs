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
use std::time::{Duration, Instant, SystemTime};

use jiff::{SignedDuration, Timestamp};
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use walkdir::WalkDir;

use crate::config::{self, PostFolder, WatchMode};
use crate::domain::Diagnostic;
use gather::Gathering;
use git::Locks;

pub use ignored::{IGNORE_FILE, Ignored};

/// Folders deeper than this are not looked at.
pub const MOST_LEVELS: usize = 16;

/// For so long beyond the silence a change may go on, a checkout of thousands of files, say, before it is looked at.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often to see whether git has finished.
const GIT_POLL: Duration = Duration::from_millis(50);

/// When to ask the operating system again after it had no events to give.
const TRY_AGAIN: SignedDuration = SignedDuration::from_mins(10);

/// No file system's times are coarser.
const COARSEST_TIME: Duration = Duration::from_secs(2);

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
    /// The watched folders as they were when that began.
    watched: BTreeMap<PathBuf, Watched>,
    /// A watched folder moved or went away, and what is watched is no longer certain.
    is_stale: bool,
    /// The folders that were walked through last. None: there may be something below that nobody has walked through.
    walked: Option<Vec<PathBuf>>,
}

/// What a watched folder was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Watched {
    /// Another folder can have the same path by now.
    identity: Option<Identity>,
    /// When something came into it or left it; the same for what it lists as ignored.
    changed: [Option<SystemTime>; 2],
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
        self.find_locks();
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
        if folders.is_empty() {
            self.native = None;
            self.failure = None;
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

    /// When a failure is to be asked about again. Until then there are no events.
    pub fn retry_at(&self) -> Option<Timestamp> {
        self.failure.as_ref().filter(|_| self.native.is_none()).map(|_| self.failed_until)
    }

    /// Waits while git changes the work trees around the folders, but not for long: half a checkout looks like posts that
    /// are gone. To be awaited before each look at everything.
    pub async fn settled(&mut self) {
        self.find_locks();
        self.without_locks(Instant::now(), PATIENCE).await;
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
            // What came meanwhile is part of the same change.
            self.without_locks(first, bound).await;
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

    fn find_locks(&mut self) {
        self.locks.find(self.folders.iter().map(|(path, _)| path));
    }

    /// Until git has finished, or has had its time since `start`.
    async fn without_locks(&mut self, start: Instant, patience: Duration) {
        while self.locks.held() {
            if start.elapsed() >= patience {
                self.locks.give_up();
                return;
            }
            tokio::time::sleep(GIT_POLL).await;
        }
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
                walked: None,
            },
        };
        let native = self.native.insert(native);
        if native.walked.as_deref() == Some(folders) && native.is_unchanged() {
            return Ok(());
        }
        native.walked = Some(folders.to_vec());
        folders.iter().try_for_each(|folder| native.watch_folder(folder))
    }

    /// Half a watch would use up what other programs need, and tell half of what happens.
    fn fail(&mut self, error: &notify::Error, now: Timestamp) {
        self.native = None;
        self.failed_until = now.saturating_add(TRY_AGAIN).unwrap_or(Timestamp::MAX);
        self.failure = Some(problem::failed(error, self.rescan));
    }
}

#[cfg(test)]
impl Watch {
    /// As when the operating system has no more events to give.
    pub(crate) fn lose_events(&self) {
        self.gathering.take_in(Err(notify::Error::new(notify::ErrorKind::MaxFilesWatch)));
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
        !self.is_stale && self.watched.iter().all(|(path, it)| identity(path) == it.identity)
    }

    /// Whether nothing came into a watched folder or left it, so that there is no other folder to watch.
    fn is_unchanged(&self) -> bool {
        !self.watched.is_empty()
            && self.watched.iter().all(|(path, it)| {
                it.changed[0].is_some() && changed(path, it.changed[1].is_some()) == it.changed
            })
    }

    /// Takes note of changed paths; true if folders came, went or moved.
    fn note(&mut self, paths: &BTreeSet<PathBuf>) -> bool {
        self.is_stale |= paths.iter().any(|path| self.watched.contains_key(path));
        let is_structural = self.is_stale || paths.iter().any(|path| path.is_dir());
        if is_structural {
            self.walked = None;
        }
        is_structural
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
        for entry in folders {
            match entry {
                Ok(entry) => self.watch(entry.path())?,
                // Next time it may be readable.
                Err(_) => self.walked = None,
            }
        }
        Ok(())
    }

    fn watch(&mut self, path: &Path) -> notify::Result<()> {
        let now = Watched { identity: identity(path), changed: settled(changed(path, true)) };
        if let Some(known) = self.watched.get_mut(path) {
            known.changed = now.changed;
            return Ok(());
        }
        let depth =
            if EACH_FOLDER { RecursiveMode::NonRecursive } else { RecursiveMode::Recursive };
        match self.watcher.watch(path, depth) {
            Ok(()) => {
                self.watched.insert(path.to_owned(), now);
                Ok(())
            }
            Err(error) if problem::is_of_one_folder(&error) => {
                self.walked = None;
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}

/// When a folder, and the list in it of what to ignore, changed last.
fn changed(folder: &Path, has_list: bool) -> [Option<SystemTime>; 2] {
    let modified = |path: &Path| std::fs::metadata(path).and_then(|it| it.modified()).ok();
    let list = has_list.then(|| modified(&folder.join(IGNORE_FILE))).flatten();
    [modified(folder), list]
}

/// Nothing, if it is so fresh that a further change may bear the same time: then it is looked at once more.
fn settled(times: [Option<SystemTime>; 2]) -> [Option<SystemTime>; 2] {
    let is_old = |time: &SystemTime| time.elapsed().is_ok_and(|age| age >= COARSEST_TIME);
    if times.iter().flatten().all(is_old) { times } else { [None; 2] }
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

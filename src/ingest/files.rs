//! Finding and reading the files of a post folder. Bad files become diagnostics, never failures of the scan.

use std::fs::{self, File, Metadata};
use std::io::{ErrorKind, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{MAIN_SEPARATOR, Path, PathBuf};

use walkdir::WalkDir;

use crate::config::PostFolder;
use crate::domain::Diagnostic;
use crate::store::{Fingerprint, PostCache};
use crate::watch::{self, Ignored};

/// Larger files are refused unread. In bytes.
pub const SIZE_LIMIT: u64 = 2 * 1024 * 1024;
const LIVE_NOWHERE: &str = "this post is live nowhere";

/// A file that may be a post.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) path: PathBuf,
    /// Relative to the project folder, with `/`.
    pub(super) source: String,
    /// Relative to the post folder, with `/`.
    pub(super) within: String,
    pub(super) state: FoundState,
}

#[derive(Clone, Debug)]
pub(super) enum FoundState {
    Readable(Fingerprint),
    Refused(Box<Diagnostic>),
}

/// Every candidate below `folder`, in order of path; an error when the folder itself cannot be read.
pub(super) fn find(folder: &PostFolder) -> Result<Vec<Found>, Box<Diagnostic>> {
    if let Err(error) = fs::read_dir(&folder.path) {
        let problem =
            Diagnostic::error("unreadable", format!("the post folder cannot be read: {error}"))
                .in_file(folder.name.clone())
                .effect("its posts stay as they were last seen")
                .help("create it, or correct `path` under `[[posts]]`");
        return Err(Box::new(problem));
    }
    let mut found = Vec::new();
    let mut ignored = Ignored::within(&folder.path);
    let walk = WalkDir::new(&folder.path).max_depth(watch::MOST_LEVELS);
    let entries = walk.into_iter().filter_entry(|entry| {
        entry.depth() == 0 || !ignored.skips(entry.path(), entry.file_type().is_dir())
    });
    for entry in entries {
        match entry {
            Ok(entry) if entry.path_is_symlink() && !is_markdown(entry.path()) => {
                found.extend(linked_folder(folder, entry.path()));
            }
            Ok(entry) => found.extend(looked_at(folder, entry.path())),
            Err(error) => {
                let place = error.path().unwrap_or(&folder.path);
                // What vanished while we were looking is simply gone.
                if error.io_error().is_none_or(|error| error.kind() != ErrorKind::NotFound) {
                    let problem =
                        Diagnostic::error("unreadable", format!("cannot be read: {error}"))
                            .effect("the posts in it keep their last good state");
                    found.push(refused(folder, place, problem));
                }
            }
        }
    }
    let problems = ignored.into_problems().into_iter();
    found.extend(problems.map(|(list, problem)| refused(folder, &list, problem)));
    found.sort_unstable_by(|a, b| a.source.cmp(&b.source));
    Ok(found)
}

/// The device that a folder is on, where there is such a thing.
#[cfg(unix)]
pub(super) fn device(folder: &PostFolder) -> Option<u64> {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata(&folder.path).ok().map(|metadata| metadata.dev())
}

#[cfg(not(unix))]
pub(super) fn device(_: &PostFolder) -> Option<u64> {
    None
}

/// A folder that is empty and on another device than before: what is left when a disk is unmounted.
pub(super) fn unmounted(folder: &PostFolder) -> Box<Diagnostic> {
    let message = "the post folder is empty and had posts before: is its disk mounted?";
    Box::new(
        Diagnostic::error("unreadable", message)
            .in_file(folder.name.clone())
            .effect("its posts stay as they were last seen")
            .help(format!(
                "mount the disk; if all its posts are to go, put an empty file `{}` into it",
                watch::IGNORE_FILE
            )),
    )
}

/// Whether somebody has put our own file into an empty folder: then it is mounted.
pub(super) fn is_marked(folder: &PostFolder) -> bool {
    folder.path.join(watch::IGNORE_FILE).exists()
}

/// The files of a folder that cannot be looked at now, as they were when it could.
pub(super) fn remembered(folder: &PostFolder, cache: &PostCache) -> Vec<Found> {
    let prefix = format!("{}/", folder.name);
    let files = cache.reader().map(|kept| kept.files_in(&prefix)).unwrap_or_default();
    let found = |(source, fingerprint): (String, Fingerprint)| {
        let within = source.strip_prefix(&prefix)?.to_owned();
        let state = FoundState::Readable(fingerprint);
        Some(Found { path: folder.path.join(&within), source, within, state })
    };
    files.into_iter().filter_map(found).collect()
}

/// `path` as a candidate; none if it is no Markdown file, left alone, or gone.
pub(super) fn candidate(folder: &PostFolder, path: &Path, ignored: &mut Ignored) -> Option<Found> {
    if !is_markdown(path) || ignored.leaves_out(path) {
        return None;
    }
    looked_at(folder, path)
}

/// `path`, which nobody wants to be left alone, as a candidate.
pub(super) fn looked_at(folder: &PostFolder, path: &Path) -> Option<Found> {
    if !is_markdown(path) {
        return None;
    }
    let metadata = fs::symlink_metadata(path).ok()?;
    if metadata.is_dir() {
        let problem = Diagnostic::warning("folder-named-like-post", "is a folder, not a post")
            .help("the Markdown files in it are read; rename it if it was meant to be one post");
        return Some(refused(folder, path, problem));
    }
    if metadata.is_symlink() {
        return Some(symlink(folder, path));
    }
    Some(regular(folder, path, &metadata))
}

fn regular(folder: &PostFolder, path: &Path, metadata: &Metadata) -> Found {
    if !metadata.is_file() {
        let problem = Diagnostic::error("not-a-file", "is not a regular file").effect(LIVE_NOWHERE);
        return refused(folder, path, problem);
    }
    if metadata.len() > SIZE_LIMIT {
        let message = format!(
            "is {} MB large; a post may have {} MB",
            metadata.len() / 1_000_000,
            SIZE_LIMIT / 1_048_576
        );
        let problem = Diagnostic::error("too-large", message)
            .effect(LIVE_NOWHERE)
            .help("move images and data out of the Markdown file");
        return refused(folder, path, problem);
    }
    located(folder, path, FoundState::Readable(fingerprint(metadata)))
}

fn fingerprint(metadata: &Metadata) -> Fingerprint {
    let nanoseconds =
        |seconds: i64, rest: i64| seconds.saturating_mul(1_000_000_000).saturating_add(rest);
    Fingerprint {
        size: metadata.len().cast_signed(),
        modified: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
        changed: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
        inode: metadata.ino().cast_signed(),
    }
}

/// A symlink is followed when it stays inside the folder and leads to a file.
fn symlink(folder: &PostFolder, path: &Path) -> Found {
    let refuse = |message: String| {
        let problem = Diagnostic::error("symlink", message)
            .effect(LIVE_NOWHERE)
            .help("copy the file into the folder, or add its folder as another `[[posts]]`");
        refused(folder, path, problem)
    };
    let root = fs::canonicalize(&folder.path);
    match (root, fs::canonicalize(path)) {
        (Ok(root), Ok(target)) if target.starts_with(&root) => match fs::metadata(&target) {
            Ok(metadata) => regular(folder, path, &metadata),
            Err(error) => refuse(format!("is a symlink that leads nowhere: {error}")),
        },
        (_, Ok(_)) => refuse("is a symlink that leads out of the post folder".to_owned()),
        (_, Err(error)) => refuse(format!("is a symlink that leads nowhere: {error}")),
    }
}

/// A symlink to a folder with Markdown in it is not followed, which its author should hear. Links to images are none of
/// our business.
fn linked_folder(folder: &PostFolder, path: &Path) -> Option<Found> {
    let mut files = fs::read_dir(path).ok()?.flatten();
    if path == folder.path || !files.any(|file| is_markdown(&file.path())) {
        return None;
    }
    let problem = Diagnostic::warning("symlink", "is a symlink to a folder, and is not followed")
        .effect("the posts behind it are live only where their own folder is read")
        .help("add the folder it leads to as another `[[posts]]`");
    Some(refused(folder, path, problem))
}

fn refused(folder: &PostFolder, path: &Path, problem: Diagnostic) -> Found {
    let mut found = located(folder, path, FoundState::Refused(Box::new(problem.clone())));
    found.state = FoundState::Refused(Box::new(problem.in_file(found.source.clone())));
    found
}

fn located(folder: &PostFolder, path: &Path, state: FoundState) -> Found {
    let within = slashes(path.strip_prefix(&folder.path).unwrap_or(path));
    let source = format!("{}/{within}", folder.name);
    Found { path: path.to_owned(), source, within, state }
}

fn slashes(path: &Path) -> String {
    if MAIN_SEPARATOR == '/' {
        return path.to_string_lossy().into_owned();
    }
    path.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

/// Reads a file whole, but never more than the limit: it may have grown since it was looked at, when it had `size` bytes.
pub(super) fn read(path: &Path, size: i64) -> std::io::Result<Vec<u8>> {
    let mut file = File::open(path)?.take(SIZE_LIMIT + 1);
    let size = usize::try_from(size).unwrap_or(0);
    let mut bytes = vec![0; size.saturating_add(64)];
    let found = match file.read(&mut bytes) {
        Err(error) if error.kind() == ErrorKind::Interrupted => 0,
        found => found?,
    };
    bytes.truncate(found);
    // There was room for more: this is its end, and need not be looked for.
    if found != size || found == 0 {
        file.read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

fn is_markdown(path: &Path) -> bool {
    path.extension().and_then(|extension| extension.to_str()).is_some_and(|ext| {
        ["md", "markdown", "mdx"].iter().any(|known| ext.eq_ignore_ascii_case(known))
    })
}

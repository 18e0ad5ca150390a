//! Reading files: found paths go in, what each of them is comes out, with the texts of posts in the cache.

use std::borrow::Cow;
use std::cell::RefCell;
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::{fs, thread};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::files::{self, Found, FoundState};
use super::names::{Asked, Names};
use super::neighbours::Beside;
use super::surroundings::{Around, Surroundings};
use crate::config::{Config, PostFolder};
use crate::content::{self, FolderRules, Parsed, SourceFile};
use crate::domain::{BodyId, DateSource, Diagnostic, Revision};
use crate::store::{CacheReader, CachedBody, CachedFile, Fingerprint, Pen, PostCache, StoreError};

/// A file that changed so recently may change again within the same tick of the file system's clock, unseen: it is read once more.
const RACY_NANOSECONDS: i64 = 2_000_000_000;
/// What a file that is to be read again is kept under: no file has it.
const NO_FILE: Fingerprint = Fingerprint { size: -1, modified: 0, changed: 0, inode: 0 };
/// So many files a thread hands over at once: waking the one that writes costs as much as reading a file from the cache.
const SHARE: usize = 32;
/// Shares that wait to be written, at most: enough that no thread waits for another.
const QUEUE: usize = 4;

/// A post without its text, which is in the cache.
#[derive(Debug)]
pub(super) struct Fresh {
    pub(super) parsed: Box<Parsed>,
    pub(super) body: BodyId,
}

/// What a file is.
#[derive(Debug)]
pub(super) enum Outcome {
    Post(Fresh),
    Draft,
    NotAPost,
    Broken(Vec<Diagnostic>),
}

/// A file that was read.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) source: String,
    /// Index into `config.posts`.
    pub(super) folder: usize,
    /// None for files that are refused unread, and for those that are to be read again.
    pub(super) fingerprint: Option<Fingerprint>,
    pub(super) outcome: Outcome,
    pub(super) warnings: Vec<Diagnostic>,
    /// The posts that it names.
    pub(super) asked: Asked,
}

/// A file to read.
#[derive(Debug)]
pub(super) struct ToRead {
    pub(super) folder: usize,
    pub(super) found: Found,
    /// Whether what the cache has of it is out of date, though the file is not.
    pub(super) anew: bool,
}

/// What has a say in posts besides their own files.
pub(super) struct Context {
    pub(super) config: Arc<Config>,
    pub(super) around: Arc<Surroundings>,
    pub(super) names: Arc<Names>,
}

/// What the cache keeps of a file: of a broken one, what it was when it was last whole.
#[derive(Serialize, Deserialize)]
enum Kept<'a> {
    Post(Cow<'a, Box<Parsed>>, Cow<'a, [Diagnostic]>, Cow<'a, Asked>),
    Draft(Cow<'a, [Diagnostic]>),
    NotAPost,
}

/// A file as the threads hand it over: its text not yet in the cache.
struct Raw {
    read: Read,
    text: Option<(Box<Parsed>, CachedBody)>,
    /// The cache has it as it is.
    is_cached: bool,
}

/// What all files are read with.
struct With<'a> {
    config: &'a Config,
    around: &'a Surroundings,
    names: &'a Names,
    /// What is around the posts of each folder, in a word.
    digests: Vec<String>,
}

impl With<'_> {
    /// What was around a file when it was read as it was.
    fn digest(&self, folder: usize, source: &str) -> String {
        let name = &self.config.posts[folder].name;
        let within = source.strip_prefix(name.as_str()).unwrap_or(source).trim_start_matches('/');
        let committed_at = self.around.of(folder).and_then(|around| around.committed_at(within));
        let digest = self.digests.get(folder).map_or("", String::as_str);
        committed_at.map_or_else(|| digest.to_owned(), |at| format!("{digest} {at}"))
    }
}

/// Reads and parses on as many threads as there are cores. Files that vanished meanwhile are left out: the next look
/// finds nothing, or what came in their place.
pub(super) fn read_all(
    context: &Context,
    cache: &PostCache,
    files: &[ToRead],
    now: Timestamp,
) -> Result<Vec<Read>, StoreError> {
    let Context { config, around, names } = context;
    let with = With { config, around, names, digests: around.digests() };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let next = AtomicUsize::new(0);
    let (hand_over, handed) = sync_channel::<Vec<Raw>>(QUEUE);
    thread::scope(|scope| {
        for _ in 0..cores.min(files.len().div_ceil(SHARE)) {
            let (hand_over, next, with) = (hand_over.clone(), &next, &with);
            let kept = cache.reader();
            scope.spawn(move || work((with, kept), files, next, &hand_over));
        }
        drop(hand_over);
        let with = &with;
        // Takes the receiving end along: when the cache cannot be written, the threads must not wait for it for ever.
        cache.write(move |pen| {
            let mut settled = Vec::with_capacity(files.len());
            for raw in handed.into_iter().flatten() {
                settled.push(settle(raw, pen, with, now)?);
            }
            Ok(settled)
        })
    })
}

fn work(
    (with, kept): (&With<'_>, Option<CacheReader>),
    files: &[ToRead],
    next: &AtomicUsize,
    hand_over: &SyncSender<Vec<Raw>>,
) {
    loop {
        let from = next.fetch_add(SHARE, Ordering::Relaxed).min(files.len());
        let share = &files[from..(from + SHARE).min(files.len())];
        let raw = |file| cached(with, kept.as_ref(), file).or_else(|| read(with, file));
        // The other end is gone when the cache could not be written.
        if share.is_empty() || hand_over.send(share.iter().filter_map(raw).collect()).is_err() {
            return;
        }
    }
}

/// Puts the text into the cache, and what is to be found there after a restart.
fn settle(raw: Raw, pen: &Pen<'_>, with: &With<'_>, now: Timestamp) -> Result<Read, StoreError> {
    let Raw { mut read, text, is_cached } = raw;
    if let Some((parsed, body)) = text {
        let body = pen.put_body(&body)?;
        read.outcome = Outcome::Post(Fresh { parsed, body });
    }
    if is_cached {
        return Ok(read);
    }
    let now = i64::try_from(now.as_nanosecond()).unwrap_or(i64::MAX);
    read.fingerprint =
        read.fingerprint.filter(|it| it.changed.abs_diff(now) > RACY_NANOSECONDS.unsigned_abs());
    // The last good state of a broken file stays.
    if let Some((reading, body)) = kept(&read, with) {
        let (source, fingerprint) = (read.source.clone(), read.fingerprint.unwrap_or(NO_FILE));
        pen.put_file(&CachedFile { source, fingerprint, reading, body })?;
    }
    Ok(read)
}

fn kept(read: &Read, with: &With<'_>) -> Option<(String, Option<BodyId>)> {
    let warnings = Cow::Borrowed(&*read.warnings);
    let (kept, body) = match &read.outcome {
        Outcome::Post(fresh) => {
            let asked = Cow::Borrowed(&read.asked);
            (Kept::Post(Cow::Borrowed(&fresh.parsed), warnings, asked), Some(fresh.body))
        }
        Outcome::Draft => (Kept::Draft(warnings), None),
        Outcome::NotAPost => (Kept::NotAPost, None),
        Outcome::Broken(_) => return None,
    };
    let around = with.digest(read.folder, &read.source);
    Some((serde_json::to_string(&(around, kept)).ok()?, body))
}

/// What was made of the file when it was last read, if it and what is around it are as they were.
fn cached(with: &With<'_>, kept: Option<&CacheReader>, file: &ToRead) -> Option<Raw> {
    let FoundState::Readable(fingerprint) = file.found.state else { return None };
    if file.anew {
        return None;
    }
    let cached = kept?.file(&file.found.source, fingerprint)?;
    let (around, kept): (Cow<'_, str>, Kept<'_>) = serde_json::from_str(&cached.reading).ok()?;
    if around != with.digest(file.folder, &cached.source) {
        return None;
    }
    let (outcome, warnings, asked) = match kept {
        Kept::Post(parsed, warnings, asked) => {
            let fresh = Fresh { parsed: parsed.into_owned(), body: cached.body? };
            (Outcome::Post(fresh), warnings, asked.into_owned())
        }
        Kept::Draft(warnings) => (Outcome::Draft, warnings, Asked::new()),
        Kept::NotAPost => (Outcome::NotAPost, Cow::default(), Asked::new()),
    };
    let read = Read {
        source: file.found.source.clone(),
        folder: file.folder,
        fingerprint: Some(cached.fingerprint),
        outcome,
        warnings: warnings.into_owned(),
        asked,
    };
    Some(Raw { read, text: None, is_cached: true })
}

/// The post that a file was when it was last read as one.
pub(super) fn last_post(kept: &CacheReader, source: &str) -> Option<Fresh> {
    let (reading, body) = kept.last_whole(source)?;
    let (_, kept): (Cow<'_, str>, Kept<'_>) = serde_json::from_str(&reading).ok()?;
    match kept {
        Kept::Post(parsed, ..) => Some(Fresh { parsed: parsed.into_owned(), body: body? }),
        Kept::Draft(_) | Kept::NotAPost => None,
    }
}

/// None: the file vanished since it was found.
fn read(with: &With<'_>, file: &ToRead) -> Option<Raw> {
    let ToRead { folder, found, .. } = file;
    let raw = |fingerprint, outcome, warnings| {
        let source = found.source.clone();
        Raw {
            read: Read {
                source,
                folder: *folder,
                fingerprint,
                outcome,
                warnings,
                asked: Asked::new(),
            },
            text: None,
            is_cached: false,
        }
    };
    let fingerprint = match &found.state {
        FoundState::Readable(fingerprint) => Some(*fingerprint),
        FoundState::Refused(problem) => {
            return Some(raw(None, Outcome::Broken(vec![Diagnostic::clone(problem)]), Vec::new()));
        }
    };
    let bytes = match files::read(&found.path, fingerprint.map_or(0, |it| it.size)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return None,
        Err(error) => {
            let problem = Diagnostic::error("unreadable", format!("cannot be read: {error}"))
                .in_file(found.source.clone())
                .effect("what was live of it before stays live");
            return Some(raw(fingerprint, Outcome::Broken(vec![problem]), Vec::new()));
        }
    };
    let (post_folder, around) = (&with.config.posts[*folder], with.around.of(*folder)?);
    if around.facts.is_unknown(&found.within) {
        // Told once, where it is broken.
        return Some(raw(None, Outcome::Broken(Vec::new()), Vec::new()));
    }
    let beside = beside(with, file, post_folder);
    let wants_mtime = post_folder.dates_from.contains(&DateSource::Mtime);
    let modified = fingerprint.filter(|_| wants_mtime).map(|it| it.modified.into());
    let source = SourceFile {
        source: &found.source,
        within: &found.within,
        bytes: &bytes,
        committed_at: around.committed_at(&found.within),
        modified_at: modified.and_then(|at| Timestamp::from_nanosecond(at).ok()),
        neighbours: &beside,
    };
    let parsed = parse((with, post_folder, around), &source);
    Some(match parsed {
        Ok((content::Verdict::Post(mut parsed), warnings)) => {
            let body = take_text(&mut parsed);
            let mut raw = raw(fingerprint, Outcome::Draft, warnings);
            (raw.text, raw.read.asked) = (Some((parsed, body)), beside.asked.into_inner());
            raw
        }
        Ok((content::Verdict::NotAPost, warnings)) => raw(fingerprint, Outcome::NotAPost, warnings),
        Ok((content::Verdict::Draft, warnings)) => raw(fingerprint, Outcome::Draft, warnings),
        Err(problems) => raw(fingerprint, Outcome::Broken(problems), Vec::new()),
    })
}

fn beside<'a>(with: &'a With<'_>, file: &'a ToRead, folder: &'a PostFolder) -> Beside<'a> {
    let language = content::language_in_path(&file.found.within).or(folder.language.as_deref());
    Beside {
        root: &folder.path,
        post: &file.found.path,
        names: with.names,
        folder: file.folder,
        language: language.unwrap_or(&with.config.site.language),
        asked: RefCell::default(),
    }
}

fn parse(
    (with, folder, around): (&With<'_>, &PostFolder, &Around),
    file: &SourceFile<'_>,
) -> Result<(content::Verdict, Vec<Diagnostic>), Vec<Diagnostic>> {
    let presets = around.presets(file.within);
    let site = &with.config.site;
    let rules = FolderRules {
        site_url: &site.url,
        permalink: &folder.permalink,
        language: folder.language.as_deref().unwrap_or(&site.language),
        time_zone: &site.time_zone,
        default_author: site.author.as_ref(),
        names: &folder.fields,
        authors: around.facts.authors(),
        presets: &presets,
        dates_from: &folder.dates_from,
        destinations: Some(&with.around.destinations),
        highlight: folder.markdown.highlight,
        smart_punctuation: folder.markdown.smart_punctuation,
        excerpt_separator: folder.markdown.excerpt_separator.as_deref(),
    };
    // One file that the parsers choke on must not take the daemon down, now and at every start.
    let parsed = catch_unwind(AssertUnwindSafe(|| content::parse(file, &rules)));
    parsed.unwrap_or_else(|_| Err(vec![fault_of_ours(file.source)]))
}

fn take_text(parsed: &mut Parsed) -> CachedBody {
    let (mail, web) = (parsed.mail_html.take(), parsed.web_html.take());
    CachedBody { html: std::mem::take(&mut parsed.html), mail, web }
}

/// What everything that was made of the files depends on, besides them.
pub(super) fn stamp(config: &Config) -> String {
    let config = format!("{:?} {:?}", config.site, config.posts);
    // Another build may render otherwise.
    let program = std::env::current_exe().and_then(fs::metadata);
    let program = program.map(|it| format!("{} {:?}", it.len(), it.modified())).unwrap_or_default();
    Revision::of([config.as_str(), env!("CARGO_PKG_VERSION"), &program]).as_str().to_owned()
}

fn fault_of_ours(source: &str) -> Diagnostic {
    let message = "cannot be read because of a bug in Postrider, please report it";
    Diagnostic::error("internal", message)
        .in_file(source)
        .effect("what was live of it before stays live")
}

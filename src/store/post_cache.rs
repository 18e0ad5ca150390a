//! What was made of each post file, in a file of its own beside the database: a start with nothing changed need not read a
//! hundred thousand posts again, and their texts need not be held in memory.
//!
//! Nothing in it is a fact. Deleted or damaged, it is made anew from the posts by one cold scan.

mod open;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rusqlite::{CachedStatement, Connection, OptionalExtension as _, params};

use self::open::{beside, keep, lock, look, open_texts, open_to_look, private};
use super::StoreError;
use super::express::doing;
use crate::content;
use crate::domain::{Body, BodyId, Post, Written};

/// Texts that a command makes for itself are numbered from here on.
const OWN: i64 = 1 << 60;
/// Bytes of the write-ahead log that make a checkpoint worth it.
const CHECKPOINT_BYTES: u64 = 32 * 1024 * 1024;

/// What tells an unchanged file without reading it. Times in nanoseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    pub size: i64,
    pub modified: i64,
    /// When its inode last changed: no program can set this one back.
    pub changed: i64,
    pub inode: i64,
}

/// A file as last read.
#[derive(Clone, Debug)]
pub struct CachedFile {
    pub source: String,
    pub fingerprint: Fingerprint,
    /// What was made of it, in the words of whoever keeps it here.
    pub reading: String,
    /// The text, if it is a post.
    pub body: Option<BodyId>,
}

/// The HTML of a post, by who sees it. `None`: as in `html`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CachedBody {
    pub html: String,
    pub mail: Option<String>,
    pub web: Option<String>,
}

/// The cache. Cheap to clone. Reading a text takes some ten microseconds.
#[derive(Clone, Debug)]
pub struct PostCache(Arc<Inner>);

/// Sources of posts whose texts could not be read.
type Lost = Arc<Mutex<BTreeSet<String>>>;

#[derive(Debug)]
struct Inner {
    /// Where this process writes.
    own: Mutex<Connection>,
    /// The file that a daemon keeps, to look at.
    kept: Option<Mutex<Connection>>,
    /// Where that file is, or `own`, if it has a name.
    path: Option<PathBuf>,
    /// Held as long as `own` is the file itself.
    lock: Option<File>,
    /// None inside: the file cannot be looked at.
    texts: OnceLock<Option<Kept>>,
    lost: Lost,
    is_checkpointing: Arc<AtomicBool>,
}

impl PostCache {
    /// Opens the file at `path` and keeps it up to date; where another process does so already, or with `only_look`, what
    /// this one makes goes into a file without a name that ends with it. What was made under another `stamp` is forgotten.
    pub fn open(path: &Path, stamp: &str, only_look: bool) -> Result<Self, StoreError> {
        if !only_look && let Some(lock) = lock(path) {
            match keep(path, stamp) {
                Ok(own) => return Ok(Self::of((own, None), Some(path), Some(lock))),
                Err(error) => {
                    tracing::warn!(
                        path = %path.display(),
                        error = %crate::telemetry::causes(&error),
                        "the cache of posts cannot be used; every start reads all posts"
                    );
                }
            }
        }
        let own = private().map_err(doing("make a cache of posts"))?;
        // A daemon's cache that is not there, or of another version, is none.
        let kept = look(path, stamp).ok().flatten();
        let path = kept.is_some().then_some(path);
        Ok(Self::of((own, kept), path, None))
    }

    fn of(
        (own, kept): (Connection, Option<Connection>),
        path: Option<&Path>,
        lock: Option<File>,
    ) -> Self {
        let path = path.map(Path::to_owned);
        Self(Arc::new(Inner {
            own: Mutex::new(own),
            kept: kept.map(Mutex::new),
            path,
            lock,
            texts: OnceLock::new(),
            lost: Arc::default(),
            is_checkpointing: Arc::default(),
        }))
    }

    /// A connection of its own to what is kept, as it is now: many threads ask at once. None: nothing is.
    pub fn reader(&self) -> Option<CacheReader> {
        let connection = open_to_look(self.0.path.as_ref()?).ok()?;
        // One transaction: else every look locks the file anew.
        connection.execute_batch("BEGIN").ok()?;
        let has_files = "SELECT EXISTS (SELECT 1 FROM files)";
        let has_files: bool = connection.query_row(has_files, (), |row| row.get(0)).ok()?;
        has_files.then_some(CacheReader(connection))
    }

    /// A text; none if it was thrown away.
    pub fn body(&self, id: BodyId) -> Result<Option<CachedBody>, StoreError> {
        let kept = self.0.kept.as_ref().filter(|_| id.0 < OWN);
        read_body(&held(kept.unwrap_or(&self.0.own)), id)
    }

    /// A post with its text.
    pub fn written(&self, post: &Arc<Post>, body: BodyId) -> Result<Written, StoreError> {
        Ok(with_text(post, there(self.body(body)?)?))
    }

    /// Sources of posts whose texts somebody wanted and did not get since this was last asked.
    pub fn take_lost(&self) -> BTreeSet<String> {
        std::mem::take(&mut held(&self.0.lost))
    }

    /// The texts, for whatever is shown until there is something else: also when another configuration has begun a cache anew.
    pub fn texts(&self) -> PostTexts {
        // Whoever held on to the cache itself would keep the next owner from its lock.
        let opened = || self.0.path.as_deref().and_then(|path| open_texts(path).ok());
        let kept = self.0.lock.as_ref().map(|_| self.0.texts.get_or_init(opened));
        let kept = kept.cloned().flatten().unwrap_or_else(|| Kept::OfCommand(self.clone()));
        PostTexts { kept, lost: Arc::clone(&self.0.lost) }
    }

    /// Writes what `fill` hands to its pen, all or nothing.
    pub fn write<T>(
        &self,
        fill: impl FnOnce(&Pen<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut connection = held(&self.0.own);
        let tx = connection.transaction().map_err(writing())?;
        let filled = fill(&Pen::on(&tx)?)?;
        tx.commit().map_err(writing())?;
        drop(connection);
        self.checkpoint();
        Ok(filled)
    }

    /// Moves what was written into the file itself, if it is much. Nobody waits for that.
    fn checkpoint(&self) {
        let Some(path) = self.0.path.clone().filter(|_| self.0.lock.is_some()) else { return };
        let is_much = beside(&path, "-wal").metadata().is_ok_and(|it| it.len() > CHECKPOINT_BYTES);
        if !is_much || self.0.is_checkpointing.swap(true, Ordering::AcqRel) {
            return;
        }
        // Without the cache itself, whose lock another may wait for.
        let is_checkpointing = Arc::clone(&self.0.is_checkpointing);
        std::thread::spawn(move || {
            let moved = checkpoint(&path);
            if let Err(error) = moved {
                tracing::debug!(%error, "the cache of posts is checkpointed later");
            }
            is_checkpointing.store(false, Ordering::Release);
        });
    }
}

/// The texts of posts. Cheap to clone.
#[derive(Clone, Debug)]
pub struct PostTexts {
    kept: Kept,
    lost: Lost,
}

#[derive(Clone, Debug)]
enum Kept {
    Opened(Arc<Mutex<Connection>>),
    /// Nobody comes after a command that would want the lock.
    OfCommand(PostCache),
}

impl PostTexts {
    /// The text of `post`. Where it cannot be read, that is noted.
    pub fn body(&self, post: &Post, id: BodyId) -> Result<CachedBody, StoreError> {
        let body = match &self.kept {
            Kept::Opened(connection) => read_body(&held(connection), id),
            Kept::OfCommand(cache) => cache.body(id),
        };
        let body = body.and_then(there);
        if body.is_err() {
            held(&self.lost).insert(post.source.clone());
        }
        body
    }

    /// A post with its text.
    pub fn written(&self, post: &Arc<Post>, id: BodyId) -> Result<Written, StoreError> {
        Ok(with_text(post, self.body(post, id)?))
    }
}

fn read_body(connection: &Connection, id: BodyId) -> Result<Option<CachedBody>, StoreError> {
    const SQL: &str = "SELECT html, mail, web FROM bodies WHERE id = ?1";
    let read = || {
        let mut statement = connection.prepare_cached(SQL)?;
        let body = statement.query_row([id.0], |row| {
            Ok(CachedBody { html: row.get(0)?, mail: row.get(1)?, web: row.get(2)? })
        });
        body.optional()
    };
    read().map_err(doing("read the text of a post"))
}

fn there(body: Option<CachedBody>) -> Result<CachedBody, StoreError> {
    body.ok_or(StoreError::Corrupt("the text of a post"))
}

fn with_text(post: &Arc<Post>, body: CachedBody) -> Written {
    let CachedBody { html, mail: mail_html, web: web_html } = body;
    let text = content::plain_text(mail_html.as_deref().unwrap_or(&html));
    let web_text = mail_html.is_some().then(|| content::plain_text(&html));
    let body = Arc::new(Body { html, mail_html, web_html, text, web_text });
    Written { post: Arc::clone(post), body }
}

/// Looks up files as last read. What cannot be read was never read.
#[derive(Debug)]
pub struct CacheReader(Connection);

impl CacheReader {
    /// The file, if it was read as it is now.
    pub fn file(&self, source: &str, fingerprint: Fingerprint) -> Option<CachedFile> {
        const SQL: &str = "SELECT reading, body FROM files WHERE source = ?1 AND size = ?2 AND modified = ?3 \
                           AND changed = ?4 AND inode = ?5";
        let Fingerprint { size, modified, changed, inode } = fingerprint;
        let mut statement = self.0.prepare_cached(SQL).ok()?;
        let read = |row: &rusqlite::Row<'_>| {
            let body = row.get::<_, Option<i64>>(1)?.map(BodyId);
            Ok(CachedFile { source: source.to_owned(), fingerprint, reading: row.get(0)?, body })
        };
        statement.query_row(params![source, size, modified, changed, inode], read).ok()
    }

    /// What was made of the file when it was last read as something whole, whatever it is now.
    pub fn last_whole(&self, source: &str) -> Option<(String, Option<BodyId>)> {
        const SQL: &str = "SELECT reading, body FROM files WHERE source = ?1";
        let mut statement = self.0.prepare_cached(SQL).ok()?;
        let read =
            |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get::<_, Option<i64>>(1)?.map(BodyId)));
        statement.query_row([source], read).ok()
    }

    /// All files whose sources begin with `folder`, a name and `/`, and what they were like.
    pub fn files_in(&self, folder: &str) -> Vec<(String, Fingerprint)> {
        const SQL: &str = "SELECT source, size, modified, changed, inode FROM files \
                           WHERE source >= ?1 AND source < ?2 ORDER BY source";
        let end = format!("{}0", folder.trim_end_matches('/'));
        let read = |row: &rusqlite::Row<'_>| {
            let (size, modified) = (row.get(1)?, row.get(2)?);
            let (changed, inode) = (row.get(3)?, row.get(4)?);
            Ok((row.get(0)?, Fingerprint { size, modified, changed, inode }))
        };
        let files = || -> rusqlite::Result<Vec<_>> {
            self.0.prepare(SQL)?.query_map([folder, &*end], read)?.collect()
        };
        files().unwrap_or_default()
    }
}

/// A transaction on the cache. Its statements are at hand: to look one up costs as much as the row that it writes.
pub struct Pen<'a> {
    connection: &'a Connection,
    put_body: RefCell<CachedStatement<'a>>,
    put_file: RefCell<CachedStatement<'a>>,
}

impl<'a> Pen<'a> {
    fn on(connection: &'a Connection) -> Result<Self, StoreError> {
        const BODY: &str = "INSERT INTO bodies (html, mail, web) VALUES (?1, ?2, ?3)";
        const FILE: &str = "INSERT OR REPLACE INTO files (source, size, modified, changed, inode, reading, body) \
                            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        let statement = |sql| connection.prepare_cached(sql).map(RefCell::new).map_err(writing());
        Ok(Self { connection, put_body: statement(BODY)?, put_file: statement(FILE)? })
    }

    /// Keeps a text, and says what it is called.
    pub fn put_body(&self, body: &CachedBody) -> Result<BodyId, StoreError> {
        let values = params![body.html, body.mail, body.web];
        self.put_body.borrow_mut().insert(values).map(BodyId).map_err(writing())
    }

    pub fn put_file(&self, file: &CachedFile) -> Result<(), StoreError> {
        let Fingerprint { size, modified, changed, inode } = file.fingerprint;
        let body = file.body.map(|id| id.0);
        let values = params![file.source, size, modified, changed, inode, file.reading, body];
        self.put_file.borrow_mut().execute(values).map(|_| ()).map_err(writing())
    }

    pub fn forget_file(&self, source: &str) -> Result<(), StoreError> {
        const SQL: &str = "DELETE FROM files WHERE source = ?1";
        let gone = self.connection.prepare_cached(SQL).and_then(|mut it| it.execute([source]));
        gone.map(|_| ()).map_err(writing())
    }
}

fn writing() -> impl FnOnce(rusqlite::Error) -> StoreError {
    doing("write the cache of posts")
}

/// As much as readers that are just reading allow.
fn checkpoint(path: &Path) -> rusqlite::Result<()> {
    let connection = Connection::open(path)?;
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", (), |_| Ok(()))
}

/// A panic while it was held was in a reader's code, not in the middle of a write: those are undone.
fn held<T>(shared: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bare() -> Post {
        Post::bare("old", jiff::Timestamp::UNIX_EPOCH)
    }

    fn text(html: &str) -> CachedBody {
        CachedBody { html: html.to_owned(), ..CachedBody::default() }
    }

    #[test]
    fn whoever_reads_texts_does_not_keep_the_log_from_starting_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("posts.cache");
        let cache = PostCache::open(&path, "stamp", false).unwrap();
        let first = cache.write(|pen| pen.put_body(&text("first"))).unwrap();
        let texts = cache.texts();
        let log = || beside(&path, "-wal").metadata().unwrap().len();
        let mut lengths = Vec::new();
        for round in 0..3 {
            cache.write(|pen| pen.put_body(&text(&format!("{round}").repeat(100_000)))).unwrap();
            assert_eq!(texts.body(&bare(), first).unwrap(), text("first"));
            checkpoint(&path).unwrap();
            lengths.push(log());
        }
        assert_eq!(lengths[1], lengths[2], "{lengths:?}");
    }

    #[test]
    fn the_number_of_a_text_never_becomes_that_of_another() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("posts.cache");
        let cache = PostCache::open(&path, "stamp", false).unwrap();
        let numbers: Vec<BodyId> = cache
            .write(|pen| ["a", "b"].map(|it| pen.put_body(&text(it))).into_iter().collect())
            .unwrap();
        let texts = cache.texts();
        drop(cache);
        // No file refers to either: both are thrown away, or none is read as something else.
        let next = PostCache::open(&path, "stamp", false).unwrap();
        let new = next.write(|pen| pen.put_body(&text("c"))).unwrap();
        assert!(!numbers.contains(&new));
        assert!(texts.body(&bare(), numbers[0]).is_err());
        assert_ne!(texts.body(&bare(), numbers[1]).ok(), Some(text("c")));
    }
}

//! Opening the file: by who keeps it, and by who only looks.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _};
use url::Url;

use super::{Kept, OWN};
use crate::store::StoreError;
use crate::store::express::doing;

/// How long another process may keep the file to itself.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Most texts fit into a page or two, and each page is two system calls.
const PAGE_BYTES: u32 = 16 * 1024;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS stamps (stamp TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS files (
        source   TEXT NOT NULL UNIQUE,
        size     INTEGER NOT NULL,
        modified INTEGER NOT NULL,
        changed  INTEGER NOT NULL,
        inode    INTEGER NOT NULL,
        reading  TEXT NOT NULL,
        body     INTEGER
    );
    CREATE TABLE IF NOT EXISTS bodies (id INTEGER PRIMARY KEY, html TEXT NOT NULL, mail TEXT, web TEXT);";

/// The last one stays: the number of a text that somebody still asks for never becomes another's.
const TIDY: &str = "DELETE FROM bodies WHERE id NOT IN (SELECT body FROM files WHERE body IS NOT NULL) \
                    AND id < (SELECT MAX(id) FROM bodies)";

/// None: another process keeps the file, or nobody can.
pub(super) fn lock(path: &Path) -> Option<File> {
    std::fs::create_dir_all(path.parent()?).ok()?;
    let lock = path.with_added_extension("lock");
    let file = File::options().create(true).write(true).truncate(false).open(lock).ok()?;
    file.try_lock().ok()?;
    Some(file)
}

/// Opens the file for writing; one that is damaged or of another stamp is begun anew.
pub(super) fn keep(path: &Path, stamp: &str) -> Result<Connection, StoreError> {
    let opened = || -> rusqlite::Result<Option<Connection>> {
        let connection = Connection::open(path)?;
        settings(&connection)?;
        Ok(is_stamped(&connection, stamp)?.then_some(connection))
    };
    let connection = match opened() {
        Ok(Some(connection)) => connection,
        Ok(None) | Err(_) => begin(path, stamp).map_err(doing("make a cache of posts"))?,
    };
    // Texts that no file refers to any more: of posts as they were before they were edited.
    connection.execute(TIDY, ()).map_err(doing("tidy the cache of posts"))?;
    Ok(connection)
}

fn begin(path: &Path, stamp: &str) -> rusqlite::Result<Connection> {
    for suffix in ["", "-wal", "-shm"] {
        // It need not be there.
        let _ = std::fs::remove_file(beside(path, suffix));
    }
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "page_size", PAGE_BYTES)?;
    settings(&connection)?;
    connection.execute_batch(SCHEMA)?;
    connection.execute("INSERT INTO stamps (stamp) VALUES (?1)", [stamp])?;
    Ok(connection)
}

/// Losing the last writes costs a second look at the files; a damaged file costs one at all of them.
fn settings(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    // By a thread of its own: see `checkpoint`.
    connection.pragma_update(None, "wal_autocheckpoint", 0)
}

fn is_stamped(connection: &Connection, stamp: &str) -> rusqlite::Result<bool> {
    let found: Option<String> =
        connection.query_row("SELECT stamp FROM stamps", (), |row| row.get(0)).optional()?;
    Ok(found.as_deref() == Some(stamp))
}

/// The file that another process keeps, if it is of this stamp.
pub(super) fn look(path: &Path, stamp: &str) -> rusqlite::Result<Option<Connection>> {
    let connection = open_to_look(path)?;
    Ok(is_stamped(&connection, stamp)?.then_some(connection))
}

/// Where nobody writes, not even what readers leave beside a database is written.
pub(super) fn open_to_look(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let is_at_rest = !beside(path, "-wal").exists();
    let still = Url::from_file_path(path).ok().filter(|_| is_at_rest);
    let connection = match still {
        Some(url) => Connection::open_with_flags(
            format!("{url}?immutable=1"),
            flags | OpenFlags::SQLITE_OPEN_URI,
        )?,
        None => Connection::open_with_flags(path, flags)?,
    };
    connection.busy_timeout(BUSY_TIMEOUT)?;
    Ok(connection)
}

pub(super) fn open_texts(path: &Path) -> rusqlite::Result<Kept> {
    let connection = open_to_look(path)?;
    // By the time that it closes another database may bear the name.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    // The first look opens all files that belong to this one. A transaction that stayed open would let its log grow for ever.
    connection.query_row("SELECT 1 FROM stamps", (), |_| Ok(()))?;
    Ok(Kept::Opened(Arc::new(Mutex::new(connection))))
}

pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// SQLite makes a temporary file of its own and takes it away again.
pub(super) fn private() -> rusqlite::Result<Connection> {
    let connection = Connection::open("")?;
    connection.pragma_update(None, "journal_mode", "MEMORY")?;
    connection.execute_batch(SCHEMA)?;
    connection.execute("INSERT INTO bodies (id, html) VALUES (?1, '')", [OWN])?;
    Ok(connection)
}

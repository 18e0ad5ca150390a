//! The record beside an SQLite file: what no restore of the file alone brings back.

use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use crate::domain::{Memory, Place, Seen};

/// A record is a few hundred bytes; what is longer is none.
const MOST_BYTES: u64 = 64 * 1024;

pub(super) fn path_of(database: &Path) -> PathBuf {
    database.with_added_extension("seen")
}

/// Where the database lies now, as far as the file system tells.
pub(super) fn place_of(database: &Path) -> Place {
    let Ok(file) = fs::metadata(database) else { return Place::default() };
    let born = file.created().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    let born = born.and_then(|since| i64::try_from(since.as_micros()).ok());
    Place { inode: inode(&file), born, ..Place::default() }
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "other systems have none")]
fn inode(file: &Metadata) -> Option<u64> {
    Some(std::os::unix::fs::MetadataExt::ino(file))
}

#[cfg(not(unix))]
fn inode(_: &Metadata) -> Option<u64> {
    None
}

pub(super) fn read(database: &Path) -> Memory {
    let path = path_of(database);
    let length = match fs::metadata(&path) {
        Ok(file) => file.len(),
        Err(error) if error.kind() == ErrorKind::NotFound => return Memory::Nothing,
        Err(_) => return Memory::Unreadable,
    };
    if length > MOST_BYTES {
        return Memory::Unreadable;
    }
    let seen = fs::read(&path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    seen.map_or(Memory::Unreadable, Memory::Seen)
}

/// Replaces the record, so that whatever happens there is the old one or the new one.
pub(super) fn write(database: &Path, seen: &Seen) -> io::Result<()> {
    let path = path_of(database);
    let draft = path.with_added_extension(std::process::id().to_string());
    let written = write_draft(&draft, seen).and_then(|()| fs::rename(&draft, &path));
    if written.is_err() {
        // It is in nobody's way.
        let _ = fs::remove_file(&draft);
        return written;
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    // Some systems have no folders that can be synced; the record is then as durable as they make it.
    let _ = File::open(folder.unwrap_or(Path::new("."))).and_then(|folder| folder.sync_all());
    Ok(())
}

fn write_draft(draft: &Path, seen: &Seen) -> io::Result<()> {
    let mut options = File::options();
    options.create(true).write(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(draft)?;
    serde_json::to_writer(&file, seen)?;
    file.write_all(b"\n")?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::domain::Mark;

    #[test]
    fn a_record_is_read_back_as_it_was_written_and_nothing_else_is() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("postrider.db");
        assert_eq!(read(&database), Memory::Nothing);
        fs::write(&database, "").unwrap();
        let place = place_of(&database);
        let mark = Mark { database: "a".to_owned(), moves: 3 };
        let seen = Seen { mark, place, deliveries: 7, at: Timestamp::UNIX_EPOCH };
        write(&database, &seen).unwrap();
        assert_eq!(read(&database), Memory::Seen(seen.clone()));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "no draft stays behind");
        for broken in ["", "{", "{\"database\":1}", "[]", "\u{0}"] {
            fs::write(path_of(&database), broken).unwrap();
            assert_eq!(read(&database), Memory::Unreadable, "{broken:?}");
        }
        fs::write(path_of(&database), vec![b' '; 100_000]).unwrap();
        assert_eq!(read(&database), Memory::Unreadable);
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_may_read_the_record() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("postrider.db");
        let seen = Seen {
            mark: Mark::default(),
            place: Place::default(),
            deliveries: 0,
            at: Timestamp::UNIX_EPOCH,
        };
        write(&database, &seen).unwrap();
        let mode = fs::metadata(path_of(&database)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

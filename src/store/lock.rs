//! One daemon per SQLite file: two would plan and send the same things.

use std::fs::{File, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::PathBuf;

use crate::config::StoreUrl;

/// Held while the daemon runs; the operating system lets go when the process ends, however it ends.
#[derive(Debug)]
pub struct DaemonLock {
    _file: File,
}

/// Why the daemon must not start.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    #[error(
        "another Postrider daemon{0} already works on `{1}`; stop it first, or use PostgreSQL for several nodes"
    )]
    Taken(String, PathBuf),
    #[error("cannot lock the database at `{path}`")]
    Io { path: PathBuf, source: std::io::Error },
}

impl DaemonLock {
    /// Takes the lock; none is needed on PostgreSQL, where several daemons share the work.
    pub fn take(url: &StoreUrl) -> Result<Option<Self>, LockError> {
        let StoreUrl::Sqlite(database) = url else { return Ok(None) };
        let path = database.with_added_extension("lock");
        let failed = |source| LockError::Io { path: path.clone(), source };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        let mut file = File::options()
            .create(true)
            .read(true)
            .write(true)
            .truncate(false)
            .open(&path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // Only decoration for the message.
                let _ = file.read_to_string(&mut holder);
                let holder = holder.trim();
                let who =
                    if holder.is_empty() { String::new() } else { format!(" (process {holder})") };
                return Err(LockError::Taken(who, database.clone()));
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        file.set_len(0).map_err(failed)?;
        file.rewind().map_err(failed)?;
        write!(file, "{}", std::process::id()).map_err(failed)?;
        Ok(Some(Self { _file: file }))
    }
}

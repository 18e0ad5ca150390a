//! The reading side of an outbox, for the pages that show it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

/// Subfolder of mail.
pub(super) const MAIL: &str = "mail";

/// Subfolder of calls.
pub(super) const HTTP: &str = "http";

/// Reads what couriers wrote into an outbox folder.
#[derive(Clone, Debug)]
pub struct Outbox {
    dir: PathBuf,
}

/// One file of an outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name, as `read_mail` and `read_call` take it.
    pub name: String,
    /// When it was written last.
    pub written_at: Timestamp,
    pub size_bytes: u64,
}

/// Why a file of an outbox cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum OutboxError {
    #[error("`{0}` is not the name of an outbox file")]
    Name(String),
    #[error("there is no `{0}` in the outbox")]
    NotFound(String),
    #[error("cannot read the outbox `{}`", path.display())]
    Read { path: PathBuf, source: io::Error },
}

impl Outbox {
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into() }
    }

    /// The mail in it, newest first. None when the folder is not there yet.
    pub async fn list_mail(&self) -> Result<Vec<Entry>, OutboxError> {
        self.list(MAIL, "eml").await
    }

    /// The calls in it, newest first. None when the folder is not there yet.
    pub async fn list_calls(&self) -> Result<Vec<Entry>, OutboxError> {
        self.list(HTTP, "json").await
    }

    /// One mail, as it would have been sent.
    pub async fn read_mail(&self, name: &str) -> Result<Vec<u8>, OutboxError> {
        self.read(MAIL, name, "eml").await
    }

    /// One call: JSON text with `destination`, `delivery`, `at`, `url`, `headers` and `body`.
    pub async fn read_call(&self, name: &str) -> Result<Vec<u8>, OutboxError> {
        self.read(HTTP, name, "json").await
    }

    async fn list(
        &self,
        subfolder: &str,
        extension: &'static str,
    ) -> Result<Vec<Entry>, OutboxError> {
        let folder = self.dir.join(subfolder);
        let path = folder.clone();
        super::in_background(move || entries(&folder, extension))
            .await
            .map_err(|source| OutboxError::Read { path, source })
    }

    async fn read(
        &self,
        subfolder: &str,
        name: &str,
        extension: &str,
    ) -> Result<Vec<u8>, OutboxError> {
        if !is_name(name, extension) {
            return Err(OutboxError::Name(name.to_owned()));
        }
        let path = self.dir.join(subfolder).join(name);
        let file = path.clone();
        super::in_background(move || {
            // A link could lead out of the folder; couriers make none.
            if !fs::symlink_metadata(&file)?.is_file() {
                return Err(io::ErrorKind::NotFound.into());
            }
            fs::read(&file)
        })
        .await
        .map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => OutboxError::NotFound(name.to_owned()),
            _ => OutboxError::Read { path, source },
        })
    }
}

/// Whether `name` can be a file in the folder, and nothing outside of it.
fn is_name(name: &str, extension: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    name.split_once('.')
        .is_some_and(|(stem, end)| !stem.is_empty() && stem.chars().all(plain) && end == extension)
}

fn entries(folder: &Path, extension: &str) -> io::Result<Vec<Entry>> {
    let files = match fs::read_dir(folder) {
        Ok(files) => files,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut entries = Vec::new();
    for file in files {
        let file = file?;
        let Ok(name) = file.file_name().into_string() else { continue };
        // Somebody may delete files while we look.
        let Ok(metadata) = file.metadata() else { continue };
        if !is_name(&name, extension) || !metadata.is_file() {
            continue;
        }
        let written_at = Timestamp::try_from(metadata.modified()?).unwrap_or(Timestamp::MIN);
        entries.push(Entry { name, written_at, size_bytes: metadata.len() });
    }
    entries.sort_by(|a, b| (b.written_at, &b.name).cmp(&(a.written_at, &a.name)));
    Ok(entries)
}

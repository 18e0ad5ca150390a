//! The feeds with all posts as they were served last, in a file beside the database: after a restart readers have them before
//! a hundred thousand posts have been looked at, also while the database is away.
//!
//! Nothing in it is a fact. What cannot be read was never written.

use std::fs;
use std::io;
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::seen;
use crate::domain::Revision;

/// Feeds larger than this are made anew after each start. In bytes.
const MOST_BYTES: u64 = 64 * 1024 * 1024;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastFeeds {
    /// What they depend on, besides posts.
    pub stamp: Revision,
    pub feeds: Vec<LastFeed>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastFeed {
    pub path: String,
    pub last_modified: Timestamp,
    pub text: String,
}

impl LastFeeds {
    pub fn read(path: &Path) -> Option<Self> {
        let is_readable = fs::metadata(path).is_ok_and(|it| it.len() <= MOST_BYTES);
        let bytes = is_readable.then(|| fs::read(path).ok()).flatten()?;
        serde_json::from_slice(&bytes).ok()
    }

    /// Replaces the file, so that whatever happens there is the old one or the new one.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        seen::replace(path, |file| Ok(serde_json::to_writer(io::BufWriter::new(file), self)?))
    }
}

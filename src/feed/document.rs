//! A feed ready to be handed out: bytes, the same compressed, and what conditional requests compare.

use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::Arc;

use flate2::{Compression, GzBuilder};
use jiff::{SignedDuration, Timestamp};

use super::{FeedError, Format};

/// One version of one feed in one format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// UTF-8 without a byte order mark.
    pub bytes: Arc<[u8]>,
    /// `bytes` in gzip form, made once.
    pub gzip: Arc<[u8]>,
    /// The `ETag` header's value, quotes included: from the hash of `bytes`, whatever the encoding sent.
    pub etag: String,
    /// In whole seconds, as the `Last-Modified` header has it.
    pub last_modified: Timestamp,
    /// The `Content-Type` header's value.
    pub content_type: &'static str,
}

impl Document {
    /// Compresses and hashes `text`. `last_modified` is in whole seconds.
    pub(super) fn new(
        format: Format,
        text: String,
        last_modified: Timestamp,
    ) -> Result<Self, FeedError> {
        let bytes = text.into_bytes();
        Ok(Self {
            gzip: gzip(&bytes).map_err(FeedError::Compress)?.into(),
            etag: etag(&bytes),
            bytes: bytes.into(),
            last_modified,
            content_type: format.content_type(),
        })
    }

    /// This document as the one that takes the place of `previous` at the same URL.
    ///
    /// A reader that sends only If-Modified-Since must see every change, so with other bytes the time grows,
    /// by a second at least: two changes within a second, a deleted post and an edit without a new date
    /// would all hide otherwise. With the same bytes the time stays what readers were told.
    #[must_use]
    pub fn succeeding(mut self, previous: &Self) -> Self {
        if self.bytes == previous.bytes {
            self.last_modified = previous.last_modified;
        } else if self.last_modified <= previous.last_modified {
            let next = previous.last_modified.saturating_add(SignedDuration::from_secs(1));
            self.last_modified = next.unwrap_or(Timestamp::MAX);
        }
        self
    }
}

/// Half of a SHA-256, in quotes.
fn etag(bytes: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    let mut tag = String::with_capacity(34);
    tag.push('"');
    for byte in &digest.as_ref()[..16] {
        write!(tag, "{byte:02x}").expect("a string takes every character");
    }
    tag.push('"');
    tag
}

/// The header has no time and no name in it: equal bytes compress to equal bytes.
fn gzip(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder =
        GzBuilder::new().mtime(0).write(Vec::with_capacity(bytes.len() / 3), Compression::best());
    encoder.write_all(bytes)?;
    encoder.finish()
}

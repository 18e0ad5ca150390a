//! A document ready to be handed out: bytes, the same compressed, and what conditional requests compare.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use jiff::Timestamp;

use super::Format;
use super::coding::{Coding, Forms};
use super::delta::{self, Piece};
use super::read::{self, ReadError, ReadFeed};
use super::text;
use crate::domain::{EntryHash, FeedVersion, ServedFeed, a_second_after, hex};

/// Deltas of one document that are kept. Most readers have the version before this one.
const DELTAS: usize = 8;

/// One version of one feed in one format.
#[derive(Clone, Debug)]
pub struct Document {
    /// UTF-8 without a byte order mark.
    pub bytes: Arc<[u8]>,
    /// The `ETag` header's value, quotes included: from the hash of `bytes`, whatever the encoding sent.
    pub etag: String,
    /// In whole seconds, as the `Last-Modified` header has it.
    pub last_modified: Timestamp,
    /// The `Content-Type` header's value.
    pub content_type: &'static str,
    /// What was served at the same URL before, oldest first, and last this version itself. Empty until somebody has looked.
    pub versions: Arc<[FeedVersion]>,
    /// Whether the database knows this version, so that others and a later start give it the same time.
    pub is_noted: bool,
    format: Format,
    made: Arc<Made>,
}

/// What is made of a document when it is first asked for.
#[derive(Debug, Default)]
struct Made {
    forms: Forms,
    pieces: OnceLock<Vec<Piece>>,
    deltas: Mutex<BTreeMap<String, Arc<Document>>>,
    read: OnceLock<Result<ReadFeed, ReadError>>,
}

impl Document {
    /// Hashes `text`. `last_modified` is in whole seconds.
    pub(super) fn new(format: Format, text: String, last_modified: Timestamp) -> Self {
        let bytes = text.into_bytes();
        Self {
            etag: etag(&bytes),
            bytes: bytes.into(),
            last_modified,
            content_type: format.content_type(),
            versions: Arc::default(),
            is_noted: false,
            format,
            made: Arc::default(),
        }
    }

    /// What was served before a restart: `packed` is its form in zstd, `size` what that unpacks to. None: it is something else.
    pub fn restored(
        format: Format,
        packed: &[u8],
        size: usize,
        last_modified: Timestamp,
    ) -> Option<Self> {
        let bytes = zstd::bulk::decompress(packed, size).ok()?;
        Some(Self::new(format, String::from_utf8(bytes).ok()?, last_modified))
    }

    /// What a reader makes of it.
    pub fn read(&self) -> Result<&ReadFeed, &ReadError> {
        self.made.read.get_or_init(|| read::read(&self.bytes, None)).as_ref()
    }

    /// Whether there is nothing in it that its format forbids and no parser minds.
    pub(super) fn is_legal(&self) -> bool {
        self.format == Format::Json || std::str::from_utf8(&self.bytes).is_ok_and(text::is_clean)
    }

    pub(super) fn of_type(self, content_type: &'static str) -> Self {
        Self { content_type, ..self }
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
            self.last_modified = a_second_after(previous.last_modified);
        }
        self
    }

    /// What is served instead of `before`: that itself, if the bytes are the same.
    pub fn in_place_of(self, before: Option<&Arc<Self>>) -> Arc<Self> {
        match before {
            Some(before) if before.etag == self.etag => Arc::clone(before),
            Some(before) => Arc::new(self.succeeding(before)),
            None => Arc::new(self),
        }
    }

    /// The bytes in another form, made once. Takes a while the first time: ask [`Document::is_made`] where that matters.
    pub fn encoded(&self, coding: Coding) -> Option<Arc<[u8]>> {
        self.made.forms.get(coding, &self.bytes)
    }

    /// Whether [`Document::encoded`] has nothing left to do.
    pub fn is_made(&self, coding: Coding) -> bool {
        self.made.forms.is_made(coding)
    }

    /// Whether it has entries: what people subscribe to.
    pub fn is_feed(&self) -> bool {
        !self.pieces().is_empty()
    }

    /// What the versions after this one need to know of it.
    pub fn served(&self) -> ServedFeed {
        ServedFeed {
            etag: self.etag.clone(),
            last_modified: self.last_modified,
            entries: self.pieces().iter().map(|piece| piece.hash).collect(),
        }
    }

    /// The same bytes with the time and the history that all nodes have agreed on.
    #[must_use]
    pub fn noted(&self, last_modified: Timestamp, versions: Vec<FeedVersion>) -> Self {
        Self { last_modified, versions: versions.into(), is_noted: true, ..self.clone() }
    }

    /// The same with the history of `previous`, which it takes the place of: what one node knows by itself.
    #[must_use]
    pub fn with_history_of(&self, previous: Option<&Self>) -> Self {
        let mut versions = previous.map_or_else(Vec::new, |it| it.versions.to_vec());
        if let Some((_, version)) = self.served().after(previous.map(Self::served).as_ref()) {
            versions.push(version);
        }
        Self { versions: versions.into(), ..self.clone() }
    }

    /// This document with only the entries that are new or changed since the version `etag`, quotes included. None: that
    /// version is unknown, or all entries are new.
    ///
    /// An entry that came, went and came back counts as new: telling a reader twice loses nothing.
    pub fn since(&self, etag: &str) -> Option<Arc<Self>> {
        let (_, earlier) = self.versions.split_last()?;
        let had = earlier.iter().rposition(|version| version.etag == etag)?;
        let mut deltas = self.made.deltas.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(delta) = deltas.get(etag) {
            return Some(Arc::clone(delta));
        }
        let wanted = self.versions[had + 1..].iter().flat_map(|it| it.added.iter().copied());
        let wanted: HashSet<EntryHash> = wanted.collect();
        let bytes = delta::cut(self.format, &self.bytes, self.pieces(), &wanted)?;
        let delta = Arc::new(Self {
            bytes: bytes.into(),
            versions: Arc::default(),
            made: Arc::default(),
            ..self.clone()
        });
        if deltas.len() >= DELTAS {
            deltas.clear();
        }
        deltas.insert(etag.to_owned(), Arc::clone(&delta));
        Some(delta)
    }

    fn pieces(&self) -> &[Piece] {
        self.made.pieces.get_or_init(|| delta::pieces(self.format, &self.bytes))
    }
}

/// Equal tags are equal bytes.
impl PartialEq for Document {
    fn eq(&self, other: &Self) -> bool {
        self.etag == other.etag
            && self.last_modified == other.last_modified
            && self.content_type == other.content_type
    }
}

impl Eq for Document {}

/// The value of an `ETag` header: half of a SHA-256, in quotes.
pub fn etag(bytes: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    format!("\"{}\"", hex(&digest.as_ref()[..16]))
}

//! What of a feed is served, from one version to the next: what readers are told of its last change, and what they lack.
//!
//! Pure. A feed is a path here, and an entry the hash of its bytes.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};

/// What tells an entry's bytes from all others: part of a SHA-256.
pub type EntryHash = u64;

/// What is served at a path, or is about to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServedFeed {
    /// The `ETag` of the plain bytes, quotes included.
    pub etag: String,
    /// In whole seconds.
    pub last_modified: Timestamp,
    pub entries: Vec<EntryHash>,
}

/// A version, as the versions after it remember it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedVersion {
    pub etag: String,
    /// The entries that it has and the version before it had not.
    pub added: Vec<EntryHash>,
}

impl ServedFeed {
    /// This as what takes the place of `before` at the same path, with a later time. None: it is what is served already.
    ///
    /// What was served some time ago counts as new when it comes back: who has the version in between must notice.
    pub fn after(&self, before: Option<&Self>) -> Option<(Self, FeedVersion)> {
        let Some(before) = before else {
            let version = FeedVersion { etag: self.etag.clone(), added: self.entries.clone() };
            return Some((self.clone(), version));
        };
        if before.etag == self.etag {
            return None;
        }
        let version = FeedVersion { etag: self.etag.clone(), added: self.added_to(before) };
        let earliest = a_second_after(before.last_modified);
        let last_modified = self.last_modified.max(earliest);
        Some((Self { last_modified, ..self.clone() }, version))
    }

    fn added_to(&self, before: &Self) -> Vec<EntryHash> {
        let before: HashSet<EntryHash> = before.entries.iter().copied().collect();
        self.entries.iter().copied().filter(|hash| !before.contains(hash)).collect()
    }
}

/// The first time that a reader with a copy of `at` sees as a later one: headers have whole seconds.
pub fn a_second_after(at: Timestamp) -> Timestamp {
    at.saturating_add(SignedDuration::from_secs(1)).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn served(etag: &str, second: i64, entries: &[EntryHash]) -> ServedFeed {
        let last_modified = Timestamp::from_second(second).unwrap();
        ServedFeed { etag: etag.to_owned(), last_modified, entries: entries.to_vec() }
    }

    /// Statement 35.
    #[test]
    fn every_change_has_a_later_time_than_the_one_before() {
        let first = served("a", 100, &[1, 2]);
        let (head, version) = first.after(None).unwrap();
        assert_eq!((head.last_modified, version.added), (first.last_modified, vec![1, 2]));
        assert_eq!(served("a", 500, &[1, 2]).after(Some(&head)), None);
        for (candidate, expected) in [(50, 101), (100, 101), (101, 101), (200, 200)] {
            let (head, version) = served("b", candidate, &[2, 3]).after(Some(&head)).unwrap();
            assert_eq!(head.last_modified.as_second(), expected);
            assert_eq!(version, FeedVersion { etag: "b".to_owned(), added: vec![3] });
        }
    }
}

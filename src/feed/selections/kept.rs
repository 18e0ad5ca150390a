//! Documents that were asked for, as long as there is room for them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Selection, Wanted};
use crate::feed::Document;

/// Bytes that all of them may have, compressed forms included.
const ROOM: usize = 24 << 20;

/// The documents asked for last.
#[derive(Debug, Default)]
pub(super) struct Kept {
    entries: Mutex<Entries>,
    /// Held while one is made: who asks for the same meanwhile gets that.
    making: Mutex<()>,
}

#[derive(Debug, Default)]
struct Entries {
    by_wanted: HashMap<Wanted, Entry>,
    bytes: usize,
    asked: u64,
}

#[derive(Debug)]
struct Entry {
    made_of: Arc<Selection>,
    document: Arc<Document>,
    /// When it was last asked for, counted in questions.
    asked: u64,
}

impl Kept {
    /// The last one made, and what of.
    pub(super) fn get(&self, wanted: &Wanted) -> Option<(Arc<Selection>, Arc<Document>)> {
        let mut entries = held(&self.entries);
        entries.asked += 1;
        let asked = entries.asked;
        let entry = entries.by_wanted.get_mut(wanted)?;
        entry.asked = asked;
        Some((Arc::clone(&entry.made_of), Arc::clone(&entry.document)))
    }

    pub(super) fn put(&self, wanted: Wanted, made_of: Arc<Selection>, document: Arc<Document>) {
        let mut entries = held(&self.entries);
        let asked = entries.asked;
        entries.bytes += weight(&document);
        if let Some(old) = entries.by_wanted.insert(wanted, Entry { made_of, document, asked }) {
            entries.bytes -= weight(&old.document);
        }
        while entries.bytes > ROOM && entries.by_wanted.len() > 1 {
            let oldest = entries.by_wanted.iter().min_by_key(|(_, entry)| entry.asked);
            let Some(oldest) = oldest.map(|(wanted, _)| wanted.clone()) else { return };
            if let Some(old) = entries.by_wanted.remove(&oldest) {
                entries.bytes -= weight(&old.document);
            }
        }
    }

    pub(super) fn one_at_a_time(&self) -> MutexGuard<'_, ()> {
        held(&self.making)
    }
}

/// With its compressed forms, which are made when somebody asks.
fn weight(document: &Document) -> usize {
    2 * document.bytes.len()
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

//! Documents that were asked for, as long as there is room for them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Selection, Wanted};
use crate::feed::{Document, LastAsked};

/// Bytes that all of them may have, compressed forms included.
const ROOM: usize = 24 << 20;

/// A document, and what it was made of.
type Made = (Arc<Selection>, Arc<Document>);

/// The documents asked for last.
#[derive(Debug)]
pub(super) struct Kept {
    documents: Mutex<LastAsked<Wanted, Made>>,
    /// Held while one is made: who asks for the same meanwhile gets that.
    making: Mutex<()>,
}

impl Default for Kept {
    fn default() -> Self {
        Self { documents: Mutex::new(LastAsked::new(ROOM)), making: Mutex::default() }
    }
}

impl Kept {
    /// The last one made.
    pub(super) fn get(&self, wanted: &Wanted) -> Option<Made> {
        held(&self.documents).get(wanted).cloned()
    }

    pub(super) fn put(&self, wanted: Wanted, made_of: Arc<Selection>, document: Arc<Document>) {
        // With its compressed forms, which are made when somebody asks.
        let weight = 2 * document.bytes.len();
        held(&self.documents).put(wanted, (made_of, document), weight);
    }

    pub(super) fn one_at_a_time(&self) -> MutexGuard<'_, ()> {
        held(&self.making)
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

//! What was asked for last, as long as there is room for it.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;

/// Values by what they were asked for. Where they get heavier than there is room those go that nobody asked for longest;
/// the last one stays, however heavy it is.
#[derive(Debug)]
pub struct LastAsked<K, V> {
    by_key: HashMap<K, Entry<V>>,
    room: usize,
    weight: usize,
    /// Questions so far.
    asked: u64,
}

#[derive(Debug)]
struct Entry<V> {
    value: V,
    weight: usize,
    /// The last question for it.
    asked: u64,
}

impl<K: Clone + Eq + Hash, V> LastAsked<K, V> {
    pub fn new(room: usize) -> Self {
        Self { by_key: HashMap::new(), room, weight: 0, asked: 0 }
    }

    pub fn get<Q: Eq + Hash + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        self.asked += 1;
        let entry = self.by_key.get_mut(key)?;
        entry.asked = self.asked;
        Some(&mut entry.value)
    }

    pub fn put(&mut self, key: K, value: V, weight: usize) {
        self.weight += weight;
        let entry = Entry { value, weight, asked: self.asked };
        if let Some(old) = self.by_key.insert(key, entry) {
            self.weight -= old.weight;
        }
        while self.weight > self.room && self.by_key.len() > 1 {
            let oldest = self.by_key.iter().min_by_key(|(_, entry)| entry.asked);
            let Some(oldest) = oldest.map(|(key, _)| key.clone()) else { return };
            if let Some(old) = self.by_key.remove(&oldest) {
                self.weight -= old.weight;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_go_that_nobody_asked_for_longest_and_the_last_one_stays() {
        let mut last = LastAsked::new(10);
        for key in ["a", "b", "c"] {
            assert!(last.get(key).is_none());
            last.put(key, key, 3);
        }
        assert!(last.get("a").is_some());
        assert!(last.get("d").is_none());
        last.put("d", "d", 3);
        let kept = ["a", "b", "c", "d"].map(|key| last.get(key).is_some());
        assert_eq!(kept, [true, false, true, true]);
        last.put("a", "again", 3);
        assert_eq!(last.weight, 9, "the one before counts no more");
        assert!(last.get("e").is_none());
        last.put("e", "e", 100);
        assert_eq!(last.by_key.keys().copied().collect::<Vec<_>>(), ["e"]);
    }
}

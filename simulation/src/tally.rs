//! Counts by name.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

/// Counts that many write. Cheap to clone; clones are the same counts.
#[derive(Clone, Debug)]
pub struct Tally<K>(Arc<Mutex<BTreeMap<K, u64>>>);

impl<K: Ord + Copy> Default for Tally<K> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K: Ord + Copy> Tally<K> {
    /// One more of these.
    pub fn count(&self, what: K) {
        self.add(what, 1);
    }

    /// So many more of these.
    pub fn add(&self, what: K, times: u64) {
        if times > 0 {
            *self.0.lock().entry(what).or_default() += times;
        }
    }

    /// How many there are.
    pub fn of(&self, what: K) -> u64 {
        self.0.lock().get(&what).copied().unwrap_or(0)
    }

    /// Adds another's counts.
    pub fn merge(&self, other: &Self) {
        let counts = other.0.lock().clone();
        for (what, times) in counts {
            self.add(what, times);
        }
    }
}

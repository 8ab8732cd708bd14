//! Stripes: further places for a contended cell's units, one cache line each, so that takers on different cores do
//! not fight over one. Few products are ever hot, so a cell only keeps a number into this table.

use crate::sync::{AtomicI64, AtomicU32, CachePadded, OnceLock, Ordering};

/// Products that may be striped, at most: bounds the memory (8 stripes of 128 bytes each: 4 MiB in all).
/// Later ones stay plain, which is slower under contention and nothing else.
pub(super) const PRODUCTS_STRIPED_MAX: usize = 4_096;
/// Stripes of one cell, at most.
const STRIPES_MAX: usize = 8;

/// One cell's stripes; a power of two of them.
pub(super) type Stripes = [CachePadded<AtomicI64>];

/// All stripes of all striped cells. Append-only.
#[derive(Debug)]
pub(super) struct StripeTable {
    sets: Box<[OnceLock<Box<Stripes>>]>,
    used: AtomicU32,
    stripes: usize,
}

impl StripeTable {
    /// A table for `products_max` products with as many stripes as suit `cores`.
    pub(super) fn new(cores: usize, products_max: usize) -> Self {
        Self {
            sets: (0..products_max).map(|_| OnceLock::new()).collect(),
            used: AtomicU32::new(0),
            stripes: cores.next_power_of_two().clamp(1, STRIPES_MAX),
        }
    }

    /// Whether striping helps at all, and there is room for one more.
    pub(super) fn has_room(&self) -> bool {
        self.stripes > 1 && self.used() < self.sets.len()
    }

    /// How many products are striped.
    pub(super) fn used(&self) -> usize {
        (self.used.load(Ordering::Relaxed) as usize).min(self.sets.len())
    }

    /// A new set of empty stripes; `None` when the table is full. The caller publishes the number (Release).
    #[must_use]
    pub(super) fn add(&self) -> Option<u32> {
        if !self.has_room() {
            return None;
        }
        // Ordering: Relaxed; each number is given out once, and the set behind it is handed over by its OnceLock.
        let number = self.used.fetch_add(1, Ordering::Relaxed);
        let empty = (0..self.stripes).map(|_| CachePadded::new(AtomicI64::new(0)));
        self.sets.get(number as usize)?.set(empty.collect()).ok()?;
        Some(number)
    }

    /// The stripes with this number.
    pub(super) fn get(&self, number: u32) -> Option<&Stripes> {
        self.sets.get(number as usize)?.get().map(AsRef::as_ref)
    }
}

/// The stripe that a thread uses.
pub(super) fn own(stripes: &Stripes, thread: usize) -> Option<&AtomicI64> {
    stripes.get(thread & stripes.len().wrapping_sub(1)).map(|stripe| &**stripe)
}

//! Where the cells lie: chunks that are added and never moved or removed, so that a slot number found once is good for
//! ever and a take copies no reference count. The first chunks are small, so that a small shop stays small; later ones
//! have one size, so that at most one of them is partly idle.

use super::cell::Cell;
use crate::sync::{AtomicU32, OnceLock, Ordering};

/// Cells in the first chunk, as a power of two.
const FIRST_BITS: u32 = 10;
/// Cells in a full-sized chunk, as a power of two: 3 MiB of them.
const FULL_BITS: u32 = 16;
/// Chunks smaller than full size: 1 Ki, then 1 Ki, 2 Ki, … 32 Ki.
const SMALL_CHUNKS: u32 = FULL_BITS - FIRST_BITS + 1;
const CHUNKS_MAX: u32 = 4_096;
/// Products in memory, at most (12 GiB of cells). One more is not loaded and stays unknown.
pub(super) const PRODUCTS_LOADED_MAX: u32 = (CHUNKS_MAX - SMALL_CHUNKS + 1) << FULL_BITS;

#[derive(Debug)]
pub(super) struct Arena {
    chunks: Box<[OnceLock<Box<[Cell]>>]>,
    used: AtomicU32,
}

impl Arena {
    pub(super) fn new() -> Self {
        Self { chunks: (0..CHUNKS_MAX).map(|_| OnceLock::new()).collect(), used: AtomicU32::new(0) }
    }

    /// How many cells are in use.
    pub(super) fn used(&self) -> u32 {
        self.used.load(Ordering::Relaxed).min(PRODUCTS_LOADED_MAX)
    }

    /// A fresh cell and its slot; `None` when the arena is full.
    #[must_use]
    pub(super) fn add(&self) -> Option<(u32, &Cell)> {
        // Ordering: Relaxed; each slot is given out once, and its cell is handed over by the map that names the slot.
        let slot = self
            .used
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
                (used < PRODUCTS_LOADED_MAX).then_some(used + 1)
            })
            .ok()?;
        let place = locate(slot);
        let chunk = self.chunks.get(place.chunk)?;
        let cells = chunk.get_or_init(|| (0..place.chunk_cells).map(|_| Cell::default()).collect());
        Some((slot, cells.get(place.offset)?))
    }

    /// The cell in a slot that [`Arena::add`] gave out.
    pub(super) fn get(&self, slot: u32) -> Option<&Cell> {
        let place = locate(slot);
        self.chunks.get(place.chunk)?.get()?.get(place.offset)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Place {
    chunk: usize,
    offset: usize,
    chunk_cells: usize,
}

/// Which chunk a slot is in, and where.
fn locate(slot: u32) -> Place {
    if slot >> FULL_BITS != 0 {
        let chunk = SMALL_CHUNKS - 1 + (slot >> FULL_BITS);
        let offset = slot & ((1 << FULL_BITS) - 1);
        return Place { chunk: chunk as usize, offset: offset as usize, chunk_cells: 1 << FULL_BITS };
    }
    // Chunk 0 holds the first 1 Ki; chunk k > 0 holds as many as all before it together.
    let doublings = u32::BITS - (slot >> FIRST_BITS).leading_zeros();
    let start = if doublings == 0 { 0 } else { 1 << (FIRST_BITS + doublings - 1) };
    let chunk_cells = 1_usize << (FIRST_BITS + doublings.saturating_sub(1));
    Place { chunk: doublings as usize, offset: (slot - start) as usize, chunk_cells }
}

#[cfg(test)]
#[cfg(not(inventory_loom))]
mod tests {
    use super::*;

    #[test]
    fn slots_fill_every_chunk_from_its_first_cell_to_its_last() {
        let mut last = locate(0);
        assert_eq!(last, Place { chunk: 0, offset: 0, chunk_cells: 1 << FIRST_BITS });
        for slot in 1..(5 << FULL_BITS) {
            let place = locate(slot);
            if place.chunk == last.chunk {
                assert_eq!(place, Place { offset: last.offset + 1, ..last });
            } else {
                assert_eq!(last.offset + 1, last.chunk_cells, "slot {slot} left a hole");
                assert_eq!((place.chunk, place.offset), (last.chunk + 1, 0));
            }
            last = place;
        }
        assert_eq!(locate(PRODUCTS_LOADED_MAX - 1).chunk, CHUNKS_MAX as usize - 1);
    }

    #[test]
    fn a_slot_names_the_same_cell_for_ever() {
        let arena = Arena::new();
        let given: Vec<_> = (0..3_000).map(|_| arena.add().unwrap()).collect();
        for (at, (slot, cell)) in given.iter().enumerate() {
            assert_eq!(*slot as usize, at);
            assert!(std::ptr::eq(*cell, arena.get(*slot).unwrap()));
        }
        assert_eq!(arena.used(), 3_000);
        assert!(arena.get(PRODUCTS_LOADED_MAX).is_none());
    }
}

//! A place where free units lie: one signed number. Every change is a read-modify-write, so no unit is ever seen by
//! two takers; what the orderings add is said at each transition.

use crate::sync::{AtomicI64, Ordering};

/// Takes `units` or nothing. Adds to `losses` how often another thread was faster.
///
/// Ordering: Acquire, partner [`raise`]: who takes a unit sees all that its former owner did before raising it.
#[must_use = "taken units must be settled or given back"]
pub(super) fn take_exactly(place: &AtomicI64, units: i64, losses: &mut u32) -> bool {
    let mut seen = place.load(Ordering::Relaxed);
    while seen >= units {
        match place.compare_exchange_weak(seen, seen - units, Ordering::Acquire, Ordering::Relaxed) {
            Ok(_) => return true,
            Err(now) => {
                *losses = losses.saturating_add(1);
                seen = now;
            }
        }
    }
    false
}

/// Takes as many as there are, up to `most`; returns how many. Only under the cell's ledger lock.
///
/// Ordering: Relaxed. The units' former owner raised them under the same lock, which hands over what he did.
#[must_use = "taken units must go somewhere"]
pub(super) fn take_up_to(place: &AtomicI64, most: i64) -> i64 {
    let mut seen = place.load(Ordering::Relaxed);
    loop {
        let units = seen.min(most);
        if units <= 0 {
            return 0;
        }
        match place.compare_exchange_weak(seen, seen - units, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => return units,
            Err(now) => seen = now,
        }
    }
}

/// Adds units that anyone may take from now on. Only under the cell's ledger lock.
///
/// Ordering: Release, partner [`take_exactly`]. One step, not a loop: it cannot lose a race, and loom sees all of them.
pub(super) fn raise(place: &AtomicI64, units: i64) {
    place.fetch_add(units, Ordering::Release);
}

/// Takes units away whether they are there or not; returns what is left, perhaps less than nothing.
///
/// Ordering: Relaxed. Takers see it because they change the same number; nothing else is handed over.
#[must_use = "a place below zero must be filled from the stripes"]
pub(super) fn lower(place: &AtomicI64, units: i64) -> i64 {
    place.fetch_sub(units, Ordering::Relaxed).wrapping_sub(units)
}

//! What the writer and the readers of the store tell the counters.

use dashmap::Entry;

use super::Counters;
use super::base::{Base, counted};
use crate::ids::ProductId;
use crate::quantity::Units;

/// What a batch lowered ahead of its COMMIT, one product: raised again if the batch definitely fails.
#[must_use = "a lowering must be settled or undone"]
#[derive(Debug, PartialEq, Eq)]
pub struct Lowered {
    /// Which product.
    pub product: ProductId,
    /// By how much (not negative).
    pub by: Units,
}

impl Counters {
    /// Loads a product, or tells a loaded one what the database has (ignored if older than what is known). May raise:
    /// wake who waits for it.
    pub fn observe(&self, product: ProductId, base: Base) {
        self.settle(product, Units::ZERO, None, base);
    }

    /// Before COMMIT: lowers what is left by what the batch takes beyond its `Taken`s. Observe the locked row first:
    /// a product that is not loaded is not lowered, and the answer says so (`by` is zero).
    pub fn lower(&self, product: ProductId, by: Units) -> Lowered {
        let by = counted(by).max(Units::ZERO);
        match self.cell(product) {
            Some(cell) => {
                cell.lower(by, &self.table);
                Lowered { product, by }
            }
            None => Lowered { product, by: Units::ZERO },
        }
    }

    /// After a definite failure: undoes a lowering.
    pub fn undo(&self, lowered: Lowered) {
        if let Some(cell) = self.cell(lowered.product) {
            cell.give_back(lowered.by);
        }
    }

    /// After COMMIT, once per product of the batch: `taken` is the sum of the batch's takes on it (they leave
    /// in-flight now), `lowered` what was lowered ahead of it, `base` what the product is now. A base that is not newer
    /// than the known one is ignored; taken and lowered leave all the same. Loads a product that is not loaded.
    pub fn settle(&self, product: ProductId, taken: Units, lowered: Option<Lowered>, base: Base) {
        let leaving = taken + lowered.map_or(Units::ZERO, |lowered| lowered.by);
        if let Some(cell) = self.cell(product) {
            return cell.settle(leaving, base, &self.table);
        }
        match self.slots.entry(product) {
            // Someone loaded it since we looked.
            Entry::Occupied(found) => {
                let slot = *found.get();
                drop(found);
                if let Some(cell) = self.arena.get(slot) {
                    cell.settle(leaving, base, &self.table);
                }
            }
            // The cell has its base before anyone can find it. What was taken was taken of loaded products only, so
            // nothing leaves flight here.
            Entry::Vacant(vacant) => {
                if let Some((slot, cell)) = self.arena.add() {
                    cell.load(base);
                    vacant.insert(slot);
                }
            }
        }
    }
}

//! Sharded in-memory counters. Skeleton: signatures first.

use crate::ids::ProductId;
use crate::lines::Lines;
use crate::quantity::{Quantity, Units};

/// What the database had, as a read or a commit of ours told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Base {
    /// on hand − held.
    pub available: Units,
    /// The product's version at that moment.
    pub version: u64,
    /// Which timeline the version belongs to: raised when the connection was lost (failover).
    pub epoch: u32,
    /// Whether the product has a per-customer limit (then a refusal must ask the rules first).
    pub limited: bool,
}

/// Proof that every line of an order was taken; must come back by `settle` or `give_back`.
#[must_use = "taken stock must be settled or given back"]
#[derive(Debug, PartialEq, Eq)]
pub struct Taken(());

/// The answer to [`Counters::take`].
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub enum Take {
    /// All lines were taken.
    Taken(Taken),
    /// `base` itself is too small: every short line, with its base.
    Short(Vec<ShortLine>),
    /// Only takes in flight stand in the way: wait for the next settle.
    Contended,
    /// These products are not loaded.
    Unknown(Vec<ProductId>),
}

/// One line that `base` cannot serve.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ShortLine {
    /// Which product.
    pub product: ProductId,
    /// How many were asked for.
    pub requested: Quantity,
    /// What the database had.
    pub available: Units,
    /// See [`Base::limited`].
    pub limited: bool,
}

/// What a batch lowered ahead of its COMMIT, one product: raised again if the batch definitely fails.
#[must_use = "a lowering must be settled or undone"]
#[derive(Debug, PartialEq, Eq)]
pub struct Lowered {
    /// Which product.
    pub product: ProductId,
    /// By how much (not negative).
    pub by: Units,
}

/// All products' counters.
#[derive(Debug, Default)]
pub struct Counters {}

impl Counters {
    /// Empty.
    pub fn new() -> Self {
        Self::default()
    }

    /// Loads a product, or tells a loaded one what the database has (ignored if older than what is known).
    pub fn observe(&self, _product: ProductId, _base: Base) {}

    /// Takes all lines or none. Synchronous, no lock on the way to yes.
    pub fn take(&self, _lines: &Lines) -> Take {
        Take::Contended
    }

    /// Raises what was taken: it never reached the store, or definitely failed there.
    pub fn give_back(&self, _lines: &Lines, _taken: Taken) {}

    /// Before COMMIT: lowers what is left by what the batch takes beyond its `Taken`s.
    pub fn lower(&self, product: ProductId, by: Units) -> Lowered {
        Lowered { product, by }
    }

    /// After a definite failure: undoes a lowering.
    pub fn undo(&self, _lowered: Lowered) {}

    /// After COMMIT, once per product of the batch: `taken` is the sum of the batch's takes on it (they leave
    /// in-flight now), `lowered` what was lowered ahead, `base` what the product is now.
    pub fn settle(&self, _product: ProductId, _taken: Units, _lowered: Option<Lowered>, _base: Base) {}

    /// Whether the product is loaded and has a per-customer limit.
    pub fn is_limited(&self, _product: ProductId) -> bool {
        false
    }

    /// Products in memory.
    pub fn products_loaded(&self) -> usize {
        0
    }

    /// Products whose counter is striped.
    pub fn products_striped(&self) -> usize {
        0
    }

    /// The present epoch.
    pub fn epoch(&self) -> u32 {
        0
    }

    /// A new timeline: versions of older epochs no longer compare.
    pub fn begin_epoch(&self) -> u32 {
        0
    }
}

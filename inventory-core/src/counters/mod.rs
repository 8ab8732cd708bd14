//! What can still be promised, product by product, in memory.
//!
//! # The problem
//! Thousands of buyers ask for one product. Most must hear "sold out" without touching the store, and those who get
//! a unit must get it before the store has been asked, since the store is asked once for a thousand of them.
//!
//! # The numbers
//! A product's **base** is what the store had (on hand − held) at a version. What was taken here and is not durable
//! yet is **in flight**; what a batch has set aside just before its COMMIT is **lowered**. What can be taken is
//!
//! ```text
//! free = base − in flight − lowered
//! ```
//!
//! Only `base` and `free` are kept; the rest is implied, because every transition moves both sides alike:
//!
//! | transition | base | free |
//! | --- | --- | --- |
//! | take `n` | | − n |
//! | give back `n` | | + n |
//! | lower `n` / undo | | − n / + n |
//! | observe `b` | := b if newer | + (b − old base) if newer |
//! | settle `t` taken, `l` lowered, `b` | := b if newer | + t + l, and + (b − old base) if newer |
//!
//! So a base that already contains our own batch is never counted twice: when a read tells it first, free is too low
//! by `t` for a moment (undersell), and settling returns exactly `t`. A settled batch of plain reserves changes `free`
//! by nothing at all. **Down before the store, up only after it**: memory may promise less than the store has.
//!
//! Bases are ordered by (epoch, version). A failover begins a new epoch: the first base of it wins whatever its
//! version, and a cell that still has a base of an older epoch refuses nothing on its strength: it counts as not loaded.
//!
//! # The words no
//! `Short` is final, so it rests on `base` alone, read under the cell's lock: even if all that is in flight came back,
//! the line could not be served. Else the answer is `Contended`: a neighbour's batch may fail, a cart may roll back.
//!
//! # Who may do what, when
//! - A **take** is one compare-and-swap on one place. It needs no lock and may happen at any moment.
//! - Everything else (raising, lowering, moving units between places, judging a refusal) happens under the cell's
//!   ledger lock. Raises come per batch, so the lock is short and seldom wanted.
//! - Hence, under the lock, a place once read can only fall. That one sentence carries the proofs: a sum is an upper
//!   bound, and a gatherer who has emptied every place and still has too little is right to refuse.
//!
//! # Stripes
//! A cell whose takers keep losing races gets stripes: more places, one to a cache line. Units start in the centre;
//! a taker tries its own stripe, and when that has too little takes the lock, gathers from everywhere, and moves a
//! share of the centre to its stripe. Striping itself moves nothing, so a taker who has not heard of it stays right.
//! A lowering that the centre cannot pay is collected from the stripes before the lock is released.
//!
//! # Carts
//! Lines are taken in product order, so of two carts that want the same products one gets them all. A cart looks before
//! it takes; when it loses a race all the same, it gives back what it has, and [`Counters::yields`] counts that: somebody
//! may have been told `Contended` because of it.

mod arena;
mod base;
mod cell;
mod place;
mod settle;
mod stripes;
mod take;

#[cfg(test)]
#[cfg(inventory_loom)]
mod loom_models;
#[cfg(test)]
#[cfg(not(inventory_loom))]
mod tests;

use std::fmt;

use dashmap::DashMap;
use rustc_hash::FxBuildHasher;

use self::arena::Arena;
use self::cell::Cell;
use self::stripes::{PRODUCTS_STRIPED_MAX, StripeTable};
use crate::ids::ProductId;
use crate::quantity::Units;
use crate::sync::{AtomicU32, AtomicU64, Ordering};

pub use self::base::Base;
pub use self::settle::Lowered;
pub use self::take::{ShortLine, Take, Taken};

/// All products' counters. Products are never removed.
pub struct Counters {
    slots: DashMap<ProductId, u32, FxBuildHasher>,
    arena: Arena,
    table: StripeTable,
    epoch: AtomicU32,
    yields: AtomicU64,
}

/// What one counter says at a moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CellView {
    /// What the database had, as far as is known.
    pub base: Base,
    /// `base` − in flight − lowered; an upper bound while takes go on.
    pub free: Units,
    /// Stripes; zero for a plain cell.
    pub stripes: usize,
}

impl Counters {
    /// Empty; stripes hot cells as suits this machine's cores.
    pub fn new() -> Self {
        Self::for_cores(std::thread::available_parallelism().map_or(1, usize::from))
    }

    fn for_cores(cores: usize) -> Self {
        Self {
            slots: DashMap::with_hasher(FxBuildHasher),
            arena: Arena::new(),
            table: StripeTable::new(cores, PRODUCTS_STRIPED_MAX),
            epoch: AtomicU32::new(0),
            yields: AtomicU64::new(0),
        }
    }

    /// The present epoch. Read it *before* the read whose base will carry it.
    ///
    /// Ordering: Acquire, partner [`Counters::begin_epoch`].
    pub fn epoch(&self) -> u32 {
        self.epoch.load(Ordering::Acquire)
    }

    /// A new timeline: versions of older epochs no longer compare, and cells that still have a base of an older epoch
    /// refuse nothing until they are told a new one ([`Take::Unknown`]).
    ///
    /// Ordering: Release, partner [`Counters::epoch`].
    pub fn begin_epoch(&self) -> u32 {
        self.epoch.fetch_add(1, Ordering::Release).wrapping_add(1)
    }

    /// One counter, for statistics, audit and tests. Exact when nothing is being taken.
    pub fn inspect(&self, product: ProductId) -> Option<CellView> {
        self.cell(product).map(|cell| cell.inspect(&self.table))
    }

    /// Whether the product is loaded and has a per-customer limit.
    pub fn is_limited(&self, product: ProductId) -> bool {
        self.cell(product).is_some_and(|cell| cell.base().limited)
    }

    /// How many products are loaded.
    pub fn products_loaded(&self) -> u64 {
        u64::from(self.arena.used())
    }

    /// How many products are striped.
    pub fn products_striped(&self) -> u64 {
        self.table.used() as u64
    }

    /// How often a take of several lines gave lines back because a later one was gone. When a failed take has changed
    /// it, wake those who wait for its products, as after a settle: they may have met nothing but that take.
    pub fn yields(&self) -> u64 {
        // Ordering: Relaxed; whoever made it rise reads its own change.
        self.yields.load(Ordering::Relaxed)
    }

    fn cell(&self, product: ProductId) -> Option<&Cell> {
        // Copied out at once: no lock of the map is held while a cell is worked on.
        let slot = *self.slots.get(&product)?;
        self.arena.get(slot)
    }
}

impl Default for Counters {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Counters")
            .field("epoch", &self.epoch())
            .field("products_loaded", &self.products_loaded())
            .field("products_striped", &self.products_striped())
            .finish_non_exhaustive()
    }
}

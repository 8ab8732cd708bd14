//! What an engine remembers between batches: counters, known orders, deadlines. The writer is the only one who changes it after
//! a batch; admission only takes and gives back.

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::deadlines::Deadlines;
use super::known::KnownOrders;
use super::stats::StatCounters;
use crate::clock::Timestamp;
use crate::counters::{Base, Counters, Lowered};
use crate::ids::{OrderId, ProductId};
use crate::product::Product;
use crate::quantity::Units;
use crate::store::{Effects, IdMap, IdSet, Locked, Sharing};

#[derive(Debug)]
pub(crate) struct Memory {
    pub(crate) counters: Counters,
    /// Only for an exclusive store; a shared one is asked.
    pub(crate) known: Option<KnownOrders>,
    pub(crate) deadlines: Deadlines,
    pub(crate) stats: StatCounters,
    /// Products whose level is to be announced; none where nobody follows levels.
    pub(crate) levels: Option<Mutex<IdSet<ProductId>>>,
    /// Rung after every settle: whoever was stopped only by takes in flight tries again.
    pub(crate) settled: Notify,
}

impl Memory {
    pub(crate) fn new(sharing: Sharing, tells_of_levels: bool) -> Self {
        Self {
            counters: Counters::new(),
            known: (sharing == Sharing::Exclusive).then(KnownOrders::default),
            deadlines: Deadlines::default(),
            stats: StatCounters::default(),
            levels: tells_of_levels.then(Mutex::default),
            settled: Notify::new(),
        }
    }

    /// Whether the store is known to know the order. Always false over a shared store: ask it.
    pub(crate) fn is_known(&self, order: OrderId) -> bool {
        self.known.as_ref().is_some_and(|known| known.contains(order))
    }

    /// What a row says to a counter.
    pub(crate) fn base_of(product: &Product, epoch: u32) -> Base {
        Base {
            available: product.available(),
            version: product.version,
            epoch,
            limited: product.per_customer_limit.is_some(),
        }
    }

    /// Tells the counters what a batch read under lock.
    pub(crate) fn observe_locked(&self, locked: &Locked, epoch: u32) {
        for product in locked.products.values() {
            self.counters.observe(product.id, Self::base_of(product, epoch));
        }
    }

    /// What this batch takes beyond what was taken for it in memory goes down before COMMIT.
    pub(crate) fn lower_ahead(
        &self,
        before: &IdMap<ProductId, Base>,
        effects: &Effects,
        taken: &IdMap<ProductId, Units>,
    ) -> Vec<Lowered> {
        let mut lowered = Vec::new();
        for product in &effects.products {
            let id = product.after.id;
            let Some(base) = before.get(&id) else { continue };
            let beyond =
                base.available - product.after.available() - taken.get(&id).copied().unwrap_or(Units::ZERO);
            if beyond > Units::ZERO {
                lowered.push(self.counters.lower(id, beyond));
            }
        }
        lowered
    }

    /// After COMMIT (or a batch without effect): takes leave in-flight, bases become what was written.
    pub(crate) fn settle(
        &self,
        mut bases: IdMap<ProductId, Base>,
        effects: &Effects,
        epoch: u32,
        mut taken: IdMap<ProductId, Units>,
        lowered: Vec<Lowered>,
    ) {
        for product in &effects.products {
            bases.insert(product.after.id, Self::base_of(&product.after, epoch));
        }
        let mut lowered: IdMap<ProductId, Lowered> = lowered.into_iter().map(|l| (l.product, l)).collect();
        for (product, base) in bases {
            let taken = taken.remove(&product).unwrap_or(Units::ZERO);
            self.counters.settle(product, taken, lowered.remove(&product), base);
        }
        // A failover has taken the product itself back: nothing was locked, and what was taken of it must not stay in flight.
        for (product, units) in taken {
            let gone = Base { available: Units::ZERO, version: 0, epoch, limited: false };
            self.counters.settle(product, units, None, gone);
        }
        debug_assert!(lowered.is_empty(), "a batch lowered what it did not lock");
        self.settled.notify_waiters();
    }

    /// Remembers a committed batch's orders. Before it is settled: whoever is refused on the strength of the new base must find
    /// them known.
    pub(crate) fn remember_orders(&self, effects: &Effects) {
        if let Some(known) = &self.known {
            for reservation in &effects.created {
                known.insert(reservation.order);
            }
        }
    }

    /// Remembers which products a committed batch changed.
    pub(crate) fn remember_levels(&self, effects: &Effects) {
        if let Some(levels) = &self.levels {
            levels.lock().extend(effects.products.iter().map(|product| product.after.id));
        }
    }

    /// Remembers when a committed batch's holds end.
    pub(crate) fn remember_deadlines(&self, now: Timestamp, effects: &Effects) {
        if !effects.created.is_empty() || !effects.changed.is_empty() {
            self.deadlines.apply(now, effects);
        }
    }
}

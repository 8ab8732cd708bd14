//! The tables, as plain maps, and what a batch does to them. Plain data without locks or time: a store of one's own in memory (a
//! simulation, a test double) is built on it.

use std::collections::{BTreeMap, BTreeSet};

use crate::clock::Timestamp;
use crate::event::OutboxRow;
use crate::ids::{AdjustmentId, BatchId, CustomerId, Delivery, OrderId, ProductId};
use crate::journal::JournalEntry;
use crate::product::Product;
use crate::quantity::Units;
use crate::reservation::{Reservation, Status};
use crate::store::audit_rows::Watermarks;
use crate::store::ledger_copy::LedgerCopy;
use crate::store::{Adjustment, Effects, Resolution, StoreError, StoreErrorKind};

/// Everything that was committed. Cloning it is taking a backup.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    pub(crate) products: BTreeMap<ProductId, Product>,
    pub(crate) reservations: BTreeMap<OrderId, Reservation>,
    /// The reservations that are HELD, by when they end. Follows from `reservations`.
    pub(crate) open_holds: BTreeSet<(Timestamp, OrderId)>,
    /// In the order of commits.
    pub(crate) journal: Vec<JournalEntry>,
    /// How each batch ended, and when that was written.
    pub(crate) fences: BTreeMap<BatchId, (Resolution, Timestamp)>,
    pub(crate) adjustments: BTreeMap<AdjustmentId, Adjustment>,
    pub(crate) customer_units: BTreeMap<(CustomerId, ProductId), Units>,
    pub(crate) deliveries: BTreeMap<Delivery, Timestamp>,
    /// Sequence, batch, row, when.
    pub(crate) outbox: Vec<(u64, BatchId, OutboxRow, Timestamp)>,
    /// How far pruning has come: `reservations`, `journal`, `fences`, `deliveries`.
    pub(crate) watermarks: BTreeMap<&'static str, Timestamp>,
}

impl Ledger {
    /// Whether the effects may be applied: every guard, key and CHECK that an SQL store has.
    pub fn check(&self, effects: &Effects) -> Result<(), StoreError> {
        for created in &effects.created {
            if self.reservations.contains_key(&created.order) {
                return conflict(format!("order {} exists", created.order));
            }
        }
        for (before, changed) in &effects.changed {
            if self.reservations.get(&changed.order).map(|r| r.status) != Some(*before) {
                return conflict(format!("order {} is not {}", changed.order, before.name()));
            }
        }
        for effect in &effects.products {
            let after = &effect.after;
            if self.products.get(&after.id).map(|p| p.version) != effect.version_before {
                return conflict(format!("product {} has another version", after.id));
            }
            if !after.is_possible() {
                return refuse(format!("product {} would be oversold", after.id));
            }
        }
        if let Some(known) = effects.adjustments.iter().find(|a| self.adjustments.contains_key(&a.id)) {
            return conflict(format!("adjustment {} exists", known.id));
        }
        if let Some(known) = effects.deliveries.iter().find(|d| self.deliveries.contains_key(*d)) {
            return conflict(format!("delivery {} exists", known.message));
        }
        match effects.customer_units.iter().find(|(_, _, units)| *units < Units::ZERO) {
            Some((customer, ..)) => refuse(format!("customer {customer} would hold less than nothing")),
            None => Ok(()),
        }
    }

    /// Every table, for the audit.
    pub fn into_copy(self) -> LedgerCopy {
        let mut watermarks = Watermarks::default();
        for (name, at) in self.watermarks {
            watermarks.set(name, at);
        }
        LedgerCopy {
            products: self.products.into_values().collect(),
            reservations: self.reservations.into_values().collect(),
            journal: self.journal,
            fences: self.fences.into_iter().map(|(batch, (outcome, at))| (batch, outcome, at)).collect(),
            adjustments: self.adjustments.into_values().collect(),
            customer_units: self
                .customer_units
                .into_iter()
                .map(|((customer, product), units)| (customer, product, units))
                .collect(),
            deliveries: self.deliveries.into_iter().collect(),
            outbox: self
                .outbox
                .into_iter()
                .map(|(_, batch, row, at)| {
                    let digest = row.digest(batch);
                    (batch, row, digest, at)
                })
                .collect(),
            watermarks,
        }
    }

    /// Applies effects that were checked. Cannot fail.
    fn apply(&mut self, effects: Effects) {
        let (batch, at) = (effects.journal.batch, effects.journal.at);
        let changed = effects.changed.into_iter().map(|(_, reservation)| reservation);
        for reservation in effects.created.into_iter().chain(changed) {
            self.put(reservation);
        }
        self.products.extend(effects.products.into_iter().map(|effect| (effect.after.id, effect.after)));
        self.adjustments.extend(effects.adjustments.into_iter().map(|a| (a.id.clone(), a)));
        for (customer, product, units) in effects.customer_units {
            if units == Units::ZERO {
                self.customer_units.remove(&(customer, product));
            } else {
                self.customer_units.insert((customer, product), units);
            }
        }
        self.deliveries.extend(effects.deliveries.into_iter().map(|delivery| (delivery, at)));
        for row in effects.outbox {
            let seq = self.outbox.last().map_or(1, |(last, ..)| last + 1);
            self.outbox.push((seq, batch, row, at));
        }
        self.journal.push(effects.journal);
    }

    fn put(&mut self, reservation: Reservation) {
        let (order, end) = (reservation.order, reservation.expires_at);
        if reservation.status == Status::Held {
            self.open_holds.insert((end, order));
        }
        let was = self.reservations.insert(order, reservation);
        if let Some(was) = was.filter(|was| was.status == Status::Held) {
            let still = self.reservations.get(&order).is_some_and(|is| is.status == Status::Held);
            if !still || was.expires_at != end {
                self.open_holds.remove(&(was.expires_at, order));
            }
        }
    }

    /// COMMIT: the batch's fence and its effects, which were checked, in one step.
    pub fn commit(&mut self, batch: BatchId, effects: Option<Effects>, now: Timestamp) {
        self.fences.insert(batch, (Resolution::Committed, now));
        if let Some(effects) = effects {
            self.apply(effects);
        }
    }

    /// How a batch ended, if that is settled.
    pub fn fence(&self, batch: BatchId) -> Option<Resolution> {
        self.fences.get(&batch).map(|(resolution, _)| *resolution)
    }

    /// How a batch ended; if that was open, it is aborted from now on.
    pub fn abort(&mut self, batch: BatchId, now: Timestamp) -> Resolution {
        self.fences.entry(batch).or_insert((Resolution::Aborted, now)).0
    }
}

fn conflict(message: String) -> Result<(), StoreError> {
    Err(StoreError::new(StoreErrorKind::Conflict, message))
}

fn refuse(message: String) -> Result<(), StoreError> {
    Err(StoreError::new(StoreErrorKind::Data, message))
}

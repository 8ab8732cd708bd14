//! A tiny ledger: feeds `decide` exactly what a store would lock, applies its effects as a store would, with the
//! guards that a store has, and checks the invariants after every batch.

use std::collections::BTreeMap;
use std::time::Duration;

use uuid::Uuid;

use super::super::{Decision, decide};
use crate::clock::Timestamp;
use crate::command::Command;
use crate::event::{EventEncoder, Fact, OutboxRow};
use crate::ids::{AdjustmentId, BatchId, CustomerId, Delivery, OrderId, ProductId};
use crate::journal::JournalEntry;
use crate::outcome::Outcome;
use crate::product::{Alert, Product};
use crate::quantity::Units;
use crate::reservation::{Reservation, Status};
use crate::store::{Adjustment, Effects, Footprint, IdSet, Locked};

#[derive(Clone)]
pub(super) struct Ledger {
    pub(super) now: Timestamp,
    pub(super) products: BTreeMap<ProductId, Product>,
    pub(super) reservations: BTreeMap<OrderId, Reservation>,
    pub(super) customer_units: BTreeMap<(CustomerId, ProductId), Units>,
    pub(super) journal: Vec<JournalEntry>,
    pub(super) outbox: Vec<OutboxRow>,
    adjustments: BTreeMap<AdjustmentId, Adjustment>,
    delivered: IdSet<Delivery>,
    batches: u128,
}

/// Writes facts as text, so that tests can read them.
pub(super) struct PlainEvents;

impl EventEncoder for PlainEvents {
    fn encode(&self, fact: &Fact, _at: Timestamp) -> Option<OutboxRow> {
        let (event_type, aggregate_id) = match fact {
            Fact::StockLow(p) => ("low", p.id.to_string()),
            Fact::StockDepleted(p) => ("depleted", p.id.to_string()),
            Fact::StockLevel(p) => ("level", format!("{}={}", p.id, p.available())),
            Fact::ReservationExpired(r) => ("expired", r.order.get().as_u128().to_string()),
            Fact::CommitFailed(r) => ("commit failed", r.order.get().as_u128().to_string()),
            Fact::Reserved(r) => ("reserved", r.order.get().as_u128().to_string()),
            Fact::Committed(r) => ("committed", r.order.get().as_u128().to_string()),
            Fact::Tombstoned(r, _) => ("tombstoned", r.order.get().as_u128().to_string()),
        };
        Some(OutboxRow {
            id: Uuid::nil(),
            topic: String::new(),
            aggregate_type: String::new(),
            aggregate_id,
            aggregate_version: 0,
            event_type: event_type.to_owned(),
            payload: Vec::new(),
            headers: Vec::new(),
        })
    }
}

impl Ledger {
    pub(super) fn new() -> Self {
        Self {
            now: Timestamp::from_micros(1_000_000_000),
            products: BTreeMap::new(),
            reservations: BTreeMap::new(),
            customer_units: BTreeMap::new(),
            journal: Vec::new(),
            outbox: Vec::new(),
            adjustments: BTreeMap::new(),
            delivered: IdSet::default(),
            batches: 0,
        }
    }

    /// With these products: (id, on hand).
    pub(super) fn stocked(products: &[(i64, i64)]) -> Self {
        let mut ledger = Self::new();
        for (id, on_hand) in products {
            ledger.run(&[super::set(*id, *on_hand)]);
        }
        ledger.outbox.clear();
        ledger
    }

    pub(super) fn pass(&mut self, time: Duration) {
        self.now = self.now.plus(time);
    }

    /// One batch, as the writer runs it: decided, applied, checked.
    pub(super) fn run(&mut self, commands: &[Command]) -> Vec<Outcome> {
        let decision = self.decide(commands);
        self.apply(decision.effects);
        self.check_invariants();
        decision.outcomes
    }

    /// One batch of one command.
    pub(super) fn one(&mut self, command: Command) -> Outcome {
        self.run(&[command]).remove(0)
    }

    /// Decides without applying.
    pub(super) fn decide(&mut self, commands: &[Command]) -> Decision {
        self.batches += 1;
        let batch = BatchId::new(Uuid::from_u128(self.batches));
        let decision = decide(self.lock(commands, false), commands, batch, &PlainEvents);
        let key_taken = decision.effects.created.iter().any(|r| self.reservations.contains_key(&r.order));
        let refused = decision.outcomes.iter().any(|o| matches!(o, Outcome::Reserve(Err(_))));
        if key_taken || refused {
            // A refusal is final only if the order is new: read the orders and decide again.
            return decide(self.lock(commands, true), commands, batch, &PlainEvents);
        }
        decision
    }

    /// What a store locks and reads for these commands, and nothing else.
    pub(super) fn lock(&self, commands: &[Command], read_all: bool) -> Locked {
        let footprint = Footprint::of(commands, |_| read_all, false);
        let mut locked = Locked {
            now: self.now,
            products: Default::default(),
            reservations: Default::default(),
            adjustments: Default::default(),
            customer_units: Default::default(),
            delivered: Default::default(),
            skipped: Vec::new(),
        };
        let mut customers = Vec::new();
        for command in commands {
            let read = command.order().filter(|order| footprint.orders.contains(order));
            let reservation = read.and_then(|order| self.reservations.get(&order));
            let mut products: Vec<ProductId> = Vec::new();
            if let Some(reservation) = reservation {
                products.extend(reservation.lines.iter().map(|line| line.product));
                customers.extend(reservation.customer.clone());
                locked.reservations.insert(reservation.order, reservation.clone());
            }
            match command {
                Command::Reserve(c) => {
                    products.extend(c.lines.iter().map(|line| line.product));
                    customers.extend(c.customer.clone());
                }
                Command::Adjust(c) => {
                    products.push(c.product);
                    if let Some(made) = self.adjustments.get(&c.adjustment) {
                        locked.adjustments.insert(made.id.clone(), made.clone());
                    }
                }
                Command::Set(c) | Command::Import(c) => products.push(c.product),
                Command::Announce(product) => products.push(*product),
                Command::Commit(c) => locked.delivered.extend(self.known_delivery(c.delivery.as_ref())),
                Command::Release(c) => locked.delivered.extend(self.known_delivery(c.delivery.as_ref())),
                Command::Extend(_) | Command::Expire(_) => {}
            }
            for id in products {
                locked.products.extend(self.products.get(&id).map(|product| (id, product.clone())));
            }
        }
        for ((customer, product), taken) in &self.customer_units {
            if customers.contains(customer) && locked.products.contains_key(product) {
                locked.customer_units.insert((customer.clone(), *product), *taken);
            }
        }
        locked
    }

    fn known_delivery(&self, delivery: Option<&Delivery>) -> Option<Delivery> {
        delivery.filter(|delivery| self.delivered.contains(delivery)).cloned()
    }

    /// Applies effects with a store's guards: a duplicate key or a stale row is a mistake of `decide`.
    pub(super) fn apply(&mut self, effects: Effects) {
        if effects.is_empty() {
            assert!(effects.journal.commands.is_empty(), "a batch without effects journals nothing");
            return;
        }
        for reservation in effects.created {
            let before = self.reservations.insert(reservation.order, reservation);
            assert_eq!(before, None, "created twice");
        }
        for (status, reservation) in effects.changed {
            let before = self.reservations.insert(reservation.order, reservation.clone()).unwrap();
            assert_eq!(before.status, status, "guarded by the status read");
            assert!(may_follow(status, reservation.status), "{status:?} → {:?}", reservation.status);
            assert_ne!(before, reservation, "written without a change");
        }
        assert!(effects.products.is_sorted_by(|a, b| a.after.id < b.after.id));
        for effect in effects.products {
            let before = self.products.insert(effect.after.id, effect.after.clone());
            assert_eq!(before.as_ref().map(|p| p.version), effect.version_before);
            assert_eq!(effect.after.version, effect.version_before.unwrap_or(0) + 1);
            assert_eq!(effect.after.last_batch, effects.journal.batch);
            assert_eq!(effect.stock_only, before.is_some_and(|b| only_stock_differs(&b, &effect.after)));
        }
        for adjustment in effects.adjustments {
            let before = self.adjustments.insert(adjustment.id.clone(), adjustment);
            assert_eq!(before, None, "adjusted twice");
        }
        assert!(effects.customer_units.is_sorted_by(|a, b| (&a.0, a.1) < (&b.0, b.1)));
        for (customer, product, taken) in effects.customer_units {
            let before = if taken == Units::ZERO {
                self.customer_units.remove(&(customer, product))
            } else {
                self.customer_units.insert((customer, product), taken)
            };
            assert_ne!(before, Some(taken), "written without a change");
        }
        for delivery in effects.deliveries {
            assert!(self.delivered.insert(delivery), "handled twice");
        }
        self.outbox.extend(effects.outbox);
        self.journal.push(effects.journal);
    }

    /// I1, I2, the customers' counts, and that replaying the journal gives every product row.
    pub(super) fn check_invariants(&self) {
        let mut replayed: BTreeMap<ProductId, (Units, Units)> = BTreeMap::new();
        let mut versions: BTreeMap<ProductId, (u64, BatchId)> = BTreeMap::new();
        for entry in &self.journal {
            for command in &entry.commands {
                for line in &command.lines {
                    let (on_hand, held) = command.kind.effect(line.units);
                    let stock = replayed.entry(line.product).or_default();
                    *stock = (stock.0 + on_hand, stock.1 + held);
                }
            }
            for after in &entry.products {
                let stock = replayed.get(&after.product).copied().unwrap_or_default();
                assert_eq!((after.on_hand, after.held), stock, "replay of {entry:?}");
                let before = versions.insert(after.product, (after.version, entry.batch));
                assert_eq!(after.version, before.map_or(0, |(version, _)| version) + 1);
                assert_eq!(after.previous, before.map(|(_, batch)| batch), "a broken chain");
            }
        }
        let mut held: BTreeMap<ProductId, Units> = BTreeMap::new();
        for reservation in self.reservations.values().filter(|r| r.status == Status::Held) {
            for line in reservation.lines.iter() {
                *held.entry(line.product).or_default() += line.quantity.units();
            }
        }
        for (id, product) in &self.products {
            assert!(Units::ZERO <= product.held && product.held <= product.on_hand, "I1: {product:?}");
            assert_eq!(product.held, held.get(id).copied().unwrap_or_default(), "I2: {product:?}");
            assert_eq!(replayed.get(id), Some(&(product.on_hand, product.held)), "replay: {product:?}");
            assert_eq!(versions.get(id), Some(&(product.version, product.last_batch)));
            // What stands would not change by itself, and never says more is left than there is.
            let (available, threshold) = (product.on_hand - product.held, product.low_stock_threshold);
            assert_eq!(product.alert.next(available, threshold), product.alert, "{product:?}");
            assert!(product.alert >= Alert::of(available, threshold), "{product:?}");
        }
        assert_eq!(self.customer_units, self.customer_units_recounted());
        self.check_ends();
    }

    /// What the customers' counts should be, from the reservations alone.
    fn customer_units_recounted(&self) -> BTreeMap<(CustomerId, ProductId), Units> {
        let mut counts: BTreeMap<(CustomerId, ProductId), Units> = BTreeMap::new();
        for reservation in self.reservations.values() {
            let stands = matches!(reservation.status, Status::Held | Status::Committed);
            let Some(customer) = reservation.customer.as_ref().filter(|_| stands) else { continue };
            for line in reservation.lines.iter() {
                let limited_since = self.products[&line.product].limited_since;
                if limited_since.is_some_and(|since| reservation.created_at >= since) {
                    *counts.entry((customer.clone(), line.product)).or_default() += line.quantity.units();
                }
            }
        }
        counts
    }

    /// I4, from the rows: a hold has an end exactly if it is not held, and `late` only if it was bought.
    fn check_ends(&self) {
        for r in self.reservations.values() {
            assert_eq!(r.ended_at.is_some(), r.status != Status::Held, "{r:?}");
            assert!(!r.late || r.status == Status::Committed, "{r:?}");
            assert_eq!(r.lines.is_empty(), r.is_tombstone(), "{r:?}");
            assert!(r.requested.checked_sub(&r.lines).is_ok(), "more than asked for: {r:?}");
        }
    }

    /// What was told, as `what aggregate`.
    pub(super) fn told(&mut self) -> Vec<String> {
        self.outbox.drain(..).map(|row| format!("{} {}", row.event_type, row.aggregate_id)).collect()
    }
}

/// The contract's arrows, written down a second time; a batch may take several at once.
fn may_follow(before: Status, after: Status) -> bool {
    match before {
        Status::Held => true,
        Status::Expired => matches!(after, Status::Committed | Status::Lost | Status::Released),
        Status::Committed | Status::Released | Status::Lost => false,
    }
}

fn only_stock_differs(before: &Product, after: &Product) -> bool {
    before.admin_version == after.admin_version
        && before.low_stock_threshold == after.low_stock_threshold
        && before.per_customer_limit == after.per_customer_limit
        && before.limited_since == after.limited_since
        && before.name == after.name
}

//! A small model that writes consistent ledgers: the meaning of each change, without the rules that choose them.

use inventory_core::clock::Timestamp;
use inventory_core::event::OutboxRow;
use inventory_core::ids::{AdjustmentId, BatchId, CustomerId, Delivery, Note, OrderId, ProductId};
use inventory_core::journal::{
    ChangeKind, JournalCommand, JournalEntry, JournalLine, JournalProduct, Remark,
};
use inventory_core::lines::{Line, Lines};
use inventory_core::product::{Alert, Product};
use inventory_core::quantity::{Quantity, Units};
use inventory_core::reservation::{Reservation, Status};
use inventory_core::store::ledger_copy::LedgerCopy;
use inventory_core::store::{Adjustment, Resolution};
use uuid::Uuid;

pub(crate) const START: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);
const SECOND: i64 = 1_000_000;
const TTL_SECONDS: i64 = 900;

pub(crate) fn order(number: u128) -> OrderId {
    OrderId::new(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + number))
}

pub(crate) fn batch(number: u128) -> BatchId {
    BatchId::new(Uuid::from_u128(0x0190_0000_0000_7000_9000_0000_0000_0000 + number))
}

pub(crate) fn event(number: u128) -> Uuid {
    Uuid::from_u128(0x0190_0000_0000_7000_a000_0000_0000_0000 + number)
}

pub(crate) fn lines(pairs: &[(i64, i64)]) -> Lines {
    let line = |&(product, quantity): &(i64, i64)| Line {
        product: ProductId::new(product),
        quantity: Quantity::new(quantity).unwrap(),
    };
    Lines::new(pairs.iter().map(line)).unwrap()
}

fn note(text: &str) -> Note {
    Note::parse(text).unwrap()
}

/// Writes a ledger batch by batch.
pub(crate) struct Model {
    pub(crate) ledger: LedgerCopy,
    pub(crate) now: Timestamp,
    batches: u128,
    entry: Option<JournalEntry>,
}

impl Model {
    pub(crate) fn new() -> Self {
        Self { ledger: LedgerCopy::default(), now: START, batches: 0, entry: None }
    }

    /// One batch: whatever `commands` does to the model.
    pub(crate) fn batch(&mut self, commands: impl FnOnce(&mut Self)) {
        self.batches += 1;
        self.wait_seconds(1);
        let id = batch(self.batches);
        self.entry = Some(JournalEntry { batch: id, at: self.now, commands: vec![], products: vec![] });
        commands(self);
        let mut entry = self.entry.take().unwrap();
        entry.products.sort_by_key(|after| after.product);
        for after in &mut entry.products {
            let product = self.ledger.products.iter_mut().find(|p| p.id == after.product).unwrap();
            product.alert = alert(product);
            (after.on_hand, after.held) = (product.on_hand, product.held);
        }
        self.ledger.fences.push((id, Resolution::Committed, self.now));
        self.ledger.journal.push(entry);
    }

    pub(crate) fn wait_seconds(&mut self, seconds: i64) {
        self.now = Timestamp::from_micros(self.now.micros() + seconds * SECOND);
    }

    pub(crate) fn available(&self, product: ProductId) -> i64 {
        self.ledger.products.iter().find(|p| p.id == product).map_or(0, |p| p.available().get())
    }

    pub(crate) fn reservation(&mut self, order: OrderId) -> &mut Reservation {
        self.ledger.reservations.iter_mut().find(|r| r.order == order).unwrap()
    }

    pub(crate) fn set(&mut self, product: i64, on_hand: i64, threshold: Option<i64>, limit: Option<i64>) {
        let id = ProductId::new(product);
        if !self.ledger.products.iter().any(|p| p.id == id) {
            self.ledger.products.push(new_product(id));
        }
        let now = self.now;
        let row = self.ledger.products.iter_mut().find(|p| p.id == id).unwrap();
        row.low_stock_threshold = threshold.map(Units::stored).or(row.low_stock_threshold);
        if let Some(limit) = limit {
            row.per_customer_limit = Some(Quantity::new(limit).unwrap());
            row.limited_since.get_or_insert(now);
        }
        let change = Units::stored(on_hand) - row.on_hand;
        self.administer(ChangeKind::Set, id, change, None);
    }

    pub(crate) fn adjust(&mut self, product: i64, delta: i64, id: &str) {
        let key = ProductId::new(product);
        let remark = Remark {
            adjustment: Some(AdjustmentId::parse(id).unwrap()),
            reason: Some(note("counted")),
            reference: Some(note("ticket 7")),
            ..Remark::default()
        };
        self.administer(ChangeKind::Adjust, key, Units::stored(delta), Some(remark));
        let row = self.ledger.products.iter().find(|p| p.id == key).unwrap();
        self.ledger.adjustments.push(Adjustment {
            id: AdjustmentId::parse(id).unwrap(),
            product: key,
            delta: Units::stored(delta),
            reason: note("counted"),
            reference: Some(note("ticket 7")),
            at: self.now,
            version: row.version,
        });
    }

    pub(crate) fn reserve(&mut self, order: OrderId, customer: Option<&str>, lines: &Lines) {
        let customer = customer.map(|name| CustomerId::parse(name).unwrap());
        self.ledger.reservations.push(Reservation {
            order,
            status: Status::Held,
            customer: customer.clone(),
            requested: lines.clone(),
            lines: lines.clone(),
            created_at: self.now,
            expires_at: Timestamp::from_micros(self.now.micros() + TTL_SECONDS * SECOND),
            expires_at_max: Timestamp::from_micros(self.now.micros() + 4 * TTL_SECONDS * SECOND),
            ended_at: None,
            late: false,
        });
        let remark = customer.is_some().then(|| Remark { customer, ..Remark::default() });
        self.change(ChangeKind::Reserve, order, lines, remark);
    }

    /// `message` names the delivery that asked for it.
    pub(crate) fn commit(&mut self, order: OrderId, items: Option<&Lines>, message: Option<&str>) {
        let delivery =
            message.map(|message| Delivery { consumer: note("order.confirmed"), message: note(message) });
        let now = self.now;
        if let Some(delivery) = &delivery {
            self.ledger.deliveries.push((delivery.clone(), now));
        }
        let remark = delivery.map(|delivery| Remark { delivery: Some(delivery), ..Remark::default() });
        let reservation = self.reservation(order).clone();
        let taken = items.cloned().unwrap_or_else(|| reservation.lines.clone());
        let kind = match reservation.status {
            Status::Held => ChangeKind::Commit,
            _ => ChangeKind::CommitLate,
        };
        let rest = reservation.lines.checked_sub(&taken).unwrap();
        if kind == ChangeKind::Commit && !rest.is_empty() {
            self.change(ChangeKind::ReleasePart, order, &rest, None);
        }
        self.change(kind, order, &taken, remark);
        let reservation = self.reservation(order);
        reservation.status = Status::Committed;
        reservation.lines = taken;
        reservation.ended_at.get_or_insert(now);
        reservation.late = now >= reservation.expires_at;
    }

    pub(crate) fn release(&mut self, order: OrderId) {
        let held = self.reservation(order).lines.clone();
        if self.reservation(order).status == Status::Held {
            self.change(ChangeKind::Release, order, &held, None);
        } else {
            self.change(ChangeKind::ReleaseExpired, order, &Lines::none(), None);
        }
        self.end(order, Status::Released);
    }

    pub(crate) fn release_part(&mut self, order: OrderId, items: &Lines) {
        let rest = self.reservation(order).lines.checked_sub(items).unwrap();
        self.change(ChangeKind::ReleasePart, order, items, None);
        self.reservation(order).lines = rest;
    }

    pub(crate) fn expire(&mut self, order: OrderId) {
        let held = self.reservation(order).lines.clone();
        self.change(ChangeKind::Expire, order, &held, None);
        self.end(order, Status::Expired);
        self.tell("reservation", &order.to_string());
    }

    pub(crate) fn lose(&mut self, order: OrderId) {
        self.change(ChangeKind::Lose, order, &Lines::none(), None);
        self.end(order, Status::Lost);
        self.tell("reservation", &order.to_string());
    }

    pub(crate) fn extend(&mut self, order: OrderId) {
        let now = self.now;
        self.change(ChangeKind::Extend, order, &Lines::none(), None);
        let reservation = self.reservation(order);
        reservation.expires_at = Timestamp::from_micros(now.micros() + TTL_SECONDS * SECOND);
    }

    pub(crate) fn tombstone(&mut self, order: OrderId) {
        self.ledger.reservations.push(Reservation {
            order,
            status: Status::Released,
            customer: None,
            requested: Lines::none(),
            lines: Lines::none(),
            created_at: self.now,
            expires_at: self.now,
            expires_at_max: self.now,
            ended_at: Some(self.now),
            late: false,
        });
        self.change(ChangeKind::Tombstone, order, &Lines::none(), None);
    }

    pub(crate) fn tell(&mut self, aggregate_type: &str, aggregate_id: &str) {
        let row = OutboxRow {
            id: event(self.ledger.outbox.len() as u128 + 1),
            topic: "inventory.events".into(),
            aggregate_type: aggregate_type.into(),
            aggregate_id: aggregate_id.into(),
            aggregate_version: 3,
            event_type: "inventory.something".into(),
            payload: br#"{"fact":1}"#.to_vec(),
            headers: vec![("version".into(), "1".into()), ("eventType".into(), "größe \"7\"".into())],
        };
        let id = self.entry.as_ref().unwrap().batch;
        let digest = row.digest(id);
        self.ledger.outbox.push((id, row, digest, self.now));
    }

    /// Moves the stock of an order's lines, and the customer's counts with it.
    fn change(&mut self, kind: ChangeKind, order: OrderId, lines: &Lines, remark: Option<Remark>) {
        let reservation = self.reservation(order).clone();
        let mut moved = Vec::new();
        for line in lines.iter() {
            let units = line.quantity.units();
            self.touch(line.product);
            let row = self.ledger.products.iter_mut().find(|p| p.id == line.product).unwrap();
            let (on_hand, held) = kind.effect(units);
            row.on_hand += on_hand;
            row.held += held;
            let counted = match kind {
                ChangeKind::Reserve | ChangeKind::CommitLate => units,
                ChangeKind::Commit => Units::ZERO,
                _ => -units,
            };
            let counts = row.limited_since.is_some_and(|since| reservation.created_at >= since);
            if let Some(customer) = reservation.customer.clone().filter(|_| counts) {
                self.count(customer, line.product, counted);
            }
            moved.push(JournalLine { product: line.product, units });
        }
        self.journal(kind, Some(order), moved, remark);
    }

    fn count(&mut self, customer: CustomerId, product: ProductId, units: Units) {
        let counts = &mut self.ledger.customer_units;
        match counts.iter_mut().find(|(c, p, _)| *c == customer && *p == product) {
            Some(count) => count.2 += units,
            None => counts.push((customer, product, units)),
        }
        counts.retain(|count| count.2 != Units::ZERO);
    }

    fn administer(&mut self, kind: ChangeKind, product: ProductId, units: Units, remark: Option<Remark>) {
        self.touch(product);
        let row = self.ledger.products.iter_mut().find(|p| p.id == product).unwrap();
        row.on_hand += units;
        row.admin_version += 1;
        self.journal(kind, None, vec![JournalLine { product, units }], remark);
    }

    fn journal(
        &mut self,
        kind: ChangeKind,
        order: Option<OrderId>,
        lines: Vec<JournalLine>,
        remark: Option<Remark>,
    ) {
        let command = JournalCommand { kind, order, lines: lines.into(), remark: remark.map(Box::new) };
        self.entry.as_mut().unwrap().commands.push(command);
    }

    fn touch(&mut self, product: ProductId) {
        let entry = self.entry.as_mut().unwrap();
        if entry.products.iter().any(|after| after.product == product) {
            return;
        }
        let row = self.ledger.products.iter_mut().find(|p| p.id == product).unwrap();
        let previous = (row.version > 0).then_some(row.last_batch);
        row.version += 1;
        row.last_batch = entry.batch;
        entry.products.push(JournalProduct {
            product,
            version: row.version,
            on_hand: row.on_hand,
            held: row.held,
            previous,
        });
    }

    fn end(&mut self, order: OrderId, status: Status) {
        let now = self.now;
        let reservation = self.reservation(order);
        reservation.status = status;
        reservation.ended_at.get_or_insert(now);
    }
}

fn new_product(id: ProductId) -> Product {
    Product {
        id,
        on_hand: Units::ZERO,
        held: Units::ZERO,
        version: 0,
        admin_version: 0,
        low_stock_threshold: None,
        per_customer_limit: None,
        limited_since: None,
        name: None,
        alert: Alert::None,
        last_batch: batch(0),
    }
}

fn alert(product: &Product) -> Alert {
    product.alert.next(product.available(), product.low_stock_threshold)
}

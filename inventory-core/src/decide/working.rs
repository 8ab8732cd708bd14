//! The working state of one batch: what was locked, as changed so far, and what is to be persisted.

use super::alerts;
use super::customers::Customers;
use super::orders::{Orders, RowAt};
use super::stock::{JournalLines, Slot, Stock};
use crate::clock::Timestamp;
use crate::command::Command;
use crate::event::{EventEncoder, Fact, OutboxRow};
use crate::ids::{AdjustmentId, BatchId, Delivery, OrderId, ProductId};
use crate::journal::{ChangeKind, JournalCommand, JournalEntry, JournalProduct, Remark};
use crate::lines::Lines;
use crate::product::Alert;
use crate::store::{Adjustment, Effects, IdMap, IdSet, Locked, ProductEffect};

pub(super) struct Working<'a> {
    pub(super) now: Timestamp,
    pub(super) stock: Stock,
    pub(super) orders: Orders,
    batch: BatchId,
    encoder: &'a dyn EventEncoder,
    adjustments_known: IdMap<AdjustmentId, Adjustment>,
    adjustments: Vec<Adjustment>,
    delivered: IdSet<Delivery>,
    deliveries: Vec<Delivery>,
    journal: Vec<JournalCommand>,
    outbox: Vec<OutboxRow>,
    announced: IdSet<ProductId>,
}

impl<'a> Working<'a> {
    pub(super) fn new(
        locked: Locked,
        commands: &[Command],
        batch: BatchId,
        encoder: &'a dyn EventEncoder,
    ) -> Self {
        let customers = Customers::new(locked.customer_units);
        let limits_may_start = commands.iter().any(sets_a_limit);
        Self {
            now: locked.now,
            stock: Stock::new(batch, locked.products, locked.skipped, customers, limits_may_start),
            orders: Orders::new(locked.now, locked.reservations, commands.len()),
            batch,
            encoder,
            adjustments_known: locked.adjustments,
            adjustments: Vec::new(),
            delivered: locked.delivered,
            deliveries: Vec::new(),
            journal: Vec::with_capacity(commands.len()),
            outbox: Vec::new(),
            announced: IdSet::default(),
        }
    }

    /// Moves the stock of these lines of an order, and journals it.
    pub(super) fn move_stock(&mut self, at: RowAt, kind: ChangeKind, lines: &Lines, remark: Remark) {
        let reservation = &self.orders[at];
        let moved = self.stock.apply(kind, reservation, lines);
        let order = reservation.order;
        self.journal(kind, Some(order), moved, remark);
    }

    /// Journals a change of an order that moves no stock.
    pub(super) fn note(&mut self, kind: ChangeKind, order: OrderId, remark: Remark) {
        self.journal(kind, Some(order), JournalLines::new(), remark);
    }

    /// Journals a change.
    pub(super) fn journal(
        &mut self,
        kind: ChangeKind,
        order: Option<OrderId>,
        lines: JournalLines,
        remark: Remark,
    ) {
        let remark = (remark != Remark::default()).then(|| Box::new(remark));
        self.journal.push(JournalCommand { kind, order, lines, remark });
    }

    /// Writes the fact's event, if anyone is to be told.
    pub(super) fn tell(&mut self, fact: &Fact) {
        self.outbox.extend(self.encoder.encode(fact, self.now));
    }

    /// The product's level is to be told as it is at the batch's end.
    pub(super) fn announce(&mut self, product: ProductId) {
        self.announced.insert(product);
    }

    /// Writes the event of a fact that is told only where nobody leads.
    pub(super) fn tell_of_hold(&mut self, fact: impl FnOnce() -> Fact) {
        if self.encoder.tells_of_holds() {
            self.tell(&fact());
        }
    }

    /// Whether this delivery was handled before, in the store or earlier in this batch.
    pub(super) fn is_delivered(&self, delivery: Option<&Delivery>) -> bool {
        delivery.is_some_and(|delivery| self.delivered.contains(delivery))
    }

    /// Records that this delivery was handled.
    pub(super) fn handled(&mut self, delivery: Option<&Delivery>) {
        if let Some(delivery) = delivery
            && self.delivered.insert(delivery.clone())
        {
            self.deliveries.push(delivery.clone());
        }
    }

    /// The adjustment made under this id, in the store or earlier in this batch.
    pub(super) fn adjustment(&self, id: &AdjustmentId) -> Option<&Adjustment> {
        self.adjustments_known.get(id)
    }

    /// Records an adjustment.
    pub(super) fn adjusted(&mut self, adjustment: Adjustment) {
        self.adjustments_known.insert(adjustment.id.clone(), adjustment.clone());
        self.adjustments.push(adjustment);
    }

    /// What the batch comes to: alerts are judged on the final state, after all commands.
    pub(super) fn into_effects(mut self) -> Effects {
        let mut announced: Vec<ProductId> = self.announced.drain().collect();
        announced.sort_unstable();
        for product in announced {
            if let Some(product) = self.stock.product(product).cloned() {
                self.tell(&Fact::StockLevel(product));
            }
        }
        let (created, changed) = self.orders.into_changed();
        let (touched, customers) = self.stock.into_touched();
        let mut products = Vec::with_capacity(touched.len());
        let mut journalled = Vec::with_capacity(touched.len());
        for mut slot in touched {
            if slot.read.is_none() {
                // Creating a product announces nothing; falling later does.
                slot.product.alert = Alert::of(slot.product.available(), slot.product.low_stock_threshold);
            } else if let Some(fact) = alerts::judge(&mut slot.product) {
                self.outbox.extend(self.encoder.encode(&fact, self.now));
            }
            journalled.push(journal_product(&slot));
            products.push(ProductEffect {
                version_before: slot.read.map(|(version, _)| version),
                stock_only: slot.read.is_some() && !slot.administered,
                after: slot.product,
            });
        }
        let journal =
            JournalEntry { batch: self.batch, at: self.now, commands: self.journal, products: journalled };
        Effects {
            created,
            changed,
            products,
            adjustments: self.adjustments,
            customer_units: customers.into_changed(),
            deliveries: self.deliveries,
            outbox: self.outbox,
            journal,
        }
    }
}

fn journal_product(slot: &Slot) -> JournalProduct {
    JournalProduct {
        product: slot.product.id,
        version: slot.product.version,
        on_hand: slot.product.on_hand,
        held: slot.product.held,
        previous: slot.read.map(|(_, batch)| batch),
    }
}

fn sets_a_limit(command: &Command) -> bool {
    match command {
        Command::Set(c) | Command::Import(c) => c.per_customer_limit.is_some(),
        Command::Reserve(_)
        | Command::Commit(_)
        | Command::Release(_)
        | Command::Extend(_)
        | Command::Expire(_)
        | Command::Adjust(_)
        | Command::Announce(_) => false,
    }
}

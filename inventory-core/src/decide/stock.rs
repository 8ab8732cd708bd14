//! The batch's products, and the one place where stock moves.

use smallvec::SmallVec;

use super::customers::Customers;
use super::orders::{Orders, RowAt};
use crate::clock::Timestamp;
use crate::error::Failure;
use crate::ids::{BatchId, CustomerId, ProductId};
use crate::journal::{ChangeKind, JournalLine};
use crate::lines::Lines;
use crate::product::Product;
use crate::quantity::Units;
use crate::reservation::{Reservation, Status};
use crate::store::IdMap;

/// Lines as the journal keeps them.
pub(super) type JournalLines = SmallVec<[JournalLine; 2]>;

#[derive(Debug)]
pub(super) struct Stock {
    batch: BatchId,
    slots: IdMap<ProductId, Slot>,
    skipped: Vec<ProductId>,
    pub(super) customers: Customers,
    /// Whether a command of this batch may introduce a per-customer limit: then new holds are kept per product,
    /// to be counted when it does.
    limits_may_start: bool,
}

/// A product in the batch.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) product: Product,
    /// The version and batch before this one; none for a product that the batch creates.
    pub(super) read: Option<(u64, BatchId)>,
    pub(super) touched: bool,
    pub(super) administered: bool,
    /// Customers' holds that this batch created, if `limits_may_start`.
    created: Vec<RowAt>,
}

impl Stock {
    pub(super) fn new(
        batch: BatchId,
        products: IdMap<ProductId, Product>,
        skipped: Vec<ProductId>,
        customers: Customers,
        limits_may_start: bool,
    ) -> Self {
        let slots = products.into_iter().map(|(id, product)| (id, Slot::read(product))).collect();
        Self { batch, slots, skipped, customers, limits_may_start }
    }

    /// The product, if it exists and is locked.
    pub(super) fn product(&self, product: ProductId) -> Option<&Product> {
        self.slots.get(&product).map(|slot| &slot.product)
    }

    /// Whether someone else holds the product's row, so that nothing may be said about it.
    pub(super) fn is_skipped(&self, product: ProductId) -> bool {
        self.skipped.binary_search(&product).is_ok()
    }

    /// Refuses to touch lines whose products are not all locked.
    pub(super) fn all_locked(&self, lines: &Lines) -> Result<(), Failure> {
        match lines.iter().find(|line| !self.slots.contains_key(&line.product)) {
            None => Ok(()),
            Some(line) => Err(not_locked(line.product)),
        }
    }

    /// Whether every line could be taken now.
    pub(super) fn all_free(&self, lines: &Lines) -> bool {
        lines.iter().all(|line| {
            self.product(line.product).is_some_and(|product| product.available() >= line.quantity.units())
        })
    }

    /// Moves the stock of these lines of an order, and the customer's counts with it. All must be locked.
    pub(super) fn apply(&mut self, kind: ChangeKind, of: &Reservation, lines: &Lines) -> JournalLines {
        let mut moved = JournalLines::with_capacity(lines.len());
        for line in lines.iter() {
            let units = line.quantity.units();
            let Some(slot) = self.slots.get_mut(&line.product) else { continue };
            slot.apply(self.batch, kind, units);
            if let Some(customer) = &of.customer
                && counts(of.created_at, &slot.product)
            {
                self.customers.add(customer, line.product, counted(kind, units));
            }
            moved.push(JournalLine { product: line.product, units });
        }
        moved
    }

    /// Changes a product's stock by administration, which raises its `admin_version` with every command: an
    /// answer's version must not stay valid over the next command's change, even within one batch.
    pub(super) fn administer(
        &mut self,
        kind: ChangeKind,
        product: ProductId,
        units: Units,
    ) -> Option<&Product> {
        let slot = self.slots.get_mut(&product)?;
        slot.apply(self.batch, kind, units);
        slot.administered = true;
        slot.product.admin_version = slot.product.admin_version.saturating_add(1);
        Some(&slot.product)
    }

    /// Adds a product that the store does not have, or replaces one by itself with other settings.
    pub(super) fn put(&mut self, product: Product) {
        match self.slots.get_mut(&product.id) {
            Some(slot) => slot.product = product,
            None => {
                self.slots.insert(product.id, Slot { read: None, ..Slot::read(product) });
            }
        }
    }

    /// Remembers a new hold, in case a limit starts later in this batch.
    pub(super) fn remember(&mut self, at: RowAt, reservation: &Reservation) {
        if !self.limits_may_start || reservation.customer.is_none() {
            return;
        }
        for line in reservation.lines.iter() {
            if let Some(slot) = self.slots.get_mut(&line.product) {
                slot.created.push(at);
            }
        }
    }

    /// A limit starts: counts what this batch created and what still stands of it. Older ones do not count.
    pub(super) fn start_counting(&mut self, product: ProductId, orders: &Orders) {
        let Some(slot) = self.slots.get(&product) else { return };
        for at in &slot.created {
            let reservation = &orders[*at];
            let stands = matches!(reservation.status, Status::Held | Status::Committed);
            if let Some(customer) = &reservation.customer
                && let Some(quantity) = reservation.lines.quantity_of(product)
                && stands
                && counts(reservation.created_at, &slot.product)
            {
                self.customers.add(customer, product, quantity.units());
            }
        }
    }

    /// What the customer has of the product, as far as it counts.
    pub(super) fn taken(&self, customer: &CustomerId, product: ProductId) -> Units {
        self.customers.taken(customer, product)
    }

    /// (touched products in product order, customers' counts).
    pub(super) fn into_touched(self) -> (Vec<Slot>, Customers) {
        let mut touched: Vec<Slot> = self.slots.into_values().filter(|slot| slot.touched).collect();
        touched.sort_unstable_by_key(|slot| slot.product.id);
        (touched, self.customers)
    }
}

impl Slot {
    fn read(product: Product) -> Self {
        let read = Some((product.version, product.last_batch));
        Self { product, read, touched: false, administered: false, created: Vec::new() }
    }

    fn apply(&mut self, batch: BatchId, kind: ChangeKind, units: Units) {
        if !self.touched {
            self.touched = true;
            self.product.version = self.product.version.saturating_add(1);
            self.product.last_batch = batch;
        }
        let (on_hand, held) = kind.effect(units);
        self.product.on_hand += on_hand;
        self.product.held += held;
    }
}

/// Whether a reservation created then counts against the product's limit.
fn counts(created_at: Timestamp, product: &Product) -> bool {
    product.per_customer_limit.is_some() && product.limited_since.is_none_or(|since| created_at >= since)
}

/// What a change adds to what the customer holds and has bought.
fn counted(kind: ChangeKind, units: Units) -> Units {
    match kind {
        ChangeKind::Reserve | ChangeKind::CommitLate => units,
        ChangeKind::Release | ChangeKind::ReleasePart | ChangeKind::Expire => -units,
        ChangeKind::Commit
        | ChangeKind::ReleaseExpired
        | ChangeKind::Tombstone
        | ChangeKind::Lose
        | ChangeKind::Extend
        | ChangeKind::Adjust
        | ChangeKind::Set
        | ChangeKind::Import => Units::ZERO,
    }
}

/// The answer when a command needs a product that is not locked: nothing was changed.
pub(super) fn not_locked(product: ProductId) -> Failure {
    Failure::Unavailable { reason: format!("product {product} could not be locked") }
}

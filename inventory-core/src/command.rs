//! What may be asked of the ledger. Every change of stock is one of these, and goes through the writer.

use std::time::Duration;

use crate::ids::{AdjustmentId, CustomerId, Delivery, Note, OrderId, ProductId};
use crate::lines::Lines;
use crate::quantity::{Quantity, Units};

/// One change, as submitted. Plain data: times are durations, judged by the store's clock.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// Hold stock for an order.
    Reserve(Reserve),
    /// Turn a hold into a permanent deduction.
    Commit(Commit),
    /// Give stock back, all or some; of an unknown order: leave a tombstone.
    Release(Release),
    /// Move a hold's end.
    Extend(Extend),
    /// The sweeper's: end a hold whose time is over.
    Expire(Expire),
    /// Change a product's stock by a keyed delta.
    Adjust(Adjust),
    /// Create a product or set its stock and settings.
    Set(SetStock),
    /// As `Set`, for bulk import: never fails on an unchanged row, and leaves it untouched.
    Import(SetStock),
    /// The level announcer's: tell where a product stands, if it exists. Changes no stock.
    Announce(ProductId),
}

/// See [`Command::Reserve`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reserve {
    /// The order; the idempotency key.
    pub order: OrderId,
    /// What to hold.
    pub lines: Lines,
    /// Who buys; counted against per-customer limits.
    pub customer: Option<CustomerId>,
    /// How long the hold lasts.
    pub ttl: Duration,
    /// How far from creation extend may move its end.
    pub ttl_max: Duration,
}

/// See [`Command::Commit`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Commit {
    /// The order.
    pub order: OrderId,
    /// These quantities only; the rest of the hold is released in the same step.
    pub items: Option<Lines>,
    /// Makes a message's delivery effective once.
    pub delivery: Option<Delivery>,
}

/// See [`Command::Release`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Release {
    /// The order.
    pub order: OrderId,
    /// These quantities only; the hold shrinks by them and stays held while anything is left.
    pub items: Option<Lines>,
    /// For the journal.
    pub reason: Option<Note>,
    /// Makes a message's delivery, or a keyed partial release, effective once.
    pub delivery: Option<Delivery>,
}

/// See [`Command::Extend`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Extend {
    /// The order.
    pub order: OrderId,
    /// The hold is to last at least this long from now.
    pub ttl: Duration,
}

/// See [`Command::Expire`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Expire {
    /// The order.
    pub order: OrderId,
}

/// See [`Command::Adjust`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Adjust {
    /// The product.
    pub product: ProductId,
    /// The idempotency key.
    pub adjustment: AdjustmentId,
    /// Units received (positive) or written off (negative).
    pub delta: Units,
    /// Why; goes to the journal.
    pub reason: Note,
    /// A delivery note, a ticket, an order.
    pub reference: Option<Note>,
}

/// See [`Command::Set`] and [`Command::Import`]. Absent fields are left as they are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SetStock {
    /// The product; created if unknown.
    pub product: ProductId,
    /// Units in the warehouse, held ones included.
    pub on_hand: Units,
    /// Falling below it announces `low`.
    pub low_stock_threshold: Option<Units>,
    /// How many one customer may hold and have bought.
    pub per_customer_limit: Option<Quantity>,
    /// For people.
    pub name: Option<Note>,
    /// Refuse unless the product's `admin_version` is this one (`If-Match`).
    pub expected_admin_version: Option<u64>,
}

impl SetStock {
    /// Only the stock level; everything else is left as it is.
    pub fn level(product: ProductId, on_hand: Units) -> Self {
        Self {
            product,
            on_hand,
            low_stock_threshold: None,
            per_customer_limit: None,
            name: None,
            expected_admin_version: None,
        }
    }
}

impl Command {
    /// The order concerned, if any.
    pub fn order(&self) -> Option<OrderId> {
        match self {
            Self::Reserve(c) => Some(c.order),
            Self::Commit(c) => Some(c.order),
            Self::Release(c) => Some(c.order),
            Self::Extend(c) => Some(c.order),
            Self::Expire(c) => Some(c.order),
            Self::Adjust(_) | Self::Set(_) | Self::Import(_) | Self::Announce(_) => None,
        }
    }
}

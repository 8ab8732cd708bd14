//! Where an order stands.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Action;

/// The saga's definition that this code knows. A row that was written by a newer one is left alone.
pub const DEFINITION: u32 = 1;

/// Who leads.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The order service calls inventory and payment.
    Orchestration,
    /// Everyone reacts to `order.created`.
    Choreography,
}

/// What callers see of an order.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OrderStatus {
    /// Stock is being reserved.
    Pending,
    /// Stock is held.
    AwaitingPayment,
    /// Paid, and the stock is committed.
    Confirmed,
    /// On its way.
    Shipped,
    /// There.
    Delivered,
    /// Ended without a sale.
    Cancelled,
    /// Ended because the money did not come.
    PaymentFailed,
}

/// What is known about the money.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PaymentStatus {
    /// Nothing was asked for.
    None,
    /// The intent to ask is stored; it may have been asked.
    Requested,
    /// The provider has the money.
    Paid,
    /// The provider said no, or nobody waits for its answer any more. Money that comes nevertheless is given back.
    Failed,
    /// The provider has the money, and it is to be given back.
    Refunding,
    /// It was given back.
    Refunded,
    /// An operator stopped the refund; what is left is for people.
    Abandoned,
}

/// What is known about the stock.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum StockStatus {
    /// It may be held: the reserve is under way.
    Requested,
    /// It was refused; none is held.
    Refused,
    /// It is held, or was until the hold ran out: only a commit can tell.
    Held,
    /// It is held or committed already: the commit is under way.
    Committing,
    /// It is sold.
    Committed,
    /// The hold was over and the stock gone; none is held.
    Lost,
    /// The hold, if there is one, is to be released. It may turn out to be committed.
    Releasing,
    /// It was released, or never held; it never will be.
    Released,
    /// It was committed and is to be given back.
    Restocking,
    /// It was given back.
    Restocked,
    /// An operator stopped the release or the restock; what is left is for people.
    Abandoned,
}

/// The saga's own states. The first line of each says what is outstanding.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// The reserve is under way.
    Reserving,
    /// Stock is held, the payment is under way.
    Paying,
    /// Paid; the commit of the stock is under way.
    Committing,
    /// Paid and committed; nothing is outstanding.
    Confirmed,
    /// As confirmed, and shipped.
    Shipped,
    /// As shipped, and delivered.
    Delivered,
    /// Undoing what was begun (release, restock, refund); `Saga` says what.
    Compensating,
    /// Ended as CANCELLED or PAYMENT_FAILED, everything undone. A late money fact may lead back to `Compensating`.
    Ended,
}

/// An order's saga. Stored whole with the order's row.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Saga {
    /// Which definition wrote it.
    pub definition: u32,
    /// Who leads.
    pub mode: Mode,
    /// Raised by every step that changed anything; timers carry it.
    pub version: u64,
    /// What is outstanding.
    pub phase: Phase,
    /// What callers see.
    pub status: OrderStatus,
    /// What is known about the stock.
    pub stock: StockStatus,
    /// What is known about the money.
    pub payment: PaymentStatus,
    /// The actions whose intents are stored: what a worker does, or does again after a crash. Exactly the `Start`s without a `Finish`.
    pub outstanding: BTreeSet<Action>,
    /// The version at which the running payment timer was set.
    pub payment_timer: Option<u64>,
    /// The parcel, once shipped.
    pub tracking_number: Option<String>,
    /// Why it ended or is ending, for people and events.
    pub reason: Option<String>,
    /// An action keeps failing; it is still retried.
    pub is_stuck: bool,
}

//! What orders need of the others.

use async_trait::async_trait;
use serde_json::{Map, Value};

use crate::store::Order;

/// The callee could not be asked, or did not answer in time. Whether it did what was asked is unknown.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{reason}")]
pub struct NoAnswer {
    /// What was last seen.
    pub reason: String,
    /// When to ask again, in seconds, if the callee said so.
    pub retry_after_seconds: Option<u64>,
}

impl NoAnswer {
    /// Without a word on when to ask again.
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), retry_after_seconds: None }
    }
}

/// A reserve that was refused for good.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Refusal {
    /// Inventory's stable code.
    pub code: String,
    /// In its words.
    pub detail: String,
    /// What it told beyond that, such as `items`.
    pub members: Map<String, Value>,
}

/// What became of a reserve.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ReserveAnswer {
    /// Held, now or already.
    Held,
    /// Refused for good.
    Refused(Refusal),
}

/// What became of a commit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CommitAnswer {
    /// Committed, now or already.
    Committed,
    /// The hold is over and the stock is gone.
    Lost,
}

/// What became of a release.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReleaseAnswer {
    /// Released, now or already, or never held.
    Released,
    /// Too late: it is committed.
    Committed,
}

/// What a provider says of a payment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PaymentState {
    /// Never heard of it.
    Unknown,
    /// Not decided yet.
    Pending,
    /// It has the money.
    Succeeded,
    /// It said no.
    Declined(String),
    /// It gave the money back.
    Refunded,
}

/// Stock. Everything is keyed by the order's id and safe to repeat.
#[async_trait]
pub trait Inventory: Send + Sync + 'static {
    /// Holds all lines or none.
    async fn reserve(&self, order: &Order) -> Result<ReserveAnswer, NoAnswer>;
    /// Makes the hold permanent.
    async fn commit(&self, order: &Order) -> Result<CommitAnswer, NoAnswer>;
    /// Gives the hold back.
    async fn release(&self, order: &Order) -> Result<ReleaseAnswer, NoAnswer>;
    /// Gives committed stock back, line by line.
    async fn restock(&self, order: &Order) -> Result<(), NoAnswer>;
}

/// Money. Everything is keyed by the payment's id and safe to repeat.
#[async_trait]
pub trait Payments: Send + Sync + 'static {
    /// Asks for the money. What is answered is what is known now.
    async fn process(&self, order: &Order) -> Result<PaymentState, NoAnswer>;
    /// Asks what became of it.
    async fn ask(&self, order: &Order) -> Result<PaymentState, NoAnswer>;
    /// Gives the money back.
    async fn refund(&self, order: &Order) -> Result<PaymentState, NoAnswer>;
}

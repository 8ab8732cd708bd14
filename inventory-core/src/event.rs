//! Facts worth telling others, and how they become outbox rows in the batch's own transaction.

use crate::clock::Timestamp;
use crate::ids::OrderId;
use crate::product::Product;
use crate::reservation::Reservation;

/// One business fact, decided in a batch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fact {
    /// The product's availability fell below its threshold.
    StockLow(Product),
    /// The product's availability fell to zero.
    StockDepleted(Product),
    /// The sweeper ended a hold.
    ReservationExpired(Reservation),
    /// A commit came too late and the stock was gone.
    CommitFailed(Reservation),
}

impl Fact {
    /// The order concerned, for facts about one.
    pub fn order(&self) -> Option<OrderId> {
        match self {
            Self::ReservationExpired(r) | Self::CommitFailed(r) => Some(r.order),
            Self::StockLow(_) | Self::StockDepleted(_) => None,
        }
    }
}

/// A row of the outbox: opaque to the engine, ready to be sent. Column names are Debezium's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OutboxRow {
    /// The event's id, minted here and never again.
    pub id: uuid::Uuid,
    /// Where it goes.
    pub topic: String,
    /// The kind of aggregate: `product` or `reservation`.
    pub aggregate_type: String,
    /// The key; order is kept per key.
    pub aggregate_id: String,
    /// The aggregate's version after the change (0 where it has none).
    pub aggregate_version: u64,
    /// The event's type.
    pub event_type: String,
    /// The message, fully serialised.
    pub payload: Vec<u8>,
    /// Headers as name and value, for routing without parsing.
    pub headers: Vec<(String, String)>,
}

/// Turns facts into outbox rows. Given to the engine at construction; must be quick and must not fail:
/// it runs while product rows are locked.
pub trait EventEncoder: Send + Sync + 'static {
    /// The row for this fact, or none if nobody is to be told.
    fn encode(&self, fact: &Fact, at: Timestamp) -> Option<OutboxRow>;
}

/// Tells nobody: for a library without consumers.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoEvents;

impl EventEncoder for NoEvents {
    fn encode(&self, _fact: &Fact, _at: Timestamp) -> Option<OutboxRow> {
        None
    }
}

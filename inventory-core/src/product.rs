//! A product's stock as the store keeps it.

use crate::clock::Timestamp;
use crate::ids::{BatchId, Note, ProductId};
use crate::quantity::{Quantity, Units};

/// One product. `0 ≤ held ≤ on_hand` in every committed state (I1).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Product {
    /// The key.
    pub id: ProductId,
    /// Units in the warehouse, held ones included; a commit lowers it.
    pub on_hand: Units,
    /// Units set aside by holds.
    pub held: Units,
    /// Raised by one by every batch that changes the product: the serial order that the database hands out.
    pub version: u64,
    /// Raised by administration only (set, adjust, import); the ETag.
    pub admin_version: u64,
    /// Falling below it announces `low`.
    pub low_stock_threshold: Option<Units>,
    /// How many one customer may hold and have bought.
    pub per_customer_limit: Option<Quantity>,
    /// Reservations created from this moment on count against the limit.
    pub limited_since: Option<Timestamp>,
    /// For people.
    pub name: Option<Note>,
    /// What was announced last; re-armed by rising above.
    pub alert: Alert,
    /// The batch that changed it last: the head of the product's journal chain.
    pub last_batch: BatchId,
}

impl Product {
    /// What can still be reserved.
    pub fn available(&self) -> Units {
        self.on_hand - self.held
    }
}

/// The level that was announced last.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
#[repr(u8)]
pub enum Alert {
    /// At or above the threshold.
    #[default]
    None = 0,
    /// Below the threshold.
    Low = 1,
    /// Nothing left.
    Depleted = 2,
}

impl Alert {
    /// As the stores keep it.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// From what a store kept; unknown codes count as none.
    pub fn from_code(code: i64) -> Self {
        match code {
            1 => Self::Low,
            2 => Self::Depleted,
            _ => Self::None,
        }
    }
}

//! What a step decided, as data. The shell writes all of it in the transaction of the order's row.

use serde::{Deserialize, Serialize};

/// A call to make. The intent is durable before the call is; whoever holds its lease makes it, retries it, and feeds the answer
/// back as an input. All of them are keyed and safe to repeat.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Action {
    /// `POST …/inventory/reserve`.
    ReserveInventory,
    /// `POST …/inventory/commit`.
    CommitInventory,
    /// `POST …/inventory/release`.
    ReleaseInventory,
    /// `POST …/inventory/{product}/adjust`, one keyed adjustment a line.
    RestockInventory,
    /// `POST …/payments/process`, with a payment id that was stored first.
    ProcessPayment,
    /// `GET …/payments/{id}`: what became of it.
    AskPayment,
    /// `POST …/payments/{id}/refund`.
    RefundPayment,
}

impl Action {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::ReserveInventory,
        Self::CommitInventory,
        Self::ReleaseInventory,
        Self::RestockInventory,
        Self::ProcessPayment,
        Self::AskPayment,
        Self::RefundPayment,
    ];

    /// Its name in `saga_state_log`.
    pub fn name(self) -> &'static str {
        match self {
            Self::ReserveInventory => "RESERVE_INVENTORY",
            Self::CommitInventory => "COMMIT_INVENTORY",
            Self::ReleaseInventory => "RELEASE_INVENTORY",
            Self::RestockInventory => "RESTOCK_INVENTORY",
            Self::ProcessPayment => "PROCESS_PAYMENT",
            Self::AskPayment => "ASK_PAYMENT",
            Self::RefundPayment => "REFUND_PAYMENT",
        }
    }

    /// Whether it undoes something.
    pub fn is_compensating(self) -> bool {
        match self {
            Self::ReleaseInventory | Self::RestockInventory | Self::RefundPayment => true,
            Self::ReserveInventory | Self::CommitInventory | Self::ProcessPayment | Self::AskPayment => false,
        }
    }
}

/// What others are told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum EventKind {
    /// `order.created`.
    Created,
    /// `order.confirmed`.
    Confirmed,
    /// `order.failed`: the money did not come.
    Failed,
    /// `order.cancelled`.
    Cancelled,
    /// `order.shipped`.
    Shipped {
        /// The parcel.
        tracking_number: String,
    },
}

/// One consequence of a step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Effect {
    /// Write an outbox row.
    Publish(EventKind),
    /// Store the intent (STARTED in `saga_state_log`) and let a worker make the call. Never given for an action that is outstanding.
    Start(Action),
    /// The action's outcome is known or no longer wanted: log it (COMPLETED or FAILED) and forget the intent. Always of an outstanding
    /// action, and before the `Start`s of the same step.
    Finish {
        /// Which.
        action: Action,
        /// Whether it did what it was for.
        succeeded: bool,
        /// For people.
        details: Option<String>,
    },
    /// Set the payment's deadline; it carries the version of the saga that this step gives.
    StartPaymentTimer,
    /// An operator should look.
    Alarm(String),
}

//! What can happen to an order.

/// One fact, answer, timer or wish. Everything that changes an order is one of these.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Input {
    // Stock: answers of calls, or events that say the same.
    /// The stock is held (201, or 200 replayed).
    Reserved,
    /// Refused for good: short, unknown product, a customer's limit.
    ReserveRefused {
        /// The stable code and what was short, for the caller.
        reason: String,
    },
    /// Inventory could not be reached in time: whether it is held is unknown.
    ReserveGaveUp {
        /// What was last seen.
        reason: String,
    },
    /// The stock is committed (200, late or not, or again).
    StockCommitted,
    /// The hold ran out and the stock is gone (410, or `inventory.commit.failed`).
    CommitLost,
    /// The hold is released (200), or was never made.
    StockReleased,
    /// The hold ran out (`inventory.reservation.expired`).
    ReservationExpired,
    /// Committed stock was given back.
    Restocked,
    // Money.
    /// The provider accepted the request (202); the outcome will come.
    PaymentAccepted,
    /// The provider has the money.
    PaymentSucceeded,
    /// The provider said no.
    PaymentDeclined {
        /// In its words.
        reason: String,
    },
    /// Asked, the provider says it has never heard of this payment.
    PaymentUnknown,
    /// The money was given back.
    PaymentRefunded,
    // Time.
    /// The time to pay is over.
    PaymentDeadline {
        /// The saga's version when the timer was set.
        set_at_version: u64,
    },
    /// An action keeps failing: so many tries so far.
    ActionFailing {
        /// Which.
        action: super::Action,
        /// Tries so far.
        attempts: u32,
        /// What was last seen.
        error: String,
    },
    // People.
    /// The buyer, or the system, wants out.
    Cancel {
        /// Why.
        reason: Option<String>,
    },
    /// It is on its way.
    Ship {
        /// The parcel.
        tracking_number: String,
    },
    /// It arrived.
    Deliver,
    /// An operator: take it that this action was done, by hand.
    Skip {
        /// Which.
        action: super::Action,
        /// Why.
        reason: String,
    },
    /// An operator: stop trying.
    Abandon {
        /// Why.
        reason: String,
    },
}

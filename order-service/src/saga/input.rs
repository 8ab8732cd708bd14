//! What can happen to an order.

/// One fact, answer, timer or wish. Everything that changes an order is one of these.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Input {
    // Stock: answers of calls, or events that say the same.
    /// The stock is held (201, or 200 replayed).
    Reserved,
    /// Refused for good: short, unknown product, a customer's limit; also 409 `already_released` and 410, for those holds are over.
    ReserveRefused {
        /// The stable code and what was short, for the caller.
        reason: String,
    },
    /// Inventory could not be reached in time: whether it is held is unknown.
    ReserveGaveUp {
        /// What was last seen.
        reason: String,
    },
    /// The stock is committed (commit's 200, late or not, or again; release's 409 `already_committed`).
    StockCommitted,
    /// The hold is over and the stock is gone (commit's 404, 409 and 410, or `inventory.commit.failed`).
    CommitLost,
    /// The hold is released (200), or was never made.
    StockReleased,
    /// The hold ran out (`inventory.reservation.expired`).
    ReservationExpired,
    /// Committed stock was given back.
    Restocked,
    // Money.
    /// The provider has the request (202), or asked, says that it has not decided; the outcome will come.
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
    /// The time to pay is over (choreography: and to reserve).
    PaymentDeadline {
        /// The saga's version when the timer was set. Any other than `Saga::payment_timer` is stale.
        set_at_version: u64,
    },
    /// An action keeps failing: so many tries so far. Sent now and then, not at every try; the tries go on.
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
    /// An operator: stop undoing; what is left is for people.
    Abandon {
        /// Why.
        reason: String,
    },
}

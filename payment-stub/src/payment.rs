//! A payment, as it stands in the books.

use chrono::{DateTime, Utc};
use event_contracts::Money;
use uuid::Uuid;

/// Where a payment stands.
///
/// ```text
/// ACCEPTED ─► SUCCESSFUL ─► REFUNDING ─► REFUNDED
///        └──► FAILED
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Status {
    /// Committed to; the outcome is to come.
    Accepted,
    /// The provider has the money.
    Successful,
    /// The provider said no.
    Failed,
    /// The money is to be given back.
    Refunding,
    /// It was given back.
    Refunded,
}

impl Status {
    /// As it is stored and sent.
    pub fn name(self) -> &'static str {
        match self {
            Self::Accepted => "ACCEPTED",
            Self::Successful => "SUCCESSFUL",
            Self::Failed => "FAILED",
            Self::Refunding => "REFUNDING",
            Self::Refunded => "REFUNDED",
        }
    }

    /// The reverse of [`Status::name`].
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Accepted, Self::Successful, Self::Failed, Self::Refunding, Self::Refunded]
            .into_iter()
            .find(|status| status.name() == name)
    }
}

/// What was asked for. Never changes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// The key of everything done to it.
    pub payment_id: Uuid,
    /// For which order.
    pub order_id: Uuid,
    /// How much.
    pub amount: Money,
    /// How it is to behave; only what came by an event may be no [`crate::Method`].
    pub method: String,
}

/// What led to it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Cause {
    /// The event or the request.
    pub causation_id: Option<String>,
    /// W3C trace context.
    pub traceparent: Option<String>,
}

/// A payment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Payment {
    /// What was asked for.
    pub request: Request,
    /// What led to it.
    pub cause: Cause,
    /// Where it stands.
    pub status: Status,
    /// Why it failed.
    pub reason: Option<String>,
    /// When it was accepted.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

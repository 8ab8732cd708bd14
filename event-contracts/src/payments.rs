//! What payments tell. The key is the order's id, so that the facts about one order keep their order.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Money;

/// The present version of all payloads in this module.
pub const VERSION: u32 = 1;

/// `payment.successful`: the provider has the money.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PaymentSuccessful {
    /// Which payment.
    pub payment_id: Uuid,
    /// For which order.
    pub order_id: Uuid,
    /// How much.
    pub amount: Money,
}

/// `payment.failed`: the provider said no.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PaymentFailed {
    /// Which payment.
    pub payment_id: Uuid,
    /// For which order.
    pub order_id: Uuid,
    /// How much it was for.
    pub amount: Money,
    /// In the provider's words.
    pub reason: String,
}

/// `payment.refunded`: the money was given back.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PaymentRefunded {
    /// Which payment.
    pub payment_id: Uuid,
    /// For which order.
    pub order_id: Uuid,
    /// How much.
    pub amount: Money,
}

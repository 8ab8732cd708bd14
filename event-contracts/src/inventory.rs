//! What inventory tells.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The present version of all payloads in this module.
pub const VERSION: u32 = 1;

/// One line of an order.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    /// The product.
    pub product_id: i64,
    /// How many.
    pub quantity: u32,
}

/// `inventory.stock.low`: availability fell below the product's threshold. Sent once per fall.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StockLow {
    /// The product.
    pub product_id: i64,
    /// Its name, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Units in the warehouse, held ones included.
    pub on_hand: i64,
    /// Units set aside by holds.
    pub held: i64,
    /// What can still be reserved.
    pub available: i64,
    /// What it fell below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low_stock_threshold: Option<i64>,
}

/// `inventory.stock.depleted`: availability fell to zero. Sent once per fall.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StockDepleted {
    /// The product.
    pub product_id: i64,
    /// Its name, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Units in the warehouse, held ones included.
    pub on_hand: i64,
    /// Units set aside by holds.
    pub held: i64,
    /// What can still be reserved.
    pub available: i64,
}

/// `inventory.reservation.expired`: a hold ran out and its stock went back.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReservationExpired {
    /// Whose hold.
    pub order_id: Uuid,
    /// Who wanted to buy, if the order said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<String>,
    /// What went back.
    pub items: Vec<Item>,
    /// When the hold was made.
    pub created_at: DateTime<Utc>,
    /// When it ran out.
    pub expires_at: DateTime<Utc>,
}

/// `inventory.commit.failed`: a commit came after the hold had run out, and the stock was gone. The order
/// is lost for good: refund it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CommitFailed {
    /// Whose commit.
    pub order_id: Uuid,
    /// Who wanted to buy, if the order said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<String>,
    /// What could not be had again.
    pub items: Vec<Item>,
    /// Why: `reservation_expired`.
    pub reason: String,
    /// When the hold was made.
    pub created_at: DateTime<Utc>,
    /// When it ran out.
    pub expires_at: DateTime<Utc>,
}

/// `inventory.stock.level`: a product's level as it is now. Compacted and coalesced: the last one of a product is true.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StockLevel {
    /// The product.
    pub product_id: i64,
    /// Units in the warehouse, held ones included.
    pub on_hand: i64,
    /// Units set aside by holds.
    pub held: i64,
    /// What can still be reserved.
    pub available: i64,
}

/// `inventory.stock.reserved` (choreography): the order's stock is held.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StockReserved {
    /// Whose hold.
    pub order_id: Uuid,
    /// What is held.
    pub items: Vec<Item>,
    /// Until when.
    pub expires_at: DateTime<Utc>,
}

/// `inventory.stock.reservation-failed` (choreography): the order's stock cannot be had.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StockReservationFailed {
    /// Whose.
    pub order_id: Uuid,
    /// The stable code, such as `insufficient_stock`.
    pub reason: String,
}

/// `inventory.stock.committed` (choreography): the order's stock is sold for good.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StockCommitted {
    /// Whose.
    pub order_id: Uuid,
    /// What was committed.
    pub items: Vec<Item>,
}

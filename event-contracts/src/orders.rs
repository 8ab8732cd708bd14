//! What orders tell.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Money;
use crate::inventory::Item;

/// The present version of all payloads in this module.
pub const VERSION: u32 = 1;

/// One line of an order, with the price locked when it was placed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PricedItem {
    /// The product.
    pub product_id: i64,
    /// How many.
    pub quantity: u32,
    /// What one costs.
    pub unit_price: Money,
}

/// `order.created`: an order was placed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrderCreated {
    /// Which.
    pub order_id: Uuid,
    /// Whose.
    pub user_id: String,
    /// What.
    pub items: Vec<PricedItem>,
    /// The sum.
    pub total_amount: Money,
    /// The payment that goes with it; minted before anyone asked for money.
    pub payment_id: Uuid,
    /// How it is to be paid.
    pub payment_method: String,
}

/// `order.confirmed`: paid, and the stock is committed. Consumers commit the stock if it is not yet.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrderConfirmed {
    /// Which.
    pub order_id: Uuid,
    /// Whose.
    pub user_id: String,
    /// What.
    pub items: Vec<Item>,
    /// The sum.
    pub total_amount: Money,
    /// How it was paid.
    pub payment_id: Uuid,
}

/// `order.failed`: the money did not come. Consumers release the hold.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrderFailed {
    /// Which.
    pub order_id: Uuid,
    /// Whose.
    pub user_id: String,
    /// Why.
    pub reason: String,
}

/// `order.cancelled`: ended without a sale. Consumers release the hold; committed stock and money are given back by the order's
/// own compensation.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrderCancelled {
    /// Which.
    pub order_id: Uuid,
    /// Whose.
    pub user_id: String,
    /// Why.
    pub reason: String,
}

/// `order.shipped`: on its way.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrderShipped {
    /// Which.
    pub order_id: Uuid,
    /// Whose.
    pub user_id: String,
    /// The parcel.
    pub tracking_number: String,
}

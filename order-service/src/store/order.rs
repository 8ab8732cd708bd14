//! What is known of an order.

use chrono::{DateTime, Utc};
use event_contracts::Money;
use event_contracts::inventory::Item;
use event_contracts::orders::PricedItem;
use uuid::Uuid;

use crate::saga::Saga;

/// An order that somebody wants to place: checked, priced, not stored yet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Placement {
    /// Whose.
    pub user_id: String,
    /// The caller's key.
    pub key: String,
    /// What the caller's key stands for: another body under the same key is refused.
    pub fingerprint: String,
    /// What, with prices that are locked now.
    pub items: Vec<PricedItem>,
    /// The sum.
    pub total: Money,
    /// How it is to be paid.
    pub payment_method: String,
    /// The request's id.
    pub request_id: Option<String>,
    /// W3C trace context of the request.
    pub traceparent: Option<String>,
}

/// An order as it is stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Order {
    /// Which.
    pub id: Uuid,
    /// Whose.
    pub user_id: String,
    /// What, with the prices of when it was placed.
    pub items: Vec<PricedItem>,
    /// The sum.
    pub total: Money,
    /// The payment's id; minted with the order.
    pub payment_id: Uuid,
    /// How it is to be paid.
    pub payment_method: String,
    /// W3C trace context of the placement.
    pub traceparent: Option<String>,
    /// Where it stands.
    pub saga: Saga,
    /// By the database's clock.
    pub created_at: DateTime<Utc>,
    /// By the database's clock.
    pub updated_at: DateTime<Utc>,
}

impl Order {
    /// The lines without prices, summed by product, as inventory wants them.
    pub fn stock_items(&self) -> Vec<Item> {
        let mut items: Vec<Item> = Vec::with_capacity(self.items.len());
        for line in &self.items {
            match items.iter_mut().find(|item| item.product_id == line.product_id) {
                Some(item) => item.quantity = item.quantity.saturating_add(line.quantity),
                None => items.push(Item { product_id: line.product_id, quantity: line.quantity }),
            }
        }
        items
    }
}

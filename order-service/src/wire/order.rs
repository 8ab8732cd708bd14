//! Orders, as told.

use chrono::{DateTime, SecondsFormat, Utc};
use event_contracts::Money;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::saga::{OrderStatus, PaymentStatus};
use crate::store::Order;

/// An order as it is now.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Order)]
pub struct OrderBody {
    /// Which.
    pub order_id: Uuid,
    /// Whose.
    pub user_id: String,
    /// `PENDING`, `AWAITING_PAYMENT`, `CONFIRMED`, `SHIPPED`, `DELIVERED`, `CANCELLED` or `PAYMENT_FAILED`.
    #[schema(value_type = String)]
    pub status: OrderStatus,
    /// `NONE`, `REQUESTED`, `PAID`, `FAILED`, `REFUNDING`, `REFUNDED` or `ABANDONED`.
    #[schema(value_type = String)]
    pub payment_status: PaymentStatus,
    /// The sum.
    #[schema(value_type = String, example = "24.60")]
    pub total_amount: Money,
    /// What, with the prices of when it was placed.
    pub items: Vec<PricedItemBody>,
    /// The payment that goes with it.
    pub payment_id: Uuid,
    /// How it is paid.
    pub payment_method: String,
    /// Why it ended without a sale.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The parcel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tracking_number: Option<String>,
    /// When it was placed.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: WireTime,
    /// When it last changed.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: WireTime,
}

/// One line.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PricedItem)]
pub struct PricedItemBody {
    /// The product.
    pub product_id: i64,
    /// How many.
    pub quantity: u32,
    /// What one costs.
    #[schema(value_type = String, example = "12.30")]
    pub unit_price: Money,
}

/// A page of orders, newest first.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OrderPage)]
pub struct OrderPageBody {
    /// The orders.
    pub items: Vec<OrderBody>,
    /// Where the next page begins; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

impl From<&Order> for OrderBody {
    fn from(order: &Order) -> Self {
        let line = |line: &event_contracts::orders::PricedItem| PricedItemBody {
            product_id: line.product_id,
            quantity: line.quantity,
            unit_price: line.unit_price,
        };
        Self {
            order_id: order.id,
            user_id: order.user_id.clone(),
            status: order.saga.status,
            payment_status: order.saga.payment,
            total_amount: order.total,
            items: order.items.iter().map(line).collect(),
            payment_id: order.payment_id,
            payment_method: order.payment_method.clone(),
            // While an order is well, a noted reason is nobody's business.
            reason: matches!(order.saga.status, OrderStatus::Cancelled | OrderStatus::PaymentFailed)
                .then(|| order.saga.reason.clone())
                .flatten(),
            tracking_number: order.saga.tracking_number.clone(),
            created_at: WireTime(order.created_at),
            updated_at: WireTime(order.updated_at),
        }
    }
}

/// A time as RFC 3339 in UTC, with microseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WireTime(pub DateTime<Utc>);

impl Serialize for WireTime {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_rfc3339_opts(SecondsFormat::Micros, true))
    }
}

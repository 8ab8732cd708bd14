//! Bodies that act on one order.

use std::time::Duration;

use inventory_core::engine::ReserveRequest;
use inventory_core::ids::{CustomerId, Note, OrderId, ProductId};
use inventory_core::limits::TEXT_BYTES_MAX;
use inventory_core::lines::Lines;
use serde::Deserialize;
use service_kit::FieldError;
use service_kit::json::Wire;
use service_kit::object::{objects, optional_objects};
use service_kit::shape::{Field, Shape};
use utoipa::ToSchema;
use uuid::Uuid;

use super::items::{ITEMS, ItemWire, parse_items};

const TEXT: Shape = Shape::Text { bytes_max: TEXT_BYTES_MAX };
const TTL: Shape = Shape::Integer { min: 1, max: i64::MAX };
const ORDER_ID: Field = Field::required("orderId", Shape::Uuid);

/// Hold stock for an order: all lines or none.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(as = ReserveRequest)]
pub struct ReserveWire {
    /// The order; the idempotency key of everything done to it.
    pub order_id: Uuid,
    /// What to hold; the same product several times is summed.
    #[serde(deserialize_with = "objects")]
    #[schema(min_items = 1, max_items = 256)]
    pub items: Vec<ItemWire>,
    /// How long; the service's default if absent.
    #[schema(minimum = 1)]
    pub ttl_seconds: Option<i64>,
    /// Who buys; needed for products with a limit per customer.
    #[schema(min_length = 1, max_length = 255)]
    pub customer_id: Option<String>,
}

impl Wire for ReserveWire {
    type Parsed = ReserveRequest;
    const FIELDS: &'static [Field] = &[
        ORDER_ID,
        Field::required("items", ITEMS),
        Field::optional("ttlSeconds", TTL),
        Field::optional("customerId", TEXT),
    ];

    fn parse(self) -> Result<ReserveRequest, FieldError> {
        Ok(ReserveRequest {
            order: OrderId::new(self.order_id),
            lines: parse_items(&self.items)?,
            customer: match self.customer_id {
                Some(id) => {
                    Some(CustomerId::parse(&id).map_err(|error| FieldError::new("customerId", error))?)
                }
                None => None,
            },
            ttl: self.ttl_seconds.map(parse_ttl).transpose()?,
        })
    }
}

/// Turn a hold into a permanent deduction.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(as = CommitRequest)]
pub struct CommitWire {
    /// The order.
    pub order_id: Uuid,
    /// These quantities only; the rest of the hold is released in the same step.
    #[serde(default, deserialize_with = "optional_objects")]
    #[schema(min_items = 1, max_items = 256)]
    pub items: Option<Vec<ItemWire>>,
}

/// A commit, understood.
#[derive(Debug)]
pub struct CommitOrder {
    /// The order.
    pub order: OrderId,
    /// These quantities only.
    pub items: Option<Items>,
}

/// Quantities of a part of an order, and in which entry each product was first named.
#[derive(Debug)]
pub struct Items {
    /// Summed and sorted.
    pub lines: Lines,
    named: Vec<i64>,
}

impl Items {
    fn parse(items: &[ItemWire]) -> Result<Self, FieldError> {
        Ok(Self { lines: parse_items(items)?, named: items.iter().map(|item| item.product_id).collect() })
    }

    /// Where the caller asked for this product: `items[3].quantity`.
    pub fn path_of(&self, product: ProductId) -> String {
        match self.named.iter().position(|id| *id == product.get()) {
            Some(index) => format!("items[{index}].quantity"),
            None => "items".to_owned(),
        }
    }
}

impl Wire for CommitWire {
    type Parsed = CommitOrder;
    const FIELDS: &'static [Field] = &[ORDER_ID, Field::optional("items", ITEMS)];

    fn parse(self) -> Result<CommitOrder, FieldError> {
        Ok(CommitOrder {
            order: OrderId::new(self.order_id),
            items: self.items.as_deref().map(Items::parse).transpose()?,
        })
    }
}

/// Give stock back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(as = ReleaseRequest)]
pub struct ReleaseWire {
    /// The order. Releasing an unknown order makes a later reserve of it fail.
    pub order_id: Uuid,
    /// These quantities only; the hold stays while anything is left.
    #[serde(default, deserialize_with = "optional_objects")]
    #[schema(min_items = 1, max_items = 256)]
    pub items: Option<Vec<ItemWire>>,
    /// For the journal.
    #[schema(min_length = 1, max_length = 255)]
    pub reason: Option<String>,
}

/// A release, understood.
#[derive(Debug)]
pub struct ReleaseOrder {
    /// The order.
    pub order: OrderId,
    /// These quantities only.
    pub items: Option<Items>,
    /// For the journal.
    pub reason: Option<Note>,
}

impl Wire for ReleaseWire {
    type Parsed = ReleaseOrder;
    const FIELDS: &'static [Field] =
        &[ORDER_ID, Field::optional("items", ITEMS), Field::optional("reason", TEXT)];

    fn parse(self) -> Result<ReleaseOrder, FieldError> {
        Ok(ReleaseOrder {
            order: OrderId::new(self.order_id),
            items: self.items.as_deref().map(Items::parse).transpose()?,
            reason: parse_note("reason", self.reason.as_deref())?,
        })
    }
}

/// Make a hold last longer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(as = ExtendRequest)]
pub struct ExtendWire {
    /// The order.
    pub order_id: Uuid,
    /// At least this long from now; never makes a hold shorter.
    #[schema(minimum = 1)]
    pub ttl_seconds: i64,
}

/// An extend, understood.
#[derive(Debug)]
pub struct ExtendOrder {
    /// The order.
    pub order: OrderId,
    /// At least this long from now.
    pub ttl: Duration,
}

impl Wire for ExtendWire {
    type Parsed = ExtendOrder;
    const FIELDS: &'static [Field] = &[ORDER_ID, Field::required("ttlSeconds", TTL)];

    fn parse(self) -> Result<ExtendOrder, FieldError> {
        Ok(ExtendOrder { order: OrderId::new(self.order_id), ttl: parse_ttl(self.ttl_seconds)? })
    }
}

fn parse_ttl(seconds: i64) -> Result<Duration, FieldError> {
    match u64::try_from(seconds) {
        Ok(seconds @ 1..) => Ok(Duration::from_secs(seconds)),
        Ok(0) | Err(_) => Err(FieldError::new("ttlSeconds", "must be at least 1")),
    }
}

pub(super) fn parse_note(field: &str, text: Option<&str>) -> Result<Option<Note>, FieldError> {
    text.map(|text| Note::parse(text).map_err(|error| FieldError::new(field, error))).transpose()
}

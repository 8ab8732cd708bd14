//! Bodies of requests.

use std::collections::HashMap;

use event_contracts::Money;
use event_contracts::orders::PricedItem;
use serde::Deserialize;
use service_kit::FieldError;
use service_kit::json::Wire;
use service_kit::object::objects;
use service_kit::shape::{Field, Shape};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::limits::{LINES_MAX, QUANTITY_MAX, TEXT_BYTES_MAX};
use crate::saga::Action;

const TEXT: Shape = Shape::Text { bytes_max: TEXT_BYTES_MAX };
const ITEM: &[Field] = &[
    Field::required("productId", Shape::Integer { min: i64::MIN, max: i64::MAX }),
    Field::required("quantity", Shape::Integer { min: 1, max: QUANTITY_MAX }),
    Field::required("unitPrice", Shape::Money),
];
/// What is sent to the provider when the caller does not say.
const PAYMENT_METHOD: &str = "approve";
/// For fingerprints.
const NAMESPACE: Uuid = Uuid::from_u128(0x0197_a3b0_5f00_7000_8000_f1e2_d3c4_b5a6);

/// Place an order.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(as = PlaceRequest)]
pub struct PlaceWire {
    /// Who buys.
    #[schema(min_length = 1, max_length = 255)]
    pub user_id: String,
    /// What, at which price.
    #[serde(deserialize_with = "objects")]
    #[schema(min_items = 1, max_items = 256)]
    pub items: Vec<PricedItemWire>,
    /// How it is to be paid; `approve` if absent.
    #[schema(min_length = 1, max_length = 255)]
    pub payment_method: Option<String>,
}

/// One line, as asked for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(as = PricedItemRequest)]
pub struct PricedItemWire {
    /// The product.
    pub product_id: i64,
    /// How many.
    #[schema(value_type = i32, minimum = 1, maximum = 2_147_483_647)]
    pub quantity: i64,
    /// What one costs; 0.00 is a price.
    #[schema(example = "12.30", pattern = r"^[0-9]{1,8}(\.[0-9]{1,2})?$")]
    pub unit_price: String,
}

/// An order to place, understood.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PlaceOrder {
    /// Who buys.
    pub user_id: String,
    /// What.
    pub items: Vec<PricedItem>,
    /// The sum.
    pub total: Money,
    /// How it is to be paid.
    pub payment_method: String,
}

impl PlaceOrder {
    /// The same for the same order, however its body was written.
    pub fn fingerprint(&self) -> String {
        let mut text = format!("{}\n{}\n", self.user_id, self.payment_method);
        for item in &self.items {
            text.push_str(&format!("{} {} {}\n", item.product_id, item.quantity, item.unit_price));
        }
        Uuid::new_v5(&NAMESPACE, text.as_bytes()).to_string()
    }
}

impl Wire for PlaceWire {
    type Parsed = PlaceOrder;
    const FIELDS: &'static [Field] = &[
        Field::required("userId", TEXT),
        Field::required("items", Shape::List { of: ITEM, len_max: LINES_MAX }),
        Field::optional("paymentMethod", TEXT),
    ];

    fn parse(self) -> Result<PlaceOrder, FieldError> {
        let user_id = text("userId", self.user_id)?;
        let payment_method = match self.payment_method {
            Some(method) => text("paymentMethod", method)?,
            None => PAYMENT_METHOD.to_owned(),
        };
        if self.items.is_empty() || self.items.len() > LINES_MAX {
            return Err(FieldError::new("items", format!("must have 1 to {LINES_MAX} entries")));
        }
        let (mut items, mut total) = (Vec::with_capacity(self.items.len()), Money::ZERO);
        let mut sums: HashMap<i64, i64> = HashMap::new();
        for (index, wire) in self.items.iter().enumerate() {
            let item = line(index, wire)?;
            let sum = sums.entry(item.product_id).or_default();
            *sum += i64::from(item.quantity);
            if *sum > QUANTITY_MAX {
                let product = item.product_id;
                let message = format!("makes more than {QUANTITY_MAX} of product {product} in this order");
                return Err(FieldError::new(format!("items[{index}].quantity"), message));
            }
            let too_much =
                |_| FieldError::new("items", "cost more than 99999999.99 together; split the order");
            total =
                item.unit_price.times(item.quantity).and_then(|cost| total.plus(cost)).map_err(too_much)?;
            items.push(item);
        }
        Ok(PlaceOrder { user_id, items, total, payment_method })
    }
}

fn line(index: usize, wire: &PricedItemWire) -> Result<PricedItem, FieldError> {
    let wrong = |field: &str, message: String| FieldError::new(format!("items[{index}].{field}"), message);
    let quantity = match u32::try_from(wire.quantity) {
        Ok(quantity @ 1..) if wire.quantity <= QUANTITY_MAX => quantity,
        Ok(_) | Err(_) => {
            let message = format!("must be a whole number from 1 to {QUANTITY_MAX}, is {}", wire.quantity);
            return Err(wrong("quantity", message));
        }
    };
    let unit_price = wire
        .unit_price
        .parse()
        .map_err(|error: event_contracts::MoneyError| wrong("unitPrice", error.to_string()))?;
    Ok(PricedItem { product_id: wire.product_id, quantity, unit_price })
}

/// 1 to 255 bytes without NUL.
pub(crate) fn text(field: &str, text: String) -> Result<String, FieldError> {
    match text.len() {
        0 => Err(FieldError::new(field, "must not be empty")),
        len if len > TEXT_BYTES_MAX => {
            Err(FieldError::new(field, format!("must be at most {TEXT_BYTES_MAX} bytes long, is {len}")))
        }
        _ if text.contains('\0') => Err(FieldError::new(field, "must not contain a NUL character")),
        _ => Ok(text),
    }
}

/// Cancel an order.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(as = CancelRequest)]
pub struct CancelWire {
    /// Why.
    #[schema(min_length = 1, max_length = 255)]
    pub reason: Option<String>,
}

impl Wire for CancelWire {
    type Parsed = Option<String>;
    const FIELDS: &'static [Field] = &[Field::optional("reason", TEXT)];

    fn parse(self) -> Result<Option<String>, FieldError> {
        self.reason.map(|reason| text("reason", reason)).transpose()
    }
}

/// Say that an order is on its way.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(as = ShipRequest)]
pub struct ShipWire {
    /// The parcel.
    #[schema(min_length = 1, max_length = 255)]
    pub tracking_number: String,
}

impl Wire for ShipWire {
    type Parsed = String;
    const FIELDS: &'static [Field] = &[Field::required("trackingNumber", TEXT)];

    fn parse(self) -> Result<String, FieldError> {
        text("trackingNumber", self.tracking_number)
    }
}

/// An operator's wish that needs a reason only.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(as = AbandonRequest)]
pub struct AbandonWire {
    /// Why.
    #[schema(min_length = 1, max_length = 255)]
    pub reason: String,
}

impl Wire for AbandonWire {
    type Parsed = String;
    const FIELDS: &'static [Field] = &[Field::required("reason", TEXT)];

    fn parse(self) -> Result<String, FieldError> {
        text("reason", self.reason)
    }
}

/// An operator did an action by hand.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(as = SkipRequest)]
pub struct SkipWire {
    /// Which, such as `REFUND_PAYMENT`.
    #[schema(
        pattern = "^(RESERVE_INVENTORY|COMMIT_INVENTORY|RELEASE_INVENTORY|RESTOCK_INVENTORY|PROCESS_PAYMENT|ASK_PAYMENT|REFUND_PAYMENT)$"
    )]
    pub action: String,
    /// Why.
    #[schema(min_length = 1, max_length = 255)]
    pub reason: String,
}

impl Wire for SkipWire {
    type Parsed = (Action, String);
    const FIELDS: &'static [Field] = &[Field::required("action", TEXT), Field::required("reason", TEXT)];

    fn parse(self) -> Result<(Action, String), FieldError> {
        let unknown =
            || FieldError::new("action", "must be an action that `plan` shows, such as REFUND_PAYMENT");
        let action = crate::store::row::from_name(&self.action).ok_or_else(unknown)?;
        Ok((action, text("reason", self.reason)?))
    }
}

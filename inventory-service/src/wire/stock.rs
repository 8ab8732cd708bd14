//! Bodies and rows that set or change a product's stock.

use inventory_core::command::{Adjust, SetStock};
use inventory_core::ids::{AdjustmentId, Note, ProductId};
use inventory_core::limits::{QUANTITY_MAX, TEXT_BYTES_MAX, UNITS_MAX};
use inventory_core::quantity::{Quantity, Units};
use serde::{Deserialize, Deserializer};
use service_kit::FieldError;
use service_kit::json::Wire;
use service_kit::shape::{Field, Shape};
use utoipa::ToSchema;

use super::requests::parse_note;

const TEXT: Shape = Shape::Text { bytes_max: TEXT_BYTES_MAX };
const LEVEL: Shape = Shape::Integer { min: 0, max: UNITS_MAX };
const PRODUCT_ID: Field = Field::required("productId", Shape::Integer { min: i64::MIN, max: i64::MAX });
const ON_HAND: Field = Field::required("onHand", LEVEL);
// `null` is refused: it would look like "remove", but absent and present are all that can be said.
const LOW_STOCK_THRESHOLD: Field = Field::optional_not_null("lowStockThreshold", LEVEL);
const PER_CUSTOMER_LIMIT: Field =
    Field::optional_not_null("perCustomerLimit", Shape::Integer { min: 1, max: QUANTITY_MAX as i64 });
const NAME: Field = Field::optional_not_null("name", TEXT);

/// Create a product, or set its stock and settings. Absent optional fields are left as they are.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(as = SetRequest)]
pub struct SetWire {
    /// Units in the warehouse, held ones included.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64)]
    pub on_hand: i64,
    /// Falling below it announces `inventory.stock.low`.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(value_type = i64, required = false, minimum = 0, maximum = 1_000_000_000_000_i64)]
    pub low_stock_threshold: Option<i64>,
    /// How many one customer may hold and have bought.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(value_type = i32, required = false, minimum = 1, maximum = 2_147_483_647)]
    pub per_customer_limit: Option<i64>,
    /// For people.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(value_type = String, required = false, min_length = 1, max_length = 255)]
    pub name: Option<String>,
}

/// One row of an import: the same, with the product.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(as = ImportRow)]
pub struct ImportRowWire {
    /// The product.
    pub product_id: i64,
    /// Units in the warehouse, held ones included.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64)]
    pub on_hand: i64,
    /// See the single call.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(value_type = i64, required = false, minimum = 0, maximum = 1_000_000_000_000_i64)]
    pub low_stock_threshold: Option<i64>,
    /// See the single call.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(value_type = i32, required = false, minimum = 1, maximum = 2_147_483_647)]
    pub per_customer_limit: Option<i64>,
    /// See the single call.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(value_type = String, required = false, min_length = 1, max_length = 255)]
    pub name: Option<String>,
}

/// A `PUT`, understood, but for the product and the version, which stand in the address and in a header.
#[derive(Debug)]
pub struct Settings(SetStock);

impl Settings {
    /// With what the request said elsewhere.
    pub fn of(self, product: ProductId, expected_admin_version: Option<u64>) -> SetStock {
        SetStock { product, expected_admin_version, ..self.0 }
    }
}

impl Wire for SetWire {
    type Parsed = Settings;
    const FIELDS: &'static [Field] = &[ON_HAND, LOW_STOCK_THRESHOLD, PER_CUSTOMER_LIMIT, NAME];

    fn parse(self) -> Result<Settings, FieldError> {
        let row = ImportRowWire {
            product_id: 0,
            on_hand: self.on_hand,
            low_stock_threshold: self.low_stock_threshold,
            per_customer_limit: self.per_customer_limit,
            name: self.name,
        };
        row.parse().map(Settings)
    }
}

impl Wire for ImportRowWire {
    type Parsed = SetStock;
    const FIELDS: &'static [Field] = &[PRODUCT_ID, ON_HAND, LOW_STOCK_THRESHOLD, PER_CUSTOMER_LIMIT, NAME];

    fn parse(self) -> Result<SetStock, FieldError> {
        let level = |field, units| Units::level(units).map_err(|error| FieldError::new(field, error));
        Ok(SetStock {
            product: ProductId::new(self.product_id),
            on_hand: level("onHand", self.on_hand)?,
            low_stock_threshold: self
                .low_stock_threshold
                .map(|units| level("lowStockThreshold", units))
                .transpose()?,
            per_customer_limit: self
                .per_customer_limit
                .map(|limit| Quantity::new(limit).map_err(|error| FieldError::new("perCustomerLimit", error)))
                .transpose()?,
            name: parse_note("name", self.name.as_deref())?,
            expected_admin_version: None,
        })
    }
}

/// Change a product's stock by a keyed delta.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(as = AdjustRequest)]
pub struct AdjustWire {
    /// The idempotency key.
    #[schema(min_length = 1, max_length = 255)]
    pub adjustment_id: String,
    /// Units received (positive) or written off (negative).
    #[schema(minimum = -1_000_000_000_000_i64, maximum = 1_000_000_000_000_i64)]
    pub delta: i64,
    /// Why.
    #[schema(min_length = 1, max_length = 255)]
    pub reason: String,
    /// A delivery note, a ticket.
    #[schema(min_length = 1, max_length = 255)]
    pub reference: Option<String>,
}

/// An adjustment, understood, but for the product, which stands in the address.
#[derive(Debug)]
pub struct Adjustment(Adjust);

impl Adjustment {
    /// Of this product.
    pub fn of(self, product: ProductId) -> Adjust {
        Adjust { product, ..self.0 }
    }
}

impl Wire for AdjustWire {
    type Parsed = Adjustment;
    const FIELDS: &'static [Field] = &[
        Field::required("adjustmentId", TEXT),
        Field::required("delta", Shape::Integer { min: -UNITS_MAX, max: UNITS_MAX }),
        Field::required("reason", TEXT),
        Field::optional("reference", TEXT),
    ];

    fn parse(self) -> Result<Adjustment, FieldError> {
        Ok(Adjustment(Adjust {
            product: ProductId::new(0),
            adjustment: AdjustmentId::parse(&self.adjustment_id)
                .map_err(|error| FieldError::new("adjustmentId", error))?,
            delta: Units::delta(self.delta).map_err(|error| FieldError::new("delta", error))?,
            reason: Note::parse(&self.reason).map_err(|error| FieldError::new("reason", error))?,
            reference: parse_note("reference", self.reference.as_deref())?,
        }))
    }
}

fn not_null<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

//! Lines of an order.

use inventory_core::ids::ProductId;
use inventory_core::limits::{LINES_MAX, QUANTITY_MAX};
use inventory_core::lines::{Line, Lines};
use inventory_core::quantity::Quantity;
use serde::{Deserialize, Serialize};
use service_kit::FieldError;
use service_kit::shape::{Field, Shape};
use utoipa::ToSchema;

/// One line, as asked for.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(as = ItemRequest)]
pub struct ItemWire {
    /// The product.
    pub product_id: i64,
    /// How many.
    #[schema(value_type = i32, minimum = 1, maximum = 2_147_483_647)]
    pub quantity: i64,
}

/// One line, as told.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Item)]
pub struct ItemBody {
    /// The product.
    pub product_id: i64,
    /// How many; the same product asked for several times is summed.
    pub quantity: u32,
}

const ITEM_FIELDS: &[Field] = &[
    Field::required("productId", Shape::Integer { min: i64::MIN, max: i64::MAX }),
    Field::required("quantity", Shape::Integer { min: 1, max: QUANTITY_MAX as i64 }),
];

/// The shape of `items`.
pub(super) const ITEMS: Shape = Shape::List { of: ITEM_FIELDS, len_max: LINES_MAX };

pub(super) fn parse_items(items: &[ItemWire]) -> Result<Lines, FieldError> {
    let mut wrong = None;
    // Straight into the engine's inline storage: an order of one or two lines allocates nothing more.
    let lines =
        Lines::new(items.iter().enumerate().map_while(|(index, item)| match Quantity::new(item.quantity) {
            Ok(quantity) => Some(Line { product: ProductId::new(item.product_id), quantity }),
            Err(error) => {
                wrong = Some(FieldError::new(format!("items[{index}].quantity"), error));
                None
            }
        }));
    match wrong {
        Some(wrong) => Err(wrong),
        None => lines.map_err(|error| FieldError::new("items", error)),
    }
}

pub(super) fn items_of(lines: &Lines) -> Vec<ItemBody> {
    lines
        .iter()
        .map(|line| ItemBody { product_id: line.product.get(), quantity: line.quantity.get() })
        .collect()
}

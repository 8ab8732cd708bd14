//! Products, as told.

use inventory_core::outcome::Adjusted;
use inventory_core::product::Product;
use serde::Serialize;
use utoipa::ToSchema;

/// A product's stock.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Product)]
pub struct ProductBody {
    /// The product.
    pub product_id: i64,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Units in the warehouse, held ones included.
    pub on_hand: i64,
    /// Units set aside by holds.
    pub held: i64,
    /// What can still be reserved.
    pub available: i64,
    /// Raised by every change.
    pub version: u64,
    /// Falling below it announces `inventory.stock.low`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub low_stock_threshold: Option<i64>,
    /// How many one customer may hold and have bought.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_customer_limit: Option<u32>,
}

impl From<&Product> for ProductBody {
    fn from(product: &Product) -> Self {
        Self {
            product_id: product.id.get(),
            name: product.name.as_ref().map(|name| name.as_str().to_owned()),
            on_hand: product.on_hand.get(),
            held: product.held.get(),
            available: product.available().get(),
            version: product.version,
            low_stock_threshold: product.low_stock_threshold.map(|units| units.get()),
            per_customer_limit: product.per_customer_limit.map(|quantity| quantity.get()),
        }
    }
}

/// Several products.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Products)]
pub struct ProductsBody {
    /// Those that exist, by product id.
    pub items: Vec<ProductBody>,
    /// Those that do not.
    pub missing: Vec<i64>,
}

/// A product after an adjustment.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Adjusted)]
pub struct AdjustedBody {
    /// As it is now.
    #[serde(flatten)]
    pub product: ProductBody,
    /// The same adjustment had been made before, and nothing was changed.
    pub replayed: bool,
}

impl From<&Adjusted> for AdjustedBody {
    fn from(adjusted: &Adjusted) -> Self {
        Self { product: ProductBody::from(&adjusted.product), replayed: adjusted.replayed }
    }
}

//! What addresses and headers say.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use inventory_core::ids::{OrderId, ProductId};
use service_kit::Problem;
use service_kit::http::params::{path_text, path_uuid};

/// `{productId}` of the address.
pub(crate) struct ProductParam(pub(super) ProductId);

impl<S: Send + Sync> FromRequestParts<S> for ProductParam {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let text = path_text(parts, state, "productId").await?;
        parse_product(&text).map(Self).map_err(|message| Problem::invalid_field("productId", message))
    }
}

/// `{orderId}` of the address.
pub(crate) struct OrderParam(pub(super) OrderId);

impl<S: Send + Sync> FromRequestParts<S> for OrderParam {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        path_uuid(parts, state, "orderId").await.map(|id| Self(OrderId::new(id)))
    }
}

pub(super) fn parse_product(text: &str) -> Result<ProductId, String> {
    text.parse().map(ProductId::new).map_err(|_| format!("must be a 64-bit integer, is {text:?}"))
}

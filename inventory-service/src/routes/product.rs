//! `GET /api/v1/inventory/{productId}`, and the ETag that `PUT` checks.

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use inventory_core::product::Product;
use service_kit::problem::ProblemBody;
use service_kit::{Problem, json};

use super::params::ProductParam;
use crate::api::CommonProblems;
use crate::problems;
use crate::state::App;
use crate::wire::product::ProductBody;

/// A product's stock as the store has it now.
///
/// The `ETag` is for `If-Match` on `PUT`. It changes with administration, not with every sale; so `If-None-Match` is
/// not looked at: "not modified" would hide sales.
#[utoipa::path(
    get,
    path = "/api/v1/inventory/{productId}",
    tag = "products",
    params(("productId" = i64, Path)),
    responses(
        (status = 200, description = "The product", body = ProductBody, headers(("ETag" = String))),
        (status = 404, description = "`product_not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_request`", body = ProblemBody, content_type = "application/problem+json"),
        CommonProblems,
    )
)]
pub(crate) async fn get_product(
    State(app): State<App>,
    ProductParam(id): ProductParam,
) -> Result<Response, Problem> {
    let products = app.engine().products(&[id]).await.map_err(problems::failure)?;
    let product = products.first().ok_or_else(|| problems::product_not_found(&[id]))?;
    Ok(with_etag(json::answer(StatusCode::OK, &ProductBody::from(product)), product))
}

pub(super) fn with_etag(mut response: Response, product: &Product) -> Response {
    // A number in quotes is always a header's value.
    if let Ok(etag) = HeaderValue::try_from(format!("\"{}\"", product.admin_version)) {
        response.headers_mut().insert(header::ETAG, etag);
    }
    response
}

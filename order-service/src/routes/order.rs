//! `GET /api/v1/orders/{orderId}`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use service_kit::problem::ProblemBody;
use service_kit::{Problem, json};

use super::params::OrderParam;
use crate::api::CommonProblems;
use crate::problems;
use crate::state::App;
use crate::wire::order::OrderBody;

/// An order as it is now.
#[utoipa::path(
    get,
    path = "/api/v1/orders/{orderId}",
    tag = "orders",
    params(("orderId" = uuid::Uuid, Path)),
    responses(
        (status = 200, description = "The order", body = OrderBody),
        (status = 404, description = "`order_not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_request`", body = ProblemBody, content_type = "application/problem+json"),
        CommonProblems,
    )
)]
pub(crate) async fn get_order(
    State(app): State<App>,
    OrderParam(order): OrderParam,
) -> Result<Response, Problem> {
    let found = app.store().read(order).await.map_err(problems::apply)?;
    let found = found.ok_or_else(|| problems::order_not_found(order))?;
    Ok(json::answer(StatusCode::OK, &OrderBody::from(&found)))
}

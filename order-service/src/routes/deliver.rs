//! `POST /api/v1/orders/{orderId}/deliver`.

use axum::extract::State;
use axum::response::Response;
use service_kit::Problem;
use service_kit::problem::ProblemBody;

use super::params::OrderParam;
use super::wish;
use crate::api::CommonProblems;
use crate::saga::Input;
use crate::state::App;
use crate::wire::order::OrderBody;

/// Say that a shipped order arrived.
#[utoipa::path(
    post,
    path = "/api/v1/orders/{orderId}/deliver",
    tag = "orders",
    params(("orderId" = uuid::Uuid, Path)),
    responses(
        (status = 200, description = "The order as it is now", body = OrderBody),
        (status = 404, description = "`order_not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`invalid_state`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_request`", body = ProblemBody, content_type = "application/problem+json"),
        CommonProblems,
    )
)]
pub(crate) async fn deliver(
    State(app): State<App>,
    OrderParam(order): OrderParam,
) -> Result<Response, Problem> {
    wish::apply(&app, order, Input::Deliver).await
}

//! `POST /api/v1/orders/{orderId}/cancel`.

use axum::extract::{Request, State};
use axum::response::Response;
use service_kit::problem::ProblemBody;
use service_kit::{Problem, json};

use super::params::OrderParam;
use super::wish;
use crate::api::CommonProblems;
use crate::saga::Input;
use crate::state::App;
use crate::wire::order::OrderBody;
use crate::wire::requests::CancelWire;

/// Cancel an order that is not shipped. What was begun is undone: stock goes back, money is given back.
#[utoipa::path(
    post,
    path = "/api/v1/orders/{orderId}/cancel",
    tag = "orders",
    params(("orderId" = uuid::Uuid, Path)),
    request_body(content = Option<CancelWire>, description = "May be left out"),
    responses(
        (status = 200, description = "The order as it is now", body = OrderBody),
        (status = 404, description = "`order_not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`invalid_state`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_request`", body = ProblemBody, content_type = "application/problem+json"),
        CommonProblems,
    )
)]
pub(crate) async fn cancel(
    State(app): State<App>,
    OrderParam(order): OrderParam,
    request: Request,
) -> Result<Response, Problem> {
    let reason = json::read_optional::<CancelWire>(request, app.body_limits()).await?.flatten();
    wish::apply(&app, order, Input::Cancel { reason }).await
}

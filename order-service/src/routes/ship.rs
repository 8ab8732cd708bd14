//! `POST /api/v1/orders/{orderId}/ship`.

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
use crate::wire::requests::ShipWire;

/// Say that an order is on its way. Only a confirmed one is: paid, and its stock committed.
#[utoipa::path(
    post,
    path = "/api/v1/orders/{orderId}/ship",
    tag = "orders",
    params(("orderId" = uuid::Uuid, Path)),
    request_body = ShipWire,
    responses(
        (status = 200, description = "The order as it is now", body = OrderBody),
        (status = 404, description = "`order_not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`invalid_state`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_request`", body = ProblemBody, content_type = "application/problem+json"),
        CommonProblems,
    )
)]
pub(crate) async fn ship(
    State(app): State<App>,
    OrderParam(order): OrderParam,
    request: Request,
) -> Result<Response, Problem> {
    let tracking_number = json::read::<ShipWire>(request, app.body_limits()).await?;
    wish::apply(&app, order, Input::Ship { tracking_number }).await
}

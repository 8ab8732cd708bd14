//! `POST /api/v1/orders/{orderId}/operator/abandon`.

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
use crate::wire::requests::AbandonWire;

/// Stop undoing; what is left is for people.
#[utoipa::path(
    post,
    path = "/api/v1/orders/{orderId}/operator/abandon",
    tag = "operators",
    params(("orderId" = uuid::Uuid, Path)),
    request_body = AbandonWire,
    responses(
        (status = 200, description = "The order as it is now", body = OrderBody),
        (status = 404, description = "`order_not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`invalid_state`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_request`", body = ProblemBody, content_type = "application/problem+json"),
        CommonProblems,
    )
)]
pub(crate) async fn abandon(
    State(app): State<App>,
    OrderParam(order): OrderParam,
    request: Request,
) -> Result<Response, Problem> {
    let reason = json::read::<AbandonWire>(request, app.body_limits()).await?;
    wish::apply(&app, order, Input::Abandon { reason }).await
}

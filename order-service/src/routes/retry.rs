//! `POST /api/v1/orders/{orderId}/operator/retry`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use service_kit::problem::ProblemBody;
use service_kit::{Problem, json};

use super::params::OrderParam;
use crate::api::CommonProblems;
use crate::problems;
use crate::state::App;
use crate::wire::timeline::PlanBody;

/// Try whatever an order waits for now, not when its back-off ends. Harmless at any time: every call is keyed.
#[utoipa::path(
    post,
    path = "/api/v1/orders/{orderId}/operator/retry",
    tag = "operators",
    params(("orderId" = uuid::Uuid, Path)),
    responses(
        (status = 200, description = "What happens next", body = PlanBody),
        (status = 404, description = "`order_not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_request`", body = ProblemBody, content_type = "application/problem+json"),
        CommonProblems,
    )
)]
pub(crate) async fn retry(
    State(app): State<App>,
    OrderParam(order): OrderParam,
) -> Result<Response, Problem> {
    let store = app.store().clone();
    let work = async move {
        store.hurry(order).await.map_err(|error| problems::sql(&error))?;
        store.plan(order).await.map_err(problems::apply)
    };
    let plan = app.owned(work).await?.ok_or_else(|| problems::order_not_found(order))?;
    Ok(json::answer(StatusCode::OK, &PlanBody::from(plan)))
}

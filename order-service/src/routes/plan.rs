//! `GET /api/v1/orders/{orderId}/operator/plan`.

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

/// What would happen next to an order: calls, tries so far, when, and why not yet.
#[utoipa::path(
    get,
    path = "/api/v1/orders/{orderId}/operator/plan",
    tag = "operators",
    params(("orderId" = uuid::Uuid, Path)),
    responses(
        (status = 200, description = "What happens next", body = PlanBody),
        (status = 404, description = "`order_not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_request`", body = ProblemBody, content_type = "application/problem+json"),
        CommonProblems,
    )
)]
pub(crate) async fn plan(State(app): State<App>, OrderParam(order): OrderParam) -> Result<Response, Problem> {
    let plan = app.store().plan(order).await.map_err(problems::apply)?;
    let plan = plan.ok_or_else(|| problems::order_not_found(order))?;
    Ok(json::answer(StatusCode::OK, &PlanBody::from(plan)))
}

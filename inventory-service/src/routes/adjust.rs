//! `POST /api/v1/inventory/{productId}/adjust`.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use inventory_core::error::AdjustError;
use service_kit::problem::ProblemBody;
use service_kit::{Problem, json};

use super::params::ProductParam;
use super::set::blocking_holds;
use crate::api::CommonProblems;
use crate::problems;
use crate::state::App;
use crate::wire::product::AdjustedBody;
use crate::wire::stock::AdjustWire;

/// Change a product's stock by a delta. Safe to repeat with the same `adjustmentId`.
#[utoipa::path(
    post,
    path = "/api/v1/inventory/{productId}/adjust",
    tag = "products",
    params(("productId" = i64, Path)),
    request_body = AdjustWire,
    responses(
        (status = 200, description = "The product as it is now", body = AdjustedBody),
        (status = 404, description = "`product_not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`below_held`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_request`, `adjustment_conflict`", body = ProblemBody, content_type = "application/problem+json"),
        CommonProblems,
    )
)]
pub(crate) async fn adjust(
    State(app): State<App>,
    ProductParam(id): ProductParam,
    request: Request,
) -> Result<Response, Problem> {
    let adjustment = json::read::<AdjustWire>(request, app.body_limits()).await?;
    match app.engine().adjust(adjustment.of(id)).await {
        Ok(adjusted) => Ok(json::answer(StatusCode::OK, &AdjustedBody::from(&adjusted))),
        Err(error) => {
            let holds = match &error {
                AdjustError::BelowHeld { .. } => blocking_holds(&app, id).await,
                AdjustError::ProductNotFound(_)
                | AdjustError::Conflict { .. }
                | AdjustError::TooMuch(_)
                | AdjustError::Failed(_) => Vec::new(),
            };
            Err(problems::adjust(error, &holds))
        }
    }
}

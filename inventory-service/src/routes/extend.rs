//! `POST /api/v1/inventory/extend`.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use service_kit::problem::ProblemBody;
use service_kit::{Problem, json};

use crate::api::CommonProblems;
use crate::problems;
use crate::state::App;
use crate::wire::requests::ExtendWire;
use crate::wire::reservation::HoldBody;

/// Make a hold last at least `ttlSeconds` from now; never shorter, and never beyond `maxExpiresAt`.
#[utoipa::path(
    post,
    path = "/api/v1/inventory/extend",
    tag = "reservations",
    request_body = ExtendWire,
    responses(
        (status = 200, description = "The hold as it is now", body = HoldBody),
        (status = 404, description = "`reservation_not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`already_committed`, `already_released`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 410, description = "`reservation_expired`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_request`, `ttl_too_long`", body = ProblemBody, content_type = "application/problem+json"),
        CommonProblems,
    )
)]
pub(crate) async fn extend(State(app): State<App>, request: Request) -> Result<Response, Problem> {
    let extend = json::read::<ExtendWire>(request, app.body_limits()).await?;
    if extend.ttl > app.hold_ttl_max() {
        return Err(problems::ttl_too_long(app.hold_ttl_max()));
    }
    let reservation = app
        .engine()
        .extend(extend.order, extend.ttl)
        .await
        .map_err(|error| problems::extend(error, app.hold_ttl_max()))?;
    Ok(json::answer(StatusCode::OK, &HoldBody::from(&reservation)))
}

//! `POST /api/v1/inventory/reserve`: the hot path.

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::Response;
use inventory_core::engine::ReserveRequest;
use inventory_core::outcome::Reserved;
use service_kit::http::location;
use service_kit::problem::ProblemBody;
use service_kit::{Problem, json};

use crate::api::{CommonProblems, RESERVATIONS_PATH};
use crate::problems;
use crate::state::App;
use crate::wire::answer;
use crate::wire::requests::ReserveWire;
use crate::wire::reservation::HoldBody;

/// Hold stock for an order: all lines or none. Safe to repeat with the same order id.
#[utoipa::path(
    post,
    path = "/api/v1/inventory/reserve",
    tag = "reservations",
    request_body = ReserveWire,
    responses(
        (status = 201, description = "Held", body = HoldBody, headers(("Location" = String))),
        (status = 200, description = "The same order was reserved before; `replayed` is true", body = HoldBody),
        (status = 404, description = "`product_not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`insufficient_stock`, `customer_limit`, `already_released`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 410, description = "`reservation_expired`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_request`, `ttl_too_long`, `order_conflict`", body = ProblemBody, content_type = "application/problem+json"),
        CommonProblems,
    )
)]
pub(crate) async fn reserve(State(app): State<App>, request: Request) -> Result<Response, Problem> {
    let request = json::read::<ReserveWire>(request, app.body_limits()).await?;
    let reserved = hold(&app, request).await?;
    let mut response = json::written(status_of(&reserved), answer::held(&reserved));
    if !reserved.replayed
        && let Some(location) = location(RESERVATIONS_PATH, reserved.reservation.order.get())
    {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// What the single call and each line of a batch do.
pub(super) async fn hold(app: &App, request: ReserveRequest) -> Result<Reserved, Problem> {
    if request.ttl.is_some_and(|ttl| ttl > app.hold_ttl_max()) {
        return Err(problems::ttl_too_long(app.hold_ttl_max()));
    }
    app.engine().reserve(request).await.map_err(problems::reserve)
}

pub(super) fn status_of(reserved: &Reserved) -> StatusCode {
    if reserved.replayed { StatusCode::OK } else { StatusCode::CREATED }
}

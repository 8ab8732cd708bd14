//! `GET /api/v1/inventory/reservations/{orderId}`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use service_kit::problem::ProblemBody;
use service_kit::{Problem, json};

use super::params::OrderParam;
use crate::api::CommonProblems;
use crate::problems;
use crate::state::App;
use crate::wire::reservation::ReservationBody;

/// A reservation as it stands at the store's time: a hold past its end reads `EXPIRED`, swept or not.
#[utoipa::path(
    get,
    path = "/api/v1/inventory/reservations/{orderId}",
    tag = "reservations",
    params(("orderId" = uuid::Uuid, Path)),
    responses(
        (status = 200, description = "The reservation", body = ReservationBody),
        (status = 404, description = "`reservation_not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_request`", body = ProblemBody, content_type = "application/problem+json"),
        CommonProblems,
    )
)]
pub(crate) async fn get_reservation(
    State(app): State<App>,
    OrderParam(order): OrderParam,
) -> Result<Response, Problem> {
    let (now, reservation) = app.engine().reservation(order).await.map_err(problems::failure)?;
    let reservation = reservation.ok_or_else(|| problems::reservation_not_found(order))?;
    Ok(json::answer(StatusCode::OK, &ReservationBody::at(&reservation, now)))
}

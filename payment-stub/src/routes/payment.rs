//! `GET /api/v1/payments/{paymentId}`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use service_kit::problem::ProblemBody;
use service_kit::{Problem, json};

use super::params::PaymentParam;
use crate::api::CommonProblems;
use crate::problems;
use crate::state::App;
use crate::store::find;
use crate::wire::PaymentBody;

/// A payment as it stands. Always truthful, however the payment misbehaves.
#[utoipa::path(
    get,
    path = "/api/v1/payments/{paymentId}",
    tag = "payments",
    params(("paymentId" = uuid::Uuid, Path)),
    responses(
        (status = 200, description = "The payment", body = PaymentBody),
        (status = 404, description = "`payment_not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_request`", body = ProblemBody, content_type = "application/problem+json"),
        CommonProblems,
    )
)]
pub(crate) async fn get_payment(
    State(app): State<App>,
    PaymentParam(id): PaymentParam,
) -> Result<Response, Problem> {
    let payment = find(app.database(), id).await.map_err(problems::read)?;
    let payment = payment.ok_or_else(|| problems::not_found(id))?;
    Ok(json::answer(StatusCode::OK, &PaymentBody::from(payment)))
}

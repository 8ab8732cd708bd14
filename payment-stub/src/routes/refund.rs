//! `POST /api/v1/payments/{paymentId}/refund`.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use service_kit::problem::ProblemBody;
use service_kit::{Problem, json};

use super::behave;
use super::params::PaymentParam;
use crate::api::CommonProblems;
use crate::flaky::Operation;
use crate::method::{Behaviour, Method};
use crate::problems;
use crate::state::App;
use crate::store::{find, refund};
use crate::wire::{PaymentBody, RefundWire};

/// Give the money of a successful payment back. Safe to repeat: it is given back once.
///
/// 202 says that the refund is accepted for good; that it was done comes as an event, and stands in `GET`. The body may be left out.
#[utoipa::path(
    post,
    path = "/api/v1/payments/{paymentId}/refund",
    tag = "payments",
    params(("paymentId" = uuid::Uuid, Path)),
    request_body(content = Option<RefundWire>, content_type = "application/json"),
    responses(
        (status = 202, description = "Accepted, now or before: the payment as it is", body = PaymentBody),
        (status = 404, description = "`payment_not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`payment_not_settled`, `payment_failed`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_request`", body = ProblemBody, content_type = "application/problem+json"),
        CommonProblems,
    )
)]
pub(crate) async fn refund_payment(
    State(app): State<App>,
    PaymentParam(id): PaymentParam,
    request: Request,
) -> Result<Response, Problem> {
    let asked = json::read_optional::<RefundWire>(request, &app.options().body).await?.unwrap_or_default();
    let known = find(app.database(), id).await.map_err(problems::read)?;
    let method = known.ok_or_else(|| problems::not_found(id))?.request.method.parse::<Method>();
    let behaviour = method.map_or(Behaviour::Approve, |method| method.refund);
    let fate = behave::before(&app, behaviour, id, Operation::Refund).await?;
    if let Some(reason) = asked.reason {
        tracing::info!(payment_id = %id, reason, "refund asked for");
    }
    // In a task of its own: this future is dropped when the client goes, and a transaction must not be.
    let task = {
        let app = app.clone();
        app.work().clone().spawn(async move {
            let refunding = refund(app.database(), id).await;
            app.wake_worker();
            refunding
        })
    };
    let refunding = task.await.map_err(|_panic| Problem::internal())?;
    let payment = refunding.map_err(|error| problems::refund(id, error))?;
    behave::after(&app, behaviour, fate).await?;
    Ok(json::answer(StatusCode::ACCEPTED, &PaymentBody::from(payment)))
}

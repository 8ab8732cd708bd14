//! `POST /api/v1/payments/process`.

use axum::extract::{Request, State};
use axum::http::header::LOCATION;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use service_kit::problem::ProblemBody;
use service_kit::{Problem, json};

use super::behave;
use super::params::cause;
use crate::api::{CommonProblems, PAYMENTS_PATH};
use crate::flaky::Operation;
use crate::method::Method;
use crate::problems;
use crate::state::App;
use crate::store::accept;
use crate::wire::{PaymentBody, ProcessWire};

/// Ask for money. Safe to repeat: a payment id is charged once.
///
/// 202 says that the payment is accepted for good; the outcome comes as an event, and stands in `GET`. The method says how
/// the provider misbehaves.
#[utoipa::path(
    post,
    path = "/api/v1/payments/process",
    tag = "payments",
    request_body = ProcessWire,
    responses(
        (status = 202, description = "Accepted, now or before: the payment as it is", body = PaymentBody),
        (status = 422, description = "`invalid_request`, `payment_conflict`", body = ProblemBody, content_type = "application/problem+json"),
        CommonProblems,
    )
)]
pub(crate) async fn process(State(app): State<App>, request: Request) -> Result<Response, Problem> {
    let cause = cause(request.headers());
    let asked = json::read::<ProcessWire>(request, &app.options().body).await?;
    let behaviour = match asked.method.parse::<Method>() {
        Ok(method) => method.payment,
        Err(unknown) => return Err(Problem::invalid_field("method", unknown)),
    };
    let fate = behave::before(&app, behaviour, asked.payment_id, Operation::Process).await?;
    // In a task of its own: this future is dropped when the client goes, and a transaction must not be.
    let task = {
        let (app, asked) = (app.clone(), asked.clone());
        app.work().clone().spawn(async move {
            let accepted = accept(app.database(), &asked, &cause).await;
            app.wake_worker();
            accepted
        })
    };
    let accepted = task.await.map_err(|_panic| Problem::internal())?;
    let payment = accepted.map_err(|error| problems::accept(&asked, error))?;
    app.counts().accepted.increment(1);
    behave::after(&app, behaviour, fate).await?;
    let location = HeaderValue::try_from(format!("{PAYMENTS_PATH}/{}", payment.request.payment_id));
    let mut response = json::answer(StatusCode::ACCEPTED, &PaymentBody::from(payment));
    if let Ok(location) = location {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

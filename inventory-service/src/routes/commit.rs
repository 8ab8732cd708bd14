//! `POST /api/v1/inventory/commit`.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use service_kit::problem::ProblemBody;
use service_kit::{Problem, json};

use crate::api::CommonProblems;
use crate::problems;
use crate::state::App;
use crate::wire::answer;
use crate::wire::requests::CommitWire;
use crate::wire::reservation::CommittedBody;

/// Turn a hold into a permanent deduction. Safe to repeat.
///
/// With `items` these quantities are committed and the rest is released in the same step. A commit after the hold's
/// end succeeds with `late: true` if the stock is still free.
#[utoipa::path(
    post,
    path = "/api/v1/inventory/commit",
    tag = "reservations",
    request_body = CommitWire,
    responses(
        (status = 200, description = "Committed", body = CommittedBody),
        (status = 404, description = "`reservation_not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`already_released`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 410, description = "`reservation_expired`: the stock is gone, and the order lost for good", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_request`, `order_conflict`", body = ProblemBody, content_type = "application/problem+json"),
        CommonProblems,
    )
)]
pub(crate) async fn commit(State(app): State<App>, request: Request) -> Result<Response, Problem> {
    let commit = json::read::<CommitWire>(request, app.body_limits()).await?;
    let lines = commit.items.as_ref().map(|items| items.lines.clone());
    let reservation = app
        .engine()
        .commit(commit.order, lines, None)
        .await
        .map_err(|error| problems::commit(error, commit.items.as_ref()))?;
    Ok(json::written(StatusCode::OK, answer::committed(&reservation)))
}

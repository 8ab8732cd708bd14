//! `GET /api/v1/orders/{orderId}/timeline`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use service_kit::problem::ProblemBody;
use service_kit::{Problem, json};

use super::params::OrderParam;
use crate::api::CommonProblems;
use crate::problems;
use crate::state::App;
use crate::wire::timeline::{EntryBody, TimelineBody};

/// Everything that happened to an order, oldest first: its saga's steps, what came in, and what went out with its delivery.
#[utoipa::path(
    get,
    path = "/api/v1/orders/{orderId}/timeline",
    tag = "orders",
    params(("orderId" = uuid::Uuid, Path)),
    responses(
        (status = 200, description = "The history", body = TimelineBody),
        (status = 404, description = "`order_not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_request`", body = ProblemBody, content_type = "application/problem+json"),
        CommonProblems,
    )
)]
pub(crate) async fn timeline(
    State(app): State<App>,
    OrderParam(order): OrderParam,
) -> Result<Response, Problem> {
    let entries = app.store().timeline(order).await.map_err(|error| problems::sql(&error))?;
    // Every order has a history from its first moment on.
    if entries.is_empty() {
        return Err(problems::order_not_found(order));
    }
    let items = entries.into_iter().map(EntryBody::from).collect();
    Ok(json::answer(StatusCode::OK, &TimelineBody { order_id: order, items }))
}

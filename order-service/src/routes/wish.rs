//! What cancel, ship, deliver and the operators' verbs have in common.

use axum::http::StatusCode;
use axum::response::Response;
use service_kit::http::request_id;
use service_kit::{Problem, json};
use uuid::Uuid;

use crate::problems;
use crate::saga::{Cell, Input};
use crate::state::App;
use crate::store::{Applied, Cause};
use crate::wire::order::OrderBody;

/// Applies somebody's wish and answers the order as it is now; 409 `invalid_state` if the saga refuses it.
pub(super) async fn apply(app: &App, order: Uuid, input: Input) -> Result<Response, Problem> {
    let cause = Cause { id: request_id::current(), traceparent: None };
    let store = app.store().clone();
    let work = async move { store.apply(order, &input, &cause).await.map_err(problems::apply) };
    let Applied { order, cell, because, .. } = app.owned(work).await?;
    match cell {
        Cell::Refuse => Err(problems::invalid_state(&order, because)),
        // A wish that an alarm answers was not granted either.
        Cell::Alarm => Err(problems::invalid_state(&order, because)),
        Cell::Apply | Cell::Duplicate | Cell::Compensate | Cell::Defer | Cell::Newer => {
            Ok(json::answer(StatusCode::OK, &OrderBody::from(&order)))
        }
    }
}

//! `GET /api/v1/inventory/audit`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use service_kit::{Problem, json};

use crate::api::CommonProblems;
use crate::problems;
use crate::state::App;
use crate::wire::report::AuditReportWire;

/// Recompute everything from reservations and journal, and tell what is wrong.
#[utoipa::path(
    get,
    path = "/api/v1/inventory/audit",
    tag = "operations",
    responses(
        (status = 200, description = "What was checked and what was found", body = AuditReportWire),
        CommonProblems,
    )
)]
pub(crate) async fn get_audit(State(app): State<App>) -> Result<Response, Problem> {
    let report = app.engine().audit().await.map_err(problems::failure)?;
    Ok(json::answer(StatusCode::OK, &AuditReportWire::from(&report)))
}

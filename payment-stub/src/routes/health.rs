//! `/health/live`, `/health/ready`, `/metrics`.

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use service_kit::json;
use utoipa::ToSchema;

use crate::limits::READY_DEADLINE;
use crate::state::App;

/// How a service feels.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Health)]
pub(crate) struct HealthBody {
    /// `live`, `ready` or `not_ready`.
    status: &'static str,
}

/// The process answers. Never touches a database.
#[utoipa::path(get, path = "/health/live", tag = "operations",
    responses((status = 200, description = "Live", body = HealthBody)))]
pub(crate) async fn live() -> Response {
    json::answer(StatusCode::OK, &HealthBody { status: "live" })
}

/// Whether requests should be sent here: the database answers, and the service is not stopping.
#[utoipa::path(get, path = "/health/ready", tag = "operations",
    responses(
        (status = 200, description = "Ready", body = HealthBody),
        (status = 503, description = "Not ready", body = HealthBody),
    ))]
pub(crate) async fn ready(State(app): State<App>) -> Response {
    let answers = tokio::time::timeout(READY_DEADLINE, app.database().now()).await;
    if app.may_be_ready() && matches!(answers, Ok(Ok(_))) {
        json::answer(StatusCode::OK, &HealthBody { status: "ready" })
    } else {
        json::answer(StatusCode::SERVICE_UNAVAILABLE, &HealthBody { status: "not_ready" })
    }
}

/// Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "operations",
    responses((status = 200, description = "Prometheus text", body = String, content_type = "text/plain")))]
pub(crate) async fn scrape(State(app): State<App>) -> Response {
    let content_type = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    ([(header::CONTENT_TYPE, content_type)], app.metrics().render()).into_response()
}

//! `/health/live`, `/health/ready`, `/metrics`.

use axum::extract::State;
use axum::response::Response;
use service_kit::http::health::{self, HealthBody};

use crate::limits::READY_DEADLINE;
use crate::state::App;

/// The process answers. Never touches a database.
#[utoipa::path(get, path = "/health/live", tag = "operations",
    responses((status = 200, description = "Live", body = HealthBody)))]
pub(crate) async fn live() -> Response {
    health::live()
}

/// Whether requests should be sent here: the database answers, and the service is not stopping.
#[utoipa::path(get, path = "/health/ready", tag = "operations",
    responses(
        (status = 200, description = "Ready", body = HealthBody),
        (status = 503, description = "Not ready", body = HealthBody),
    ))]
pub(crate) async fn ready(State(app): State<App>) -> Response {
    let answers = tokio::time::timeout(READY_DEADLINE, app.database().now()).await;
    health::readiness(app.may_be_ready() && matches!(answers, Ok(Ok(_))))
}

/// Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "operations",
    responses((status = 200, description = "Prometheus text", body = String, content_type = "text/plain")))]
pub(crate) async fn scrape(State(app): State<App>) -> Response {
    health::scrape(app.metrics().render())
}

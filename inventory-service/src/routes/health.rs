//! `/health/live`, `/health/ready`, `/metrics`.

use axum::extract::State;
use axum::response::Response;
use service_kit::http::health::{self, HealthBody};

use crate::state::App;

/// The process answers. Never touches the engine or a database.
#[utoipa::path(get, path = "/health/live", tag = "operations",
    responses((status = 200, description = "Live", body = HealthBody)))]
pub(crate) async fn live() -> Response {
    health::live()
}

/// Whether requests should be sent here: the store answered the last try, and the service is not stopping.
#[utoipa::path(get, path = "/health/ready", tag = "operations",
    responses(
        (status = 200, description = "Ready", body = HealthBody),
        (status = 503, description = "Not ready", body = HealthBody),
    ))]
pub(crate) async fn ready(State(app): State<App>) -> Response {
    health::readiness(app.is_ready())
}

/// Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "operations",
    responses((status = 200, description = "Prometheus text", body = String, content_type = "text/plain")))]
pub(crate) async fn scrape(State(app): State<App>) -> Response {
    health::scrape(app.scrape())
}

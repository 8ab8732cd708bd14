//! What every service answers about itself: how it feels, and its metrics.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::json;

/// How a service feels.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Health)]
pub struct HealthBody {
    /// `live`, `ready` or `not_ready`.
    status: &'static str,
}

/// The process answers.
pub fn live() -> Response {
    json::answer(StatusCode::OK, &HealthBody { status: "live" })
}

/// Whether requests should be sent here.
pub fn readiness(is_ready: bool) -> Response {
    if is_ready {
        json::answer(StatusCode::OK, &HealthBody { status: "ready" })
    } else {
        json::answer(StatusCode::SERVICE_UNAVAILABLE, &HealthBody { status: "not_ready" })
    }
}

/// A scrape's text, for Prometheus.
pub fn scrape(text: String) -> Response {
    let content_type = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    ([(header::CONTENT_TYPE, content_type)], text).into_response()
}

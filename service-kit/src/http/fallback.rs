//! What requests get that meet no route.

use axum::http::{Method, StatusCode, Uri};

use crate::problem::Problem;

/// 404 `not_found`, for `Router::fallback`.
pub async fn not_found(uri: Uri) -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "not_found",
        "No such address",
        format!("Nothing is served at {}; see /docs for what is.", uri.path()),
    )
}

/// 405 `method_not_allowed`, for `Router::method_not_allowed_fallback`, which adds `Allow`.
pub async fn method_not_allowed(method: Method, uri: Uri) -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "Method not allowed",
        format!("{} does not answer {method}; the Allow header names what it answers.", uri.path()),
    )
}

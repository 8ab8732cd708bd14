//! The service's own documentation: `/openapi.json` and, without any network, `/docs`.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::Request;
use axum::http::{StatusCode, Uri};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use utoipa::openapi::response::Response as Documented;
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr, ResponseBuilder};
use utoipa_swagger_ui::SwaggerUi;

use crate::http::fallback;

/// The two routes.
pub fn routes<S: Clone + Send + Sync + 'static>(api: OpenApi) -> Router<S> {
    let routes: Router<S> = SwaggerUi::new("/docs").url("/openapi.json", api).into();
    routes.route_layer(middleware::from_fn(missing_as_problem))
}

/// A page that the documentation does not have, or whose name is no text, is told like every other address that is not served.
async fn missing_as_problem(uri: Uri, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    match response.status() {
        StatusCode::NOT_FOUND | StatusCode::BAD_REQUEST => fallback::not_found(uri).await.into_response(),
        _ => response,
    }
}

/// Problems that any call may answer; `unavailable` says which a 503 may be.
pub fn common_problems(unavailable: &str) -> BTreeMap<String, RefOr<Documented>> {
    [
        ("400", "`invalid_json`, `body_incomplete`"),
        ("408", "`body_timeout`"),
        ("413", "`body_too_large`"),
        ("415", "`unsupported_media_type`"),
        ("429", "`rate_limited`, with `Retry-After`, where a limit is configured; nothing was done"),
        ("500", "`internal_error`"),
        ("503", unavailable),
    ]
    .into_iter()
    .map(|(status, codes)| {
        let problem = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
        let response =
            ResponseBuilder::new().description(codes).content("application/problem+json", problem).build();
        (status.to_owned(), RefOr::T(response))
    })
    .collect()
}

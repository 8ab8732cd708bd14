//! The service's own documentation: `/openapi.json` and, without any network, `/docs`.

use std::collections::BTreeMap;

use axum::Router;
use utoipa::openapi::response::Response;
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr, ResponseBuilder};
use utoipa_swagger_ui::SwaggerUi;

/// The two routes.
pub fn routes<S: Clone + Send + Sync + 'static>(api: OpenApi) -> Router<S> {
    SwaggerUi::new("/docs").url("/openapi.json", api).into()
}

/// Problems that any call may answer; `unavailable` says which a 503 may be.
pub fn common_problems(unavailable: &str) -> BTreeMap<String, RefOr<Response>> {
    [
        ("400", "`invalid_json`, `body_incomplete`"),
        ("408", "`body_timeout`"),
        ("413", "`body_too_large`"),
        ("415", "`unsupported_media_type`"),
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

//! All routes and their documentation.

use std::collections::BTreeMap;

use axum::Router;
use service_kit::http::fallback;
use service_kit::problem::ProblemBody;
use service_kit::{FieldError, docs};
use utoipa::openapi::response::Response;
use utoipa::openapi::{OpenApi, RefOr};
use utoipa::{IntoResponses, OpenApi as _};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouterExt};
use utoipa_axum::routes;

use crate::routes::{health, payment, process, refund};
use crate::state::App;

/// Where payments are found.
pub(crate) const PAYMENTS_PATH: &str = "/api/v1/payments";

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Holdfast payment stub",
        description = "A provider that misbehaves on request, steered by the payment's method. Every change is safely \
                       repeatable by its payment id.",
    ),
    components(schemas(ProblemBody, FieldError))
)]
struct Documentation;

/// The router of a payment stub. Wrap it into a `service_kit::Edge` to serve it.
pub fn router(app: App) -> Router {
    let (router, api) = api(&app).split_for_parts();
    router
        .merge(docs::routes(api))
        .fallback(fallback::not_found)
        .method_not_allowed_fallback(fallback::method_not_allowed)
        .with_state(app)
}

/// The document that `/openapi.json` answers.
pub fn openapi(app: &App) -> OpenApi {
    api(app).into_openapi()
}

/// Each route is measured under its operation's name.
fn api(app: &App) -> OpenApiRouter<App> {
    let of = |route| app.metrics().route(route);
    OpenApiRouter::with_openapi(Documentation::openapi())
        .routes(routes!(process::process).layer(of("process")))
        .routes(routes!(payment::get_payment).layer(of("get_payment")))
        .routes(routes!(refund::refund_payment).layer(of("refund")))
        .routes(routes!(health::live).layer(of("live")))
        .routes(routes!(health::ready).layer(of("ready")))
        .routes(routes!(health::scrape).layer(of("metrics")))
}

/// Problems that any call may answer.
pub(crate) struct CommonProblems;

impl IntoResponses for CommonProblems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        docs::common_problems("`unavailable`, `outcome_unknown`, `provider_failed`; repeat the same request")
    }
}

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

use crate::routes::{
    abandon, cancel, deliver, health, history, list, order, place, plan, retry, ship, skip, timeline,
};
use crate::state::App;

pub(crate) const ORDERS_PATH: &str = "/api/v1/orders";

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Holdfast orders",
        description = "Orders that end confirmed or fully compensated, whatever fails on the way.",
    ),
    components(schemas(ProblemBody, FieldError))
)]
struct Documentation;

/// The router of an order service. Wrap it into a `service_kit::Edge` to serve it.
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
        .routes(routes!(list::list).layer(of("list")))
        .routes(routes!(place::place).layer(of("place")))
        .routes(routes!(order::get_order).layer(of("get_order")))
        .routes(routes!(timeline::timeline).layer(of("timeline")))
        .routes(routes!(history::history).layer(of("history")))
        .routes(routes!(cancel::cancel).layer(of("cancel")))
        .routes(routes!(ship::ship).layer(of("ship")))
        .routes(routes!(deliver::deliver).layer(of("deliver")))
        .routes(routes!(plan::plan).layer(of("plan")))
        .routes(routes!(retry::retry).layer(of("retry")))
        .routes(routes!(skip::skip).layer(of("skip")))
        .routes(routes!(abandon::abandon).layer(of("abandon")))
        .routes(routes!(health::live).layer(of("live")))
        .routes(routes!(health::ready).layer(of("ready")))
        .routes(routes!(health::scrape).layer(of("metrics")))
}

/// Problems that any call may answer.
pub(crate) struct CommonProblems;

impl IntoResponses for CommonProblems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        docs::common_problems("`unavailable`, with `Retry-After`; repeat the same request")
    }
}

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
    adjust, audit, batch, commit, extend, health, import, journal, product, products, release, reservation,
    reserve, set,
};
use crate::state::App;

pub(crate) const INVENTORY_PATH: &str = "/api/v1/inventory";
pub(crate) const RESERVATIONS_PATH: &str = "/api/v1/inventory/reservations";
/// What newline-delimited JSON is called.
pub(crate) const NDJSON: &[&str] = &["application/x-ndjson", "application/ndjson", "application/jsonl"];

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Holdfast inventory",
        description = "Stock reservations that never oversell. Every change is safely repeatable: by its order id, its \
                       adjustment id or its Idempotency-Key.",
    ),
    components(schemas(ProblemBody, FieldError))
)]
struct Documentation;

/// The router of an inventory service. Wrap it into a `service_kit::Edge` to serve it.
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
        .routes(routes!(reserve::reserve).layer(of("reserve")))
        .routes(routes!(batch::reserve_batch).layer(of("reserve_batch")))
        .routes(routes!(commit::commit).layer(of("commit")))
        .routes(routes!(release::release).layer(of("release")))
        .routes(routes!(extend::extend).layer(of("extend")))
        .routes(routes!(reservation::get_reservation).layer(of("get_reservation")))
        .routes(routes!(products::list_products).layer(of("list_products")))
        .routes(routes!(product::get_product).layer(of("get_product")))
        .routes(routes!(set::put_product).layer(of("put_product")))
        .routes(routes!(adjust::adjust).layer(of("adjust")))
        .routes(routes!(journal::journal).layer(of("journal")))
        .routes(routes!(import::import).layer(of("import")))
        .routes(routes!(audit::get_audit).layer(of("audit")))
        .routes(routes!(health::live).layer(of("live")))
        .routes(routes!(health::ready).layer(of("ready")))
        .routes(routes!(health::scrape).layer(of("metrics")))
}

/// Problems that any call may answer.
pub(crate) struct CommonProblems;

impl IntoResponses for CommonProblems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        docs::common_problems(
            "`overloaded`, `unavailable`, `outcome_unknown`, with `Retry-After`; repeat the same request",
        )
    }
}

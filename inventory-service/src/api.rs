//! All routes and their documentation.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::State;
use axum::http::Method;
use service_kit::http::{Edge, Straight, fallback};
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

/// An inventory service as the outside sees it: the router, with what a flash sale asks for taken straight.
pub fn edge(app: App) -> Edge {
    Edge::with_straight(router(app.clone()), straight(&app), app.metrics())
}

fn straight(app: &App) -> Vec<Straight> {
    let of = |route| app.metrics().route(route);
    let (reserving, committing, releasing) = (app.clone(), app.clone(), app.clone());
    vec![
        Straight::new(Method::POST, "/api/v1/inventory/reserve", of("reserve"), move |request| {
            reserve::reserve(State(reserving.clone()), request)
        }),
        Straight::new(Method::POST, "/api/v1/inventory/commit", of("commit"), move |request| {
            commit::commit(State(committing.clone()), request)
        }),
        Straight::new(Method::POST, "/api/v1/inventory/release", of("release"), move |request| {
            release::release(State(releasing.clone()), request)
        }),
    ]
}

/// The router of an inventory service; [`edge`] serves it.
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use inventory_core::engine::Engine;
    use inventory_core::event::NoEvents;
    use inventory_core::options::EngineOptions;
    use inventory_core::store::memory::MemoryStore;
    use service_kit::Metrics;
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::state::AppOptions;

    #[tokio::test]
    async fn what_is_taken_straight_is_a_route_of_the_document() {
        let options = EngineOptions { housekeeping: false, ..EngineOptions::default() };
        let engine =
            Engine::open(Arc::new(MemoryStore::default()), Arc::new(NoEvents), options).await.unwrap();
        let app =
            App::new(engine, AppOptions::default(), Metrics::new("inventory"), CancellationToken::new());
        let document = openapi(&app);
        for straight in straight(&app) {
            let path = document.paths.paths.get(straight.path());
            assert_eq!(straight.method(), Method::POST);
            assert!(path.is_some_and(|path| path.post.is_some()), "{}", straight.path());
        }
    }
}

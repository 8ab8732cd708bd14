//! What every request passes, and nothing more: an id, a panic guard and a measurement around the router.

use std::panic::AssertUnwindSafe;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use tower::Service;

use super::request_id::{CONTEXT, Context, X_REQUEST_ID, accept_or_mint};
use crate::metrics::{Metrics, RouteMetrics};
use crate::problem::Problem;

/// A router as the outside sees it. Cheap to clone.
#[derive(Clone)]
pub struct Edge {
    router: Router,
    unmatched: RouteMetrics,
}

impl Edge {
    /// Puts the edge around a router. Requests that meet no route are counted as route `unmatched`.
    pub fn new(router: Router, metrics: &Metrics) -> Self {
        Self { router, unmatched: metrics.route("unmatched") }
    }

    /// Answers one request. Never panics; dropping the future is safe and counts as abandoned.
    pub async fn answer(&self, request: Request<Body>) -> Response {
        let id = accept_or_mint(request.headers());
        let context = Context { id: id.clone(), route: None.into() };
        let mut response = CONTEXT.scope(context, self.guarded(request)).await;
        response.headers_mut().insert(X_REQUEST_ID, id);
        response
    }

    async fn guarded(&self, request: Request<Body>) -> Response {
        let measurement = Measurement { unmatched: &self.unmatched, started: Instant::now(), status: None };
        let answer = self.router.clone().call(request);
        let response = match AssertUnwindSafe(answer).catch_unwind().await {
            Ok(Ok(response)) => response,
            Ok(Err(never)) => match never {},
            // The panic hook has told the log where; the request's id is told here.
            Err(_panic) => {
                tracing::error!(request_id = super::request_id::current(), "a handler panicked");
                Problem::internal().into_response()
            }
        };
        measurement.finish(response.status());
        response
    }
}

/// Records on drop, so that requests whose client went away are counted too.
struct Measurement<'a> {
    unmatched: &'a RouteMetrics,
    started: Instant,
    status: Option<StatusCode>,
}

impl Measurement<'_> {
    fn finish(mut self, status: StatusCode) {
        self.status = Some(status);
    }
}

impl Drop for Measurement<'_> {
    fn drop(&mut self) {
        let route = CONTEXT.try_with(|context| context.route.take()).ok().flatten();
        route.as_ref().unwrap_or(self.unmatched).record(self.status, self.started.elapsed());
    }
}

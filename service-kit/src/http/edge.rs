//! What every request passes, and nothing more: an id, a panic guard and a measurement around the router.

use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use futures::future::BoxFuture;
use tower::Service;

use super::request_id::{CONTEXT, Context, X_REQUEST_ID, accept_or_mint};
use crate::metrics::{Metrics, RouteMetrics};
use crate::problem::Problem;

/// A router as the outside sees it. Cheap to clone.
#[derive(Clone)]
pub struct Edge(Arc<Inner>);

struct Inner {
    router: Router,
    straight: Vec<Straight>,
    unmatched: RouteMetrics,
    refused: RouteMetrics,
}

/// A route of the router's that is taken without the router, for those that are asked for ten thousand times a second: the way through
/// the router costs as much as reading the request. What is not exactly this method and this path goes the router's way.
pub struct Straight {
    method: Method,
    path: &'static str,
    route: RouteMetrics,
    handler: Box<dyn Fn(Request<Body>) -> BoxFuture<'static, Response> + Send + Sync>,
}

impl Straight {
    /// `handler` must be the one that the router has there.
    pub fn new<F, R>(
        method: Method,
        path: &'static str,
        route: RouteMetrics,
        handler: impl Fn(Request<Body>) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = R> + Send + 'static,
        R: IntoResponse,
    {
        let handler = move |request| {
            let answer = handler(request);
            // Made a response inside, where the request's id is known.
            async move { answer.await.into_response() }.boxed()
        };
        Self { method, path, route, handler: Box::new(handler) }
    }

    /// Of which requests.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// Where.
    pub fn path(&self) -> &'static str {
        self.path
    }
}

impl Edge {
    /// Puts the edge around a router. Requests that meet no route are counted as route `unmatched`.
    pub fn new(router: Router, metrics: &Metrics) -> Self {
        Self::with_straight(router, Vec::new(), metrics)
    }

    /// The same, with some of the router's routes taken straight.
    pub fn with_straight(router: Router, straight: Vec<Straight>, metrics: &Metrics) -> Self {
        let (unmatched, refused) = (metrics.route("unmatched"), metrics.route("refused"));
        Self(Arc::new(Inner { router, straight, unmatched, refused }))
    }

    /// Answers one request. Never panics; dropping the future is safe and counts as abandoned.
    pub async fn answer(&self, request: Request<Body>) -> Response {
        let id = accept_or_mint(request.headers());
        let (route, answer) = self.0.handle(request);
        self.respond(id, route, answer).await
    }

    /// Answers a request that is not looked at; it is counted as route `refused`.
    pub(super) async fn refuse(&self, headers: &HeaderMap, problem: Problem) -> Response {
        let id = accept_or_mint(headers);
        let answer = async move { problem.into_response() }.boxed();
        self.respond(id, Some(self.0.refused.clone()), answer).await
    }

    async fn respond(
        &self,
        id: HeaderValue,
        route: Option<RouteMetrics>,
        answer: BoxFuture<'static, Response>,
    ) -> Response {
        let mut answer = pin!(CONTEXT.scope(Context { id, route: route.into() }, self.0.guarded(answer)));
        let mut response = answer.as_mut().await;
        if let Some(context) = answer.take_value() {
            response.headers_mut().insert(X_REQUEST_ID, context.id);
        }
        response
    }
}

impl Inner {
    async fn guarded(&self, answer: BoxFuture<'static, Response>) -> Response {
        let measurement = Measurement { unmatched: &self.unmatched, started: Instant::now(), status: None };
        let response = match AssertUnwindSafe(answer).catch_unwind().await {
            Ok(response) => response,
            // The panic hook has told the log where; the request's id is told here.
            Err(_panic) => {
                tracing::error!(request_id = super::request_id::current(), "a handler panicked");
                Problem::internal().into_response()
            }
        };
        measurement.finish(response.status());
        response
    }

    /// The route, if it is known before the router has looked, and the answer to be.
    fn handle(&self, request: Request<Body>) -> (Option<RouteMetrics>, BoxFuture<'static, Response>) {
        let is_asked_for = |straight: &&Straight| {
            straight.path == request.uri().path() && straight.method == request.method()
        };
        if let Some(straight) = self.straight.iter().find(is_asked_for) {
            return (Some(straight.route.clone()), (straight.handler)(request));
        }
        let answer = self.router.clone().call(request);
        let answer = async move {
            match answer.await {
                Ok(response) => response,
                Err(never) => match never {},
            }
        };
        (None, answer.boxed())
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

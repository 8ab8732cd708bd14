//! Prometheus metrics with handles made once: no label is formatted per request.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use ::metrics::{Counter, Histogram, counter, histogram, with_local_recorder};
use axum::http::StatusCode;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use tower::{Layer, Service};

use crate::http::request_id;

/// Upper bounds of the latency buckets, in seconds.
const LATENCY_BUCKETS_SECONDS: [f64; 14] =
    [0.000_5, 0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];
/// How often samples are folded into buckets; until then each costs a few bytes.
const UPKEEP_PERIOD: Duration = Duration::from_secs(1);
/// What the status label says: the class, or that the client went away first.
const CLASSES: [&str; 5] = ["2xx", "3xx", "4xx", "5xx", "abandoned"];

/// A registry of its own, so that several services in one process do not mix. Cheap to clone.
#[derive(Clone)]
pub struct Metrics {
    recorder: Arc<PrometheusRecorder>,
    handle: PrometheusHandle,
}

/// Counts and latencies of one route, and the layer that tells a request which route it met.
#[derive(Clone)]
pub struct RouteMetrics(Arc<[(Counter, Histogram); 5]>);

impl Default for Metrics {
    fn default() -> Self {
        Self::new("holdfast")
    }
}

impl Metrics {
    /// An empty registry; every series carries the service's name.
    pub fn new(service: &str) -> Self {
        let builder = PrometheusBuilder::new().add_global_label("service", service);
        let recorder = match builder.set_buckets(&LATENCY_BUCKETS_SECONDS) {
            Ok(builder) => builder.build_recorder(),
            // Refused only for an empty list; summaries would do then.
            Err(_) => PrometheusBuilder::new().add_global_label("service", service).build_recorder(),
        };
        let handle = recorder.handle();
        Self { recorder: Arc::new(recorder), handle }
    }

    /// Makes handles with the macros of the `metrics` crate: `metrics.register(|| counter!("x"))`.
    pub fn register<T>(&self, make: impl FnOnce() -> T) -> T {
        with_local_recorder(&*self.recorder, make)
    }

    /// The series of one route.
    pub fn route(&self, route: &'static str) -> RouteMetrics {
        self.register(|| {
            RouteMetrics(Arc::new(CLASSES.map(|class| {
                (
                    counter!("http_requests_total", "route" => route, "status" => class),
                    histogram!("http_request_seconds", "route" => route, "status" => class),
                )
            })))
        })
    }

    /// The text that a scrape gets.
    pub fn render(&self) -> String {
        self.handle.render()
    }

    /// Folds samples into buckets for ever; without it they pile up between scrapes. Drop it to end it.
    pub async fn keep_up(&self) -> std::convert::Infallible {
        let mut period = tokio::time::interval(UPKEEP_PERIOD);
        loop {
            period.tick().await;
            self.handle.run_upkeep();
        }
    }
}

impl RouteMetrics {
    /// Counts one request; without a status it was abandoned.
    pub(crate) fn record(&self, status: Option<StatusCode>, took: Duration) {
        let class = match status.map(|status| status.as_u16()) {
            Some(..=299) => 0,
            Some(300..=399) => 1,
            Some(400..=499) => 2,
            Some(500..) => 3,
            None => 4,
        };
        let (count, latency) = &self.0[class];
        count.increment(1);
        latency.record(took.as_secs_f64());
    }
}

impl<S> Layer<S> for RouteMetrics {
    type Service = Measured<S>;

    fn layer(&self, inner: S) -> Measured<S> {
        Measured { inner, route: self.clone() }
    }
}

/// See [`RouteMetrics`].
#[derive(Clone)]
pub struct Measured<S> {
    inner: S,
    route: RouteMetrics,
}

impl<R, S: Service<R>> Service<R> for Measured<S> {
    type Response = S::Response;
    type Error = S::Error;
    // The inner future as it is: naming the route costs no allocation.
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> S::Future {
        request_id::set_route(&self.route);
        self.inner.call(request)
    }
}

//! What handlers share.

use std::sync::Arc;
use std::time::Duration;

use inventory_core::engine::Engine;
use inventory_core::options::EngineOptions;
use service_kit::{BodyLimits, Metrics};
use tokio_util::sync::CancellationToken;

use crate::metrics::EngineMetrics;

/// What handlers share. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Shared>);

struct Shared {
    engine: Engine,
    options: AppOptions,
    metrics: Metrics,
    engine_metrics: EngineMetrics,
    draining: CancellationToken,
}

/// What handlers need to know.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AppOptions {
    /// The engine's `hold_ttl_max`: longer requests are refused here.
    pub hold_ttl_max: Duration,
    /// Bounds on bodies.
    pub body: BodyLimits,
}

impl Default for AppOptions {
    fn default() -> Self {
        Self { hold_ttl_max: EngineOptions::default().hold_ttl_max, body: BodyLimits::default() }
    }
}

impl App {
    /// Around an open engine. `draining` is cancelled when the service stops: readiness goes off first.
    pub fn new(engine: Engine, options: AppOptions, metrics: Metrics, draining: CancellationToken) -> Self {
        let engine_metrics = EngineMetrics::register(&metrics);
        Self(Arc::new(Shared { engine, options, metrics, engine_metrics, draining }))
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.0.engine
    }

    /// Bounds on bodies.
    pub fn body_limits(&self) -> &BodyLimits {
        &self.0.options.body
    }

    /// The longest hold that may be asked for.
    pub fn hold_ttl_max(&self) -> Duration {
        self.0.options.hold_ttl_max
    }

    /// The registry.
    pub fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// Whether requests should be sent here.
    pub fn is_ready(&self) -> bool {
        !self.0.draining.is_cancelled() && self.0.engine.is_ready()
    }

    /// The text that a scrape gets, with the engine's numbers as they are now.
    pub fn scrape(&self) -> String {
        self.0.engine_metrics.set(&self.0.engine.stats(), self.is_ready());
        self.0.metrics.render()
    }
}

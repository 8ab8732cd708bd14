//! What handlers share.

use std::sync::Arc;
use std::time::Duration;

use inventory_core::engine::Engine;
use inventory_core::options::EngineOptions;
use service_kit::{BodyLimits, Metrics, Readiness};
use tokio_util::sync::CancellationToken;

use crate::metrics::EngineMetrics;

/// What handlers share. Cheap to clone.
#[derive(Clone)]
pub struct App {
    shared: Arc<Shared>,
    /// The process that this service is a part of.
    process: Option<Readiness>,
}

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
        let shared = Shared { engine, options, metrics, engine_metrics, draining };
        Self { shared: Arc::new(shared), process: None }
    }

    /// The same, as a part of a process.
    pub(crate) fn with_process(self, process: Readiness) -> Self {
        Self { process: Some(process), ..self }
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.shared.engine
    }

    /// Bounds on bodies.
    pub fn body_limits(&self) -> &BodyLimits {
        &self.shared.options.body
    }

    /// The longest hold that may be asked for.
    pub fn hold_ttl_max(&self) -> Duration {
        self.shared.options.hold_ttl_max
    }

    /// The registry.
    pub fn metrics(&self) -> &Metrics {
        &self.shared.metrics
    }

    /// Whether this service does its part.
    pub(crate) fn serves(&self) -> bool {
        !self.shared.draining.is_cancelled() && self.shared.engine.is_ready()
    }

    /// Whether requests should be sent here: in a process of several services, when all of them serve.
    pub fn is_ready(&self) -> bool {
        self.serves() && self.process.as_ref().is_none_or(Readiness::is_ready)
    }

    /// The text that a scrape gets, with the engine's numbers as they are now.
    pub fn scrape(&self) -> String {
        self.shared.engine_metrics.set(&self.shared.engine.stats(), self.is_ready());
        self.shared.metrics.render()
    }
}

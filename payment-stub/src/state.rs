//! What handlers, the worker and the consumer share.

use std::sync::Arc;
use std::time::Duration;

use service_kit::sql::Database;
use service_kit::{BodyLimits, Metrics, Readiness};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::limits::HANG;
use crate::metrics::Counts;

/// What is shared. Cheap to clone.
#[derive(Clone)]
pub struct App {
    shared: Arc<Shared>,
    /// The process that this service is a part of.
    process: Option<Readiness>,
}

struct Shared {
    database: Database,
    options: AppOptions,
    metrics: Metrics,
    counts: Counts,
    draining: CancellationToken,
    work: TaskTracker,
    worker: Notify,
    outbox_written: Arc<Notify>,
}

/// What handlers need to know.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AppOptions {
    /// Bounds on bodies.
    pub body: BodyLimits,
    /// How long a flaky call that hangs does so.
    pub hang: Duration,
}

impl Default for AppOptions {
    fn default() -> Self {
        Self { body: BodyLimits::default(), hang: HANG }
    }
}

impl App {
    /// Around open books. `draining` is cancelled when the service stops: readiness goes off first.
    pub fn new(
        database: Database,
        options: AppOptions,
        metrics: Metrics,
        draining: CancellationToken,
    ) -> Self {
        let counts = Counts::register(&metrics);
        let shared = Shared {
            database,
            options,
            metrics,
            counts,
            draining,
            work: TaskTracker::new(),
            worker: Notify::new(),
            outbox_written: Arc::default(),
        };
        Self { shared: Arc::new(shared), process: None }
    }

    /// The same, as a part of a process.
    pub(crate) fn with_process(self, process: Readiness) -> Self {
        Self { process: Some(process), ..self }
    }

    /// Whether the other parts of the process serve, and this one is not stopping.
    pub(crate) fn may_be_ready(&self) -> bool {
        !self.is_draining() && self.process.as_ref().is_none_or(Readiness::is_ready)
    }

    /// The books.
    pub(crate) fn database(&self) -> &Database {
        &self.shared.database
    }

    pub(crate) fn options(&self) -> &AppOptions {
        &self.shared.options
    }

    /// The registry.
    pub fn metrics(&self) -> &Metrics {
        &self.shared.metrics
    }

    pub(crate) fn counts(&self) -> &Counts {
        &self.shared.counts
    }

    /// Work that outlives the request that asked for it.
    pub(crate) fn work(&self) -> &TaskTracker {
        &self.shared.work
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.shared.draining.is_cancelled()
    }

    /// Waits until the service stops.
    pub(crate) async fn draining(&self) {
        self.shared.draining.cancelled().await;
    }

    /// Something may be due.
    pub(crate) fn wake_worker(&self) {
        self.shared.worker.notify_one();
    }

    pub(crate) async fn worker_woken(&self) {
        self.shared.worker.notified().await;
    }

    pub(crate) fn outbox_written(&self) -> &Arc<Notify> {
        &self.shared.outbox_written
    }
}

//! What handlers, the worker and the consumer share.

use std::sync::Arc;
use std::time::Duration;

use service_kit::sql::Database;
use service_kit::{BodyLimits, Metrics};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::limits::HANG;
use crate::metrics::Counts;

/// What is shared. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Shared>);

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
        Self(Arc::new(Shared {
            database,
            options,
            metrics,
            counts,
            draining,
            work: TaskTracker::new(),
            worker: Notify::new(),
            outbox_written: Arc::default(),
        }))
    }

    /// The books.
    pub(crate) fn database(&self) -> &Database {
        &self.0.database
    }

    pub(crate) fn options(&self) -> &AppOptions {
        &self.0.options
    }

    /// The registry.
    pub fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    pub(crate) fn counts(&self) -> &Counts {
        &self.0.counts
    }

    /// Work that outlives the request that asked for it.
    pub(crate) fn work(&self) -> &TaskTracker {
        &self.0.work
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.0.draining.is_cancelled()
    }

    /// Waits until the service stops.
    pub(crate) async fn draining(&self) {
        self.0.draining.cancelled().await;
    }

    /// Something may be due.
    pub(crate) fn wake_worker(&self) {
        self.0.worker.notify_one();
    }

    pub(crate) async fn worker_woken(&self) {
        self.0.worker.notified().await;
    }

    pub(crate) fn outbox_written(&self) -> &Arc<Notify> {
        &self.0.outbox_written
    }
}

//! What handlers share.

use std::sync::Arc;

use service_kit::{BodyLimits, Metrics, Problem};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::store::Store;
use crate::worker::{Executor, Worker};

/// What handlers share. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Shared>);

struct Shared {
    executor: Executor,
    worker: Worker,
    body: BodyLimits,
    metrics: Metrics,
    draining: CancellationToken,
    tasks: TaskTracker,
}

impl App {
    /// Around an executor. `draining` is cancelled when the service stops: readiness goes off first.
    pub fn new(executor: Executor, body: BodyLimits, metrics: Metrics, draining: CancellationToken) -> Self {
        let worker = Worker::new(executor.clone());
        Self(Arc::new(Shared { executor, worker, body, metrics, draining, tasks: TaskTracker::new() }))
    }

    /// The orders.
    pub fn store(&self) -> &Store {
        self.0.executor.store()
    }

    /// What makes calls, for requests that make one themselves.
    pub fn executor(&self) -> &Executor {
        &self.0.executor
    }

    /// The loop.
    pub fn worker(&self) -> &Worker {
        &self.0.worker
    }

    /// Bounds on bodies.
    pub fn body_limits(&self) -> &BodyLimits {
        &self.0.body
    }

    /// The registry.
    pub fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// Whether requests should be sent here: the database answered the last look for work, and the service is not stopping.
    pub fn is_ready(&self) -> bool {
        !self.0.draining.is_cancelled() && self.0.worker.is_working()
    }

    /// The text that a scrape gets.
    pub fn scrape(&self) -> String {
        self.0.metrics.render()
    }

    /// Work of requests that goes on when their clients go away.
    pub(crate) fn tasks(&self) -> &TaskTracker {
        &self.0.tasks
    }

    /// Runs a request's work in a task of its own: it is not dropped inside a transaction when the client goes away.
    pub(crate) async fn owned<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Problem>> + Send + 'static,
    ) -> Result<T, Problem> {
        self.0.tasks.spawn(work).await.unwrap_or_else(|error| {
            tracing::error!(%error, "a request's task failed");
            Err(Problem::internal())
        })
    }
}

//! What handlers share.

use std::sync::Arc;

use metrics::{Counter, counter};
use service_kit::{BodyLimits, Metrics, Problem, Readiness};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::store::Store;
use crate::worker::{Executor, Worker};

/// What handlers share. Cheap to clone.
#[derive(Clone)]
pub struct App {
    shared: Arc<Shared>,
    /// The process that this service is a part of.
    process: Option<Readiness>,
}

struct Shared {
    executor: Executor,
    worker: Worker,
    body: BodyLimits,
    metrics: Metrics,
    draining: CancellationToken,
    tasks: TaskTracker,
    alarms: Counter,
}

impl App {
    /// Around an executor. `draining` is cancelled when the service stops: readiness goes off first.
    pub fn new(executor: Executor, body: BodyLimits, metrics: Metrics, draining: CancellationToken) -> Self {
        let worker = Worker::new(executor.clone());
        let alarms = metrics.register(|| counter!("saga_alarms_total"));
        let tasks = TaskTracker::new();
        let shared = Shared { executor, worker, body, metrics, draining, tasks, alarms };
        Self { shared: Arc::new(shared), process: None }
    }

    /// The same, as a part of a process.
    pub(crate) fn with_process(self, process: Readiness) -> Self {
        Self { process: Some(process), ..self }
    }

    /// The orders.
    pub fn store(&self) -> &Store {
        self.shared.executor.store()
    }

    /// What makes calls, for requests that make one themselves.
    pub fn executor(&self) -> &Executor {
        &self.shared.executor
    }

    /// The loop.
    pub fn worker(&self) -> &Worker {
        &self.shared.worker
    }

    /// Bounds on bodies.
    pub fn body_limits(&self) -> &BodyLimits {
        &self.shared.body
    }

    /// The registry.
    pub fn metrics(&self) -> &Metrics {
        &self.shared.metrics
    }

    /// Whether this service does its part: the database answered the last look for work, and the service is not stopping.
    pub(crate) fn serves(&self) -> bool {
        !self.shared.draining.is_cancelled() && self.shared.worker.is_working()
    }

    /// Whether requests should be sent here: in a process of several services, when all of them serve.
    pub fn is_ready(&self) -> bool {
        self.serves() && self.process.as_ref().is_none_or(Readiness::is_ready)
    }

    /// The text that a scrape gets, with the store's numbers as they are now.
    pub fn scrape(&self) -> String {
        self.shared.alarms.absolute(self.store().alarms());
        self.shared.metrics.render()
    }

    /// Work of requests that goes on when their clients go away.
    pub(crate) fn tasks(&self) -> &TaskTracker {
        &self.shared.tasks
    }

    /// Runs a request's work in a task of its own: it is not dropped inside a transaction when the client goes away.
    pub(crate) async fn owned<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Problem>> + Send + 'static,
    ) -> Result<T, Problem> {
        self.shared.tasks.spawn(work).await.unwrap_or_else(|error| {
            tracing::error!(%error, "a request's task failed");
            Err(Problem::internal())
        })
    }
}

//! The loop.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::execute::Executor;
use super::orders::Orders;
use super::timers;
use crate::store::{Claim, Order, Store};

/// How often what waits is counted.
const MEASURE_PERIOD: Duration = Duration::from_secs(5);

/// Works for every order of the store, for as long as it runs.
pub struct Worker<S = Store> {
    executor: Executor<S>,
    is_working: Arc<AtomicBool>,
}

impl<S> Clone for Worker<S> {
    fn clone(&self) -> Self {
        Self { executor: self.executor.clone(), is_working: Arc::clone(&self.is_working) }
    }
}

impl<S: Orders> Worker<S> {
    /// Around an executor, which requests may use at the same time.
    pub fn new(executor: Executor<S>) -> Self {
        Self { executor, is_working: Arc::default() }
    }

    /// Whether the database answered the last look for work.
    pub fn is_working(&self) -> bool {
        self.is_working.load(Ordering::Relaxed)
    }

    /// Works until `stop`, then finishes the calls under way. What is not finished is taken over when its lease ends.
    pub async fn run(&self, stop: CancellationToken) {
        let calls = async {
            self.calls(&stop).await;
        };
        tokio::join!(calls, timers::run(&self.executor, &stop), self.measure(&stop));
    }

    async fn measure(&self, stop: &CancellationToken) {
        while !stop.is_cancelled() {
            match self.executor.store().waiting().await {
                Ok(waiting) => self.executor.metrics().waiting(&waiting),
                Err(error) => tracing::debug!(%error, "what waits could not be counted"),
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(MEASURE_PERIOD) => {}
            }
        }
    }

    async fn calls(&self, stop: &CancellationToken) {
        let options = *self.executor.options();
        let work = Arc::clone(self.executor.store().work());
        let mut calls = JoinSet::new();
        while !stop.is_cancelled() {
            let free = options.calls_max - calls.len();
            let claimed = if free == 0 { Vec::new() } else { self.claim(free).await };
            let found_nothing = claimed.is_empty();
            let orders = self.read(&claimed).await;
            for claim in claimed {
                let (executor, order) = (self.executor.clone(), orders.get(&claim.order).cloned());
                calls.spawn(async move {
                    // Errors are told and set aside in there: one broken saga does not stop the rest.
                    let _ = executor.run(&claim, order).await;
                });
            }
            while let Some(ended) = calls.try_join_next() {
                tell_panic(ended);
            }
            if found_nothing {
                tokio::select! {
                    biased;
                    () = stop.cancelled() => break,
                    () = work.notified(), if free > 0 => {}
                    Some(ended) = calls.join_next(), if free == 0 => tell_panic(ended),
                    () = tokio::time::sleep(options.poll_period) => {}
                }
            }
        }
        while let Some(ended) = calls.join_next().await {
            tell_panic(ended);
        }
    }

    /// The orders of these calls, all at once. One that is missing here is read, and told, by its call.
    async fn read(&self, claims: &[Claim]) -> HashMap<Uuid, Order> {
        if claims.is_empty() {
            return HashMap::new();
        }
        let orders: Vec<Uuid> = claims.iter().map(|claim| claim.order).collect();
        self.executor.store().read_some(&orders).await.unwrap_or_else(|error| {
            tracing::debug!(%error, "each order is read by its call");
            HashMap::new()
        })
    }

    async fn claim(&self, most: usize) -> Vec<Claim> {
        let claimed = self.executor.store().claim_actions(most).await;
        self.is_working.store(claimed.is_ok(), Ordering::Relaxed);
        claimed.unwrap_or_else(|error| {
            tracing::warn!(%error, "could not look for work");
            Vec::new()
        })
    }
}

/// A panic stays with its order, whose lease ends by itself.
fn tell_panic(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a call's task panicked");
    }
}

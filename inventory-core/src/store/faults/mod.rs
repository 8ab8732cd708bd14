//! A store that fails on purpose: what networks, disks and servers do to a batch, on any store, at will.
//!
//! A [`FaultPlan`] says what happens to the n-th batch, by a script or by a seed. The same plan does the same
//! to the same batches, so a failing seed can be run again.
//!
//! Faults around COMMIT are the ones that matter. It may fail and say so; it may get no answer, and have taken
//! effect, or not, or take effect only later, while the writer is busy settling it. In the last case the
//! session stays open on the side, locks and all, as the orphan of a lost connection does in a server, and
//! commits when its time has come; [`Store::resolve`] ends it first if it comes first.

mod plan;
mod session;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use tokio_util::task::TaskTracker;

pub use self::plan::{Fault, FaultPlan};
use self::session::FaultySession;
use super::{
    Backend, Due, HoldOn, OrdersPage, Pruned, Read, Resolution, Retention, Session, Sharing, Store,
    StoreError, StoreErrorKind, audit_rows,
};
use crate::clock::Timestamp;
use crate::ids::{BatchId, OrderId, ProductId};
use crate::journal::ProductVersion;
use crate::reservation::Reservation;

/// Any store, with faults. Cheap to clone; clones share the plan and the count of batches.
#[derive(Clone)]
pub struct FaultyStore {
    inner: Arc<dyn Store>,
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    /// Commits that take effect late.
    late: TaskTracker,
}

struct State {
    plan: FaultPlan,
    /// Batches begun so far: the number of the next.
    begun: u64,
    injected: Vec<(u64, BatchId, Fault)>,
    /// Sessions whose COMMIT is still to come.
    orphans: HashMap<BatchId, Box<dyn Session>>,
}

impl FaultyStore {
    /// `inner`, failing as `plan` says.
    pub fn new(inner: Arc<dyn Store>, plan: FaultPlan) -> Self {
        let state = State { plan, begun: 0, injected: Vec::new(), orphans: HashMap::new() };
        Self { inner, shared: Arc::new(Shared { state: Mutex::new(state), late: TaskTracker::new() }) }
    }

    /// From now on, nothing but what `plan` says. Numbers of batches go on.
    pub fn set_plan(&self, plan: FaultPlan) {
        self.shared.state.lock().plan = plan;
    }

    /// How many batches were begun: the number that the next one will have.
    pub fn batches_begun(&self) -> u64 {
        self.shared.state.lock().begun
    }

    /// What was done to which batch so far.
    pub fn injected(&self) -> Vec<(u64, BatchId, Fault)> {
        self.shared.state.lock().injected.clone()
    }

    /// Waits until every commit that was to take effect late has done so, or was settled.
    pub async fn settled(&self) {
        self.shared.late.close();
        self.shared.late.wait().await;
        self.shared.late.reopen();
    }
}

impl Shared {
    /// Leaves a session to commit by itself after a while.
    fn commit_later(self: &Arc<Self>, batch: BatchId, session: Box<dyn Session>, after: Duration) {
        self.state.lock().orphans.insert(batch, session);
        let shared = Arc::clone(self);
        self.late.spawn(async move {
            tokio::time::sleep(after).await;
            let orphan = shared.state.lock().orphans.remove(&batch);
            if let Some(mut orphan) = orphan {
                // Nobody is left to hear the answer.
                let _ = orphan.commit().await;
            }
        });
    }
}

#[async_trait]
impl Store for FaultyStore {
    fn sharing(&self) -> Sharing {
        self.inner.sharing()
    }

    async fn open_session(&self) -> Result<Box<dyn Session>, StoreError> {
        if self.shared.state.lock().plan.take_open_failure() {
            return Err(injected(StoreErrorKind::Unavailable));
        }
        let inner = self.inner.open_session().await?;
        Ok(Box::new(FaultySession::new(inner, Arc::clone(&self.shared))))
    }

    async fn resolve(&self, batch: BatchId, backend: Backend) -> Result<Resolution, StoreError> {
        let orphan = {
            let mut state = self.shared.state.lock();
            if state.plan.take_resolve_failure() {
                return Err(injected(StoreErrorKind::Unavailable));
            }
            state.orphans.remove(&batch)
        };
        // As a server ends the orphan's process. If it is committing by now, the store waits for it.
        drop(orphan);
        self.inner.resolve(batch, backend).await
    }

    async fn read(&self, products: &[ProductId], orders: &[OrderId]) -> Result<Read, StoreError> {
        self.inner.read(products, orders).await
    }

    async fn reservation(&self, order: OrderId) -> Result<(Timestamp, Option<Reservation>), StoreError> {
        self.inner.reservation(order).await
    }

    async fn orders_after(&self, after: Option<OrderId>, limit: usize) -> Result<OrdersPage, StoreError> {
        self.inner.orders_after(after, limit).await
    }

    async fn due(&self, grace: Duration, limit: usize) -> Result<Due, StoreError> {
        self.inner.due(grace, limit).await
    }

    async fn holds_on(&self, product: ProductId, limit: usize) -> Result<Vec<HoldOn>, StoreError> {
        self.inner.holds_on(product, limit).await
    }

    async fn history(
        &self,
        product: ProductId,
        from_version: u64,
        limit: usize,
    ) -> Result<Vec<ProductVersion>, StoreError> {
        self.inner.history(product, from_version, limit).await
    }

    async fn prune(&self, retention: &Retention) -> Result<Pruned, StoreError> {
        self.inner.prune(retention).await
    }

    async fn snapshot(&self) -> Result<Box<dyn audit_rows::Snapshot>, StoreError> {
        self.inner.snapshot().await
    }
}

/// The error of a fault.
fn injected(kind: StoreErrorKind) -> StoreError {
    StoreError::new(kind, "a fault was injected")
}

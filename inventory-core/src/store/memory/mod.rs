//! The ledger in memory: the readable specification of the port, and a store for tests and simulations.
//!
//! One transaction at a time: a session takes its turn in `begin` and keeps it to the end. What a batch writes is
//! checked by `persist`, kept aside, and applied by `commit` in one step, so there is nothing to undo: giving a
//! transaction up, or dropping its session, forgets it. Readers see what was committed.

mod ledger;
mod prune;
mod reads;
mod session;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::RwLock;
use tokio::sync::Mutex;

use self::session::MemorySession;
use super::{
    Backend, Due, HoldOn, OrdersPage, Pruned, Read, Resolution, Retention, Session, Sharing, Store,
    StoreError, audit_rows,
};
use crate::clock::{Clock, ProcessClock, Timestamp};
use crate::event::OutboxRow;
use crate::ids::{BatchId, OrderId, ProductId};
use crate::journal::ProductVersion;
use crate::reservation::Reservation;

pub use self::ledger::Ledger;

/// A ledger that lives and dies with its process. Cheap to clone; clones are the same ledger.
#[derive(Clone)]
pub struct MemoryStore {
    shared: Arc<Shared>,
}

struct Shared {
    /// Held by the one session that has a transaction.
    turn: Arc<Mutex<()>>,
    /// What was committed.
    ledger: RwLock<Ledger>,
    clock: Arc<dyn Clock>,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new(Arc::new(ProcessClock::starting_after(Timestamp::EPOCH)))
    }
}

impl MemoryStore {
    /// Empty, judging by `clock`.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let shared = Shared { turn: Arc::default(), ledger: RwLock::default(), clock };
        Self { shared: Arc::new(shared) }
    }

    /// Every event written so far, in order.
    pub fn outbox(&self) -> Vec<OutboxRow> {
        self.shared.ledger.read().events()
    }

    /// Everything, as it stands between two transactions.
    pub(crate) async fn copy(&self) -> Ledger {
        let _turn = self.shared.turn.lock().await;
        self.shared.ledger.read().clone()
    }
}

#[async_trait]
impl Store for MemoryStore {
    fn sharing(&self) -> Sharing {
        Sharing::Exclusive
    }

    async fn open_session(&self) -> Result<Box<dyn Session>, StoreError> {
        Ok(Box::new(MemorySession::new(Arc::clone(&self.shared))))
    }

    async fn resolve(&self, batch: BatchId, _: Backend) -> Result<Resolution, StoreError> {
        // Waits for a transaction that is still open: it may be the very batch.
        let _turn = self.shared.turn.lock().await;
        let now = self.shared.clock.now();
        Ok(self.shared.ledger.write().abort(batch, now))
    }

    async fn read(&self, products: &[ProductId], orders: &[OrderId]) -> Result<Read, StoreError> {
        Ok(self.shared.ledger.read().read(products, orders))
    }

    async fn reservation(&self, order: OrderId) -> Result<(Timestamp, Option<Reservation>), StoreError> {
        let ledger = self.shared.ledger.read();
        Ok((self.shared.clock.now(), ledger.reservation(order).cloned()))
    }

    async fn orders_after(&self, after: Option<OrderId>, limit: usize) -> Result<OrdersPage, StoreError> {
        let ledger = self.shared.ledger.read();
        Ok(ledger.orders_after(after, limit, self.shared.clock.now()))
    }

    async fn due(&self, grace: Duration, limit: usize) -> Result<Due, StoreError> {
        let ledger = self.shared.ledger.read();
        Ok(ledger.due(grace, limit, self.shared.clock.now()))
    }

    async fn holds_on(&self, product: ProductId, limit: usize) -> Result<Vec<HoldOn>, StoreError> {
        Ok(self.shared.ledger.read().holds_on(product, limit))
    }

    async fn history(
        &self,
        product: ProductId,
        from_version: u64,
        limit: usize,
    ) -> Result<Vec<ProductVersion>, StoreError> {
        Ok(self.shared.ledger.read().history(product, from_version, limit))
    }

    async fn prune(&self, retention: &Retention) -> Result<Pruned, StoreError> {
        let _turn = self.shared.turn.lock().await;
        Ok(self.shared.ledger.write().prune(retention, self.shared.clock.now()))
    }

    async fn snapshot(&self) -> Result<Box<dyn audit_rows::Snapshot>, StoreError> {
        Ok(self.copy().await.into_copy().into_snapshot())
    }
}

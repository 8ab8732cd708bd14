//! The ledger in memory: the readable specification of the port, and a store for tests and simulations.
//!
//! One transaction at a time: a session takes its turn in `begin` and keeps it to the end. What a batch writes is
//! checked by `persist`, kept aside, and applied by `commit` in one step, so there is nothing to undo: giving a
//! transaction up, or dropping its session, forgets it. Readers see what was committed.

mod ledger;
mod prune;
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
use crate::journal::{ProductChange, ProductVersion};
use crate::reservation::Reservation;

pub(crate) use self::ledger::Ledger;

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
        self.shared.ledger.read().outbox.iter().map(|(_, _, row, _)| row.clone()).collect()
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
        let mut ledger = self.shared.ledger.write();
        let now = self.shared.clock.now();
        Ok(ledger.fences.entry(batch).or_insert((Resolution::Aborted, now)).0)
    }

    async fn read(&self, products: &[ProductId], orders: &[OrderId]) -> Result<Read, StoreError> {
        let ledger = self.shared.ledger.read();
        Ok(Read {
            products: products.iter().filter_map(|id| ledger.products.get(id).cloned()).collect(),
            known_orders: orders.iter().copied().filter(|id| ledger.reservations.contains_key(id)).collect(),
        })
    }

    async fn reservation(&self, order: OrderId) -> Result<(Timestamp, Option<Reservation>), StoreError> {
        let ledger = self.shared.ledger.read();
        Ok((self.shared.clock.now(), ledger.reservations.get(&order).cloned()))
    }

    async fn orders_after(&self, after: Option<OrderId>, limit: usize) -> Result<OrdersPage, StoreError> {
        let ledger = self.shared.ledger.read();
        Ok(OrdersPage { now: self.shared.clock.now(), orders: ledger.orders_after(after, limit) })
    }

    async fn due(&self, grace: Duration, limit: usize) -> Result<Due, StoreError> {
        let ledger = self.shared.ledger.read();
        let now = self.shared.clock.now();
        let latest = now.minus(grace);
        let over = ledger.open_holds.iter().take_while(|(expires_at, _)| *expires_at <= latest);
        Ok(Due { now, orders: over.map(|(_, order)| *order).take(limit).collect() })
    }

    async fn holds_on(&self, product: ProductId, limit: usize) -> Result<Vec<HoldOn>, StoreError> {
        let ledger = self.shared.ledger.read();
        let holds = ledger.open_holds.iter().filter_map(|(expires_at, order)| {
            let quantity = ledger.reservations.get(order)?.lines.quantity_of(product)?;
            Some(HoldOn { order: *order, quantity, expires_at: *expires_at })
        });
        Ok(holds.take(limit).collect())
    }

    async fn history(
        &self,
        product: ProductId,
        from_version: u64,
        limit: usize,
    ) -> Result<Vec<ProductVersion>, StoreError> {
        let ledger = self.shared.ledger.read();
        let versions = ledger.journal.iter().filter_map(|entry| {
            let after = entry.products.iter().find(|p| p.product == product && p.version >= from_version)?;
            let changes = entry.commands.iter().flat_map(|command| {
                let lines = command.lines.iter().filter(|line| line.product == product);
                lines.map(|line| ProductChange {
                    kind: command.kind,
                    order: command.order,
                    units: line.units,
                    reason: command.remark.as_ref().and_then(|remark| remark.reason.clone()),
                })
            });
            Some(ProductVersion {
                batch: entry.batch,
                at: entry.at,
                after: *after,
                changes: changes.collect(),
            })
        });
        Ok(versions.take(limit).collect())
    }

    async fn prune(&self, retention: &Retention) -> Result<Pruned, StoreError> {
        let _turn = self.shared.turn.lock().await;
        Ok(self.shared.ledger.write().prune(retention, self.shared.clock.now()))
    }

    async fn snapshot(&self) -> Result<Box<dyn audit_rows::Snapshot>, StoreError> {
        Ok(self.copy().await.into_copy().into_snapshot())
    }
}

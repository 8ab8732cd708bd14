//! A transaction in memory: a turn, and effects kept aside until COMMIT.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::OwnedMutexGuard;

use super::Shared;
use crate::ids::BatchId;
use crate::store::{Backend, CommitFailure, Effects, Footprint, Locked, Session, StoreError, StoreErrorKind};

pub(super) struct MemorySession {
    shared: Arc<Shared>,
    transaction: Option<Transaction>,
}

/// Dropping it rolls it back.
struct Transaction {
    batch: BatchId,
    effects: Option<Effects>,
    _turn: OwnedMutexGuard<()>,
}

impl MemorySession {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, transaction: None }
    }
}

#[async_trait]
impl Session for MemorySession {
    fn backend(&self) -> Backend {
        Backend::default()
    }

    async fn begin(&mut self, batch: BatchId, footprint: &Footprint) -> Result<Locked, StoreError> {
        // One that was left open must not wait for itself.
        self.transaction = None;
        let turn = Arc::clone(&self.shared.turn).lock_owned().await;
        let ledger = self.shared.ledger.read();
        if ledger.fence(batch).is_some() {
            return Err(StoreError::new(StoreErrorKind::Conflict, format!("batch {batch} is fenced")));
        }
        let locked = ledger.look(footprint, &ledger.concerned(footprint), self.shared.clock.now());
        self.transaction = Some(Transaction { batch, effects: None, _turn: turn });
        Ok(locked)
    }

    async fn persist(&mut self, effects: &Effects) -> Result<(), StoreError> {
        let mut transaction = self.transaction.take().ok_or_else(none_open)?;
        self.shared.ledger.read().check(effects)?;
        transaction.effects = Some(effects.clone());
        self.transaction = Some(transaction);
        Ok(())
    }

    async fn commit(&mut self) -> Result<(), CommitFailure> {
        let transaction = self.transaction.take().ok_or_else(none_open)?;
        let now = self.shared.clock.now();
        self.shared.ledger.write().commit(transaction.batch, transaction.effects, now);
        Ok(())
    }

    async fn rollback(&mut self) -> Result<(), StoreError> {
        self.transaction = None;
        Ok(())
    }
}

fn none_open() -> StoreError {
    StoreError::new(StoreErrorKind::Misconfigured, "no transaction is open")
}

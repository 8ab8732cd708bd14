//! A transaction in memory: a turn, and effects kept aside until COMMIT.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::OwnedMutexGuard;

use super::{Ledger, Shared};
use crate::clock::Timestamp;
use crate::ids::{BatchId, CustomerId, ProductId};
use crate::store::{
    Backend, CommitFailure, Effects, Footprint, IdSet, Locked, Resolution, Session, StoreError,
    StoreErrorKind,
};

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
        if ledger.fences.contains_key(&batch) {
            return Err(StoreError::new(StoreErrorKind::Conflict, format!("batch {batch} is fenced")));
        }
        let locked = ledger.lock(footprint, self.shared.clock.now());
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
        let mut ledger = self.shared.ledger.write();
        ledger.fences.insert(transaction.batch, (Resolution::Committed, self.shared.clock.now()));
        if let Some(effects) = transaction.effects {
            ledger.apply(effects);
        }
        Ok(())
    }

    async fn rollback(&mut self) -> Result<(), StoreError> {
        self.transaction = None;
        Ok(())
    }
}

impl Ledger {
    /// Everything that the rules need to know about the footprint.
    fn lock(&self, footprint: &Footprint, now: Timestamp) -> Locked {
        let reservations: Vec<_> = match footprint.read_orders {
            true => footprint.orders.iter().filter_map(|order| self.reservations.get(order)).collect(),
            false => Vec::new(),
        };
        let of_orders = reservations.iter().flat_map(|r| r.requested.iter()).map(|line| line.product);
        let products: IdSet<ProductId> = footprint.products.iter().copied().chain(of_orders).collect();
        let of_orders = reservations.iter().filter_map(|r| r.customer.clone());
        let customers: IdSet<CustomerId> = footprint.customers.iter().cloned().chain(of_orders).collect();
        Locked {
            now,
            customer_units: self.units_of(&customers, &products),
            products: products.iter().filter_map(|id| Some((*id, self.products.get(id)?.clone()))).collect(),
            reservations: reservations.into_iter().map(|r| (r.order, r.clone())).collect(),
            adjustments: (footprint.adjustments.iter())
                .filter_map(|id| Some((id.clone(), self.adjustments.get(id)?.clone())))
                .collect(),
            delivered: (footprint.deliveries.iter())
                .filter(|delivery| self.deliveries.contains_key(*delivery))
                .cloned()
                .collect(),
            skipped: Vec::new(),
        }
    }

    fn units_of(
        &self,
        customers: &IdSet<CustomerId>,
        products: &IdSet<ProductId>,
    ) -> crate::store::IdMap<(CustomerId, ProductId), crate::quantity::Units> {
        let first = ProductId::new(i64::MIN);
        let last = ProductId::new(i64::MAX);
        let rows = customers.iter().flat_map(|customer| {
            self.customer_units.range((customer.clone(), first)..=(customer.clone(), last))
        });
        rows.filter(|((_, product), _)| products.contains(product))
            .map(|(key, units)| (key.clone(), *units))
            .collect()
    }
}

fn none_open() -> StoreError {
    StoreError::new(StoreErrorKind::Misconfigured, "no transaction is open")
}

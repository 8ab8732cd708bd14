//! A store of one's own: here one that counts batches in front of the memory store. A real one talks to your database;
//! `inventory_core::store::conformance` proves that it keeps the port's promises.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use inventory_core::clock::Timestamp;
use inventory_core::command::SetStock;
use inventory_core::engine::{Engine, ReserveRequest};
use inventory_core::event::NoEvents;
use inventory_core::ids::{BatchId, OrderId, ProductId};
use inventory_core::journal::ProductVersion;
use inventory_core::lines::Lines;
use inventory_core::options::EngineOptions;
use inventory_core::quantity::{Quantity, Units};
use inventory_core::reservation::Reservation;
use inventory_core::store::memory::MemoryStore;
use inventory_core::store::{
    Backend, CommitFailure, Due, Effects, Footprint, HoldOn, Locked, LookAhead, OrdersPage, Pruned, Read,
    Resolution, Retention, Session, Sharing, Store, StoreError, audit_rows,
};

struct Announcing(MemoryStore);

struct AnnouncingSession(Box<dyn Session>);

#[async_trait]
impl Session for AnnouncingSession {
    fn backend(&self) -> Backend {
        self.0.backend()
    }
    async fn begin(&mut self, batch: BatchId, footprint: &Footprint) -> Result<Locked, StoreError> {
        self.0.begin(batch, footprint).await
    }
    async fn persist(&mut self, effects: &Effects) -> Result<(), StoreError> {
        println!("batch of {} commands, {} products", effects.journal.commands.len(), effects.products.len());
        self.0.persist(effects).await
    }
    async fn commit(&mut self) -> Result<(), CommitFailure> {
        self.0.commit().await
    }
    async fn commit_looking_ahead(&mut self, look: LookAhead<'_>) -> Result<(), CommitFailure> {
        self.0.commit_looking_ahead(look).await
    }
    async fn rollback(&mut self) -> Result<(), StoreError> {
        self.0.rollback().await
    }
}

#[async_trait]
impl Store for Announcing {
    fn sharing(&self) -> Sharing {
        self.0.sharing()
    }
    async fn open_session(&self) -> Result<Box<dyn Session>, StoreError> {
        Ok(Box::new(AnnouncingSession(self.0.open_session().await?)))
    }
    async fn resolve(&self, batch: BatchId, backend: Backend) -> Result<Resolution, StoreError> {
        self.0.resolve(batch, backend).await
    }
    async fn read(&self, products: &[ProductId], orders: &[OrderId]) -> Result<Read, StoreError> {
        self.0.read(products, orders).await
    }
    async fn reservation(&self, order: OrderId) -> Result<(Timestamp, Option<Reservation>), StoreError> {
        self.0.reservation(order).await
    }
    async fn orders_after(&self, after: Option<OrderId>, limit: usize) -> Result<OrdersPage, StoreError> {
        self.0.orders_after(after, limit).await
    }
    async fn due(&self, grace: Duration, limit: usize) -> Result<Due, StoreError> {
        self.0.due(grace, limit).await
    }
    async fn holds_on(&self, product: ProductId, limit: usize) -> Result<Vec<HoldOn>, StoreError> {
        self.0.holds_on(product, limit).await
    }
    async fn history(
        &self,
        product: ProductId,
        from: u64,
        limit: usize,
    ) -> Result<Vec<ProductVersion>, StoreError> {
        self.0.history(product, from, limit).await
    }
    async fn prune(&self, retention: &Retention) -> Result<Pruned, StoreError> {
        self.0.prune(retention).await
    }
    async fn snapshot(&self) -> Result<Box<dyn audit_rows::Snapshot>, StoreError> {
        self.0.snapshot().await
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let store = Arc::new(Announcing(MemoryStore::default()));
    let engine = Engine::open(store, Arc::new(NoEvents), EngineOptions::default()).await?;
    let lamp = ProductId::new(42);
    engine.set(SetStock::level(lamp, Units::level(100)?)).await?;
    let asked = (0..100).map(|_| {
        let order = OrderId::new(uuid::Uuid::now_v7());
        engine.reserve(ReserveRequest {
            order,
            lines: Lines::one(lamp, Quantity::ONE),
            customer: None,
            ttl: None,
        })
    });
    let held = futures::future::join_all(asked).await.iter().filter(|answer| answer.is_ok()).count();
    println!("{held} holds");
    engine.shutdown().await;
    Ok(())
}

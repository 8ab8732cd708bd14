//! Several engines over one store: nothing oversold, no refusal of a replay, no refusal that rests on a take in flight.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use inventory_core::clock::Timestamp;
use inventory_core::engine::Engine;
use inventory_core::error::{CommitError, ReleaseError};
use inventory_core::ids::{BatchId, OrderId, ProductId};
use inventory_core::journal::ProductVersion;
use inventory_core::reservation::Reservation;
use inventory_core::store::memory::MemoryStore;
use inventory_core::store::postgres::{PostgresOptions, PostgresStore};
use inventory_core::store::{
    Backend, Due, HoldOn, OrdersPage, Pruned, Read, Resolution, Retention, Session, Sharing, Store,
    StoreError, audit_rows,
};

use super::support::{at_rest, is_sold_out, levels, new_order, open, options, request, stock};

/// A memory store that tells its engines that they are not alone.
struct SharedMemory(MemoryStore);

#[async_trait]
impl Store for SharedMemory {
    fn sharing(&self) -> Sharing {
        Sharing::Shared
    }
    async fn open_session(&self) -> Result<Box<dyn Session>, StoreError> {
        self.0.open_session().await
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
        from_version: u64,
        limit: usize,
    ) -> Result<Vec<ProductVersion>, StoreError> {
        self.0.history(product, from_version, limit).await
    }
    async fn prune(&self, retention: &Retention) -> Result<Pruned, StoreError> {
        self.0.prune(retention).await
    }
    async fn snapshot(&self) -> Result<Box<dyn audit_rows::Snapshot>, StoreError> {
        self.0.snapshot().await
    }
}

async fn two_engines() -> (Engine, Engine) {
    let store = Arc::new(SharedMemory(MemoryStore::default()));
    (open(store.clone(), options()).await, open(store, options()).await)
}

async fn two_engines_on_postgres() -> (Engine, Engine) {
    let url = test_support::postgres::database().await.url;
    PostgresStore::migrate(&url).await.unwrap();
    let connect = async || PostgresStore::connect(&url, PostgresOptions::default()).await.unwrap();
    let stores = (Arc::new(connect().await), Arc::new(connect().await));
    (open(stores.0, options()).await, open(stores.1, options()).await)
}

#[tokio::test]
async fn i1_two_engines_sell_exactly_what_there_is() {
    let (left, right) = two_engines().await;
    stock(&left, &[(1, 300)]).await;
    let asked = (0..1_000).map(|i| {
        let engine = if i % 2 == 0 { &left } else { &right };
        engine.reserve(request(new_order(), &[(1, 1)]))
    });
    let answers = futures::future::join_all(asked).await;
    assert_eq!(answers.iter().filter(|a| a.is_ok()).count(), 300);
    assert_eq!(answers.iter().filter(|a| is_sold_out(a)).count(), 700, "every other one is told sold out");
    assert_eq!(levels(&right, 1).await, (300, 300));
    left.shutdown().await;
    right.shutdown().await;
}

#[tokio::test]
async fn i7_the_retry_of_the_last_unit_is_a_replay_on_the_other_engine_too() {
    let (left, right) = two_engines().await;
    stock(&left, &[(1, 1)]).await;
    let winner = new_order();
    left.reserve(request(winner, &[(1, 1)])).await.unwrap();
    assert!(is_sold_out(&right.reserve(request(new_order(), &[(1, 1)])).await));
    for engine in [&left, &right] {
        for _ in 0..50 {
            assert!(engine.reserve(request(winner, &[(1, 1)])).await.unwrap().replayed);
        }
    }
    left.shutdown().await;
    right.shutdown().await;
}

#[tokio::test]
async fn i14_stock_that_another_engine_gave_back_is_seen_by_the_next_request() {
    let (left, right) = two_engines().await;
    stock(&left, &[(1, 1)]).await;
    for _ in 0..50 {
        let (first, second) = (new_order(), new_order());
        left.reserve(request(first, &[(1, 1)])).await.unwrap();
        assert!(is_sold_out(&right.reserve(request(new_order(), &[(1, 1)])).await));
        left.release(first, None, None, None).await.unwrap();
        let held = right.reserve(request(second, &[(1, 1)])).await;
        assert!(held.is_ok(), "refused although the unit was back: {held:?}");
        right.release(second, None, None, None).await.unwrap();
    }
    at_rest(&right, &[1]).await;
    left.shutdown().await;
    right.shutdown().await;
}

#[tokio::test]
async fn i4_an_order_ended_by_one_engine_is_ended_for_the_other() {
    for (left, right) in [two_engines().await, two_engines_on_postgres().await] {
        stock(&left, &[(1, 2)]).await;
        // Each the only hold there is: what ends it twice would leave less than nothing held.
        let (bought, given_back) = (new_order(), new_order());
        left.reserve(request(bought, &[(1, 1)])).await.unwrap();
        let committed = right.commit(bought, None, None).await.unwrap();
        assert_eq!(
            left.release(bought, None, None, None).await,
            Err(ReleaseError::AlreadyCommitted(bought)),
            "a committed order was released"
        );
        assert_eq!(left.commit(bought, None, None).await, Ok(committed));
        left.reserve(request(given_back, &[(1, 1)])).await.unwrap();
        right.release(given_back, None, None, None).await.unwrap();
        assert_eq!(left.commit(given_back, None, None).await, Err(CommitError::AlreadyReleased(given_back)));
        assert_eq!(levels(&left, 1).await, (1, 0));
        left.shutdown().await;
        right.shutdown().await;
    }
}

//! The test that matters: on the way to the server a COMMIT is held, the client's side is closed at once, and the server gets it
//! three seconds later. The engine must have fenced its batch by then.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use inventory_core::clock::Timestamp;
use inventory_core::engine::Engine;
use inventory_core::error::{Failure, ReserveError};
use inventory_core::ids::{BatchId, OrderId, ProductId};
use inventory_core::journal::ProductVersion;
use inventory_core::options::EngineOptions;
use inventory_core::outcome::Reserved;
use inventory_core::reservation::Reservation;
use inventory_core::store::audit_rows::Snapshot;
use inventory_core::store::postgres::{PostgresOptions, PostgresStore};
use inventory_core::store::{
    Backend, Due, HoldOn, OrdersPage, Pruned, Read, Resolution, Retention, Session, Sharing, Store,
    StoreError,
};
use test_support::postgres::proxy::{CommitHarm, Harm, Proxy, Reach};

use super::hand::Ledger;
use crate::engine::support::{new_order, open, options, product, request};

/// How long the proxy keeps the COMMIT.
const HELD: Duration = Duration::from_secs(3);

/// A store whose resolver is what it must not be: one that only looks.
struct OnlyReads {
    inner: PostgresStore,
    ledger: Ledger,
}

#[async_trait]
impl Store for OnlyReads {
    async fn resolve(&self, batch: BatchId, _: Backend) -> Result<Resolution, StoreError> {
        let mut sql = self.ledger.sql().await;
        let there: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM commit_batch WHERE batch_id = $1)")
            .bind(batch.get())
            .fetch_one(&mut sql)
            .await
            .unwrap();
        Ok(if there { Resolution::Committed } else { Resolution::Aborted })
    }

    fn sharing(&self) -> Sharing {
        self.inner.sharing()
    }
    async fn open_session(&self) -> Result<Box<dyn Session>, StoreError> {
        self.inner.open_session().await
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
        from: u64,
        limit: usize,
    ) -> Result<Vec<ProductVersion>, StoreError> {
        self.inner.history(product, from, limit).await
    }
    async fn prune(&self, retention: &Retention) -> Result<Pruned, StoreError> {
        self.inner.prune(retention).await
    }
    async fn snapshot(&self) -> Result<Box<dyn Snapshot>, StoreError> {
        self.inner.snapshot().await
    }
}

/// What an engine did with a reserve whose first COMMIT was held.
struct Seen {
    answer: Result<Reserved, ReserveError>,
    /// Whether the order holds, once the COMMIT has reached the server.
    holds: bool,
    /// What memory would still admit, without asking the store.
    free_in_memory: Option<i64>,
    /// What the store has.
    available: i64,
}

/// The server's own clean-up of idle transactions would hide who has fenced the batch.
fn without_idle_timeout() -> PostgresOptions {
    PostgresOptions { idle_in_transaction_timeout: Duration::ZERO, ..PostgresOptions::default() }
}

/// One unit of five is asked for. The caller waits for less time than the COMMIT is held. With `presumed` it is a batch of one message.
async fn reserve_while_its_commit_is_held(
    presumed: bool,
    store: impl FnOnce(Ledger, PostgresStore) -> Arc<dyn Store>,
) -> Seen {
    let ledger = Ledger::new().await;
    ledger.stock(&[(1, 5)]).await;
    let proxy = Proxy::before(&ledger.url).await.unwrap();
    let through = PostgresStore::connect(proxy.url(), without_idle_timeout()).await.unwrap();
    let eyes = Ledger {
        url: ledger.url.clone(),
        store: PostgresStore::connect(&ledger.url, without_idle_timeout()).await.unwrap(),
    };
    let hasty = EngineOptions { request_deadline: HELD * 2 / 3, ..options() };
    let engine = open(store(ledger, through), hasty).await;
    // The counters know the product before anything goes wrong; what the session has written, it presumes.
    let first = engine.reserve(request(new_order(), &[(1, if presumed { 1 } else { 6 })])).await;
    assert_eq!(first.is_ok(), presumed, "{first:?}");
    proxy.at_next_commit(Reach::All, CommitHarm::HoldFor(HELD));
    let order = new_order();
    let answer = engine.reserve(request(order, &[(1, 1)])).await;
    forwarded(&proxy).await;
    let seen = Seen {
        answer,
        holds: eyes.reservation(order).await.is_some(),
        free_in_memory: free_in_memory(&engine).await,
        available: eyes.product(1).await.available().get(),
    };
    engine.shutdown().await;
    seen
}

/// Waits until every COMMIT that was held has gone on.
async fn forwarded(proxy: &Proxy) {
    for _ in 0..3_000 {
        let held = proxy.count(Harm::CommitHeld);
        if held > 0 && proxy.count(Harm::CommitForwarded) == held {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("no COMMIT was held and forwarded: {:?}", proxy.counts());
}

/// Once nothing is in flight.
async fn free_in_memory(engine: &Engine) -> Option<i64> {
    for _ in 0..1_000 {
        let cell = engine.counter(product(1))?;
        if cell.free == cell.base.available {
            return Some(cell.free.get());
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the counter does not come to rest: {:?}", engine.counter(product(1)));
}

/// What contradicts itself.
fn contradictions(seen: &Seen) -> Vec<String> {
    let mut found = Vec::new();
    let told_that_nothing_happened =
        matches!(seen.answer, Err(ReserveError::Failed(Failure::Overloaded | Failure::Unavailable { .. })));
    if told_that_nothing_happened && seen.holds {
        found.push(format!("I6: the caller was told {:?}, and the order holds", seen.answer));
    }
    if seen.answer.is_ok() && !seen.holds {
        found.push("I5: the caller was told that it holds, and it does not".to_owned());
    }
    if seen.free_in_memory.is_some_and(|free| free > seen.available) {
        found.push(format!(
            "I3: memory admits {:?}, and the store has {}",
            seen.free_in_memory, seen.available
        ));
    }
    found
}

#[tokio::test]
async fn i3_i6_the_engine_fences_a_commit_that_is_held_on_its_way_for_three_seconds() {
    for presumed in [false, true] {
        let seen = reserve_while_its_commit_is_held(presumed, |_, store| Arc::new(store)).await;
        assert_eq!(contradictions(&seen), Vec::<String>::new());
        assert_eq!(seen.available, 5 - i64::from(presumed) - i64::from(seen.holds), "once");
    }
}

/// Under locks. Without them the engine has tried again before the late message comes, and that then finds the product changed and the
/// order's key taken; that it commits where nothing has happened, `unknown_commit` shows.
#[tokio::test]
async fn a_resolver_that_only_reads_is_caught_by_the_held_commit() {
    let only_reads = |ledger, inner| -> Arc<dyn Store> { Arc::new(OnlyReads { inner, ledger }) };
    let seen = reserve_while_its_commit_is_held(false, only_reads).await;
    assert_ne!(contradictions(&seen), Vec::<String>::new(), "told {:?}, holds {}", seen.answer, seen.holds);
}

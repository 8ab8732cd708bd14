//! Short words for tests.

use std::sync::Arc;
use std::time::Duration;

use inventory_core::command::SetStock;
use inventory_core::engine::{Engine, ReserveRequest};
use inventory_core::error::ReserveError;
use inventory_core::event::NoEvents;
use inventory_core::ids::{OrderId, ProductId};
use inventory_core::lines::{Line, Lines};
use inventory_core::options::EngineOptions;
use inventory_core::outcome::Reserved;
use inventory_core::product::Product;
use inventory_core::quantity::{Quantity, Units};
use inventory_core::store::Store;
use uuid::Uuid;

pub(crate) fn product(id: i64) -> ProductId {
    ProductId::new(id)
}

pub(crate) fn new_order() -> OrderId {
    OrderId::new(Uuid::now_v7())
}

pub(crate) fn lines(lines: &[(i64, i64)]) -> Lines {
    Lines::new(lines.iter().map(|(p, q)| Line { product: product(*p), quantity: Quantity::new(*q).unwrap() }))
        .unwrap()
}

pub(crate) fn request(order: OrderId, wanted: &[(i64, i64)]) -> ReserveRequest {
    ReserveRequest { order, lines: lines(wanted), customer: None, ttl: None }
}

pub(crate) fn options() -> EngineOptions {
    EngineOptions { housekeeping: false, ..EngineOptions::default() }
}

pub(crate) async fn open(store: Arc<dyn Store>, options: EngineOptions) -> Engine {
    Engine::open(store, Arc::new(NoEvents), options).await.unwrap()
}

pub(crate) async fn stock(engine: &Engine, stock: &[(i64, i64)]) {
    for (id, units) in stock {
        engine.set(SetStock::level(product(*id), Units::level(*units).unwrap())).await.unwrap();
    }
}

pub(crate) async fn row(engine: &Engine, id: i64) -> Product {
    engine.products(&[product(id)]).await.unwrap().remove(0)
}

/// `(on hand, held)` as the store has it.
pub(crate) async fn levels(engine: &Engine, id: i64) -> (i64, i64) {
    let row = row(engine, id).await;
    (row.on_hand.get(), row.held.get())
}

/// Waits until nothing is in flight: memory then equals the store (I3). Fails if it does not within ten seconds.
pub(crate) async fn at_rest(engine: &Engine, ids: &[i64]) {
    for id in ids {
        let mut last = String::new();
        for _ in 0..1_000 {
            let stored = row(engine, *id).await;
            let Some(cell) = engine.counter(product(*id)) else { break };
            last = format!("product {id}: stored {}, memory {cell:?}", stored.available());
            if cell.free == stored.available() && cell.base.available == stored.available() {
                last.clear();
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert!(last.is_empty(), "memory differs from the store at rest: {last}");
    }
}

pub(crate) fn is_sold_out(answer: &Result<Reserved, ReserveError>) -> bool {
    matches!(answer, Err(ReserveError::InsufficientStock(_)))
}

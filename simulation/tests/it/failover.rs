//! What seeds have found, by name.

use std::sync::Arc;
use std::time::Duration;

use inventory_core::command::SetStock;
use inventory_core::engine::{Engine, ReserveRequest};
use inventory_core::error::ReserveError;
use inventory_core::event::NoEvents;
use inventory_core::ids::{OrderId, ProductId};
use inventory_core::lines::Lines;
use inventory_core::options::{EngineOptions, WriterPlace};
use inventory_core::quantity::{Quantity, Units};
use inventory_core::store::Sharing;
use simulation::ledger::{Link, SimulatedLedger, World};
use uuid::Uuid;

const LAMP: ProductId = ProductId::new(1);

fn request(order: u128, units: i64) -> ReserveRequest {
    let lines = Lines::one(LAMP, Quantity::new(units).unwrap());
    ReserveRequest { order: OrderId::new(Uuid::from_u128(order)), lines, customer: None, ttl: None }
}

/// A ledger, and an engine that writes to it.
async fn open() -> (SimulatedLedger, Engine) {
    let world = World::calm();
    let ledger = SimulatedLedger::new(world.clone());
    let client = ledger.client(Link::new(1, world), Sharing::Shared);
    let options = EngineOptions {
        housekeeping: false,
        writer: WriterPlace::Runtime,
        seed: Some(1),
        ..EngineOptions::default()
    };
    let engine = Engine::open(Arc::new(client), Arc::new(NoEvents), options).await.unwrap();
    (ledger, engine)
}

async fn stock(engine: &Engine, units: i64) {
    engine.set(SetStock::level(LAMP, Units::level(units).unwrap())).await.unwrap();
}

/// Found by seed 18: the counters stood by the lost timeline's higher versions, every reserve was "overloaded", and nothing ever
/// reached the writer that would have told it of the failover.
#[tokio::test(start_paused = true)]
async fn i3_an_engine_that_idled_while_a_standby_took_over_sells_what_that_has() {
    let (ledger, engine) = open().await;
    stock(&engine, 5).await;
    let standby = ledger.backup();
    let lost = request(1, 1);
    engine.reserve(lost.clone()).await.unwrap();
    engine.commit(lost.order, None, None).await.unwrap();
    ledger.fail_over(standby, Duration::from_millis(10)).await;

    engine.reserve(request(2, 5)).await.unwrap();
    assert_eq!(engine.counter(LAMP).unwrap().free, Units::ZERO);
    engine.shutdown().await;
}

/// Found by a seed: what was taken of a product that a failover had taken back stayed in flight for ever.
#[tokio::test(start_paused = true)]
async fn i3_what_was_taken_of_a_product_that_went_with_a_failover_does_not_stay_taken() {
    let (ledger, engine) = open().await;
    let standby = ledger.backup();
    stock(&engine, 5).await;
    ledger.fail_over(standby, Duration::from_millis(10)).await;

    let refused = engine.reserve(request(1, 2)).await;
    assert!(matches!(refused, Err(ReserveError::ProductNotFound(_))), "{refused:?}");
    stock(&engine, 5).await;
    assert_eq!(engine.counter(LAMP).unwrap().free, Units::level(5).unwrap());
    engine.reserve(request(2, 5)).await.unwrap();
    engine.shutdown().await;
}

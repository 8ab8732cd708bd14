//! What seeds have found, by name.

use std::sync::Arc;
use std::time::Duration;

use inventory_core::command::SetStock;
use inventory_core::engine::{Engine, ReserveRequest};
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

/// Found by seed 18: the counters stood by the lost timeline's higher versions, every reserve was "overloaded", and nothing ever
/// reached the writer that would have told it of the failover.
#[tokio::test(start_paused = true)]
async fn i3_an_engine_that_idled_while_a_standby_took_over_sells_what_that_has() {
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
    engine.set(SetStock::level(LAMP, Units::level(5).unwrap())).await.unwrap();
    let standby = ledger.backup();
    let lost = request(1, 1);
    engine.reserve(lost.clone()).await.unwrap();
    engine.commit(lost.order, None, None).await.unwrap();
    ledger.fail_over(standby, Duration::from_millis(10)).await;

    engine.reserve(request(2, 5)).await.unwrap();
    assert_eq!(engine.counter(LAMP).unwrap().free, Units::ZERO);
    engine.shutdown().await;
}

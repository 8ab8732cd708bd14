//! A flash sale in one process: ten thousand buyers, a thousand lamps, everyone at once.

use std::sync::Arc;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use inventory_core::command::SetStock;
use inventory_core::engine::{Engine, ReserveRequest};
use inventory_core::error::ReserveError;
use inventory_core::event::NoEvents;
use inventory_core::ids::{OrderId, ProductId};
use inventory_core::lines::Lines;
use inventory_core::options::EngineOptions;
use inventory_core::quantity::{Quantity, Units};
use inventory_core::store::memory::MemoryStore;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let engine =
        Engine::open(Arc::new(MemoryStore::default()), Arc::new(NoEvents), EngineOptions::default()).await?;
    let lamp = ProductId::new(42);
    engine.set(SetStock::level(lamp, Units::level(1_000)?)).await?;

    let mut buyers: FuturesUnordered<_> = (0..10_000)
        .map(|_| {
            let order = OrderId::new(uuid::Uuid::now_v7());
            let lines = Lines::one(lamp, Quantity::ONE);
            engine.reserve(ReserveRequest { order, lines, customer: None, ttl: None })
        })
        .collect();
    let (mut held, mut sold_out) = (0, 0);
    while let Some(answer) = buyers.next().await {
        match answer {
            Ok(_) => held += 1,
            Err(ReserveError::InsufficientStock(_)) => sold_out += 1,
            Err(other) => return Err(other.into()),
        }
    }
    let stats = engine.stats();
    println!("{held} hold a lamp, {sold_out} were told it is sold out");
    println!("{} batches, {} refusals answered from memory", stats.batches, stats.refused_in_memory);
    engine.shutdown().await;
    Ok(())
}

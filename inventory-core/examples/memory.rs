//! The engine in memory: reserve, replay, commit, and what a refusal says.

use std::sync::Arc;

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
    engine.set(SetStock::level(lamp, Units::level(5)?)).await?;

    let request = ReserveRequest {
        order: OrderId::new(uuid::Uuid::now_v7()),
        lines: Lines::one(lamp, Quantity::new(3)?),
        customer: None,
        ttl: None,
    };
    let first = engine.reserve(request.clone()).await?;
    println!("held until {}", first.reservation.expires_at);
    println!("asked again: replayed = {}", engine.reserve(request.clone()).await?.replayed);

    let greedy = ReserveRequest { order: OrderId::new(uuid::Uuid::now_v7()), ..request.clone() };
    if let Err(ReserveError::InsufficientStock(short)) = engine.reserve(greedy).await {
        println!("refused: {} asked for, {} available", short[0].requested, short[0].available);
    }
    println!("{}", engine.commit(request.order, None, None).await?.status.name());
    engine.shutdown().await;
    Ok(())
}

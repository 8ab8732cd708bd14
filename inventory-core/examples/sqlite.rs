//! The engine over one SQLite file: what was held is still held after a restart.
//!
//! `cargo run -p inventory-core --example sqlite -- /tmp/stock.db`

use std::path::PathBuf;
use std::sync::Arc;

use inventory_core::command::SetStock;
use inventory_core::engine::{Engine, ReserveRequest};
use inventory_core::event::NoEvents;
use inventory_core::ids::{OrderId, ProductId};
use inventory_core::lines::Lines;
use inventory_core::options::EngineOptions;
use inventory_core::quantity::{Quantity, Units};
use inventory_core::store::sqlite::SqliteStore;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).map_or_else(|| std::env::temp_dir().join("stock.db"), PathBuf::from);
    let lamp = ProductId::new(42);
    let order = OrderId::new(uuid::Uuid::now_v7());

    let engine = open(&path).await?;
    engine.set(SetStock::level(lamp, Units::level(1_000)?)).await?;
    let lines = Lines::one(lamp, Quantity::ONE);
    engine.reserve(ReserveRequest { order, lines, customer: None, ttl: None }).await?;
    engine.shutdown().await;

    let engine = open(&path).await?;
    let (_, found) = engine.reservation(order).await?;
    println!("after a restart: {}", found.map_or("nothing", |reservation| reservation.status.name()));
    engine.shutdown().await;
    Ok(())
}

async fn open(path: &std::path::Path) -> Result<Engine, Box<dyn std::error::Error>> {
    let store = Arc::new(SqliteStore::open(path).await?);
    Ok(Engine::open(store, Arc::new(NoEvents), EngineOptions::default()).await?)
}

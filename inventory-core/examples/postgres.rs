//! Two engines over one Postgres: the database arbitrates, nothing is oversold.
//!
//! `cargo run -p inventory-core --example postgres -- postgres://user:password@localhost/shop`

use std::sync::Arc;

use inventory_core::command::SetStock;
use inventory_core::engine::{Engine, ReserveRequest};
use inventory_core::event::NoEvents;
use inventory_core::ids::{OrderId, ProductId};
use inventory_core::lines::Lines;
use inventory_core::options::EngineOptions;
use inventory_core::quantity::{Quantity, Units};
use inventory_core::store::postgres::{PostgresOptions, PostgresStore};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let Some(url) = std::env::args().nth(1) else {
        return Err("say where: cargo run -p inventory-core --example postgres -- postgres://…".into());
    };
    PostgresStore::migrate(&url).await?;
    let (left, right) = (open(&url).await?, open(&url).await?);
    let lamp = ProductId::new(42);
    left.set(SetStock::level(lamp, Units::level(100)?)).await?;

    let mut held = 0;
    for turn in 0..150 {
        let engine = if turn % 2 == 0 { &left } else { &right };
        let order = OrderId::new(uuid::Uuid::now_v7());
        let lines = Lines::one(lamp, Quantity::ONE);
        if engine.reserve(ReserveRequest { order, lines, customer: None, ttl: None }).await.is_ok() {
            held += 1;
        }
    }
    println!(
        "150 asked for one each, {held} hold one, {} left",
        left.products(&[lamp]).await?[0].available()
    );
    left.shutdown().await;
    right.shutdown().await;
    Ok(())
}

async fn open(url: &str) -> Result<Engine, Box<dyn std::error::Error>> {
    let store = Arc::new(PostgresStore::connect(url, PostgresOptions::default()).await?);
    Ok(Engine::open(store, Arc::new(NoEvents), EngineOptions::default()).await?)
}

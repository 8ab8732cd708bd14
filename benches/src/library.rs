//! The engine as a library under load: callers that each reserve, wait, and reserve again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use inventory_core::engine::{Engine, ReserveRequest};
use inventory_core::ids::{OrderId, ProductId};
use inventory_core::lines::Lines;
use inventory_core::quantity::Quantity;
use tokio::task::JoinSet;
use uuid::Uuid;

/// Reservations per second that `callers` concurrent callers get through `reserve`, whole path, one unit each of
/// the products `1..=products` in turn.
pub async fn rate(engine: &Engine, callers: usize, duration: Duration, products: i64) -> anyhow::Result<f64> {
    let stop = Arc::new(AtomicBool::new(false));
    let mut tasks = JoinSet::new();
    let started = Instant::now();
    for caller in 0..i64::try_from(callers)? {
        let (engine, stop) = (engine.clone(), stop.clone());
        tasks.spawn(async move {
            let mut done = 0_i64;
            while !stop.load(Ordering::Relaxed) {
                let lines = Lines::one(ProductId::new(1 + (caller + done * 7) % products), Quantity::ONE);
                let order = OrderId::new(Uuid::now_v7());
                engine.reserve(ReserveRequest { order, lines, customer: None, ttl: None }).await?;
                done += 1;
            }
            anyhow::Ok(done)
        });
    }
    tokio::time::sleep(duration).await;
    stop.store(true, Ordering::Relaxed);
    let mut total = 0;
    while let Some(done) = tasks.join_next().await {
        total += done??;
    }
    Ok(total as f64 / started.elapsed().as_secs_f64())
}

/// Makes so many holds, one unit each of the products `1..=products` in turn, with `callers` at a time.
pub async fn fill(engine: &Engine, callers: u64, holds: u64, products: i64) -> anyhow::Result<()> {
    let mut tasks = JoinSet::new();
    for caller in 0..callers {
        let engine = engine.clone();
        tasks.spawn(async move {
            for hold in (caller..holds).step_by(usize::try_from(callers)?) {
                let product = ProductId::new(1 + i64::try_from(hold)? % products);
                let lines = Lines::one(product, Quantity::ONE);
                let order = OrderId::new(Uuid::now_v7());
                engine.reserve(ReserveRequest { order, lines, customer: None, ttl: None }).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    Ok(())
}

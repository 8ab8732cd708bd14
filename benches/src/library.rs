//! Many holds at once, through the engine as a library.

use inventory_core::engine::{Engine, ReserveRequest};
use inventory_core::ids::{OrderId, ProductId};
use inventory_core::lines::Lines;
use inventory_core::quantity::Quantity;
use tokio::task::JoinSet;
use uuid::Uuid;

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

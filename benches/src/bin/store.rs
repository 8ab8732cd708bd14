//! The Postgres store alone: the floor of `peers`, with the time of each step of a batch.

use std::time::Duration;

use anyhow::{Context as _, Result};
use benches::arena::Arena;
use benches::peers::floor::Floor;
use benches::workload::Asked;
use clap::Parser;

/// Sends batches in a bare loop, each round on an empty database.
#[derive(Clone, Parser)]
struct Arguments {
    /// How long each round counts.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    #[arg(long, default_value_t = 5)]
    rounds: u64,
    /// Reserves in a batch.
    #[arg(long, default_value_t = 1_000)]
    batch: usize,
    #[command(flatten)]
    asked: Asked,
    /// Measure on this server instead of an ephemeral one.
    #[arg(long)]
    url: Option<String>,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let arena = Arena::open(arguments.url.clone()).await?;
    let workload = arguments.asked.workload()?;
    let length = Duration::from_secs(arguments.seconds);
    for round in 1..=arguments.rounds {
        let scratch = arena.scratch().await?;
        let mut floor = Floor::prepare(&scratch.url, &workload, round).await?;
        arena.checkpoint().await?;
        // On a worker of the runtime, not on the thread that waits for it.
        let mut loops = tokio::task::JoinSet::new();
        loops.spawn(async move {
            floor.run(arguments.batch, Duration::from_secs(1)).await?;
            floor.run(arguments.batch, length).await
        });
        let parts = loops.join_next().await.context("one was spawned")???;
        let rate = parts.reservations as f64 / parts.elapsed().as_secs_f64();
        println!("round {round}: store {rate:>9.0}/s ({})", parts.describe());
        arena.remove(scratch).await?;
    }
    Ok(())
}

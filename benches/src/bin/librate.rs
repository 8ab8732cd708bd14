//! The two figures that Holdfast promises, by one program: through the library against a transaction per request, and over HTTP
//! against a handler that only parses and answers. Postgres with `fsync=on`, one hot product, everything on this machine.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use benches::{library, naive};
use clap::Parser;
use inventory_core::command::SetStock;
use inventory_core::engine::Engine;
use inventory_core::event::NoEvents;
use inventory_core::ids::ProductId;
use inventory_core::limits::UNITS_MAX;
use inventory_core::options::EngineOptions;
use inventory_core::quantity::Units;
use inventory_core::store::postgres::{PostgresOptions, PostgresStore};

/// Measures by turns, prints every round and the medians.
#[derive(Parser)]
struct Arguments {
    /// How long each peer runs in each round.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Concurrent callers of the library; twice the batch keeps every batch full.
    #[arg(long, default_value_t = 2_500)]
    callers: usize,
    /// Commands in a batch.
    #[arg(long, default_value_t = 1_000)]
    batch: usize,
    /// Keep-alive connections over HTTP.
    #[arg(long, default_value_t = 256)]
    connections: usize,
    /// Spread over so many products instead of one.
    #[arg(long, default_value_t = 1)]
    products: i64,
    /// Measure on this database instead of an ephemeral one.
    #[arg(long)]
    url: Option<String>,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let length = Duration::from_secs(arguments.seconds);
    let mut by_library = Vec::new();
    for round in 1..=arguments.rounds {
        let url = match &arguments.url {
            Some(url) => url.clone(),
            None => test_support::postgres::database().await.url,
        };
        let naive = naive::run(&url, arguments.products, length).await?.per_second();
        let engine = open(&url, &arguments).await?;
        let before = engine.stats();
        let library = library::rate(&engine, arguments.callers, length, arguments.products).await?;
        let after = engine.stats();
        let batch = (after.commands - before.commands) / (after.batches - before.batches).max(1);
        println!(
            "round {round}: naive {naive:>8.0}/s   library {library:>8.0}/s ({:.0} ×, {batch} a batch)",
            library / naive
        );
        by_library.push(library / naive);

        engine.shutdown().await;
    }
    println!("median {:.0}", median(by_library));
    Ok(())
}

async fn open(url: &str, arguments: &Arguments) -> Result<Engine> {
    PostgresStore::migrate(url).await?;
    let options = EngineOptions {
        batch_commands_max: arguments.batch,
        housekeeping: false,
        ..EngineOptions::default()
    };
    let store = Arc::new(PostgresStore::connect(url, PostgresOptions::default()).await?);
    let engine = Engine::open(store, Arc::new(NoEvents), options).await?;
    for product in 1..=arguments.products {
        engine.set(SetStock::level(ProductId::new(product), Units::level(UNITS_MAX)?)).await?;
    }
    Ok(engine)
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

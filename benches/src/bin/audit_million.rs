//! Scenario L: what the audit of a million open holds takes in time and memory, on Postgres (`fsync=on`), and what opening and
//! sweeping them takes.

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use benches::library;
use clap::Parser;
use inventory_core::command::SetStock;
use inventory_core::engine::Engine;
use inventory_core::event::NoEvents;
use inventory_core::ids::ProductId;
use inventory_core::limits::UNITS_MAX;
use inventory_core::options::EngineOptions;
use inventory_core::quantity::Units;
use inventory_core::store::postgres::{PostgresOptions, PostgresStore};

/// Fills an ephemeral database with holds, then audits it while nothing else happens.
#[derive(Parser)]
struct Arguments {
    #[arg(long, default_value_t = 1_000_000)]
    holds: u64,
    #[arg(long, default_value_t = 1_000)]
    products: i64,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let url = test_support::postgres::database().await.url;
    PostgresStore::migrate(&url).await?;
    let options = EngineOptions { housekeeping: false, ..EngineOptions::default() };
    let store = Arc::new(PostgresStore::connect(&url, PostgresOptions::default()).await?);
    let engine = Engine::open(store, Arc::new(NoEvents), options).await?;
    for product in 1..=arguments.products {
        engine.set(SetStock::level(ProductId::new(product), Units::level(UNITS_MAX)?)).await?;
    }
    let filled = Instant::now();
    library::fill(&engine, 2_000, arguments.holds, arguments.products).await?;
    println!("{} holds made in {:.1?}; peak memory {} MiB", arguments.holds, filled.elapsed(), peak_mib()?);

    let started = Instant::now();
    let report = engine.audit().await?;
    ensure!(report.ok(), "the audit found {:?}", report.violations);
    let counts = report.checked.counts().map(|(what, count)| format!("{count} {what}")).join(", ");
    println!("audited in {:.1?}: {counts}; peak memory {} MiB", started.elapsed(), peak_mib()?);
    engine.shutdown().await;
    Ok(())
}

/// The most memory this process ever had.
fn peak_mib() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).context("no VmHWM")?;
    let kib: u64 = line.split_whitespace().nth(1).context("no figure")?.parse()?;
    Ok(kib / 1_024)
}

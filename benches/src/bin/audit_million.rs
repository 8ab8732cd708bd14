//! Scenario L: what a million open holds take: the audit of them in time and memory, on Postgres (`fsync=on`) or SQLite, the
//! memory of an engine that has them, and, in a process of its own, the opening of an engine over them.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use benches::library;
use clap::{Parser, ValueEnum};
use inventory_core::command::SetStock;
use inventory_core::engine::Engine;
use inventory_core::event::NoEvents;
use inventory_core::ids::ProductId;
use inventory_core::limits::UNITS_MAX;
use inventory_core::options::EngineOptions;
use inventory_core::quantity::Units;
use inventory_core::store::Store;
use inventory_core::store::postgres::{PostgresOptions, PostgresStore};
use inventory_core::store::sqlite::SqliteStore;

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Fills an ephemeral database with holds, then audits it while nothing else happens, and opens it again.
#[derive(Parser)]
struct Arguments {
    #[arg(long, default_value_t = 1_000_000)]
    holds: u64,
    #[arg(long, default_value_t = 1_000)]
    products: i64,
    #[arg(long, value_enum, default_value_t = Backend::Postgres)]
    store: Backend,
    /// Only opens an engine over the ledger at this URL or path, and says what that took: what this program calls itself for.
    #[arg(long)]
    open: Option<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Backend {
    Postgres,
    Sqlite,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    if let Some(place) = &arguments.open {
        return open(arguments.store, place).await;
    }
    match arguments.store {
        Backend::Postgres => {
            let database = test_support::postgres::database().await;
            measure(&arguments, &database.url).await
        }
        Backend::Sqlite => {
            let folder = tempfile::tempdir()?;
            let file = folder.path().join("inventory.db");
            measure(&arguments, file.to_str().context("the temporary folder has a strange name")?).await
        }
    }
}

/// Fills, audits, and has another process open the ledger.
async fn measure(arguments: &Arguments, place: &str) -> Result<()> {
    if matches!(arguments.store, Backend::Postgres) {
        PostgresStore::migrate(place).await?;
    }
    let engine = engine(arguments.store, place).await?;
    for product in 1..=arguments.products {
        engine.set(SetStock::level(ProductId::new(product), Units::level(UNITS_MAX)?)).await?;
    }
    let before = resident_mib()?;
    let filled = Instant::now();
    library::fill(&engine, 2_000, arguments.holds, arguments.products).await?;
    println!(
        "{} holds made in {:.1?}; resident {before} MiB before, {} MiB after",
        arguments.holds,
        filled.elapsed(),
        resident_mib()?
    );

    let started = Instant::now();
    let report = engine.audit().await?;
    ensure!(report.ok(), "the audit found {:?}", report.violations);
    let counts = report.checked.counts().map(|(what, count)| format!("{count} {what}")).join(", ");
    println!("audited in {:.1?}: {counts}; peak memory {} MiB", started.elapsed(), memory_mib("VmHWM:")?);
    engine.shutdown().await;
    drop(engine);

    let mut again = Command::new(std::env::current_exe()?);
    let store = match arguments.store {
        Backend::Postgres => "postgres",
        Backend::Sqlite => "sqlite",
    };
    let status = again.args(["--store", store, "--open", place]).status()?;
    ensure!(status.success(), "opening again failed: {status}");
    Ok(())
}

async fn open(store: Backend, place: &str) -> Result<()> {
    let before = resident_mib()?;
    let started = Instant::now();
    let engine = engine(store, place).await?;
    println!(
        "opened in {:.1?}; resident {before} MiB before, {} MiB after",
        started.elapsed(),
        resident_mib()?
    );
    engine.shutdown().await;
    Ok(())
}

async fn engine(store: Backend, place: &str) -> Result<Engine> {
    let store: Arc<dyn Store> = match store {
        Backend::Postgres => Arc::new(PostgresStore::connect(place, PostgresOptions::default()).await?),
        Backend::Sqlite => Arc::new(SqliteStore::open(Path::new(place)).await?),
    };
    let options = EngineOptions { housekeeping: false, ..EngineOptions::default() };
    Ok(Engine::open(store, Arc::new(NoEvents), options).await?)
}

fn resident_mib() -> Result<u64> {
    memory_mib("VmRSS:")
}

/// A figure of this process: what is resident (`VmRSS:`), or the most that ever was (`VmHWM:`).
fn memory_mib(what: &str) -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with(what)).context("no such figure in /proc")?;
    let kib: u64 = line.split_whitespace().nth(1).context("no figure")?.parse()?;
    Ok(kib / 1_024)
}

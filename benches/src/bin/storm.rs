//! The expiry storm: holds that are due in one and the same second, and what those who reserve meanwhile notice of it.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use benches::arena::Arena;
use benches::peers::CALLERS;
use benches::report::keep;
use benches::storm::Plan;
use benches::workload::Shape;
use clap::Parser;

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Prints a table of the medians; takes about two minutes unless told otherwise.
#[derive(Parser)]
struct Arguments {
    /// Holds that are due together.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..))]
    holds: u32,
    /// From the first one's end to the last one's; 0: all at one instant.
    #[arg(long, default_value_t = 1_000)]
    within_ms: u64,
    /// Which products they are of, and are asked for meanwhile.
    #[arg(long = "workload", default_values = ["hot", "spread"])]
    workloads: Vec<Shape>,
    /// Callers in a closed loop, before and during the storm.
    #[arg(long, default_values_t = [64, CALLERS])]
    callers: Vec<usize>,
    /// Rounds; medians of them are told.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// From the making of the first hold to the end of the first.
    #[arg(long, default_value_t = 6)]
    lead_seconds: u64,
    /// For how long the callers are watched before the storm.
    #[arg(long, default_value_t = 2)]
    before_seconds: u64,
    /// One round of 5,000 holds: to see that it works, not how well.
    #[arg(long)]
    quick: bool,
    /// Where every round goes, as JSON.
    #[arg(long, default_value = "target/storm.json")]
    json: PathBuf,
    /// Measure on this server (a superuser's URL) instead of an ephemeral one.
    #[arg(long)]
    url: Option<String>,
}

impl Arguments {
    fn plan(&self) -> Plan {
        Plan {
            holds: if self.quick { self.holds.min(5_000) } else { self.holds },
            within: Duration::from_millis(self.within_ms),
            shapes: self.workloads.clone(),
            callers: self.callers.clone(),
            rounds: if self.quick { 1 } else { self.rounds },
            lead: Duration::from_secs(self.lead_seconds),
            before: Duration::from_secs(self.before_seconds),
        }
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let arena = Arena::open(arguments.url.clone()).await?;
    let report = arguments.plan().run(&arena).await?;
    println!("{}", report.markdown());
    keep(&report.json()?, &arguments.json)
}

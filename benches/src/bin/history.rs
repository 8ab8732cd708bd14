//! What history costs: reservations a second, processor time and room on the disk with one, two, five and ten million ended
//! reservations in the ledger, and what pruning makes of it.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use benches::arena::Arena;
use benches::history::{BATCH, Plan};
use benches::peers::CALLERS;
use benches::report::keep;
use benches::workload::Ids;
use clap::Parser;

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// In thousands.
const SIZES: [u32; 4] = [1_000, 2_000, 5_000, 10_000];
const LONG: u32 = 50_000;
const QUICK: [u32; 2] = [2, 5];

/// Prints a table; the default takes about five minutes and ten gigabytes.
#[derive(Parser)]
struct Arguments {
    /// Ended reservations in the ledger, in thousands, ascending.
    #[arg(long = "thousands", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    sizes: Vec<u32>,
    /// Goes on to fifty million; takes as many gigabytes.
    #[arg(long, conflicts_with_all = ["sizes", "quick"])]
    long: bool,
    /// How order ids are made, those of the history and those of the runs.
    #[arg(long, default_value = "time-ordered")]
    ids: Ids,
    /// Rounds; medians of them are told.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// How long each run counts.
    #[arg(long, default_value_t = 2)]
    seconds: u64,
    /// How long it runs before it counts.
    #[arg(long, default_value_t = 1)]
    warm_up_seconds: u64,
    /// Callers in a closed loop.
    #[arg(long, default_value_t = CALLERS)]
    callers: usize,
    /// Prunes the largest history, measures, adds as many again, and measures.
    #[arg(long)]
    prune: bool,
    /// Some thousands, one round of a second: to see that it works, not how well.
    #[arg(long)]
    quick: bool,
    /// Where every run goes, as JSON.
    #[arg(long, default_value = "target/history.json")]
    json: PathBuf,
    /// Measure on this server (a superuser's URL) instead of an ephemeral one.
    #[arg(long)]
    url: Option<String>,
}

impl Arguments {
    fn plan(&self) -> Plan {
        let thousands = match self.sizes.as_slice() {
            [] if self.quick => QUICK.to_vec(),
            [] if self.long => [SIZES.as_slice(), &[LONG]].concat(),
            [] => SIZES.to_vec(),
            sizes => sizes.to_vec(),
        };
        let (rounds, seconds) = if self.quick { (1, 1) } else { (self.rounds, self.seconds) };
        Plan {
            sizes: thousands.into_iter().map(|thousands| thousands * BATCH).collect(),
            ids: self.ids,
            rounds,
            length: Duration::from_secs(seconds),
            warm_up: Duration::from_secs(self.warm_up_seconds),
            callers: self.callers,
            prune: self.prune,
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

//! Ways to hold stock, measured in one go on one Postgres with the same requests: a table, JSON, and the measured section of
//! docs/BENCHMARKS.md. What each peer does and does not do stands there.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use benches::arena::Arena;
use benches::contest::Plan;
use benches::peers::Kind;
use benches::report::{docs, keep, markdown};
use benches::workload::{Ids, Shape};
use clap::Parser;

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures every peer on every workload by turns; takes about forty minutes unless told otherwise.
#[derive(Parser)]
struct Arguments {
    /// How long each run counts.
    #[arg(long, default_value_t = 3)]
    seconds: u64,
    /// How long it runs before it counts.
    #[arg(long, default_value_t = 1)]
    warm_up_seconds: u64,
    /// Rounds; medians of them are told.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Only these workloads.
    #[arg(long = "workload")]
    workloads: Vec<Shape>,
    /// Only these kinds of order ids.
    #[arg(long)]
    ids: Vec<Ids>,
    /// Only these peers, and nothing beside them (but see --beside).
    #[arg(long = "peer")]
    peers: Vec<Kind>,
    /// With --peer: what stands beside them too, on one hot product with time-ordered ids: commit, release, sold out and the rest.
    #[arg(long, requires = "peers")]
    beside: bool,
    /// One round of a second, fewer numbers of connections, time-ordered ids: to see that it works, not how fast.
    #[arg(long, conflicts_with = "write_docs")]
    quick: bool,
    /// Write docs/BENCHMARKS.md's measured section and docs/benchmarks/.
    #[arg(long)]
    write_docs: bool,
    /// Where every run goes, as JSON.
    #[arg(long, default_value = "target/peers.json")]
    json: PathBuf,
    /// Measure on this server (a superuser's URL) instead of an ephemeral one. It needs to run on this machine if CPU seconds
    /// are to be told.
    #[arg(long)]
    url: Option<String>,
}

impl Arguments {
    fn plan(&self) -> Plan {
        let or_all = |some: &[Shape]| {
            let all = [Shape::Hot, Shape::Spread, Shape::Zipf, Shape::Baskets];
            if some.is_empty() { all.to_vec() } else { some.to_vec() }
        };
        let ids = match (self.ids.as_slice(), self.quick) {
            ([], true) => vec![Ids::TimeOrdered],
            ([], false) => vec![Ids::TimeOrdered, Ids::Random],
            (some, _) => some.to_vec(),
        };
        Plan {
            shapes: or_all(&self.workloads),
            ids,
            peers: if self.peers.is_empty() { Kind::ALL.to_vec() } else { self.peers.clone() },
            beside: self.beside || self.peers.is_empty(),
            rounds: if self.quick { 1 } else { self.rounds },
            length: Duration::from_secs(if self.quick { 1 } else { self.seconds }),
            warm_up: Duration::from_secs(self.warm_up_seconds),
            quick: self.quick,
        }
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let arena = Arena::open(arguments.url.clone()).await?;
    let report = arguments.plan().run(&arena).await?;
    println!("{}", markdown(&report, None));
    keep(&report.json()?, &arguments.json)?;
    if arguments.write_docs {
        let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs"));
        docs::write(&report, &folder)?;
    }
    Ok(())
}

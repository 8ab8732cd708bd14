//! The short form of `peers`: the library against a transaction per request, and HTTP against a handler that only parses and answers,
//! on one hot product.

use std::time::Duration;

use anyhow::Result;
use benches::arena::Arena;
use benches::drive::{Load, Run};
use benches::measure::measure;
use benches::peers::{Answer, CALLERS, Kind};
use benches::workload::{Ids, Shape, Workload};
use clap::Parser;

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures by turns, prints every round and the medians.
#[derive(Parser)]
struct Arguments {
    /// How long each peer runs in each round.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Concurrent callers of the library; more than twice a batch keeps every batch full.
    #[arg(long, default_value_t = CALLERS)]
    callers: usize,
    /// Keep-alive connections over HTTP.
    #[arg(long, default_value_t = 256)]
    connections: usize,
    /// Which products are asked for.
    #[arg(long, default_value = "hot")]
    workload: Shape,
    /// Only the library, not HTTP.
    #[arg(long)]
    no_http: bool,
    /// Measure on this server instead of an ephemeral one.
    #[arg(long)]
    url: Option<String>,
}

/// Connections of the transaction per request.
const NAIVE_CONNECTIONS: usize = 32;

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let arena = Arena::open(arguments.url.clone()).await?;
    let workload = Workload::new(arguments.workload, Ids::TimeOrdered)?;
    let (mut by_library, mut by_http) = (Vec::new(), Vec::new());
    for round in 1..=arguments.rounds {
        let run = async |kind, connections| -> Result<Run> {
            let load = Load {
                connections,
                warm_up: Duration::from_secs(1),
                length: Duration::from_secs(arguments.seconds),
                seed: round as u64,
                expect: Answer::Held,
            };
            measure(&arena, kind, &workload, &load).await
        };
        let naive = run(Kind::Transaction, NAIVE_CONNECTIONS).await?.per_second();
        let library = run(Kind::InProcess, arguments.callers).await?;
        let ratio = library.per_second() / naive;
        println!(
            "round {round}: naive {naive:>8.0}/s   library {:>8.0}/s ({ratio:.0} ×, {:.0} a batch)",
            library.per_second(),
            library.requests_per_batch.unwrap_or_default(),
        );
        by_library.push(ratio);
        if arguments.no_http {
            continue;
        }
        let bare = run(Kind::Bare, arguments.connections).await?.per_second();
        let served = run(Kind::OverHttp, arguments.connections).await?;
        let share = 100.0 * served.per_second() / bare;
        println!(
            "round {round}: bare handler {bare:>8.0}/s   over HTTP {:>8.0}/s ({share:.0} %, {:.0} a batch)   p50 {} µs, p99 {} µs, p99.9 {} µs",
            served.per_second(),
            served.requests_per_batch.unwrap_or_default(),
            served.quantile_us(0.5),
            served.quantile_us(0.99),
            served.quantile_us(0.999),
        );
        by_http.push(share);
    }
    println!("\nmedian: library {:.0} × naive, HTTP {:.0} % of bare", median(by_library), median(by_http));
    Ok(())
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

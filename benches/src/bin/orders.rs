//! Orders end to end, from `POST /api/v1/orders` to CONFIRMED: three processes of the release build on Postgres with `fsync=on` and an
//! Apache Kafka broker, beside the naive transaction per request on as many products. Everything on this machine.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Result;
use benches::arena::Arena;
use benches::drive::Load;
use benches::fleet::Fleet;
use benches::measure::measure;
use benches::peers::{Answer, Kind};
use benches::placers::{self, Confirmations};
use benches::usage::{Meter, Reading};
use benches::workload::{Ids, PRODUCTS, Shape, Workload};
use clap::Parser;

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures by turns, prints every round and the median, and audits the checkout at the end.
#[derive(Parser)]
struct Arguments {
    /// How long each peer runs in each round.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Orders under way at once: placers, each of which waits until its order is CONFIRMED.
    #[arg(long, default_value_t = 64)]
    concurrency: usize,
    /// How long orders are placed before the first round, for connections, caches and the broker.
    #[arg(long, default_value_t = 5)]
    warm_up_seconds: u64,
}

/// The transaction per request beside it.
const NAIVE: Load = Load {
    connections: 32,
    warm_up: Duration::from_secs(1),
    length: Duration::ZERO,
    seed: 0,
    expect: Answer::Held,
};

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let fleet = Fleet::start(PRODUCTS).await?;
    let confirmations = Confirmations::default();
    tokio::select! {
        failed = confirmations.follow(fleet.brokers()) => match failed? {},
        measured = by_turns(&arguments, &fleet, &confirmations) => measured?,
    }
    println!("{}", fleet.audit().await?);
    Ok(())
}

async fn by_turns(arguments: &Arguments, fleet: &Fleet, confirmations: &Confirmations) -> Result<()> {
    let (orders, length) = (fleet.orders()?, Duration::from_secs(arguments.seconds));
    let mut meter = Meter::open(fleet.processes()?, fleet.database()).await?;
    place(arguments, orders, confirmations, Duration::from_secs(arguments.warm_up_seconds)).await?;
    // The same server: the ephemeral cluster is one for the whole program.
    let arena = Arena::open(None).await?;
    let spread = Workload::new(Shape::Spread, Ids::TimeOrdered)?;
    let mut ratios = Vec::with_capacity(arguments.rounds);
    for round in 1..=arguments.rounds {
        let load = Load { length, seed: round as u64, ..NAIVE };
        let naive = measure(&arena, Kind::Transaction, &spread, &load).await?.per_second();
        let before = meter.read().await?;
        let outcome = place(arguments, orders, confirmations, length).await?;
        let used = meter.read().await?.since(&before);
        let ratio = 100.0 * outcome.rate() / naive;
        println!(
            "round {round}: naive {naive:>6.0}/s   orders {:>5.0}/s ({ratio:.1} %)   p50 {:.0} ms, p99 {:.0} ms",
            outcome.rate(),
            millis(outcome.latency_us.value_at_quantile(0.5)),
            millis(outcome.latency_us.value_at_quantile(0.99)),
        );
        print_used(&used, &outcome);
        ratios.push(ratio);
    }
    ratios.sort_by(f64::total_cmp);
    let median = ratios.get(ratios.len() / 2).copied().unwrap_or(f64::NAN);
    println!("\nmedian: orders {median:.1} % of naive");
    Ok(())
}

async fn place(
    arguments: &Arguments,
    orders: SocketAddr,
    confirmations: &Confirmations,
    length: Duration,
) -> Result<placers::Outcome> {
    placers::run(orders, confirmations, arguments.concurrency, PRODUCTS, length).await
}

fn print_used(used: &Reading, outcome: &placers::Outcome) {
    let orders = outcome.orders as f64;
    let each: Vec<String> = used
        .cpu_seconds
        .iter()
        .map(|(name, seconds)| match seconds {
            Some(seconds) => format!("{name} {:.2}", 1_000.0 * seconds / orders),
            None => format!("{name} unknown"),
        })
        .collect();
    let busy: f64 = used.cpu_seconds.iter().filter_map(|(_, seconds)| *seconds).sum();
    println!(
        "         CPU seconds per 1,000 orders: {}; {:.1} processors busy; {:.1} writing transactions an order",
        each.join(", "),
        busy / outcome.elapsed.as_secs_f64(),
        used.writes as f64 / orders,
    );
}

fn millis(micros: u64) -> f64 {
    micros as f64 / 1_000.0
}

//! A checkout in process: callers that reserve one unit and commit it, again and again, so that holds and ends share batches.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use benches::arena::Arena;
use benches::peers::in_process::InProcess;
use benches::peers::{Answer, Client as _, Peer as _};
use benches::workload::{Asked, Workload};
use clap::Parser;
use tokio::task::JoinSet;

/// Reserves and commits in a closed loop, each round on an empty database.
#[derive(Parser)]
struct Arguments {
    /// How long each round counts.
    #[arg(long, default_value_t = 2)]
    seconds: u64,
    #[arg(long, default_value_t = 3)]
    rounds: u64,
    /// Callers at a time.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 8, 64, 2_500])]
    callers: Vec<usize>,
    #[command(flatten)]
    asked: Asked,
    /// Measure on this server instead of an ephemeral one.
    #[arg(long)]
    url: Option<String>,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let arena = Arena::open(arguments.url).await?;
    let workload = arguments.asked.workload()?;
    let length = Duration::from_secs(arguments.seconds);
    for round in 1..=arguments.rounds {
        for &callers in &arguments.callers {
            let scratch = arena.scratch().await?;
            let peer = InProcess::prepare(&scratch.url, &workload).await?;
            arena.checkpoint().await?;
            let rate = rate(&peer, &workload, round, callers, length).await?;
            println!("round {round}: {callers:>5} callers: {rate:>8.0} checkouts/s");
            peer.stop().await;
            arena.remove(scratch).await?;
        }
    }
    Ok(())
}

/// Orders reserved and committed, per second.
async fn rate(
    peer: &InProcess,
    workload: &Workload,
    seed: u64,
    callers: usize,
    length: Duration,
) -> Result<f64> {
    let started = Instant::now();
    let mut loops = JoinSet::new();
    for number in 0..callers {
        let mut walker = workload.walker(seed, number, callers)?;
        let (mut caller, engine) = (peer.connect().await?, peer.engine().clone());
        loops.spawn(async move {
            let mut done = 0;
            while started.elapsed() < length {
                let request = walker.next_request();
                let order = request.order;
                ensure!(caller.reserve(request).await? == Answer::Held, "stock ran out");
                engine.commit(order, None, None).await?;
                done += 1_u32;
            }
            Ok(done)
        });
    }
    let mut done = 0.0;
    while let Some(of_caller) = loops.join_next().await {
        done += f64::from(of_caller??);
    }
    Ok(done / started.elapsed().as_secs_f64())
}

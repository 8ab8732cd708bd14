//! Many reserves in one request, `POST reserve/batch` (NDJSON): connections that send one batch after the other.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use reqwest::Client;
use reqwest::header::CONTENT_TYPE;
use tokio::task::JoinSet;

use super::Peer as _;
use super::over_http::{OverHttp, PATH, write_body};
use crate::drive::{Load, Run};
use crate::usage::Meter;
use crate::workload::{Walker, Workload};

/// Reserves in one request.
const LINES: usize = 2_000;

/// What a connection came to.
#[derive(Default)]
struct Tally {
    answers: u64,
    units: i64,
    latencies_us: Vec<u32>,
}

/// Runs the load. Latencies are those of whole batches.
pub async fn run(peer: &OverHttp, workload: &Workload, load: &Load, meter: &mut Meter) -> Result<Run> {
    let warm = batches(peer.addr(), workload, load, load.warm_up).await?;
    let (batches_before, before, started) = (peer.batches(), meter.read().await?, Instant::now());
    let load = Load { seed: load.seed ^ u64::MAX, ..*load };
    let mut counted = batches(peer.addr(), workload, &load, load.length).await?;
    let (elapsed, after, batches_after) = (started.elapsed(), meter.read().await?, peer.batches());
    counted.latencies_us.sort_unstable();
    let (units, taken) = (warm.units + counted.units, peer.taken().await?);
    ensure!(taken == Some(units), "the answers say that {units} units are held, the database says {taken:?}");
    Ok(Run {
        answers: counted.answers,
        elapsed,
        latencies_us: counted.latencies_us,
        used: Some(after.since(&before)),
        requests_per_batch: batches_after.zip(batches_before).map(|(after, before)| after.mean_since(before)),
        units,
    })
}

async fn batches(addr: SocketAddr, workload: &Workload, load: &Load, length: Duration) -> Result<Tally> {
    let until = Instant::now() + length;
    let mut connections = JoinSet::new();
    for number in 0..load.connections {
        connections.spawn(send(addr, workload.walker(load.seed, number, load.connections)?, until));
    }
    let mut total = Tally::default();
    while let Some(tally) = connections.join_next().await {
        let tally = tally??;
        total.answers += tally.answers;
        total.units += tally.units;
        total.latencies_us.extend(tally.latencies_us);
    }
    Ok(total)
}

async fn send(addr: SocketAddr, mut walker: Walker, until: Instant) -> Result<Tally> {
    let client = Client::builder().tcp_nodelay(true).build()?;
    let url = format!("http://{addr}{PATH}/batch");
    let mut tally = Tally::default();
    while Instant::now() < until {
        let mut body = String::new();
        for _ in 0..LINES {
            let request = walker.next_request();
            tally.units += request.units();
            write_body(&mut body, &request)?;
            body.push('\n');
        }
        let asked = Instant::now();
        let request = client.post(&url).header(CONTENT_TYPE, "application/x-ndjson").body(body);
        let answers = request.send().await?.error_for_status()?.text().await?;
        let held = answers.lines().filter(|line| line.starts_with(r#"{"status":201,"#)).count();
        ensure!(held == LINES, "of {LINES} reserves {held} hold; the answers begin: {:.500}", answers);
        tally.answers += LINES as u64;
        tally.latencies_us.push(u32::try_from(asked.elapsed().as_micros()).unwrap_or(u32::MAX));
    }
    Ok(tally)
}

//! What comes after the hold: commits and releases of holds made before, in process.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use inventory_core::engine::Engine;
use inventory_core::ids::OrderId;
use tokio::task::JoinSet;

use super::in_process::InProcess;
use super::{Client as _, Peer as _};
use crate::drive::{Load, Run};
use crate::usage::Meter;
use crate::workload::{Walker, Workload};

/// How a hold ends.
#[derive(Clone, Copy, Debug)]
pub enum Ending {
    /// It becomes a deduction.
    Commit,
    /// Its stock goes back.
    Release,
}

/// Reserves for as long as the load says, then ends all of these holds, which counts.
pub async fn run(
    peer: &InProcess,
    ending: Ending,
    workload: &Workload,
    load: &Load,
    meter: &mut Meter,
) -> Result<Run> {
    let mut filling = JoinSet::new();
    let until = Instant::now() + load.warm_up + load.length;
    for number in 0..load.connections {
        let walker = workload.walker(load.seed, number, load.connections)?;
        filling.spawn(fill(peer.connect().await?, walker, until));
    }
    let mut held = Vec::with_capacity(load.connections);
    while let Some(orders) = filling.join_next().await {
        held.push(orders??);
    }

    let (batches_before, before, started) = (peer.batches(), meter.read().await?, Instant::now());
    let mut callers = JoinSet::new();
    for orders in held {
        callers.spawn(end(peer.engine().clone(), ending, orders));
    }
    let mut latencies_us = Vec::new();
    while let Some(done) = callers.join_next().await {
        latencies_us.extend(done??);
    }
    let (elapsed, after, batches_after) = (started.elapsed(), meter.read().await?, peer.batches());
    latencies_us.sort_unstable();
    let left = peer.taken().await?;
    ensure!(left == Some(0), "every hold was ended, and the database says that {left:?} units are held");
    Ok(Run {
        answers: latencies_us.len() as u64,
        elapsed,
        latencies_us,
        used: Some(after.since(&before)),
        requests_per_batch: batches_after.zip(batches_before).map(|(after, before)| after.mean_since(before)),
        units: 0,
    })
}

async fn fill(
    mut caller: super::in_process::Caller,
    mut walker: Walker,
    until: Instant,
) -> Result<Vec<OrderId>> {
    let mut orders = Vec::new();
    while Instant::now() < until {
        let request = walker.next_request();
        orders.push(request.order);
        let answer = caller.reserve(request).await?;
        ensure!(answer == super::Answer::Held, "stock ran out before there were holds to end");
    }
    Ok(orders)
}

async fn end(engine: Engine, ending: Ending, orders: Vec<OrderId>) -> Result<Vec<u32>> {
    let mut latencies_us = Vec::with_capacity(orders.len());
    for order in orders {
        let asked = Instant::now();
        match ending {
            Ending::Commit => engine.commit(order, None, None).await.map(drop)?,
            Ending::Release => engine.release(order, None, None, None).await.map(drop)?,
        }
        latencies_us.push(micros(asked.elapsed()));
    }
    Ok(latencies_us)
}

fn micros(duration: Duration) -> u32 {
    u32::try_from(duration.as_micros()).unwrap_or(u32::MAX)
}

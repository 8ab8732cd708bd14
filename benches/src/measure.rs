//! One run of one peer: prepared on an empty database, measured, checked, cleared away.

use std::time::Duration;

use anyhow::{Result, ensure};
use inventory_core::options::EngineOptions;
use test_support::redis::Redis;

use crate::arena::Arena;
use crate::drive::{self, Load, Run};
use crate::peers::bare::Bare;
use crate::peers::conditional_update::ConditionalUpdate;
use crate::peers::endings::{self, Ending};
use crate::peers::floor::Floor;
use crate::peers::in_process::{self, InProcess};
use crate::peers::insert::Insert;
use crate::peers::over_http::OverHttp;
use crate::peers::redis_lua::RedisLua;
use crate::peers::row_per_unit::RowPerUnit;
use crate::peers::transaction::Transaction;
use crate::peers::{Kind, Peer, reserve_batch, sql};
use crate::workload::Workload;

/// More than a row per unit gets through on any machine that we know: so many rows are made for each second.
const ROWS_PER_SECOND: u32 = 20_000;

/// Measures one peer once.
pub async fn measure(arena: &Arena, kind: Kind, workload: &Workload, load: &Load) -> Result<Run> {
    let scratch = arena.scratch().await?;
    let run = on(arena, &scratch.url, kind, workload, load).await?;
    arena.remove(scratch).await?;
    Ok(run)
}

async fn on(arena: &Arena, url: &str, kind: Kind, workload: &Workload, load: &Load) -> Result<Run> {
    match kind {
        Kind::Transaction => driven(arena, &Transaction::prepare(url, workload).await?, workload, load).await,
        Kind::ConditionalUpdate => {
            driven(arena, &ConditionalUpdate::prepare(url, workload).await?, workload, load).await
        }
        Kind::RowPerUnit => {
            let seconds = (load.warm_up + load.length + Duration::from_secs(1)).as_secs();
            let rows = u32::try_from(seconds)?.saturating_mul(ROWS_PER_SECOND);
            driven(arena, &RowPerUnit::prepare(url, workload, rows).await?, workload, load).await
        }
        Kind::RedisLua => on_redis(arena, workload, load).await,
        Kind::InProcess => {
            let peer = InProcess::prepare(url, workload).await?;
            let run = driven(arena, &peer, workload, load).await?;
            peer.stop().await;
            Ok(run)
        }
        Kind::OverHttp => over_http(arena, InProcess::prepare(url, workload).await?, workload, load).await,
        Kind::SoldOut => {
            over_http(arena, InProcess::prepare_sold_out(url, workload).await?, workload, load).await
        }
        Kind::Bare => driven(arena, &Bare::serve().await?, workload, load).await,
        Kind::Floor => floor(arena, url, workload, load).await,
        Kind::Insert => driven(arena, &Insert::prepare(url).await?, workload, load).await,
        Kind::ReserveBatch => {
            let peer = OverHttp::serve(InProcess::prepare(url, workload).await?).await?;
            arena.checkpoint().await?;
            let run = reserve_batch::run(&peer, workload, load, &mut arena.meter(None).await?).await?;
            peer.stop().await;
            Ok(run)
        }
        Kind::Commit => ended(arena, url, Ending::Commit, workload, load).await,
        Kind::Release => ended(arena, url, Ending::Release, workload, load).await,
    }
}

async fn driven<P: Peer>(arena: &Arena, peer: &P, workload: &Workload, load: &Load) -> Result<Run> {
    arena.checkpoint().await?;
    drive::run(peer, workload, load, Some(&mut arena.meter(None).await?)).await
}

async fn over_http(arena: &Arena, peer: InProcess, workload: &Workload, load: &Load) -> Result<Run> {
    let peer = OverHttp::serve(peer).await?;
    let run = driven(arena, &peer, workload, load).await?;
    peer.stop().await;
    Ok(run)
}

async fn on_redis(arena: &Arena, workload: &Workload, load: &Load) -> Result<Run> {
    let server = Redis::start().await?;
    let peer = RedisLua::prepare(&server.url(), workload).await?;
    let mut meter = arena.meter(Some(("redis", server.pid()))).await?;
    drive::run(&peer, workload, load, Some(&mut meter)).await
}

async fn ended(arena: &Arena, url: &str, ending: Ending, workload: &Workload, load: &Load) -> Result<Run> {
    let peer = InProcess::prepare(url, workload).await?;
    arena.checkpoint().await?;
    let run = endings::run(&peer, ending, workload, load, &mut arena.meter(None).await?).await?;
    peer.stop().await;
    Ok(run)
}

async fn floor(arena: &Arena, url: &str, workload: &Workload, load: &Load) -> Result<Run> {
    let batch = EngineOptions::default().batch_commands_max;
    let mut floor = Floor::prepare(url, workload, load.seed).await?;
    arena.checkpoint().await?;
    let mut meter = arena.meter(None).await?;
    // On a worker of the runtime, as an engine's writer is on a thread of its own.
    let mut loops = tokio::task::JoinSet::new();
    let load = *load;
    loops.spawn(async move {
        let warm = floor.run(batch, load.warm_up).await?;
        let before = meter.read().await?;
        let counted = floor.run(batch, load.length).await?;
        anyhow::Ok((warm, counted, meter.read().await?.since(&before)))
    });
    let Some(ended) = loops.join_next().await else { anyhow::bail!("the loop was not started") };
    let (warm, counted, used) = ended??;
    let (units, taken) = (warm.units + counted.units, sql::held(url, in_process::HELD).await?);
    ensure!(taken == Some(units), "{units} units were held by batches, the database says {taken:?}");
    let elapsed = counted.elapsed();
    let mut latencies_us = counted.latencies_us;
    latencies_us.sort_unstable();
    Ok(Run {
        answers: counted.reservations,
        elapsed,
        requests_per_batch: Some(counted.reservations as f64 / latencies_us.len().max(1) as f64),
        latencies_us,
        used: Some(used),
        units,
    })
}

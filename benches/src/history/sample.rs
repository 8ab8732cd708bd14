//! One run on a copy of a ledger.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use inventory_core::store::Store as _;
use inventory_core::store::postgres::{PostgresOptions, PostgresStore};
use serde::Serialize;

use super::Plan;
use crate::arena::{Arena, Scratch};
use crate::drive::{self, Load};
use crate::peers::Answer;
use crate::peers::in_process::InProcess;
use crate::report::Figures;
use crate::report::summary::median;
use crate::workload::{Shape, Workload};

/// As the sweeper asks.
const GRACE: Duration = Duration::from_millis(500);
const SWEEP_MAX: usize = 4_000;
/// Looks for what is due; one more goes before them.
const LOOKS: usize = 5;

/// What a run came to.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Sample {
    /// Of the load.
    #[serde(flatten)]
    pub figures: Figures,
    /// How long the sweeper's look for what is due takes when nothing is, in milliseconds.
    pub due_ms: f64,
}

/// A run, and the one beside it on the first size.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Pair {
    /// On the ledger in question.
    pub here: Sample,
    /// Just before, on the first. None: this is the first.
    pub first: Option<Sample>,
}

/// Copies, looks, runs, removes.
pub(super) async fn sample(arena: &Arena, of: &Scratch, plan: &Plan, seed: u64) -> Result<Sample> {
    let copy = arena.copy(of).await?;
    arena.checkpoint().await?;
    let due_ms = due_ms(&copy.url).await?;
    let peer = InProcess::over(&copy.url).await?;
    let load = Load {
        connections: plan.callers,
        warm_up: plan.warm_up,
        length: plan.length,
        seed,
        expect: Answer::Held,
    };
    let workload = Workload::new(Shape::Hot, plan.ids)?;
    let mut meter = arena.meter(None).await?;
    let run = drive::run(&peer, &workload, &load, Some(&mut meter)).await?;
    peer.stop().await;
    arena.remove(copy).await?;
    Ok(Sample { figures: (&run).into(), due_ms })
}

async fn due_ms(url: &str) -> Result<f64> {
    let store = Arc::new(PostgresStore::connect(url, PostgresOptions::default()).await?);
    store.due(GRACE, SWEEP_MAX).await?;
    let mut took = Vec::with_capacity(LOOKS);
    for _ in 0..LOOKS {
        let asked = Instant::now();
        store.due(GRACE, SWEEP_MAX).await?;
        took.push(asked.elapsed().as_secs_f64() * 1e3);
    }
    Ok(median(took).unwrap_or(f64::NAN))
}

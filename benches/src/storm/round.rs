//! One round: holds that will be due together, callers, the storm, and what the ledger says of it.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use inventory_core::clock::Timestamp;
use inventory_core::engine::{Engine, ReserveRequest};
use tokio::task::JoinSet;

use super::callers::Callers;
use super::ends::{DatabaseClock, Ends};
use super::{Answers, Outcome, Plan};
use crate::arena::Arena;
use crate::peers::in_process::InProcess;
use crate::peers::{CALLERS, Peer as _, sql};
use crate::workload::{Ids, Shape, Walker, Workload};

/// The callers run at least so long before they are watched.
const WARM_UP: Duration = Duration::from_millis(500);
/// And so long after the storm: the batch after the last one tells when that was committed.
const AFTER: Duration = Duration::from_millis(500);
/// A storm that lasts longer is an engine that has stopped sweeping.
const GONE_WITHIN: Duration = Duration::from_secs(120);
/// Between two looks at how many are gone.
const LOOK: Duration = Duration::from_millis(5);

/// Runs it on a database of its own.
pub(super) async fn run(
    arena: &Arena,
    plan: &Plan,
    shape: Shape,
    callers: usize,
    round: usize,
) -> Result<Outcome> {
    let scratch = arena.scratch().await?;
    let workload = Workload::new(shape, Ids::TimeOrdered)?;
    let peer = InProcess::prepare(&scratch.url, &workload).await?;
    arena.checkpoint().await?;
    let mut conn = sql::connect(&scratch.url).await?;
    let clock = DatabaseClock::read(&mut conn).await?;
    let due = clock.now().plus(plan.lead);
    hold(&peer, &workload, plan, clock, due).await?;

    let running = Callers::start(&peer, &workload, callers, round as u64).await?;
    let watched_from = clock.moment(due.minus(plan.before));
    ensure!(
        Instant::now() + WARM_UP < watched_from,
        "making {} holds took too long: give --lead-seconds more",
        plan.holds
    );
    until_gone(peer.engine(), plan.holds, clock.moment(due)).await?;
    tokio::time::sleep(AFTER).await;
    let answers = running.stop().await?;

    let held = peer.taken().await?;
    ensure!(held == Some(answers.units), "{} units were answered, {held:?} are held", answers.units);
    let ends = Ends::read(&mut conn).await?;
    ensure!(ends.ends.len() == plan.holds as usize, "{} of {} holds expired", ends.ends.len(), plan.holds);
    drop(conn);
    peer.stop().await;
    arena.remove(scratch).await?;
    outcome(shape, callers, round, plan, clock, &ends, &answers)
}

/// Makes the holds, each with the time it has left until its own moment of the storm.
async fn hold(
    peer: &InProcess,
    workload: &Workload,
    plan: &Plan,
    clock: DatabaseClock,
    due: Timestamp,
) -> Result<()> {
    let mut makers = JoinSet::new();
    let step = plan.within / plan.holds.max(1);
    for number in 0..CALLERS {
        let walker = workload.walker(0, number, CALLERS)?;
        let mine = (u32::try_from(number)?..plan.holds).step_by(CALLERS);
        let ends: Vec<Timestamp> = mine.map(|hold| due.plus(step * hold)).collect();
        makers.spawn(make(peer.engine().clone(), walker, clock, ends));
    }
    while let Some(made) = makers.join_next().await {
        made??;
    }
    Ok(())
}

async fn make(engine: Engine, mut walker: Walker, clock: DatabaseClock, ends: Vec<Timestamp>) -> Result<()> {
    for end in ends {
        let request = walker.next_request();
        let ttl = Some(end.since(clock.now()));
        let request = ReserveRequest { order: request.order, lines: request.lines, customer: None, ttl };
        engine.reserve(request).await?;
    }
    Ok(())
}

/// Waits until so many holds have expired.
async fn until_gone(engine: &Engine, holds: u32, due: Instant) -> Result<()> {
    let gone = async {
        while engine.stats().expired < u64::from(holds) {
            tokio::time::sleep(LOOK).await;
        }
    };
    tokio::time::timeout_at((due + GONE_WITHIN).into(), gone)
        .await
        .with_context(|| format!("only {} of {holds} holds have expired", engine.stats().expired))
}

fn outcome(
    shape: Shape,
    callers: usize,
    round: usize,
    plan: &Plan,
    clock: DatabaseClock,
    ends: &Ends,
    answers: &Answers,
) -> Result<Outcome> {
    let (first_due, last_due, gone) = ends.span()?;
    let begins = clock.moment(first_due);
    let before = answers.between(begins - plan.before, begins);
    let during = answers.between(begins, clock.moment(gone));
    let [p50, p99, max] = ends.lateness([0.5, 0.99, 1.0]).map(|late| late.as_secs_f64() * 1e3);
    Ok(Outcome {
        workload: shape,
        callers,
        round,
        before_per_second: before.per_second,
        during_per_second: during.per_second,
        share: during.per_second / before.per_second,
        before_p99_us: before.p99_us,
        during_p99_us: during.p99_us,
        late_p50_ms: p50,
        late_p99_ms: p99,
        late_max_ms: max,
        due_within_ms: last_due.since(first_due).as_secs_f64() * 1e3,
        storm_ms: gone.since(first_due).as_secs_f64() * 1e3,
    })
}

//! One run: build, open, harm, heal, rest, check.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::json;

use crate::check::{self, Scene};
use crate::clients::{Board, Crowd, PRODUCTS, Places};
use crate::history::{JsonLines, LedgerLines, Scribe, Scribes};
use crate::http::{Asker, Request};
use crate::inject::{self, Injected, Orders};
use crate::kind::Kind;
use crate::report::Report;
use crate::stage::{ORDERS, Options, Stage};
use crate::{clients, stage};

/// Between two lines for whoever watches.
const LINE_PERIOD: Duration = Duration::from_secs(5);
/// What has not struck in time gets so much more.
const MORE: u32 = 2;
/// What clients saw of the ledger, as `holdfast check` reads it.
const LEDGER_HISTORY: &str = "ledger.jsonl";
/// Keys that are asked for again at the end.
const REPEATS: usize = 200;

/// How many clients of each kind.
#[derive(Clone, Copy, Debug)]
pub struct Heads {
    /// They hold and buy.
    pub buyers: usize,
    /// They place orders.
    pub placers: usize,
}

/// What to do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// By which everything is drawn.
    pub seed: u64,
    /// How long harm is done.
    pub time: Duration,
    /// What may be done.
    pub kinds: Vec<Kind>,
    /// The program under harm.
    pub holdfast: PathBuf,
    /// Rather the mock cluster than a real broker.
    pub mock_kafka: bool,
    /// How many clients.
    pub heads: Heads,
    /// What services log.
    pub log: String,
    /// Where histories go, and services' logs if the run fails.
    pub report: PathBuf,
}

/// Does it all, and says what came of it.
///
/// # Errors
/// If the stage cannot be built, or looked at in the end. What is broken is no error: the report says it.
pub async fn run(plan: &Plan) -> Result<Report> {
    let started = Instant::now();
    eprintln!("   seed {}", plan.seed);
    let options = Options {
        holdfast: plan.holdfast.clone(),
        mock_kafka: plan.mock_kafka,
        kinds: plan.kinds.clone(),
        log: plan.log.clone(),
        time: plan.time,
    };
    let mut stage = Stage::build(&options).await?;
    let kinds: Vec<Kind> =
        plan.kinds.iter().copied().filter(|kind| !stage.absent.contains_key(kind)).collect();
    let asker = Asker::new()?;
    stock(&stage, &asker).await?;
    eprintln!(
        "   {:.0} s: everything serves, over {}",
        started.elapsed().as_secs_f64(),
        stage.machines.kafka.name()
    );

    let places = Places { inventories: stage.inventories(), orders: stage.services[ORDERS].url() };
    let history = plan.report.join(LEDGER_HISTORY);
    let whole = JsonLines::create(&plan.report.join("history.jsonl"))?;
    let scribe: Arc<dyn Scribe> =
        Arc::new(Scribes(vec![Box::new(whole), Box::new(LedgerLines::create(&history)?)]));
    let board = Board::new(places, Arc::clone(&scribe))?;
    let crowd = Crowd::send_off(&board, plan.heads, plan.seed);
    let injected = Injected::default();
    harm(plan, &kinds, &mut stage, &board, &injected).await?;

    let mut remembered = crowd.come_home().await;
    eprintln!("   {:.0} s: healed; {}", started.elapsed().as_secs_f64(), board.tally.line());
    remembered.settle(&board, plan.seed).await;
    let mut client = board.client(0, plan.seed);
    for placement in
        remembered.placements.iter_mut().filter(|placement| placement.order.is_some()).take(REPEATS)
    {
        clients::placer::repeat(&mut client, placement).await;
    }
    let rested = check::come_to_rest(&mut stage.sql().await?).await?;
    eprintln!("   {:.0} s: at rest after {:.0} s", started.elapsed().as_secs_f64(), rested.as_secs_f64());
    scribe.finish()?;

    for service in &mut stage.services {
        service.look_after().await?;
    }
    let scene = Scene {
        stage: &stage,
        asker: &asker,
        remembered: &remembered,
        holdfast: &plan.holdfast,
        history: &history,
    };
    let checks = check::all(&scene).await?;
    let absent: BTreeMap<Kind, String> = stage
        .absent
        .iter()
        .filter(|(kind, _)| plan.kinds.contains(kind))
        .map(|(kind, why)| (*kind, why.clone()))
        .collect();
    let report = Report {
        seed: plan.seed,
        seconds: started.elapsed().as_secs(),
        kafka: stage.machines.kafka.name(),
        injected: kinds
            .iter()
            .map(|kind| (*kind, injected.counts().get(kind).copied().unwrap_or_default()))
            .collect(),
        absent,
        failures: injected.failures(),
        tally: board.tally.line(),
        checks,
    };
    if report.has_failed() {
        keep_logs(plan, &stage)?;
    }
    Ok(report)
}

/// Fills the shelves.
async fn stock(stage: &Stage, asker: &Asker) -> Result<()> {
    let url = &stage.inventories()[0];
    for product in 1..=PRODUCTS {
        let body = json!({"onHand": check::initial_stock(product)});
        let set = asker.put(url, &format!("/api/v1/inventory/{product}"), &body).await;
        ensure!(matches!(set.status(), 200 | 201), "product {product} cannot be stocked: {set:?}");
    }
    let read = asker.ask(url, &Request::get("/api/v1/inventory/1")).await;
    ensure!(read.body().is_some_and(|body| body["held"] == 0), "a ledger that is not new: {read:?}");
    Ok(())
}

/// Harm for as long as was planned, with a line now and then, until Ctrl-C.
async fn harm(
    plan: &Plan,
    kinds: &[Kind],
    stage: &mut Stage,
    board: &Board,
    injected: &Injected,
) -> Result<()> {
    let stop = AtomicBool::new(false);
    let now = Instant::now();
    let orders = Orders {
        kinds,
        seed: plan.seed,
        until: now + plan.time,
        latest: now + plan.time * (1 + MORE),
        stop: &stop,
    };
    let database = stage.database.clone();
    let watching = async {
        let mut lines = tokio::time::interval(LINE_PERIOD);
        loop {
            tokio::select! {
                _ = lines.tick() => eprintln!("   {:.0} s: {}", now.elapsed().as_secs_f64(), board.tally.line()),
                pressed = tokio::signal::ctrl_c() => {
                    // Whoever cannot be told does not stop.
                    stop.store(pressed.is_ok(), Ordering::Relaxed);
                    eprintln!("   stopping: what was done so far is healed and checked");
                }
            }
        }
    };
    tokio::select! {
        done = inject::all(stage, &orders, injected, &database) => done,
        () = watching => Ok(()),
    }
}

/// What services said, for whoever looks for the reason.
fn keep_logs(plan: &Plan, stage: &stage::Stage) -> Result<()> {
    for service in &stage.services {
        let path = plan.report.join(format!("{}.log", service.name.replace(' ', "-")));
        std::fs::write(&path, service.log()).with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(())
}

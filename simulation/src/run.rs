//! One seed from beginning to end: open, faults, heal, come to rest, check.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use inventory_core::store::Sharing;

use crate::checks;
use crate::dice::Dice;
use crate::faults::{Fault, Faults};
use crate::goals::Goal;
use crate::history::History;
use crate::ledger::{SimulatedLedger, World};
use crate::mutant::Mutant;
use crate::processes::Processes;
use crate::tally::Tally;
use crate::trace::Trace;
use crate::workload::{self, Shop};

/// Virtual time after which a run counts as stuck.
const STUCK_AFTER: Duration = Duration::from_secs(600);
/// Virtual time in which everything comes to rest: the longest hold, and what sweeping it may take.
const REST: Duration = Duration::from_secs(16);

/// What to run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Run {
    /// What everything follows from.
    pub seed: u64,
    /// A defect on purpose.
    pub mutant: Option<Mutant>,
    /// Whether the trace is wanted.
    pub traced: bool,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// What is not as it must be.
    pub violations: Vec<String>,
    /// Requests made.
    pub ops: usize,
    /// Batches committed.
    pub batches: usize,
    /// Virtual time it took.
    pub virtual_time: Duration,
    /// Which corners were reached.
    pub goals: Tally<Goal>,
    /// Which faults struck.
    pub faults: Tally<Fault>,
    /// What happened, if wanted.
    pub trace: String,
}

impl Run {
    /// Runs in a runtime of its own, on this thread, in virtual time.
    pub fn run(self) -> std::io::Result<Report> {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
        Ok(runtime.block_on(self.simulate()))
    }

    async fn simulate(self) -> Report {
        let trace = Trace::begin(self.traced);
        let world = World {
            faults: Faults::of(self.seed),
            goals: Tally::default(),
            trace: trace.clone(),
            mutant: self.mutant,
        };
        trace.note("seed", || format!("{} with {}", self.seed, world.faults.summary()));
        let ledger = SimulatedLedger::new(world.clone());
        let processes = Arc::new(Processes::new(self.seed, ledger.clone(), world.clone()));
        trace.note("options", || format!("{:?}", processes.options()));
        let shop = Shop { processes, history: History::default(), world: world.clone() };

        let whole = tokio::time::timeout(STUCK_AFTER, live(self.seed, &ledger, &shop));
        let violations = whole.await.unwrap_or_else(|_| vec!["nothing moves any more".to_owned()]);
        trace.note("ledger", || format!("{:?}", ledger.copy()));
        for violation in &violations {
            trace.note("violation", || violation);
        }
        Report {
            seed: self.seed,
            violations,
            ops: shop.history.ops().len(),
            batches: ledger.log().batches.len(),
            virtual_time: trace.elapsed(),
            goals: world.goals,
            faults: world.faults.struck().clone(),
            trace: trace.text(),
        }
    }
}

async fn live(seed: u64, ledger: &SimulatedLedger, shop: &Shop) -> Vec<String> {
    let dice = Dice::of(seed, "run");
    let places = shop.processes.count();
    for place in 0..places {
        shop.processes.start(place).await;
    }
    workload::set_up(shop, seed).await;
    let open = dice.millis(2_000..=8_000);
    let mut clients: FuturesUnordered<_> = workload::clients(shop, seed, open).into_iter().collect();
    let everyone = async { while clients.next().await.is_some() {} };
    let heal = async {
        befall(seed, ledger, shop, places, open).await;
        shop.world.faults.heal();
        shop.world.trace.note("world", || "is healed");
    };
    tokio::join!(everyone, heal);
    tokio::time::sleep(REST).await;
    surprise_at_rest(&dice, seed, ledger, shop).await;
    let mut findings = checks::all(seed, ledger, shop).await;
    for running in shop.processes.all() {
        if tokio::time::timeout(Duration::from_secs(30), running.engine.shutdown()).await.is_err() {
            findings.push(format!("engine {} does not stop", running.process));
        }
    }
    findings
}

/// The last thing that happens befalls a ledger whose engines have nothing to do: they find out when somebody asks them.
async fn surprise_at_rest(dice: &Dice, seed: u64, ledger: &SimulatedLedger, shop: &Shop) {
    let faults = &shop.world.faults;
    // An exclusive engine refuses without asking, so it learns of a failover by the next command that it does not refuse.
    let asks = shop.processes.sharing() == Sharing::Shared;
    if asks && faults.rate(Fault::Failover) > 0 && dice.percent(50) {
        let standby = ledger.backup();
        workload::one_more_sale(shop, seed).await;
        ledger.fail_over(standby, dice.millis(10..=500)).await;
    } else if faults.rate(Fault::Restart) > 0 && dice.percent(50) {
        ledger.restart(dice.millis(10..=500)).await;
    }
}

/// Everything that befalls servers and processes, until the shop closes. Ends with everyone running.
async fn befall(seed: u64, ledger: &SimulatedLedger, shop: &Shop, places: usize, open: Duration) {
    let of_ledger = ledgers_fate(Dice::of(seed, "ledger's fate"), ledger, shop, open);
    let of_engines = (0..places).map(|place| {
        let dice = Dice::of(seed, &format!("fate of place {place}"));
        engines_fate(dice, shop, place, open)
    });
    tokio::join!(of_ledger, futures::future::join_all(of_engines), tokio::time::sleep(open));
}

async fn ledgers_fate(dice: Dice, ledger: &SimulatedLedger, shop: &Shop, open: Duration) {
    let faults = &shop.world.faults;
    let kinds = [Fault::Restart, Fault::Failover, Fault::Pause];
    let possible: Vec<Fault> = kinds.into_iter().filter(|fault| faults.is_on(*fault)).collect();
    let ends = tokio::time::Instant::now() + open;
    loop {
        tokio::time::sleep(dice.millis(300..=3_000)).await;
        if possible.is_empty() || tokio::time::Instant::now() >= ends {
            return;
        }
        match dice.pick(&possible) {
            Fault::Restart => ledger.restart(dice.millis(10..=1_500)).await,
            Fault::Failover => {
                let standby = ledger.backup();
                tokio::time::sleep(dice.millis(1..=400)).await;
                ledger.fail_over(standby, dice.millis(10..=1_500)).await;
            }
            _ => ledger.pause(dice.millis(50..=5_000)),
        }
    }
}

async fn engines_fate(dice: Dice, shop: &Shop, place: usize, open: Duration) {
    let ends = tokio::time::Instant::now() + open;
    loop {
        tokio::time::sleep(dice.millis(300..=5_000)).await;
        if !shop.world.faults.is_on(Fault::Crash) || tokio::time::Instant::now() >= ends {
            return;
        }
        shop.processes.crash(place);
        tokio::time::sleep(dice.millis(1..=1_500)).await;
        shop.processes.start(place).await;
    }
}

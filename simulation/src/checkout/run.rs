//! One seed from beginning to end: open, trouble, heal, come to rest, check.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use inventory_core::command::SetStock;
use inventory_core::ids::ProductId;
use inventory_core::quantity::Units;
use order_service::saga::Mode;
use order_service::store::StoreOptions;
use order_service::worker::WorkerOptions;
use parking_lot::Mutex;
use tokio_util::task::TaskTracker;

use super::checks::{self, Evidence};
use super::desks::Desks;
use super::events::{Listeners, Told};
use super::goals::Goal;
use super::mutant::Mutant;
use super::network::Network;
use super::people::{self, PRODUCTS, Town};
use super::provider::Provider;
use super::rows::Database;
use super::stage::Stage;
use super::troubles::Trouble;
use crate::dice::Dice;
use crate::faults::{Fault, Faults};
use crate::ledger::{SimulatedLedger, World};
use crate::processes::Processes;
use crate::tally::Tally;
use crate::trace::Trace;

/// Virtual time after which a run counts as stuck.
const STUCK_AFTER: Duration = Duration::from_secs(900);
/// Virtual time in which everything must have come to rest once all is well.
const REST_MAX: Duration = Duration::from_secs(120);
/// Virtual time in which whatever was overlooked shows: longer than a hold, and than a payment takes to turn.
const REST: Duration = Duration::from_secs(5);

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
    /// Orders placed.
    pub orders: usize,
    /// Steps of sagas.
    pub steps: usize,
    /// Virtual time it took.
    pub virtual_time: Duration,
    /// Which corners were reached.
    pub goals: Tally<Goal>,
    /// Which troubles struck.
    pub troubles: Tally<Trouble>,
    /// Which of the ledger's own faults struck.
    pub faults: Tally<Fault>,
    /// What happened, if wanted.
    pub trace: String,
}

/// Everything there is in one run.
pub(super) struct Checkout {
    pub(super) seed: u64,
    pub(super) stage: Stage,
    pub(super) world: World,
    pub(super) ledger: SimulatedLedger,
    pub(super) engines: Arc<Processes>,
    pub(super) network: Network,
    provider: Provider,
    pub(super) database: Database,
    pub(super) desks: Arc<Desks>,
}

impl Run {
    /// Runs in a runtime of its own, on this thread, in virtual time.
    pub fn run(self) -> std::io::Result<Report> {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
        Ok(runtime.block_on(self.simulate()))
    }

    async fn simulate(self) -> Report {
        let checkout = Checkout::new(self);
        let (stage, world) = (checkout.stage.clone(), checkout.world.clone());
        stage.trace.note("seed", || {
            format!(
                "{} with {}; the ledger with {}",
                self.seed,
                stage.troubles.summary(),
                world.faults.summary()
            )
        });
        let whole = tokio::time::timeout(STUCK_AFTER, checkout.live()).await;
        let violations = whole.unwrap_or_else(|_elapsed| vec!["nothing moves any more".to_owned()]);
        for violation in &violations {
            stage.trace.note("violation", || violation);
        }
        let (orders, steps) = checkout.database.look(|tables| (tables.orders.len(), tables.steps.len()));
        Report {
            seed: self.seed,
            violations,
            orders,
            steps,
            virtual_time: stage.trace.elapsed(),
            goals: stage.goals,
            troubles: stage.troubles.struck().clone(),
            faults: world.faults.struck().clone(),
            trace: stage.trace.text(),
        }
    }
}

/// Short times, so that everything runs out sometimes.
fn options(dice: &Dice, seed: u64) -> (StoreOptions, WorkerOptions) {
    let call_deadline = dice.millis(900..=1_600);
    let worker = WorkerOptions {
        calls_max: usize::try_from(dice.range(2..=16)).unwrap_or(2),
        poll_period: dice.millis(100..=600),
        call_deadline,
        pause_min: Duration::from_millis(20),
        pause_max: Duration::from_millis(600),
        pause_max_stuck: Duration::from_millis(1_500),
        reserve_attempts_max: u32::try_from(dice.range(1..=5)).unwrap_or(1),
        seed: Some(seed),
    };
    let mode = if dice.percent(30) { Mode::Choreography } else { Mode::Orchestration };
    let store = StoreOptions {
        mode,
        payment_deadline: Duration::from_millis(*dice.pick(&[400, 1_600, 3_500, 5_000])),
        lease: call_deadline + dice.millis(100..=1_500),
    };
    (store, worker)
}

impl Checkout {
    fn new(run: Run) -> Self {
        let (seed, dice) = (run.seed, Dice::of(run.seed, "checkout"));
        let trace = Trace::begin(run.traced);
        let (goals, tasks) = (Tally::default(), TaskTracker::new());
        let troubles = Faults::of(seed);
        let stage = Stage { troubles, goals, trace: trace.clone(), mutant: run.mutant, tasks };
        // A failover takes back what was acknowledged, and what was refused for its data is refused for ever: of both people are told.
        let without = [Fault::Failover, Fault::Poison, Fault::Cancel];
        let faults = if dice.percent(40) { Faults::none() } else { Faults::of_all_but(seed, &without) };
        let world = World { faults, goals: Tally::default(), trace, mutant: None };
        let ledger = SimulatedLedger::new(world.clone());
        let (store, worker) = options(&dice, seed);
        let encoder = match store.mode {
            Mode::Orchestration => Told::led,
            Mode::Choreography => Told::unled,
        };
        let engines = Processes::new(seed, ledger.clone(), world.clone()).with_encoder(encoder);
        let engines = Arc::new(engines);
        let network = Network::new(stage.clone());
        let provider = Provider::new(seed, stage.clone());
        let database = Database::new(seed, stage.clone(), store);
        let desks = Arc::new(Desks {
            stage: stage.clone(),
            network: network.clone(),
            database: database.clone(),
            engines: engines.clone(),
            provider: provider.clone(),
            options: worker,
            patience: dice.millis(300..=850),
            count: usize::try_from(dice.range(1..=3)).unwrap_or(1),
            running: Mutex::default(),
        });
        Self { seed, stage, world, ledger, engines, network, provider, database, desks }
    }

    async fn live(&self) -> Vec<String> {
        let dice = Dice::of(self.seed, "run");
        for place in 0..self.engines.count() {
            self.engines.start(place).await;
        }
        let opening = self.open(&dice).await;
        (0..self.desks.count).for_each(|place| self.desks.start(place));
        let listeners =
            Listeners::start(&self.stage, &self.ledger, &self.engines, &self.provider, &self.database);
        let town = Town::new(self.desks.clone());
        let open = dice.millis(2_000..=7_000);
        let mut people: FuturesUnordered<_> = people::everyone(&town, self.seed, open).into_iter().collect();
        let everyone = async { while people.next().await.is_some() {} };
        let heal = async {
            self.befall(open).await;
            self.heal();
        };
        tokio::join!(everyone, heal);
        self.rest(&listeners).await;
        let said = town.said.lock().clone();
        let evidence = Evidence {
            tables: self.database.look(|tables| tables.clone()),
            ledger: self.ledger.copy(),
            opening,
            payments: self.provider.payments(),
            published: listeners.of_orders.published(),
            dead: listeners.dead.lock().clone(),
            said,
        };
        checks::reached(&evidence, &self.stage.goals);
        checks::all(&evidence).await
    }

    /// Opens the shop: every product is there when this returns. How much of each. Nothing goes wrong so far: the repeat of a level that was
    /// set without an answer would leave the first one on its way, to undo sales when it arrives.
    async fn open(&self, dice: &Dice) -> BTreeMap<i64, i64> {
        self.world.faults.heal();
        let mut opening = BTreeMap::new();
        for (product, levels) in PRODUCTS {
            let level = i64::try_from(dice.range(levels)).unwrap_or(0);
            let set = SetStock::level(ProductId::new(product), Units::stored(level));
            while !self.put(dice, &set).await {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            opening.insert(product, level);
        }
        self.world.faults.begin();
        opening
    }

    /// Sets a product's stock, if some engine says that it did.
    async fn put(&self, dice: &Dice, set: &SetStock) -> bool {
        let Some(running) = self.engines.pick(dice) else { return false };
        running.engine.set(set.clone()).await.is_ok()
    }

    fn heal(&self) {
        self.stage.troubles.heal();
        self.world.faults.heal();
        self.network.heal();
        self.provider.heal();
        self.stage.trace.note("world", || "is healed");
    }

    /// Until nothing is left to do, and then until whatever was overlooked has shown itself.
    async fn rest(&self, listeners: &Listeners) {
        let ends = tokio::time::Instant::now() + REST_MAX;
        let is_at_rest = || {
            self.database.look(|tables| checks::is_at_rest(tables))
                && self.provider.is_at_rest()
                && listeners.are_drained()
        };
        // A late fact may wake an order that had ended.
        while tokio::time::Instant::now() < ends {
            while !is_at_rest() && tokio::time::Instant::now() < ends {
                tokio::time::sleep(Duration::from_millis(250)).await;
            }
            tokio::time::sleep(REST).await;
            if is_at_rest() {
                return;
            }
        }
    }
}

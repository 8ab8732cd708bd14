//! The processes that engines live in: started, killed, started again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use inventory_core::engine::Engine;
use inventory_core::event::EventEncoder;
use inventory_core::options::{EngineOptions, WriterPlace};
use inventory_core::store::Sharing;
use parking_lot::Mutex;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::dice::Dice;
use crate::encoder::Encoder;
use crate::faults::Fault;
use crate::goals::Goal;
use crate::ledger::{Client, Link, SimulatedLedger, World};

/// How long a hold lasts if nobody says.
pub(crate) const HOLD_TTL: Duration = Duration::from_secs(2);
/// How long a hold may last.
pub(crate) const HOLD_TTL_MAX: Duration = Duration::from_secs(8);

/// An engine that runs, and how to learn of its death.
#[derive(Clone, Debug)]
pub(crate) struct Running {
    pub(crate) process: u32,
    pub(crate) engine: Engine,
    pub(crate) death: CancellationToken,
    client: Client,
}

/// All of them.
#[derive(Debug)]
pub(crate) struct Processes {
    ledger: SimulatedLedger,
    world: World,
    dice: Dice,
    options: EngineOptions,
    /// How many engines there are.
    count: usize,
    encoder: fn(u64) -> Arc<dyn EventEncoder>,
    places: Mutex<Places>,
}

#[derive(Debug, Default)]
struct Places {
    running: BTreeMap<usize, Running>,
    last_process: u32,
    died: BTreeMap<u32, Instant>,
}

impl Processes {
    pub(crate) fn new(seed: u64, ledger: SimulatedLedger, world: World) -> Self {
        let dice = Dice::of(seed, "processes");
        let options = options(&dice);
        let count = *dice.pick(&[1, 2, 2, 3, 3]);
        let encoder: fn(u64) -> Arc<dyn EventEncoder> = |seed| Arc::new(Encoder::new(seed));
        Self { ledger, world, dice, options, count, encoder, places: Mutex::default() }
    }

    /// Engines that tell what this encoder, made from a seed, makes of it.
    pub(crate) fn with_encoder(self, encoder: fn(u64) -> Arc<dyn EventEncoder>) -> Self {
        Self { encoder, ..self }
    }

    /// Starts an engine in this place. Tries until the ledger lets it.
    pub(crate) async fn start(&self, place: usize) {
        let process = {
            let mut places = self.places.lock();
            places.last_process += 1;
            places.last_process
        };
        // A seed for every process: ids of batches must not meet.
        let seed = self.dice.range(0..=u64::MAX - 1);
        let options = EngineOptions { seed: Some(seed), ..self.options };
        let link = Link::new(process, self.world.clone());
        let client = self.ledger.client(link.clone(), self.sharing());
        loop {
            match Engine::open(Arc::new(client.clone()), (self.encoder)(seed), options).await {
                Ok(engine) => {
                    self.world.trace.note(format_args!("engine {process}"), || "starts");
                    let running = Running { process, engine, death: link.death().clone(), client };
                    self.places.lock().running.insert(place, running);
                    return;
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    }

    /// Kills the engine in this place: no farewell, nothing is finished.
    pub(crate) fn crash(&self, place: usize) {
        let Some(running) = self.places.lock().running.remove(&place) else { return };
        self.world.faults.note(Fault::Crash);
        self.world.trace.note(format_args!("engine {}", running.process), || "is killed");
        if self.ledger.has_open(running.process) {
            self.world.goals.count(Goal::Crashed);
        }
        self.places.lock().died.insert(running.process, Instant::now());
        running.client.kill();
    }

    /// One of those that run.
    pub(crate) fn pick(&self, dice: &Dice) -> Option<Running> {
        let places = self.places.lock();
        if places.running.is_empty() {
            return None;
        }
        places.running.values().nth(dice.below(places.running.len())).cloned()
    }

    /// All that run.
    pub(crate) fn all(&self) -> Vec<Running> {
        self.places.lock().running.values().cloned().collect()
    }

    /// When a process was killed, if it was.
    pub(crate) fn died(&self, process: u32) -> Option<Instant> {
        self.places.lock().died.get(&process).copied()
    }

    /// How many engines there are, unless one was killed just now.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// A single engine has the ledger for itself.
    pub(crate) fn sharing(&self) -> Sharing {
        if self.count == 1 { Sharing::Exclusive } else { Sharing::Shared }
    }

    pub(crate) fn options(&self) -> &EngineOptions {
        &self.options
    }
}

/// Small limits and short times, so that little work meets every bound.
fn options(dice: &Dice) -> EngineOptions {
    EngineOptions {
        hold_ttl: HOLD_TTL,
        hold_ttl_max: HOLD_TTL_MAX,
        batch_commands_max: *dice.pick(&[2, 5, 16, 256]),
        batch_lines_max: *dice.pick(&[4, 16, 16_000]),
        reserves_queued_max: *dice.pick(&[3, 16, 1_000]),
        others_queued_max: *dice.pick(&[16, 1_000]),
        request_deadline: Duration::from_millis(*dice.pick(&[300, 1_000, 3_000])),
        contention_wait_max: Duration::from_millis(*dice.pick(&[100, 500, 2_000])),
        sweep_period: Duration::from_millis(*dice.pick(&[200, 1_000])),
        housekeeping: false,
        writer: WriterPlace::Runtime,
        ..EngineOptions::default()
    }
}

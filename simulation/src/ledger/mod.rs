//! A ledger with Postgres' manners, in memory and in virtual time: server processes that live on when their client is gone, row
//! locks in product order, keys that arbitrate, visibility at COMMIT, fences and their resolver, restarts, failovers.
//!
//! What it says about rows comes from [`inventory_core::store::memory::Ledger`], the tables of the memory store: no rule is written twice.
//! What is modelled here is everything between an engine and its rows.
//!
//! ```text
//! engine ── Connection ──(latency, loss, held COMMIT)──▶ Server process ──▶ locks, tables, log
//! ```

mod ahead;
mod connection;
mod disasters;
mod link;
mod locks;
mod log;
mod port;
mod presumption;
mod resolver;
mod server;
mod state;
mod statements;

use std::sync::Arc;
use std::time::Duration;

use inventory_core::event::OutboxRow;
use inventory_core::store::ledger_copy::LedgerCopy;
use inventory_core::store::memory::Ledger;
use inventory_core::store::{StoreError, StoreErrorKind};
use parking_lot::Mutex;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

pub use self::link::Link;
use self::locks::{Asked, Key, Pid};
pub use self::log::{Committed, Level, Log};
pub use self::port::Client;
use self::state::State;
use crate::faults::Faults;
use crate::goals::Goal;
use crate::mutant::Mutant;
use crate::tally::Tally;
use crate::trace::Trace;

/// Postgres' `lock_timeout`, as the adapter sets it.
pub(crate) const LOCK_TIMEOUT: Duration = Duration::from_millis(500);
/// Postgres' `idle_in_transaction_session_timeout`.
pub(crate) const IDLE_TIMEOUT: Duration = Duration::from_secs(6);
/// How long a client waits for an answer.
pub(crate) const ANSWER_TIMEOUT: Duration = Duration::from_secs(4);

/// The world that a ledger lives in.
#[derive(Clone, Debug)]
pub struct World {
    /// What strikes.
    pub faults: Faults,
    /// What was reached.
    pub goals: Tally<Goal>,
    /// What happened.
    pub trace: Trace,
    /// What the ledger gets wrong on purpose.
    pub mutant: Option<Mutant>,
}

impl World {
    /// Nothing goes wrong.
    pub fn calm() -> Self {
        Self { faults: Faults::none(), goals: Tally::default(), trace: Trace::begin(false), mutant: None }
    }

    pub(crate) fn is(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }
}

/// The server. Cheap to clone; clones are the same ledger.
#[derive(Clone, Debug)]
pub struct SimulatedLedger {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    world: World,
    /// Server processes, and what still travels to them.
    tasks: TaskTracker,
}

impl SimulatedLedger {
    /// An empty ledger; its time begins now.
    pub fn new(world: World) -> Self {
        let state = Mutex::new(State::new());
        Self { shared: Arc::new(Shared { state, world, tasks: TaskTracker::new() }) }
    }

    /// What was committed so far, and when.
    pub fn log(&self) -> Log {
        self.shared.state.lock().log.clone()
    }

    /// Every table.
    pub fn copy(&self) -> LedgerCopy {
        self.tables().into_copy()
    }

    /// Every table, as a backup.
    pub(crate) fn tables(&self) -> Ledger {
        self.shared.state.lock().tables.clone()
    }

    /// The events that were written when there were so many already, in order.
    pub(crate) fn events_after(&self, known: usize) -> Vec<OutboxRow> {
        self.shared.state.lock().tables.events_after(known)
    }

    /// The store's time.
    pub fn now(&self) -> inventory_core::clock::Timestamp {
        self.shared.state.lock().now()
    }

    /// Whether an engine's process has a transaction open.
    pub fn has_open(&self, client: u32) -> bool {
        let state = self.shared.state.lock();
        state.processes.values().any(|process| process.client == client && process.open.is_some())
    }
}

impl Shared {
    /// The server's pause between two things it does; longer while it is paused.
    async fn step(&self) {
        for _ in 0..self.world.faults.yields() {
            tokio::task::yield_now().await;
        }
        loop {
            let until = self.state.lock().paused_until;
            if until <= Instant::now() {
                return;
            }
            tokio::time::sleep_until(until).await;
        }
    }

    /// Waits for a lock, not for ever.
    async fn lock(&self, pid: Pid, key: &Key) -> Result<(), StoreError> {
        let asked = self.state.lock().locks.ask(pid, key);
        match asked {
            Asked::Held => Ok(()),
            Asked::Deadlock => {
                self.world.goals.count(Goal::Deadlock);
                Err(StoreError::new(StoreErrorKind::Transient, format!("deadlock on {key:?}")))
            }
            Asked::Wait(rung) => match tokio::time::timeout(LOCK_TIMEOUT, rung).await {
                Ok(Ok(())) => Ok(()),
                _ if self.state.lock().locks.leave(pid, key) => Ok(()),
                _ => {
                    self.world.goals.count(Goal::LockTimeout);
                    Err(StoreError::new(StoreErrorKind::LockTimeout, format!("waited too long for {key:?}")))
                }
            },
        }
    }
}

//! What the server keeps: tables, locks, its processes, its clock.

use std::collections::BTreeMap;
use std::time::Duration;

use inventory_core::clock::Timestamp;
use inventory_core::ids::{BatchId, OrderId, ProductId};
use inventory_core::reservation::Reservation;
use inventory_core::store::memory::Ledger;
use inventory_core::store::{Backend, Effects, Footprint, IdMap};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::locks::{Locks, Pid};
use super::log::Log;

/// When simulated time begins.
const BEGINNING: Timestamp = Timestamp::from_micros(1_780_000_000_000_000);

/// Reservations as somebody has seen them.
pub(super) type Reservations = IdMap<OrderId, Reservation>;

/// The products that a batch needs that has seen these. Sorted.
pub(super) fn wanted(footprint: &Footprint, seen: &Reservations) -> Vec<ProductId> {
    let of_orders = seen.values().flat_map(|seen| seen.requested.iter().map(|line| line.product));
    let mut wanted: Vec<ProductId> = footprint.products.iter().copied().chain(of_orders).collect();
    wanted.sort_unstable();
    wanted.dedup();
    wanted
}

/// A transaction that is open.
#[derive(Debug)]
pub(super) struct Transaction {
    pub(super) batch: BatchId,
    /// What the batch was told; it must still be so when it is written.
    pub(super) told: Reservations,
    pub(super) effects: Option<Effects>,
    /// For a mutant: it is written whatever has become of what it rests on.
    pub(super) is_blind: bool,
}

/// One server process.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) started_at: Timestamp,
    /// Which engine's.
    pub(super) client: u32,
    pub(super) kill: CancellationToken,
    pub(super) open: Option<Transaction>,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) tables: Ledger,
    /// What stale reads show, and since when: for a mutant.
    pub(super) stale: (Instant, Ledger),
    pub(super) locks: Locks,
    pub(super) processes: BTreeMap<Pid, Process>,
    pub(super) log: Log,
    /// Whether connections are taken.
    pub(super) is_up: bool,
    /// Until when nothing is done.
    pub(super) paused_until: Instant,
    begun: Instant,
    last_now: Timestamp,
    last_pid: i32,
}

impl State {
    pub(super) fn new() -> Self {
        let begun = Instant::now();
        Self {
            tables: Ledger::default(),
            stale: (begun, Ledger::default()),
            locks: Locks::default(),
            processes: BTreeMap::new(),
            log: Log::default(),
            is_up: true,
            paused_until: begun,
            begun,
            last_now: BEGINNING,
            last_pid: 0,
        }
    }

    /// `clock_timestamp()`: rises with every reading.
    pub(super) fn now(&mut self) -> Timestamp {
        let now = BEGINNING.plus(self.begun.elapsed());
        self.last_now = now.max(self.last_now.plus(Duration::from_micros(1)));
        self.last_now
    }

    /// A process for a new connection.
    pub(super) fn start(&mut self, client: u32) -> (Pid, Backend, CancellationToken) {
        self.last_pid += 1;
        let pid = Pid(self.last_pid);
        let (started_at, kill) = (self.now(), CancellationToken::new());
        let process = Process { started_at, client, kill: kill.clone(), open: None };
        self.processes.insert(pid, process);
        (pid, Backend { pid: Some(pid.0), started_at: Some(started_at) }, kill)
    }

    /// Rolls back what a process has open.
    pub(super) fn roll_back(&mut self, pid: Pid) {
        if let Some(process) = self.processes.get_mut(&pid) {
            process.open = None;
        }
        self.locks.end(pid);
    }

    /// A process ends, and what it had open with it.
    pub(super) fn end(&mut self, pid: Pid) {
        if let Some(process) = self.processes.remove(&pid) {
            process.kill.cancel();
        }
        self.locks.end(pid);
    }

    /// All processes end; how many had a transaction open.
    pub(super) fn end_all(&mut self) -> usize {
        let open = self.processes.values().filter(|process| process.open.is_some()).count();
        for pid in self.processes.keys().copied().collect::<Vec<_>>() {
            self.end(pid);
        }
        open
    }
}

//! The way between one engine's process and the ledger: how long messages take, and what becomes of connections when the process
//! dies.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use inventory_core::clock::Timestamp;
use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::World;
use super::locks::Pid;
use super::server::Message;
use crate::dice::Dice;

/// How long a clock that jumps goes well.
const CLOCK_JUMPS_MICROS: u64 = 2_000_000;
/// How far it is off, either way.
const CLOCK_OFF_MAX: Duration = Duration::from_secs(5);

type Wire = mpsc::UnboundedSender<Message>;

/// One process's way to the ledger. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Link(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    process: u32,
    dead: CancellationToken,
    world: World,
    wires: Mutex<BTreeMap<Pid, Wire>>,
}

impl Link {
    /// The way of this process.
    pub fn new(process: u32, world: World) -> Self {
        let (dead, wires) = (CancellationToken::new(), Mutex::default());
        Self(Arc::new(Inner { process, dead, world, wires }))
    }

    /// Cancelled when the process has died.
    pub fn death(&self) -> &CancellationToken {
        &self.0.dead
    }

    pub(super) fn process(&self) -> u32 {
        self.0.process
    }

    /// For [`Mutant::OwnClocks`](crate::mutant::Mutant::OwnClocks): what the clock of this process says at the ledger's `now`. It is
    /// seconds off, and every few seconds it jumps.
    pub(super) fn wall_clock(&self, now: Timestamp) -> Timestamp {
        let since_jump = now.micros().unsigned_abs() / CLOCK_JUMPS_MICROS;
        let dice = Dice::of(since_jump, &format!("clock of process {}", self.0.process));
        now.minus(CLOCK_OFF_MAX).plus(dice.millis(0..=2 * CLOCK_OFF_MAX.as_secs() * 1_000))
    }

    /// One way, either way.
    pub(super) async fn travel(&self) {
        self.alive().await;
        for _ in 0..self.0.world.faults.yields() {
            tokio::task::yield_now().await;
        }
        let latency = self.0.world.faults.latency();
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
        self.alive().await;
    }

    /// A dead process executes nothing any more.
    pub(super) async fn alive(&self) {
        if self.0.dead.is_cancelled() {
            std::future::pending::<()>().await;
        }
    }

    pub(super) fn connect(&self, pid: Pid, wire: Wire) {
        self.0.wires.lock().insert(pid, wire);
    }

    /// Sends, if the connection stands and the server's process lives.
    pub(super) fn send(&self, pid: Pid, message: Message) -> bool {
        self.0.wires.lock().get(&pid).is_some_and(|wire| wire.send(message).is_ok())
    }

    /// The connection as such; what was sent before still arrives.
    pub(super) fn take(&self, pid: Pid) -> Option<Wire> {
        self.0.wires.lock().remove(&pid)
    }

    /// Loses a connection. The server learns of it at once, or, where a network has swallowed the farewell, much later.
    pub(super) fn lose(&self, pid: Pid, tasks: &TaskTracker) {
        let Some(wire) = self.take(pid) else { return };
        let dice = self.0.world.faults.dice();
        if dice.percent(60) {
            return;
        }
        let lingers = dice.millis(10..=9_000);
        tasks.spawn(linger(wire, lingers));
    }

    /// The process dies: it executes nothing any more, and its connections are lost.
    pub(super) fn kill(&self, tasks: &TaskTracker) {
        self.0.dead.cancel();
        let pids: Vec<_> = self.0.wires.lock().keys().copied().collect();
        for pid in pids {
            self.lose(pid, tasks);
        }
    }
}

async fn linger(wire: Wire, time: Duration) {
    tokio::time::sleep(time).await;
    drop(wire);
}

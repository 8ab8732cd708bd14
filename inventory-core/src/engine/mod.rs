//! The engine: admit on counters, submit to the writer, settle or give back. One operation a file.

mod administer;
mod admission;
mod commit;
mod extend;
mod open;
mod prove;
mod reader;
mod reads;
mod release;
mod reserve;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use self::open::OpenError;
use self::reader::Reader;
use crate::error::Failure;
use crate::ids::{CustomerId, OrderId};
use crate::lines::Lines;
use crate::options::EngineOptions;
use crate::outcome::Outcome;
use crate::store::{Sharing, Store};
use crate::writer::{Memory, WriterHandle};

/// A reservation engine over one store. Cheap to clone; clones are the same engine.
///
/// It runs as long as a clone lives or until [`Engine::shutdown`]; tasks run on the tokio runtime it was opened on.
#[derive(Clone)]
pub struct Engine {
    shared: Arc<Shared>,
}

/// What clones share.
pub(crate) struct Shared {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) sharing: Sharing,
    pub(crate) options: EngineOptions,
    pub(crate) memory: Arc<Memory>,
    pub(crate) writer: WriterHandle,
    reader: Reader,
    /// Tells the helpers around the writer (reader, sweeper, housekeeping) to stop.
    stop: CancellationToken,
    tasks: TaskTracker,
    audit_running: tokio::sync::Mutex<()>,
}

/// What to reserve.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReserveRequest {
    /// The order; the idempotency key.
    pub order: OrderId,
    /// What to hold.
    pub lines: Lines,
    /// Who buys; counted against per-customer limits.
    pub customer: Option<CustomerId>,
    /// How long; the engine's `hold_ttl` if none. The caller checks it against `hold_ttl_max`.
    pub ttl: Option<Duration>,
}

/// What the engine has done so far, and how full it is. Counts are since the start.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stats {
    /// Batches committed.
    pub batches: u64,
    /// Commands in committed batches.
    pub commands: u64,
    /// Reserves refused from memory.
    pub refused_in_memory: u64,
    /// Times a reserve waited for a take in flight.
    pub contended: u64,
    /// Requests refused because a queue was full or their deadline passed in it.
    pub overloaded: u64,
    /// Tries of batches that had no effect.
    pub retries: u64,
    /// Commits whose outcome was unknown for a while.
    pub unknown_commits: u64,
    /// Holds ended by the sweeper.
    pub expired: u64,
    /// Commands waiting for the writer now.
    pub queued: u64,
    /// Open holds whose end this engine watches.
    pub holds_watched: u64,
    /// Products in memory.
    pub products_loaded: u64,
    /// Products whose counter is striped.
    pub products_striped: u64,
}

impl Engine {
    /// What the engine has done so far.
    pub fn stats(&self) -> Stats {
        let counted = &self.shared.memory.stats;
        Stats {
            batches: counted.batches.get(),
            commands: counted.commands.get(),
            refused_in_memory: counted.refused_in_memory.get(),
            contended: counted.contended.get(),
            overloaded: counted.overloaded.get(),
            retries: counted.retries.get(),
            unknown_commits: counted.unknown_commits.get(),
            expired: counted.expired.get(),
            queued: self.shared.writer.queued() as u64,
            holds_watched: self.shared.memory.deadlines.len() as u64,
            products_loaded: self.shared.memory.counters.products_loaded(),
            products_striped: self.shared.memory.counters.products_striped(),
        }
    }

    /// Whether requests are taken and the store answered the writer's last try.
    pub fn is_ready(&self) -> bool {
        self.shared.writer.is_ready()
    }

    /// An engine that was stopped answers nothing, reads neither.
    fn check_running(&self) -> Result<(), Failure> {
        if self.shared.stop.is_cancelled() { Err(Failure::Stopped) } else { Ok(()) }
    }

    /// Completes when the engine has stopped by itself: its writer failed for good. The process should end then;
    /// a restart recovers.
    pub async fn failed(&self) {
        self.shared.writer.failed().await;
    }
}

impl Engine {
    /// The engine that `shared` belongs to, while someone else keeps it alive.
    pub(crate) fn of(shared: Arc<Shared>) -> Self {
        Self { shared }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // The last clone went away without shutdown: what is queued is still executed, then the tasks end.
        self.stop.cancel();
        self.writer.close();
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("sharing", &self.shared.sharing).field("stats", &self.stats()).finish()
    }
}

/// The rules answered a command with another kind of outcome: a bug of ours, told instead of a panic.
fn mismatch(outcome: &Outcome) -> Failure {
    Failure::Refused { reason: format!("an answer of another kind: {outcome:?}") }
}

//! Settling a COMMIT without an answer, as the Postgres adapter does it: by writing the fence, and by ending the orphan that stands
//! in the way.

use std::sync::Arc;

use inventory_core::ids::BatchId;
use inventory_core::store::{Backend, Resolution, StoreError, StoreErrorKind};

use super::Shared;
use super::locks::{Key, Pid};
use crate::goals::Goal;
use crate::mutant::Mutant;

/// Each waits for the orphan as long as the lock timeout allows.
const TRIES_MAX: u32 = 10;

impl Shared {
    /// On a server process of its own, which ends with the answer or when it is killed.
    pub(super) async fn resolve(
        self: Arc<Self>,
        client: u32,
        batch: BatchId,
        orphan: Backend,
    ) -> Result<Resolution, StoreError> {
        if self.world.is(Mutant::ReadingResolver) {
            let fence = self.state.lock().tables.fence(batch);
            return Ok(fence.unwrap_or(Resolution::Aborted));
        }
        let (pid, _, kill) = self.state.lock().start(client);
        let settled = tokio::select! {
            biased;
            () = kill.cancelled() => Err(killed()),
            settled = self.settle(pid, batch, orphan) => settled,
        };
        self.end_process(pid);
        settled
    }

    async fn settle(&self, pid: Pid, batch: BatchId, orphan: Backend) -> Result<Resolution, StoreError> {
        for _ in 0..TRIES_MAX {
            self.step().await;
            match self.lock(pid, &Key::Fence(batch)).await {
                Ok(()) => return Ok(self.write_fence(batch)),
                Err(error) if error.kind == StoreErrorKind::LockTimeout => self.terminate(orphan),
                Err(error) => return Err(error),
            }
        }
        Err(StoreError::new(StoreErrorKind::LockTimeout, format!("batch {batch} is still open")))
    }

    /// Inserts the tombstone unless the batch has ended, and reads what counts.
    fn write_fence(&self, batch: BatchId) -> Resolution {
        let mut state = self.state.lock();
        let now = state.now();
        let before = state.tables.fence(batch);
        let outcome = state.tables.abort(batch, now);
        let goal = match (before, outcome) {
            (_, Resolution::Committed) => Goal::ResolvedCommitted,
            (Some(Resolution::Aborted), _) => Goal::OwnTombstone,
            (_, Resolution::Aborted) => Goal::ResolvedAborted,
        };
        self.world.goals.count(goal);
        self.world.trace.note("resolver", || format!("batch {batch} is {outcome:?}"));
        outcome
    }

    /// Ends the orphan, if it is still the process that was meant.
    fn terminate(&self, orphan: Backend) {
        let mut state = self.state.lock();
        let Some(pid) = orphan.pid.map(Pid) else { return };
        let is_meant =
            state.processes.get(&pid).is_some_and(|found| Some(found.started_at) == orphan.started_at);
        if is_meant {
            state.end(pid);
            self.world.goals.count(Goal::OrphanTerminated);
            self.world.trace.note("resolver", || format!("ended server {}", pid.0));
        }
    }
}

fn killed() -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable, "the server went away (simulated)")
}

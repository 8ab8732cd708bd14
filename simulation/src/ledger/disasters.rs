//! What befalls the whole server.

use std::time::Duration;

use inventory_core::ids::{BatchId, ProductId};
use inventory_core::store::memory::Ledger;
use tokio::time::Instant;

use super::SimulatedLedger;
use crate::faults::Fault;
use crate::goals::Goal;

impl SimulatedLedger {
    /// The server dies and comes back after a while. What was committed is there; what was open is gone.
    pub async fn restart(&self, down: Duration) {
        self.shared.world.faults.note(Fault::Restart);
        self.stop("is killed");
        self.come_back(down).await;
    }

    /// A backup, for [`Self::fail_over`].
    pub fn backup(&self) -> Ledger {
        self.tables()
    }

    /// The server dies for good, and an asynchronous standby takes over, which has what `standby` has and nothing else.
    pub async fn fail_over(&self, standby: Ledger, down: Duration) {
        self.shared.world.faults.note(Fault::Failover);
        self.stop("is lost; a standby takes over");
        let copy = standby.clone().into_copy();
        let mut survived: Vec<BatchId> = copy.journal.iter().map(|entry| entry.batch).collect();
        survived.sort_unstable();
        {
            let mut state = self.shared.state.lock();
            let products: Vec<ProductId> = copy.products.iter().map(|product| product.id).collect();
            state.tables = standby;
            let products = state.tables.read(&products, &[]).products;
            let lost = state.log.fail_over(&survived, products.into_iter());
            state.stale = (Instant::now(), state.tables.clone());
            self.shared.world.goals.count(Goal::FailedOver);
            self.shared.world.trace.note("ledger", || format!("{lost} batches are lost"));
        }
        self.come_back(down).await;
    }

    /// The server does nothing for a while, and then goes on as if nothing had been.
    pub fn pause(&self, time: Duration) {
        self.shared.world.faults.note(Fault::Pause);
        self.shared.world.trace.note("ledger", || format!("pauses for {time:?}"));
        self.shared.state.lock().paused_until = Instant::now() + time;
    }

    fn stop(&self, how: &str) {
        let mut state = self.shared.state.lock();
        state.is_up = false;
        if state.end_all() > 0 {
            self.shared.world.goals.count(Goal::Restarted);
        }
        self.shared.world.trace.note("ledger", || how.to_owned());
    }

    async fn come_back(&self, down: Duration) {
        tokio::time::sleep(down).await;
        self.shared.state.lock().is_up = true;
        self.shared.world.trace.note("ledger", || "is back");
    }
}

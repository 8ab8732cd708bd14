//! The simulated ledger passes the suite that every store must pass.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use inventory_core::event::OutboxRow;
use inventory_core::store::conformance::{StoreFactory, Subject, run_all};
use inventory_core::store::{Sharing, Store};
use simulation::ledger::{Client, Link, SimulatedLedger, World};

struct Simulated;

#[async_trait]
impl StoreFactory for Simulated {
    async fn fresh(&self) -> Box<dyn Subject> {
        let world = World::calm();
        InSimulation::over(SimulatedLedger::new(world.clone()), world)
    }

    fn resolves_open_sessions(&self) -> bool {
        true
    }
}

struct InSimulation {
    ledger: SimulatedLedger,
    world: World,
    client: Client,
}

impl InSimulation {
    fn over(ledger: SimulatedLedger, world: World) -> Box<dyn Subject> {
        let client = ledger.client(Link::new(1, world.clone()), Sharing::Shared);
        Box::new(Self { ledger, world, client })
    }
}

#[async_trait]
impl Subject for InSimulation {
    fn store(&self) -> Arc<dyn Store> {
        Arc::new(self.client.clone())
    }

    async fn outbox(&self) -> Vec<OutboxRow> {
        self.ledger.copy().outbox.into_iter().map(|(_, row, ..)| row).collect()
    }

    async fn reopen(self: Box<Self>) -> Option<Box<dyn Subject>> {
        self.client.kill();
        self.ledger.restart(Duration::from_secs(1)).await;
        Some(Self::over(self.ledger, self.world))
    }
}

#[tokio::test(start_paused = true)]
async fn the_simulated_ledger_conforms() {
    run_all(&Simulated).await;
}

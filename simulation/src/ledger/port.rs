//! One process's client of the ledger: the store port.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use inventory_core::clock::Timestamp;
use inventory_core::ids::{BatchId, OrderId, ProductId};
use inventory_core::journal::ProductVersion;
use inventory_core::reservation::Reservation;
use inventory_core::store::{
    Backend, Due, HoldOn, OrdersPage, Pruned, Read, Resolution, Retention, Session, Sharing, Store,
    StoreError, StoreErrorKind, audit_rows,
};
use tokio::sync::mpsc;

use super::connection::Connection;
use super::server::Server;
use super::state::State;
use super::{ANSWER_TIMEOUT, Link, Shared, SimulatedLedger};
use crate::faults::Fault;
use crate::mutant::Mutant;

/// See [`Store`].
#[derive(Clone, Debug)]
pub struct Client {
    shared: Arc<Shared>,
    link: Link,
    sharing: Sharing,
}

impl SimulatedLedger {
    /// A client for the process with this way here, which says of the ledger that it is `sharing`.
    pub fn client(&self, link: Link, sharing: Sharing) -> Client {
        Client { shared: self.shared.clone(), link, sharing }
    }
}

impl Client {
    /// Ends the process that this client belongs to, without a farewell. A ledger that it has for itself is a file that it has locked:
    /// no COMMIT of a dead process reaches that one.
    pub fn kill(&self) {
        self.link.kill(&self.shared.tasks);
        if self.sharing == Sharing::Exclusive {
            self.shared.state.lock().end_all();
        }
    }

    /// Waits for the server no longer than a client would.
    async fn answer<T>(&self, asked: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        let said = tokio::time::timeout(ANSWER_TIMEOUT, asked).await;
        self.link.alive().await;
        said.unwrap_or_else(|_| Err(away("no answer in time (simulated)")))
    }

    /// To the server, if it is there.
    async fn reach(&self) -> Result<(), StoreError> {
        self.link.travel().await;
        self.shared.step().await;
        let is_up = self.shared.state.lock().is_up;
        if !is_up || self.shared.world.faults.strikes(Fault::LostConnection) {
            return Err(away("the connection failed (simulated)"));
        }
        Ok(())
    }

    /// One statement outside transactions.
    async fn query<T: Send>(&self, look: impl FnOnce(&mut State) -> T + Send) -> Result<T, StoreError> {
        self.answer(async {
            self.reach().await?;
            let found = look(&mut self.shared.state.lock());
            self.link.travel().await;
            Ok(found)
        })
        .await
    }
}

fn away(message: &str) -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable, message)
}

#[async_trait]
impl Store for Client {
    fn sharing(&self) -> Sharing {
        self.sharing
    }

    async fn open_session(&self) -> Result<Box<dyn Session>, StoreError> {
        let opened = self.answer(async {
            self.reach().await?;
            if self.shared.world.faults.strikes(Fault::Full) {
                return Err(StoreError::new(StoreErrorKind::Full, "too many connections (simulated)"));
            }
            let (wire, inbox) = mpsc::unbounded_channel();
            let (pid, backend, kill) = self.shared.state.lock().start(self.link.process());
            let server = Server { shared: self.shared.clone(), pid, kill, inbox };
            self.shared.tasks.spawn(server.run());
            self.link.connect(pid, wire);
            self.link.travel().await;
            Ok(Connection::new(self.shared.clone(), self.link.clone(), pid, backend))
        });
        Ok(Box::new(opened.await?))
    }

    async fn resolve(&self, batch: BatchId, backend: Backend) -> Result<Resolution, StoreError> {
        self.answer(async {
            self.reach().await?;
            let resolver = self.shared.clone().resolve(self.link.process(), batch, backend);
            // On the server: it goes on when its client is gone.
            let settled = self.shared.tasks.spawn(resolver);
            let settled = settled.await.unwrap_or_else(|_| Err(away("the resolver is gone (simulated)")))?;
            self.link.travel().await;
            let faults = &self.shared.world.faults;
            if faults.is_on(Fault::LostConnection) && faults.dice().percent(20) {
                faults.note(Fault::LostConnection);
                return Err(away("the answer is lost (simulated)"));
            }
            Ok(settled)
        })
        .await
    }

    async fn read(&self, products: &[ProductId], orders: &[OrderId]) -> Result<Read, StoreError> {
        let (is_stale, forgets) =
            (self.shared.world.is(Mutant::StaleReads), self.shared.world.is(Mutant::ForgottenOrders));
        self.query(|state| {
            let mut read = state.tables.read(products, orders);
            if is_stale {
                let old = state.stale.1.read(products, &[]).products;
                for product in &mut read.products {
                    if let Some(old) = old.iter().find(|old| old.id == product.id) {
                        product.clone_from(old);
                    }
                }
            }
            if forgets {
                read.known_orders.clear();
            }
            read
        })
        .await
    }

    async fn reservation(&self, order: OrderId) -> Result<(Timestamp, Option<Reservation>), StoreError> {
        self.query(|state| (state.now(), state.tables.reservation(order).cloned())).await
    }

    async fn orders_after(&self, after: Option<OrderId>, limit: usize) -> Result<OrdersPage, StoreError> {
        self.query(|state| {
            let now = state.now();
            state.tables.orders_after(after, limit, now)
        })
        .await
    }

    async fn due(&self, grace: Duration, limit: usize) -> Result<Due, StoreError> {
        self.query(|state| {
            let now = state.now();
            state.tables.due(grace, limit, now)
        })
        .await
    }

    async fn holds_on(&self, product: ProductId, limit: usize) -> Result<Vec<HoldOn>, StoreError> {
        self.query(|state| state.tables.holds_on(product, limit)).await
    }

    async fn history(
        &self,
        product: ProductId,
        from_version: u64,
        limit: usize,
    ) -> Result<Vec<ProductVersion>, StoreError> {
        self.query(|state| state.tables.history(product, from_version, limit)).await
    }

    async fn prune(&self, retention: &Retention) -> Result<Pruned, StoreError> {
        self.query(|state| {
            let now = state.now();
            state.tables.prune(retention, now)
        })
        .await
    }

    async fn snapshot(&self) -> Result<Box<dyn audit_rows::Snapshot>, StoreError> {
        let copy = self.query(|state| state.tables.clone()).await?;
        Ok(copy.into_copy().into_snapshot())
    }
}

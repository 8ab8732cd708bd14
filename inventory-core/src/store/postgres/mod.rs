//! The ledger on Postgres, arbitrated by row locks (`SELECT … FOR UPDATE`) under READ COMMITTED.
//!
//! A batch of reserves whose products this session has written last is one message: it is decided on what is remembered of them, and one
//! statement locks the rows, makes sure of them and writes everything, or nothing ([`presumed`]). Any other is three, each waited for:
//!
//! 1. `BEGIN`, the fence, the locks and the clock, as one simple-protocol message of EXECUTEs ([`lock`]). A batch that
//!    has to read orders first takes one more, because what it locks depends on their lines.
//! 2. One data-modifying statement for everything that common batches write ([`persist`]).
//! 3. `COMMIT` ([`session`]), whose success is checked: see there.
//!
//! The transaction is never sqlx's: its `begin()` is not safe to cancel and its `commit()` does not look at the answer.
//! When the answer to COMMIT is lost, [`resolve`] settles the outcome through the fence.

mod ahead;
mod connect;
mod due;
mod errors;
mod history;
mod lock;
mod migrate;
mod persist;
mod presumed;
mod prune;
mod read;
mod recent;
mod resolve;
mod rows;
mod seen;
mod session;
pub mod snapshot;
mod time;

use std::time::Duration;

use async_trait::async_trait;
use sqlx::postgres::{PgConnectOptions, PgPool};

use crate::clock::Timestamp;
use crate::ids::{BatchId, OrderId, ProductId};
use crate::journal::ProductVersion;
use crate::reservation::Reservation;
use crate::store::{
    Backend, Due, HoldOn, OrdersPage, Pruned, Read, Resolution, Retention, Session, Sharing, Store,
    StoreError, audit_rows,
};

/// How a store behaves towards its server.
#[derive(Clone, Debug)]
pub struct PostgresOptions {
    /// Whether other engines change the same rows. [`Sharing::Shared`] is always correct.
    pub sharing: Sharing,
    /// Connections for reads, at most; each session has one more of its own.
    pub read_connections: u32,
    /// How long a batch waits for a row that someone else holds.
    pub lock_timeout: Duration,
    /// How long one statement may take on the server.
    pub statement_timeout: Duration,
    /// How long the server keeps a transaction open whose client says nothing.
    pub idle_in_transaction_timeout: Duration,
    /// How long to wait for any answer before the connection counts as lost. Longer than `statement_timeout`.
    pub answer_timeout: Duration,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self {
            sharing: Sharing::Shared,
            read_connections: 4,
            lock_timeout: Duration::from_millis(200),
            statement_timeout: Duration::from_secs(10),
            idle_in_transaction_timeout: Duration::from_secs(5),
            answer_timeout: Duration::from_secs(15),
        }
    }
}

/// A ledger in the schema `inventory_service_schema` of a Postgres database.
#[derive(Debug)]
pub struct PostgresStore {
    connect: PgConnectOptions,
    options: PostgresOptions,
    readers: PgPool,
    sweep: due::Sweep,
    emptied: prune::Emptied,
}

impl PostgresStore {
    /// Brings the schema up to date, with the rights of the login in `url`. Concurrent calls wait for each other.
    pub async fn migrate(url: &str) -> Result<(), StoreError> {
        migrate::migrate(url).await
    }

    /// Opens a ledger that [`PostgresStore::migrate`] has made. Works as the role `holdfast_inventory_app` if the login
    /// may take it.
    ///
    /// # Errors
    /// [`Misconfigured`](crate::store::StoreErrorKind::Misconfigured) when the schema is missing, older or newer than this program.
    pub async fn connect(url: &str, options: PostgresOptions) -> Result<Self, StoreError> {
        let connect = connect::options(url, &options)?;
        let mut conn = connect::open(&connect).await?;
        connect::take_role(&mut conn, connect::APP_ROLE).await.map_err(errors::classify)?;
        migrate::check(&mut conn).await?;
        let _ = sqlx::Connection::close(conn).await;
        let readers = connect::readers(&connect, options.read_connections).await?;
        let (sweep, emptied) = Default::default();
        Ok(Self { connect, options, readers, sweep, emptied })
    }

    /// Whether any product was ever created.
    pub async fn has_products(&self) -> Result<bool, StoreError> {
        self.answer(read::has_products(&self.readers)).await
    }

    /// A read that gets no answer must not keep everyone waiting who needs one.
    async fn answer<T>(&self, read: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        session::answer(self.options.answer_timeout, read).await
    }
}

#[async_trait]
impl Store for PostgresStore {
    fn sharing(&self) -> Sharing {
        self.options.sharing
    }

    async fn open_session(&self) -> Result<Box<dyn Session>, StoreError> {
        let session = session::PostgresSession::open(&self.connect, self.options.answer_timeout).await?;
        Ok(Box::new(session))
    }

    async fn resolve(&self, batch: BatchId, backend: Backend) -> Result<Resolution, StoreError> {
        resolve::resolve(&self.connect, self.options.answer_timeout, batch, backend).await
    }

    async fn read(&self, products: &[ProductId], orders: &[OrderId]) -> Result<Read, StoreError> {
        self.answer(read::read(&self.readers, products, orders)).await
    }

    async fn reservation(&self, order: OrderId) -> Result<(Timestamp, Option<Reservation>), StoreError> {
        self.answer(read::reservation_of(&self.readers, order)).await
    }

    async fn orders_after(&self, after: Option<OrderId>, limit: usize) -> Result<OrdersPage, StoreError> {
        self.answer(read::orders_after(&self.readers, after, limit)).await
    }

    async fn due(&self, grace: Duration, limit: usize) -> Result<Due, StoreError> {
        self.answer(due::due(&self.readers, &self.sweep, grace, limit)).await
    }

    async fn holds_on(&self, product: ProductId, limit: usize) -> Result<Vec<HoldOn>, StoreError> {
        self.answer(read::holds_on(&self.readers, product, limit)).await
    }

    async fn history(
        &self,
        product: ProductId,
        from_version: u64,
        limit: usize,
    ) -> Result<Vec<ProductVersion>, StoreError> {
        self.answer(history::history(&self.readers, product, from_version, limit)).await
    }

    async fn prune(&self, retention: &Retention) -> Result<Pruned, StoreError> {
        prune::prune(&self.connect, &self.emptied, retention).await
    }

    async fn snapshot(&self) -> Result<Box<dyn audit_rows::Snapshot>, StoreError> {
        let mut connection = connect::open(&self.connect).await?;
        connect::take_role(&mut connection, connect::APP_ROLE).await.map_err(errors::classify)?;
        Ok(snapshot::snapshot(connection, snapshot::PIECE_ROWS_MAX))
    }
}

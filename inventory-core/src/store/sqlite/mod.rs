//! The ledger in one SQLite file: one process, one writer. WAL and `synchronous=FULL`: what COMMIT answered is on
//! the disk. `BEGIN IMMEDIATE` takes the file's one write lock, so whatever a batch reads afterwards stays true
//! until its COMMIT, and a single read does where Postgres needs two.
//!
//! The clock that judges is this process's. Every batch writes the time with it, and the next process starts
//! no earlier, so that a wall clock that was set back cannot bring ended holds to life.

mod bulk;
mod error;
mod history;
mod lock;
mod prune;
mod read;
mod rows;
mod session;
pub mod snapshot;
mod write;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions, SqliteConnection};
use tokio::sync::Mutex;

use self::lock::LockFile;
use self::session::SqliteSession;
use super::{
    Backend, Due, HoldOn, OrdersPage, Pruned, Read, Resolution, Retention, Session, Sharing, Store,
    StoreError, audit_rows,
};
use crate::clock::{Clock, ProcessClock, Timestamp};
use crate::ids::{BatchId, OrderId, ProductId};
use crate::journal::ProductVersion;
use crate::reservation::Reservation;

/// Connections that read, at most. They never wait for the writer, nor the writer for them.
const READERS_MAX: u32 = 4;
/// How long to wait for a lock that another process holds on the file (a backup, a shell).
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Prepared statements that a connection keeps: every text of this adapter, in every size.
const STATEMENTS_MAX: usize = 256;
/// The writer's page cache.
const CACHE_KIB: u32 = 32 * 1_024;
/// Pages in the write-ahead log before a commit moves them into the file.
const CHECKPOINT_PAGES: u32 = 4_000;

/// The schema's versions, embedded.
static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("../migrations/inventory/sqlite");

/// A ledger in a SQLite file.
pub struct SqliteStore {
    shared: Arc<Shared>,
}

struct Shared {
    options: SqliteConnectOptions,
    readers: SqlitePool,
    /// Held by the one connection that has a write transaction: a queue in front of the file's own lock.
    turn: Arc<Mutex<()>>,
    clock: Arc<dyn Clock>,
    /// Last, so that it is given back after the connections.
    _lock: LockFile,
}

impl SqliteStore {
    /// Opens the file, creates it if it is missing, and brings its schema up to date. Refuses with `Unavailable`
    /// while another store, in this process or another, has the file open.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::open_with_clock(path, |last| Arc::new(ProcessClock::starting_after(last))).await
    }

    /// As [`SqliteStore::open`], judging by the clock that `make` returns for the last persisted time.
    pub async fn open_with_clock(
        path: impl AsRef<Path>,
        make: impl FnOnce(Timestamp) -> Arc<dyn Clock> + Send,
    ) -> Result<Self, StoreError> {
        let lock = LockFile::acquire(path.as_ref())?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(false)
            .busy_timeout(BUSY_TIMEOUT)
            .statement_cache_capacity(STATEMENTS_MAX)
            .pragma("temp_store", "MEMORY")
            .pragma("cache_size", format!("-{CACHE_KIB}"))
            .pragma("wal_autocheckpoint", CHECKPOINT_PAGES.to_string())
            .disable_statement_logging();
        let mut connection = options.connect().await.map_err(error::store_error)?;
        // Not `run`, whose future the compiler cannot see to be Send.
        MIGRATIONS.run_direct(None, &mut connection, false).await.map_err(error::migrate_error)?;
        forget_statistics(&mut connection).await.map_err(error::store_error)?;
        let last: Option<i64> = sqlx::query_scalar("SELECT at FROM watermarks WHERE name = 'clock'")
            .fetch_optional(&mut connection)
            .await
            .map_err(error::store_error)?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS_MAX)
            .test_before_acquire(false)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_lazy_with(options.clone().create_if_missing(false).pragma("query_only", "ON"));
        let clock = make(last.map_or(Timestamp::EPOCH, Timestamp::from_micros));
        let turn = Arc::default();
        Ok(Self { shared: Arc::new(Shared { options, readers, turn, clock, _lock: lock }) })
    }

    /// Whether any product was ever created.
    pub async fn has_products(&self) -> Result<bool, StoreError> {
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM inventory)")
            .fetch_one(&self.shared.readers)
            .await
            .map_err(error::store_error)
    }

    /// Closes the connections that read, waiting for those in use. The file is free for another process once
    /// every session and the store itself were dropped.
    pub async fn close(&self) {
        self.shared.readers.close().await;
    }
}

/// Without statistics SQLite takes every table to be large, and looks keys up. With old ones, left by somebody's
/// ANALYZE when the tables were small, it would scan them for every batch.
async fn forget_statistics(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let tables: Vec<String> =
        sqlx::query_scalar("SELECT name FROM sqlite_schema WHERE name IN ('sqlite_stat1', 'sqlite_stat4')")
            .fetch_all(&mut *connection)
            .await?;
    for table in tables {
        sqlx::query(sqlx::AssertSqlSafe(format!("DELETE FROM {table}"))).execute(&mut *connection).await?;
    }
    Ok(())
}

impl Shared {
    /// A connection that may write.
    async fn connect(&self) -> Result<SqliteConnection, StoreError> {
        self.options.connect().await.map_err(error::store_error)
    }
}

#[async_trait]
impl Store for SqliteStore {
    fn sharing(&self) -> Sharing {
        Sharing::Exclusive
    }

    async fn open_session(&self) -> Result<Box<dyn Session>, StoreError> {
        Ok(Box::new(SqliteSession::open(Arc::clone(&self.shared)).await?))
    }

    async fn resolve(&self, batch: BatchId, _: Backend) -> Result<Resolution, StoreError> {
        self.shared.resolve(batch).await
    }

    async fn read(&self, products: &[ProductId], orders: &[OrderId]) -> Result<Read, StoreError> {
        self.shared.read(products, orders).await
    }

    async fn reservation(&self, order: OrderId) -> Result<(Timestamp, Option<Reservation>), StoreError> {
        self.shared.reservation(order).await
    }

    async fn orders_after(&self, after: Option<OrderId>, limit: usize) -> Result<OrdersPage, StoreError> {
        self.shared.orders_after(after, limit).await
    }

    async fn due(&self, grace: Duration, limit: usize) -> Result<Due, StoreError> {
        self.shared.due(grace, limit).await
    }

    async fn holds_on(&self, product: ProductId, limit: usize) -> Result<Vec<HoldOn>, StoreError> {
        self.shared.holds_on(product, limit).await
    }

    async fn history(
        &self,
        product: ProductId,
        from_version: u64,
        limit: usize,
    ) -> Result<Vec<ProductVersion>, StoreError> {
        self.shared.history(product, from_version, limit).await
    }

    async fn prune(&self, retention: &Retention) -> Result<Pruned, StoreError> {
        self.shared.prune(retention).await
    }

    async fn snapshot(&self) -> Result<Box<dyn audit_rows::Snapshot>, StoreError> {
        Ok(snapshot::snapshot(self.shared.connect().await?))
    }
}

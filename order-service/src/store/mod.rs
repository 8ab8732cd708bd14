//! Orders and their sagas in one schema, on Postgres or SQLite. One operation a file.
//!
//! **There is one way to change an order**: a [`batch`] locks the orders' rows, asks `saga::step` about each ([`advance`]), and writes
//! everything that was decided in the same transaction. REST, events, timers, answers of calls and operators all come through it.

mod actions;
mod advance;
pub mod apply;
mod batch;
pub mod claim;
mod forget;
pub mod hear;
mod key;
mod log;
pub mod order;
mod payments;
pub mod place;
pub mod plan;
pub mod read;
pub mod row;
pub mod settle;
pub mod timeline;
pub mod timers;
pub mod waiting;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use service_kit::sql::Database;
use sqlx::migrate::Migrator;
use tokio::sync::Notify;

use crate::saga::Mode;
use batch::{Batches, Writes};

pub use advance::event;
pub use apply::{Applied, ApplyError, Cause};
pub use claim::Claim;
pub use hear::{Heard, Hearing, MoneyFact};
pub use order::{Order, Placement};
pub use place::Placed;
pub use settle::{Retry, Settled};
pub use timeline::{Entry, EntryKind};

/// The schema's name on Postgres.
pub const SCHEMA: &str = "order_service_schema";

static POSTGRES: Migrator = sqlx::migrate!("../migrations/orders/postgres");
static SQLITE: Migrator = sqlx::migrate!("../migrations/orders/sqlite");

/// How orders are kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StoreOptions {
    /// Who leads new orders; one that was placed stays as it is.
    pub mode: Mode,
    /// The time to pay; below the hold, with margin.
    pub payment_deadline: Duration,
    /// How long a claimed call may take before others may take it over. Longer than any call.
    pub lease: Duration,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            mode: Mode::Orchestration,
            payment_deadline: Duration::from_secs(600),
            // After a crash others go on within this and one poll: below ten seconds.
            lease: Duration::from_secs(8),
        }
    }
}

/// The orders' rows. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    db: Database,
    options: StoreOptions,
    batches: Arc<Batches>,
    work: Arc<Notify>,
    outbox: Arc<Notify>,
    alarms: Arc<AtomicU64>,
}

impl Store {
    /// Connects; see [`Database::connect`] for addresses.
    pub async fn connect(url: &str, options: StoreOptions) -> Result<Self, sqlx::Error> {
        Ok(Self::new(Database::connect(url, SCHEMA).await?, options))
    }

    /// Around a database that was connected with [`SCHEMA`].
    pub fn new(db: Database, options: StoreOptions) -> Self {
        Self {
            db,
            options,
            batches: Arc::default(),
            work: Arc::default(),
            outbox: Arc::default(),
            alarms: Arc::default(),
        }
    }

    /// Brings the schema up to date.
    pub async fn migrate(&self) -> Result<(), sqlx::Error> {
        self.db.migrate(&POSTGRES, &SQLITE).await
    }

    /// The database, for the relay and the consumer.
    pub fn database(&self) -> &Database {
        &self.db
    }

    /// How orders are kept.
    pub fn options(&self) -> &StoreOptions {
        &self.options
    }

    /// Rung after each commit that left calls to make.
    pub fn work(&self) -> &Arc<Notify> {
        &self.work
    }

    /// Rung after each commit that wrote events, for the relay.
    pub fn outbox(&self) -> &Arc<Notify> {
        &self.outbox
    }

    /// Alarms since the start.
    pub fn alarms(&self) -> u64 {
        self.alarms.load(Ordering::Relaxed)
    }

    /// Tells whoever waits for what a batch wrote, once it is durable.
    fn ring(&self, written: &Writes) {
        for (order, what) in &written.alarms {
            tracing::error!(%order, %what, "an order needs an operator");
        }
        self.alarms.fetch_add(written.alarms.len() as u64, Ordering::Relaxed);
        if written.has_work() {
            self.work.notify_one();
        }
        if !written.events.is_empty() {
            self.outbox.notify_one();
        }
    }
}

/// A duration in the microseconds that cross to the database.
pub(crate) fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX / 4)
}

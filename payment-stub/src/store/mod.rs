//! The books. One operation a file, each its own transaction; run them in a task of their own, never in one that a client can drop.

mod accept;
mod find;
mod refund;
mod row;
mod settle;
mod tries;

use std::time::Duration;

use chrono::{DateTime, Utc};
use service_kit::sql::Database;
use sqlx::migrate::Migrator;

pub(crate) use accept::{AcceptError, accept, accept_in};
pub(crate) use find::find;
pub(crate) use refund::{RefundError, refund};
pub(crate) use settle::{Batch, settle_due};
pub(crate) use tries::count_try;

static POSTGRES: Migrator = sqlx::migrate!("../migrations/payments/postgres");
static SQLITE: Migrator = sqlx::migrate!("../migrations/payments/sqlite");

/// Where the tables stand on Postgres.
const SCHEMA: &str = "payment_service_schema";

/// Connects, and brings the schema up to date.
pub async fn open(url: &str) -> Result<Database, sqlx::Error> {
    let database = Database::connect(url, SCHEMA).await?;
    database.migrate(&POSTGRES, &SQLITE).await?;
    Ok(database)
}

/// What a write failed of.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteError {
    /// Nothing was changed.
    #[error("before the commit")]
    Before(#[from] sqlx::Error),
    /// Whether it was is not known.
    #[error("at the commit")]
    AtCommit(#[source] sqlx::Error),
}

/// So much later, in microseconds since 1970.
fn later(at: DateTime<Utc>, by: Duration) -> i64 {
    let by = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
    at.timestamp_micros().saturating_add(by)
}

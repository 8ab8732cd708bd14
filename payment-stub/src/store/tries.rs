//! Counting the calls of a flaky payment.

use service_kit::sql::{Database, Sql};
use uuid::Uuid;

use crate::flaky::Operation;

const UPSERT: Sql = Sql::each(
    "INSERT INTO flaky_calls (payment_id, operation, tries) VALUES ($1::uuid, $2, 1) \
     ON CONFLICT (payment_id, operation) DO UPDATE SET tries = flaky_calls.tries + 1 RETURNING tries",
    "INSERT INTO flaky_calls (payment_id, operation, tries) VALUES ($1, $2, 1) \
     ON CONFLICT (payment_id, operation) DO UPDATE SET tries = flaky_calls.tries + 1 RETURNING tries",
);

/// Counts one more call, and answers which one it is, from one.
pub(crate) async fn count_try(
    database: &Database,
    id: Uuid,
    operation: Operation,
) -> Result<u64, sqlx::Error> {
    let tries: i64 = sqlx::query_scalar(database.sql(UPSERT))
        .bind(id.to_string())
        .bind(operation.name())
        .fetch_one(database.pool())
        .await?;
    Ok(u64::try_from(tries).unwrap_or(0))
}

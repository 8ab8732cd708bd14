//! Money facts that were told already, whatever their events' ids.

use service_kit::sql::{Sql, Transaction, touched};
use uuid::Uuid;

const INSERT: Sql = Sql::each(
    "INSERT INTO payments_seen (payment_id, outcome, event_id, at) VALUES ($1::uuid, $2, $3, clock_timestamp()) \
     ON CONFLICT DO NOTHING",
    "INSERT INTO payments_seen (payment_id, outcome, event_id, at) \
     VALUES ($1, $2, $3, CAST(unixepoch('subsec') * 1000000 AS INTEGER)) ON CONFLICT DO NOTHING",
);

/// Whether this outcome of this payment is told for the first time.
pub(crate) async fn is_first(
    tx: &mut Transaction,
    payment: Uuid,
    outcome: &str,
    event: Uuid,
) -> Result<bool, sqlx::Error> {
    let inserted = sqlx::query(tx.sql(INSERT))
        .bind(payment.to_string())
        .bind(outcome)
        .bind(event.to_string())
        .execute(tx.connection())
        .await?;
    Ok(touched(&inserted) == 1)
}

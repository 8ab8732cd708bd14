//! Taking note of a delivery: the first statement of a handler's transaction.

use crate::sql::{Sql, Transaction, touched};

const INSERT: Sql = Sql::each(
    "INSERT INTO inbox (consumer, message, at) VALUES ($1, $2, clock_timestamp()) ON CONFLICT DO NOTHING",
    "INSERT INTO inbox (consumer, message, at) VALUES ($1, $2, CAST(unixepoch('subsec') * 1000000 AS INTEGER)) \
     ON CONFLICT DO NOTHING",
);

/// Whether this message is new to this consumer. If not, it was handled before: leave everything as it is. A second handler of the
/// same message waits here until the first has ended.
pub async fn is_first(tx: &mut Transaction, consumer: &str, message: &str) -> Result<bool, sqlx::Error> {
    let inserted = sqlx::query(tx.sql(INSERT)).bind(consumer).bind(message).execute(tx.connection()).await?;
    Ok(touched(&inserted) == 1)
}

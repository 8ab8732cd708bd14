//! Taking note of deliveries, in the transaction that handles them.

use std::collections::HashSet;

use sqlx::Row as _;

use crate::sql::{Sql, Transaction};

// `$2` is a JSON array. In one order, so that two who take note of the same messages never wait for each other in a ring.
const INSERT: Sql = Sql::each(
    "INSERT INTO inbox (consumer, message, at) \
     SELECT $1, m.value, clock_timestamp() FROM json_array_elements_text($2::json) AS m (value) ORDER BY m.value \
     ON CONFLICT DO NOTHING RETURNING message",
    "INSERT INTO inbox (consumer, message, at) \
     SELECT $1, m.value, CAST(unixepoch('subsec') * 1000000 AS INTEGER) FROM json_each($2) AS m WHERE true \
     ON CONFLICT DO NOTHING RETURNING message",
);

/// Whether this message is new to this consumer. If not, it was handled before: leave everything as it is. A second handler of the
/// same message waits here until the first has ended.
pub async fn is_first(tx: &mut Transaction, consumer: &str, message: &str) -> Result<bool, sqlx::Error> {
    Ok(!firsts(tx, consumer, &[message]).await?.is_empty())
}

/// Those of these messages that are new to this consumer; otherwise as [`is_first`].
pub async fn firsts(
    tx: &mut Transaction,
    consumer: &str,
    messages: &[&str],
) -> Result<HashSet<String>, sqlx::Error> {
    if messages.is_empty() {
        return Ok(HashSet::new());
    }
    let rows = sqlx::query(tx.sql(INSERT))
        .bind(consumer)
        .bind(crate::sql::json(messages)?)
        .fetch_all(tx.connection())
        .await?;
    rows.iter().map(|row| row.try_get("message")).collect()
}

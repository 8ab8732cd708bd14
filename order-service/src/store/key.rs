//! Callers' keys: the first thing that a placement takes. A second one with the same key waits here for the first.

use std::collections::HashMap;

use service_kit::sql::{Sql, Transaction, id, json};
use sqlx::Row as _;
use uuid::Uuid;

use super::batch::Key;

// `$1` is a JSON array. In one order, so that two who take the same keys never wait for each other in a ring.
const TAKE: Sql = Sql::each(
    "INSERT INTO idempotency_keys (user_id, key, fingerprint, order_id, created_at) \
     SELECT k.\"user\", k.key, k.fingerprint, k.\"order\", clock_timestamp() \
     FROM json_to_recordset($1::json) AS k (\"user\" text, key text, fingerprint text, \"order\" uuid) ORDER BY k.\"user\", k.key \
     ON CONFLICT DO NOTHING RETURNING user_id, key",
    "INSERT INTO idempotency_keys (user_id, key, fingerprint, order_id, created_at) \
     SELECT k.value->>'user', k.value->>'key', k.value->>'fingerprint', k.value->>'order', \
            CAST(unixepoch('subsec') * 1000000 AS INTEGER) \
     FROM json_each($1) AS k WHERE true ON CONFLICT DO NOTHING RETURNING user_id, key",
);
const FIND: Sql = Sql::each(
    "SELECT i.user_id, i.key, i.fingerprint, i.order_id::text AS order_id \
     FROM json_to_recordset($1::json) AS k (\"user\" text, key text) \
     JOIN idempotency_keys i ON i.user_id = k.\"user\" AND i.key = k.key",
    "SELECT i.user_id, i.key, i.fingerprint, i.order_id FROM json_each($1) AS k \
     JOIN idempotency_keys i ON i.user_id = k.value->>'user' AND i.key = k.value->>'key'",
);
const FREE: Sql = Sql::each(
    "DELETE FROM idempotency_keys WHERE order_id = ANY (ARRAY(SELECT json_array_elements_text($1::json)::uuid))",
    "DELETE FROM idempotency_keys WHERE order_id IN (SELECT value FROM json_each($1))",
);

/// Whose key it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Taken {
    /// It was free and stands for the new order now.
    Mine,
    /// It stands for this order already.
    Theirs {
        /// The body it stands for.
        fingerprint: String,
        /// The order.
        order: Uuid,
    },
}

/// Takes keys, by user and key.
pub(super) async fn take(
    tx: &mut Transaction,
    wanted: &[&Key],
) -> Result<HashMap<(String, String), Taken>, sqlx::Error> {
    let mut taken = HashMap::with_capacity(wanted.len());
    let mut left = wanted.to_vec();
    while !left.is_empty() {
        let inserted = sqlx::query(tx.sql(TAKE)).bind(json(&left)?).fetch_all(tx.connection()).await?;
        for row in inserted {
            taken.insert((row.try_get("user_id")?, row.try_get("key")?), Taken::Mine);
        }
        left.retain(|key| !taken.contains_key(&key.name()));
        if left.is_empty() {
            break;
        }
        for row in sqlx::query(tx.sql(FIND)).bind(json(&left)?).fetch_all(tx.connection()).await? {
            let theirs =
                Taken::Theirs { fingerprint: row.try_get("fingerprint")?, order: id(&row, "order_id")? };
            taken.insert((row.try_get("user_id")?, row.try_get("key")?), theirs);
        }
        // What is left was taken, and is free again: once more.
        left.retain(|key| !taken.contains_key(&key.name()));
    }
    Ok(taken)
}

/// These orders never were: their keys may be used again.
pub(super) async fn free(tx: &mut Transaction, orders: &[Uuid]) -> Result<(), sqlx::Error> {
    if orders.is_empty() {
        return Ok(());
    }
    sqlx::query(tx.sql(FREE)).bind(json(orders)?).execute(tx.connection()).await.map(drop)
}

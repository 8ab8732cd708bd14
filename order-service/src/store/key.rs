//! Callers' keys: the first statement of a placement. A second one with the same key waits here for the first.

use service_kit::sql::{Sql, Transaction, touched};
use sqlx::Row as _;
use uuid::Uuid;

const TAKE: Sql = Sql::each(
    "INSERT INTO idempotency_keys (user_id, key, fingerprint, order_id, created_at) \
     VALUES ($1, $2, $3, $4::uuid, clock_timestamp()) ON CONFLICT DO NOTHING",
    "INSERT INTO idempotency_keys (user_id, key, fingerprint, order_id, created_at) \
     VALUES ($1, $2, $3, $4, CAST(unixepoch('subsec') * 1000000 AS INTEGER)) ON CONFLICT DO NOTHING",
);
const FIND: Sql = Sql::same(
    "SELECT fingerprint, CAST(order_id AS text) AS order_id FROM idempotency_keys WHERE user_id = $1 AND key = $2",
);
const FREE: Sql = Sql::each(
    "DELETE FROM idempotency_keys WHERE order_id = $1::uuid",
    "DELETE FROM idempotency_keys WHERE order_id = $1",
);

/// Whose key it is.
pub(super) enum Taken {
    /// It was free and stands for the new order now.
    Mine,
    /// It stands for this order already.
    Theirs { fingerprint: String, order: Uuid },
    /// It was taken, and is free again: try once more.
    Gone,
}

pub(super) async fn take(
    tx: &mut Transaction,
    user: &str,
    key: &str,
    fingerprint: &str,
    order: Uuid,
) -> Result<Taken, sqlx::Error> {
    let inserted = sqlx::query(tx.sql(TAKE))
        .bind(user)
        .bind(key)
        .bind(fingerprint)
        .bind(order.to_string())
        .execute(tx.connection())
        .await?;
    if touched(&inserted) == 1 {
        return Ok(Taken::Mine);
    }
    let found = sqlx::query(tx.sql(FIND)).bind(user).bind(key).fetch_optional(tx.connection()).await?;
    let Some(found) = found else { return Ok(Taken::Gone) };
    let order: String = found.try_get("order_id")?;
    Ok(Taken::Theirs {
        fingerprint: found.try_get("fingerprint")?,
        order: Uuid::try_parse(&order).map_err(|error| sqlx::Error::Decode(error.into()))?,
    })
}

/// The order never was: its key may be used again.
pub(super) async fn free(tx: &mut Transaction, order: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query(tx.sql(FREE)).bind(order.to_string()).execute(tx.connection()).await.map(drop)
}

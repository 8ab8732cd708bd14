//! Callers' keys: the first thing that a placement takes. A second one with the same key waits here for the first.
//!
//! **A key that somebody was told an order for stands for it** (I7): a repeat marks it before its answer. Only a key that nobody was
//! told anything for can be given back, by the one caller whose placement came to nothing.

use std::collections::{HashMap, HashSet};

use service_kit::sql::{Sql, Transaction, id, json};
use sqlx::Row as _;
use sqlx::any::AnyRow;
use uuid::Uuid;

use super::apply::ApplyError;
use super::batch::{Change, Facts, Key, Need, Writes};
use super::{Store, StoreOptions};

// `$1` is a JSON array. In one order, so that two who take the same keys never wait for each other in a ring.
const TAKE: Sql = Sql::each(
    "INSERT INTO idempotency_keys (user_id, key, fingerprint, order_id, created_at, told) \
     SELECT k.\"user\", k.key, k.fingerprint, k.\"order\", clock_timestamp(), false \
     FROM json_to_recordset($1::json) AS k (\"user\" text, key text, fingerprint text, \"order\" uuid) ORDER BY k.\"user\", k.key \
     ON CONFLICT DO NOTHING RETURNING user_id, key",
    "INSERT INTO idempotency_keys (user_id, key, fingerprint, order_id, created_at, told) \
     SELECT k.value->>'user', k.value->>'key', k.value->>'fingerprint', k.value->>'order', \
            CAST(unixepoch('subsec') * 1000000 AS INTEGER), 0 \
     FROM json_each($1) AS k WHERE true ON CONFLICT DO NOTHING RETURNING user_id, key",
);
// The first repeat under a key. From then on the key stands for its order.
const TELL: Sql = Sql::each(
    "UPDATE idempotency_keys SET told = true WHERE (user_id, key) IN (SELECT i.user_id, i.key \
     FROM json_to_recordset($1::json) AS k (\"user\" text, key text, fingerprint text) \
     JOIN idempotency_keys i ON i.user_id = k.\"user\" AND i.key = k.key AND i.fingerprint = k.fingerprint \
     WHERE NOT i.told ORDER BY i.user_id, i.key FOR UPDATE OF i) \
     RETURNING user_id, key, fingerprint, order_id::text AS order_id",
    "UPDATE idempotency_keys SET told = 1 WHERE NOT told AND (user_id, key, fingerprint) IN \
     (SELECT k.value->>'user', k.value->>'key', k.value->>'fingerprint' FROM json_each($1) AS k) \
     RETURNING user_id, key, fingerprint, order_id",
);
const FIND: Sql = Sql::each(
    "SELECT i.user_id, i.key, i.fingerprint, i.order_id::text AS order_id \
     FROM json_to_recordset($1::json) AS k (\"user\" text, key text, fingerprint text) \
     JOIN idempotency_keys i ON i.user_id = k.\"user\" AND i.key = k.key WHERE i.told OR i.fingerprint <> k.fingerprint",
    "SELECT i.user_id, i.key, i.fingerprint, i.order_id FROM json_each($1) AS k \
     JOIN idempotency_keys i ON i.user_id = k.value->>'user' AND i.key = k.value->>'key' \
     WHERE i.told OR i.fingerprint <> k.value->>'fingerprint'",
);
const GIVE_BACK: Sql = Sql::each(
    "DELETE FROM idempotency_keys WHERE (user_id, key) IN (SELECT user_id, key FROM idempotency_keys \
     WHERE order_id = ANY (ARRAY(SELECT json_array_elements_text($1::json)::uuid)) AND NOT told \
     ORDER BY user_id, key FOR UPDATE) RETURNING order_id::text AS order_id",
    "DELETE FROM idempotency_keys WHERE order_id IN (SELECT value FROM json_each($1)) AND NOT told RETURNING order_id",
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

/// Takes keys, by user and key. What stands for an order already is marked as told.
pub(super) async fn take(
    tx: &mut Transaction,
    wanted: &[&Key],
) -> Result<HashMap<(String, String), Taken>, sqlx::Error> {
    let mut taken = HashMap::with_capacity(wanted.len());
    let mut left = wanted.to_vec();
    while !left.is_empty() {
        for row in all(tx, TAKE, &left).await? {
            taken.insert(name(&row)?, Taken::Mine);
        }
        left.retain(|key| !taken.contains_key(&key.name()));
        // What is still left after both was taken, and is free again or taken by yet another: once more.
        for sql in [TELL, FIND] {
            if left.is_empty() {
                break;
            }
            for row in all(tx, sql, &left).await? {
                taken.insert(name(&row)?, theirs(&row)?);
            }
            left.retain(|key| !taken.contains_key(&key.name()));
        }
    }
    Ok(taken)
}

async fn all(tx: &mut Transaction, sql: Sql, keys: &[&Key]) -> Result<Vec<AnyRow>, sqlx::Error> {
    sqlx::query(tx.sql(sql)).bind(json(keys)?).fetch_all(tx.connection()).await
}

fn name(row: &AnyRow) -> Result<(String, String), sqlx::Error> {
    Ok((row.try_get("user_id")?, row.try_get("key")?))
}

fn theirs(row: &AnyRow) -> Result<Taken, sqlx::Error> {
    Ok(Taken::Theirs { fingerprint: row.try_get("fingerprint")?, order: id(row, "order_id")? })
}

/// Gives these orders' keys back but those that somebody was told; whose were.
pub(super) async fn give_back(tx: &mut Transaction, orders: &[Uuid]) -> Result<HashSet<Uuid>, sqlx::Error> {
    if orders.is_empty() {
        return Ok(HashSet::new());
    }
    let given_back = sqlx::query(tx.sql(GIVE_BACK)).bind(json(orders)?).fetch_all(tx.connection()).await?;
    given_back.iter().map(|row| id(row, "order_id")).collect()
}

/// Gives an order's key back.
struct GiveBack(Uuid);

impl Change for GiveBack {
    type Answer = bool;

    fn need(&self) -> Need {
        Need { given_back: Some(self.0), ..Need::default() }
    }

    fn decide(&self, facts: &Facts, _: &StoreOptions, _: &mut Writes) -> Result<bool, ApplyError> {
        Ok(facts.is_given_back(self.0))
    }
}

impl Store {
    /// Lets the key of an order that came to nothing be used again, for the one caller who was not told of the order yet. False: somebody
    /// else was, and the key stands for the order.
    pub async fn give_key_back(&self, order: Uuid) -> Result<bool, ApplyError> {
        self.change(GiveBack(order)).await
    }
}

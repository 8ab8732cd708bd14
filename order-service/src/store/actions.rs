//! Calls to make: stored before they are made, claimed with a random token, settled under it.
//!
//! **Every write of whoever makes a call checks its token**: one that lost its lease writes nothing.

use std::collections::HashMap;
use std::time::Duration;

use serde::Serialize;
use service_kit::sql::{Sql, Transaction, id, json};
use sqlx::Row as _;
use uuid::Uuid;

use super::claim::Claim;
use super::micros;
use super::settle::Retry;
use crate::saga::Action;

// `$1` is a JSON array. Without a token the call is for a worker, at once.
const START: Sql = Sql::each(
    "INSERT INTO saga_actions (order_id, action, attempts, due_at, lease_token) \
     SELECT s.\"order\", s.action, s.attempts, clock_timestamp() + s.due_in * interval '1 microsecond', s.token \
     FROM json_to_recordset($1::json) AS s (\"order\" uuid, action text, attempts bigint, due_in bigint, token text) \
     ON CONFLICT (order_id, action) DO UPDATE SET attempts = excluded.attempts, due_at = excluded.due_at, \
         lease_token = excluded.lease_token, last_error = NULL",
    "INSERT INTO saga_actions (order_id, action, attempts, due_at, lease_token) \
     SELECT s.value->>'order', s.value->>'action', s.value->>'attempts', \
            CAST(unixepoch('subsec') * 1000000 AS INTEGER) + (s.value->>'due_in'), s.value->>'token' \
     FROM json_each($1) AS s WHERE true \
     ON CONFLICT (order_id, action) DO UPDATE SET attempts = excluded.attempts, due_at = excluded.due_at, \
         lease_token = excluded.lease_token, last_error = NULL",
);
const FINISH: Sql = Sql::each(
    "DELETE FROM saga_actions a USING json_to_recordset($1::json) AS f (\"order\" uuid, action text) \
     WHERE a.order_id = f.\"order\" AND a.action = f.action",
    "DELETE FROM saga_actions WHERE (order_id, action) IN (SELECT value->>'order', value->>'action' FROM json_each($1))",
);
// The lease counts until somebody else took it, even past its end: the answer is true and nobody else is at it.
const LEASES: Sql = Sql::each(
    "SELECT order_id::text AS order_id, action, lease_token FROM saga_actions \
     WHERE order_id = ANY (ARRAY(SELECT json_array_elements_text($1::json)::uuid)) AND lease_token IS NOT NULL \
     ORDER BY order_id, action FOR UPDATE",
    "SELECT order_id, action, lease_token FROM saga_actions \
     WHERE order_id IN (SELECT value FROM json_each($1)) AND lease_token IS NOT NULL",
);
// `$1` is a JSON array.
const POSTPONE: Sql = Sql::each(
    "UPDATE saga_actions a SET lease_token = NULL, due_at = clock_timestamp() + p.after * interval '1 microsecond', last_error = p.error \
     FROM json_to_recordset($1::json) AS p (\"order\" uuid, action text, token text, after bigint, error text) \
     WHERE a.order_id = p.\"order\" AND a.action = p.action AND a.lease_token = p.token",
    "UPDATE saga_actions AS a SET lease_token = NULL, last_error = p.value->>'error', \
            due_at = CAST(unixepoch('subsec') * 1000000 AS INTEGER) + (p.value->>'after') \
     FROM json_each($1) AS p \
     WHERE a.order_id = p.value->>'order' AND a.action = p.value->>'action' AND a.lease_token = p.value->>'token'",
);
/// Whose call.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub(super) struct Call {
    pub(super) order: Uuid,
    #[serde(serialize_with = "by_name")]
    pub(super) action: Action,
}

/// A call about to be stored. With a token it is leased to the caller at once.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub(super) struct Started {
    #[serde(flatten)]
    pub(super) call: Call,
    pub(super) attempts: i64,
    /// Microseconds from now: at once, or when the lease ends.
    pub(super) due_in: i64,
    pub(super) token: Option<Uuid>,
}

/// A call about to be forgotten.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub(super) struct Finished {
    #[serde(flatten)]
    pub(super) call: Call,
}

/// A call about to be put off by whoever holds the token.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub(super) struct Postponed {
    #[serde(flatten)]
    call: Call,
    token: Uuid,
    after: i64,
    error: String,
}

fn by_name<S: serde::Serializer>(action: &Action, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(action.name())
}

impl Started {
    /// Leased under this token, or for a worker.
    pub(super) fn new(order: Uuid, action: Action, token: Option<Uuid>, lease: Duration) -> Self {
        let (attempts, due_in) = if token.is_some() { (1, micros(lease)) } else { (0, 0) };
        Self { call: Call { order, action }, attempts, due_in, token }
    }
}

impl Postponed {
    pub(super) fn new(claim: &Claim, retry: &Retry) -> Self {
        let Claim { order, action, token, .. } = *claim;
        Self { call: Call { order, action }, token, after: micros(retry.after), error: retry.error.clone() }
    }
}

/// Stores calls to make.
pub(super) async fn start(tx: &mut Transaction, calls: &[Started]) -> Result<(), sqlx::Error> {
    all(tx, START, calls).await
}

/// Forgets calls.
pub(super) async fn finish(tx: &mut Transaction, calls: &[Finished]) -> Result<(), sqlx::Error> {
    all(tx, FINISH, calls).await
}

/// Puts calls off whose leases are still held.
pub(super) async fn postpone(tx: &mut Transaction, calls: &[Postponed]) -> Result<(), sqlx::Error> {
    all(tx, POSTPONE, calls).await
}

async fn all<T: Serialize>(tx: &mut Transaction, sql: Sql, rows: &[T]) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(tx.sql(sql)).bind(json(rows)?).execute(tx.connection()).await.map(drop)
}

/// The leases that are held on these orders' calls, by order and call; locked.
pub(super) async fn leases(
    tx: &mut Transaction,
    orders: impl Iterator<Item = Uuid>,
) -> Result<HashMap<(Uuid, String), String>, sqlx::Error> {
    let orders: Vec<Uuid> = orders.collect();
    if orders.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = sqlx::query(tx.sql(LEASES)).bind(json(&orders)?).fetch_all(tx.connection()).await?;
    rows.iter()
        .map(|row| Ok(((id(row, "order_id")?, row.try_get("action")?), row.try_get("lease_token")?)))
        .collect()
}

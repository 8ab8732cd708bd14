//! The time to pay. A timer carries the saga's version; one that was overtaken finds nothing, or a saga that knows better.

use std::collections::HashMap;
use std::time::Duration;

use serde::Serialize;
use service_kit::sql::{Row, Sql, Transaction, id, json};
use sqlx::Row as _;
use uuid::Uuid;

use super::advance::advance;
use super::apply::{Applied, ApplyError, Cause};
use super::batch::{Change, Facts, Need, Writes};
use super::{Store, StoreOptions, micros};
use crate::saga::Input;

/// A timer whose time has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Due {
    /// Whose.
    pub order: Uuid,
    /// The saga's version when it was set.
    pub version: u64,
    /// Firings that failed.
    pub attempts: u32,
}

const SET: Sql = Sql::each(
    "INSERT INTO saga_timers (order_id, saga_version, due_at) \
     SELECT t.\"order\", t.version, clock_timestamp() + t.after * interval '1 microsecond' \
     FROM json_to_recordset($1::json) AS t (\"order\" uuid, version bigint, after bigint) \
     ON CONFLICT (order_id) DO UPDATE SET saga_version = excluded.saga_version, due_at = excluded.due_at, attempts = 0",
    "INSERT INTO saga_timers (order_id, saga_version, due_at) \
     SELECT t.value->>'order', t.value->>'version', \
            CAST(unixepoch('subsec') * 1000000 AS INTEGER) + (t.value->>'after') FROM json_each($1) AS t WHERE true \
     ON CONFLICT (order_id) DO UPDATE SET saga_version = excluded.saga_version, due_at = excluded.due_at, attempts = 0",
);
const CLEAR: Sql = Sql::each(
    "DELETE FROM saga_timers WHERE order_id = ANY (ARRAY(SELECT json_array_elements_text($1::json)::uuid))",
    "DELETE FROM saga_timers WHERE order_id IN (SELECT value FROM json_each($1))",
);
const VERSIONS: Sql = Sql::each(
    "SELECT order_id::text AS order_id, saga_version FROM saga_timers \
     WHERE order_id = ANY (ARRAY(SELECT json_array_elements_text($1::json)::uuid))",
    "SELECT order_id, saga_version FROM saga_timers WHERE order_id IN (SELECT value FROM json_each($1))",
);
const DUE: Sql = Sql::each(
    "SELECT order_id::text AS order_id, saga_version, attempts FROM saga_timers WHERE due_at <= clock_timestamp() \
     ORDER BY due_at LIMIT $1",
    "SELECT order_id, saga_version, attempts FROM saga_timers \
     WHERE due_at <= CAST(unixepoch('subsec') * 1000000 AS INTEGER) ORDER BY due_at LIMIT $1",
);
const POSTPONE: Sql = Sql::each(
    "UPDATE saga_timers SET attempts = attempts + 1, due_at = clock_timestamp() + $3 * interval '1 microsecond' \
     WHERE order_id = $1::uuid AND saga_version = $2",
    "UPDATE saga_timers SET attempts = attempts + 1, due_at = CAST(unixepoch('subsec') * 1000000 AS INTEGER) + $3 \
     WHERE order_id = $1 AND saga_version = $2",
);

/// A timer about to be set, in place of the order's other one.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub(super) struct TimerSet {
    pub(super) order: Uuid,
    pub(super) version: u64,
    /// Microseconds from now, by the database's clock.
    pub(super) after: i64,
}

/// Sets timers.
pub(super) async fn set(tx: &mut Transaction, timers: &[TimerSet]) -> Result<(), sqlx::Error> {
    if timers.is_empty() {
        return Ok(());
    }
    sqlx::query(tx.sql(SET)).bind(json(timers)?).execute(tx.connection()).await.map(drop)
}

/// Takes these orders' timers away.
pub(super) async fn clear(tx: &mut Transaction, orders: &[Uuid]) -> Result<(), sqlx::Error> {
    if orders.is_empty() {
        return Ok(());
    }
    sqlx::query(tx.sql(CLEAR)).bind(json(orders)?).execute(tx.connection()).await.map(drop)
}

/// The versions at which these orders' timers were set. Under the orders' locks nobody else sets or clears one.
pub(super) async fn versions(
    tx: &mut Transaction,
    orders: impl Iterator<Item = Uuid>,
) -> Result<HashMap<Uuid, u64>, sqlx::Error> {
    let orders: Vec<Uuid> = orders.collect();
    if orders.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = sqlx::query(tx.sql(VERSIONS)).bind(json(&orders)?).fetch_all(tx.connection()).await?;
    rows.iter().map(|row| Ok((id(row, "order_id")?, version_of(row)?))).collect()
}

fn version_of(row: &Row) -> Result<u64, sqlx::Error> {
    Ok(u64::try_from(row.try_get::<i64, _>("saga_version")?).unwrap_or(0))
}

/// Takes the timer away and tells the saga.
struct Fire(Due);

impl Change for Fire {
    type Answer = Option<Applied>;

    fn need(&self) -> Need {
        Need { order: Some(self.0.order), timer: true, ..Need::default() }
    }

    fn decide(
        &self,
        facts: &Facts,
        options: &StoreOptions,
        writes: &mut Writes,
    ) -> Result<Option<Applied>, ApplyError> {
        let Due { order, version, .. } = self.0;
        let locked = facts.order(order)?;
        if facts.timer(order) != Some(version) {
            return Ok(None);
        }
        writes.clear_timer(order);
        let input = Input::PaymentDeadline { set_at_version: version };
        advance(locked, &input, &Cause::default(), options, writes).map(Some)
    }
}

impl Store {
    /// Timers whose time has come by the database's clock, up to so many. Nothing is locked: see [`Store::fire`].
    pub async fn due_timers(&self, most: usize) -> Result<Vec<Due>, sqlx::Error> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let rows = sqlx::query(self.db.sql(DUE)).bind(most).fetch_all(self.db.pool()).await?;
        let read = |row: &Row| -> Result<Due, sqlx::Error> {
            Ok(Due {
                order: id(row, "order_id")?,
                version: version_of(row)?,
                attempts: u32::try_from(row.try_get::<i64, _>("attempts")?).unwrap_or(u32::MAX),
            })
        };
        rows.iter().map(read).collect()
    }

    /// Fires one: takes it away and tells the saga, in one transaction. None if it was cleared, set anew or fired by another meanwhile.
    pub async fn fire(&self, due: &Due) -> Result<Option<Applied>, ApplyError> {
        self.change(Fire(*due)).await
    }

    /// Puts a timer off that could not be fired.
    pub async fn postpone_timer(&self, due: &Due, after: Duration) -> Result<(), sqlx::Error> {
        let mut tx = self.db.begin().await?;
        sqlx::query(tx.sql(POSTPONE))
            .bind(due.order.to_string())
            .bind(i64::try_from(due.version).unwrap_or(i64::MAX))
            .bind(micros(after))
            .execute(tx.connection())
            .await?;
        tx.commit().await
    }
}

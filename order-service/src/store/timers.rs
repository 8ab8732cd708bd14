//! The time to pay. A timer carries the saga's version; one that was overtaken finds nothing, or a saga that knows better.

use std::time::Duration;

use service_kit::sql::{Sql, Transaction, touched};
use sqlx::Row as _;
use uuid::Uuid;

use super::apply::{Applied, ApplyError, Cause, lock};
use super::{Store, micros};
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

const START: Sql = Sql::each(
    "INSERT INTO saga_timers (order_id, saga_version, due_at) \
     VALUES ($1::uuid, $2, clock_timestamp() + $3 * interval '1 microsecond') \
     ON CONFLICT (order_id) DO UPDATE SET saga_version = excluded.saga_version, due_at = excluded.due_at, attempts = 0",
    "INSERT INTO saga_timers (order_id, saga_version, due_at) \
     VALUES ($1, $2, CAST(unixepoch('subsec') * 1000000 AS INTEGER) + $3) \
     ON CONFLICT (order_id) DO UPDATE SET saga_version = excluded.saga_version, due_at = excluded.due_at, attempts = 0",
);
const CLEAR: Sql = Sql::each(
    "DELETE FROM saga_timers WHERE order_id = $1::uuid",
    "DELETE FROM saga_timers WHERE order_id = $1",
);
const DUE: Sql = Sql::each(
    "SELECT order_id::text AS order_id, saga_version, attempts FROM saga_timers WHERE due_at <= clock_timestamp() \
     ORDER BY due_at LIMIT $1",
    "SELECT order_id, saga_version, attempts FROM saga_timers \
     WHERE due_at <= CAST(unixepoch('subsec') * 1000000 AS INTEGER) ORDER BY due_at LIMIT $1",
);
const TAKE: Sql = Sql::each(
    "DELETE FROM saga_timers WHERE order_id = $1::uuid AND saga_version = $2",
    "DELETE FROM saga_timers WHERE order_id = $1 AND saga_version = $2",
);
const POSTPONE: Sql = Sql::each(
    "UPDATE saga_timers SET attempts = attempts + 1, due_at = clock_timestamp() + $3 * interval '1 microsecond' \
     WHERE order_id = $1::uuid AND saga_version = $2",
    "UPDATE saga_timers SET attempts = attempts + 1, due_at = CAST(unixepoch('subsec') * 1000000 AS INTEGER) + $3 \
     WHERE order_id = $1 AND saga_version = $2",
);

pub(super) async fn start(
    tx: &mut Transaction,
    order: Uuid,
    version: u64,
    after: Duration,
) -> Result<(), sqlx::Error> {
    sqlx::query(tx.sql(START))
        .bind(order.to_string())
        .bind(i64::try_from(version).unwrap_or(i64::MAX))
        .bind(micros(after))
        .execute(tx.connection())
        .await
        .map(drop)
}

pub(super) async fn clear(tx: &mut Transaction, order: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query(tx.sql(CLEAR)).bind(order.to_string()).execute(tx.connection()).await.map(drop)
}

impl Store {
    /// Timers whose time has come by the database's clock, up to so many. Nothing is locked: see [`Store::fire`].
    pub async fn due_timers(&self, most: usize) -> Result<Vec<Due>, sqlx::Error> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let rows = sqlx::query(self.db.sql(DUE)).bind(most).fetch_all(self.db.pool()).await?;
        let read = |row: &service_kit::sql::Row| -> Result<Due, sqlx::Error> {
            let order: String = row.try_get("order_id")?;
            Ok(Due {
                order: Uuid::try_parse(&order).map_err(|error| sqlx::Error::Decode(error.into()))?,
                version: u64::try_from(row.try_get::<i64, _>("saga_version")?).unwrap_or(0),
                attempts: u32::try_from(row.try_get::<i64, _>("attempts")?).unwrap_or(u32::MAX),
            })
        };
        rows.iter().map(read).collect()
    }

    /// Fires one: takes it away and tells the saga, in one transaction. None if it was cleared, set anew or fired by another meanwhile.
    pub async fn fire(&self, due: &Due) -> Result<Option<Applied>, ApplyError> {
        let mut tx = self.db.begin().await?;
        let locked = lock(&mut tx, due.order).await?;
        let taken = sqlx::query(tx.sql(TAKE))
            .bind(due.order.to_string())
            .bind(i64::try_from(due.version).unwrap_or(i64::MAX))
            .execute(tx.connection())
            .await?;
        if touched(&taken) == 0 {
            return Ok(None);
        }
        let input = Input::PaymentDeadline { set_at_version: due.version };
        let applied = self.apply_locked(&mut tx, locked, &input, &Cause::default()).await?;
        tx.commit().await?;
        self.ring(&applied);
        Ok(Some(applied))
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

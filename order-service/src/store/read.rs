//! Reading orders, without locks.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use service_kit::sql::{Sql, json};
use uuid::Uuid;

use super::apply::ApplyError;
use super::row::{self, order_columns_postgres, order_columns_sqlite};
use super::{Order, Store};

const ONE: Sql = Sql::each(
    concat!("SELECT ", order_columns_postgres!(), " FROM orders o WHERE o.order_id = $1::uuid"),
    concat!("SELECT ", order_columns_sqlite!(), " FROM orders o WHERE o.order_id = $1"),
);
// `$1` is a JSON array.
const SOME: Sql = Sql::each(
    concat!(
        "SELECT ",
        order_columns_postgres!(),
        " FROM orders o WHERE o.order_id = ANY (ARRAY(SELECT jsonb_array_elements_text($1::jsonb)::uuid))"
    ),
    concat!(
        "SELECT ",
        order_columns_sqlite!(),
        " FROM orders o WHERE o.order_id IN (SELECT value FROM json_each($1))"
    ),
);
// Keyset: a page begins behind the last order of the page before, whatever was placed meanwhile.
const OF_USER: Sql = Sql::each(
    concat!(
        "SELECT ",
        order_columns_postgres!(),
        " FROM orders o WHERE o.user_id = $1 AND (o.created_at, o.order_id) < (timestamptz 'epoch' + $2 * interval '1 microsecond', $3::uuid) \
         ORDER BY o.created_at DESC, o.order_id DESC LIMIT $4"
    ),
    concat!(
        "SELECT ",
        order_columns_sqlite!(),
        " FROM orders o WHERE o.user_id = $1 AND (o.created_at, o.order_id) < ($2, $3) \
         ORDER BY o.created_at DESC, o.order_id DESC LIMIT $4"
    ),
);

// By id, and ids are time-ordered: nearly the order of placement, and the key's own.
const ALL: Sql = Sql::each(
    concat!(
        "SELECT ",
        order_columns_postgres!(),
        " FROM orders o WHERE o.order_id > $1::uuid ORDER BY o.order_id LIMIT $2"
    ),
    concat!(
        "SELECT ",
        order_columns_sqlite!(),
        " FROM orders o WHERE o.order_id > $1 ORDER BY o.order_id LIMIT $2"
    ),
);

/// Where a page of a user's orders begins: behind this one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct After {
    /// When it was placed.
    pub created_at: DateTime<Utc>,
    /// Which.
    pub id: Uuid,
}

/// Later than any order: the year 9999.
const END_MICROS: i64 = 253_402_300_799_000_000;

impl Store {
    /// Those of these orders that are there and can be read, as they are now.
    pub async fn read_some(&self, orders: &[Uuid]) -> Result<HashMap<Uuid, Order>, sqlx::Error> {
        let rows = sqlx::query(self.db.sql(SOME)).bind(json(orders)?).fetch_all(self.db.pool()).await?;
        let mut readable = HashMap::with_capacity(rows.len());
        for found in &rows {
            if let Ok(order) = row::read(found)? {
                readable.insert(order.id, order);
            }
        }
        Ok(readable)
    }

    /// The order as it is now.
    pub async fn read(&self, order: Uuid) -> Result<Option<Order>, ApplyError> {
        let found =
            sqlx::query(self.db.sql(ONE)).bind(order.to_string()).fetch_optional(self.db.pool()).await?;
        match found {
            Some(found) => Ok(Some(row::read(&found)??)),
            None => Ok(None),
        }
    }

    /// Everybody's orders, oldest first.
    pub async fn all(&self, after: Option<After>, limit: usize) -> Result<Vec<Order>, ApplyError> {
        let after = after.map_or(Uuid::nil(), |after| after.id);
        let rows = sqlx::query(self.db.sql(ALL))
            .bind(after.to_string())
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(self.db.pool())
            .await?;
        rows.iter().map(|found| Ok(row::read(found)??)).collect()
    }

    /// A user's orders, newest first.
    pub async fn of_user(
        &self,
        user: &str,
        after: Option<After>,
        limit: usize,
    ) -> Result<Vec<Order>, ApplyError> {
        let (at, id) = match after {
            Some(after) => (after.created_at.timestamp_micros(), after.id),
            None => (END_MICROS, Uuid::max()),
        };
        let rows = sqlx::query(self.db.sql(OF_USER))
            .bind(user)
            .bind(at)
            .bind(id.to_string())
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(self.db.pool())
            .await?;
        rows.iter().map(|found| Ok(row::read(found)??)).collect()
    }
}

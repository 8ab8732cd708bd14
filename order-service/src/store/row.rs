//! An order's row as a value.

use event_contracts::orders::PricedItem;
use serde::Serialize;
use service_kit::sql::{Row, time};
use sqlx::Row as _;
use uuid::Uuid;

use super::Order;
use crate::saga::{DEFINITION, Saga};

/// A row that cannot be understood.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RowError {
    /// Newer code wrote it; this code leaves it alone.
    #[error(
        "order {order} was written by saga definition {definition}, this code knows up to {DEFINITION}: let the newer \
         version work on it"
    )]
    Newer {
        /// Which.
        order: Uuid,
        /// Its definition.
        definition: i64,
    },
    /// Nothing wrote this.
    #[error("order {order} cannot be read: {reason}")]
    Broken {
        /// Which.
        order: String,
        /// What is wrong.
        reason: String,
    },
}

/// The columns that [`read`] reads, on Postgres.
macro_rules! order_columns_postgres {
    () => {
        "o.order_id::text AS order_id, o.user_id, o.total_amount::text AS total_amount, o.payment_id::text AS payment_id, \
         o.payment_method, o.traceparent, o.saga_definition, o.saga::text AS saga, \
         (extract(epoch FROM o.created_at) * 1000000)::bigint AS created_at, \
         (extract(epoch FROM o.updated_at) * 1000000)::bigint AS updated_at, \
         (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS now, \
         (SELECT json_agg(json_build_object('productId', i.product_id, 'quantity', i.quantity, \
                 'unitPrice', i.unit_price::text) ORDER BY i.line)::text \
          FROM order_items i WHERE i.order_id = o.order_id) AS items"
    };
}
/// The same on SQLite.
macro_rules! order_columns_sqlite {
    () => {
        "o.order_id, o.user_id, o.total_amount, o.payment_id, o.payment_method, o.traceparent, \
         o.saga_definition, o.saga, o.created_at, o.updated_at, \
         CAST(unixepoch('subsec') * 1000000 AS INTEGER) AS now, \
         (SELECT json_group_array(json_object('productId', i.product_id, 'quantity', i.quantity, \
                 'unitPrice', i.unit_price)) \
          FROM (SELECT * FROM order_items l WHERE l.order_id = o.order_id ORDER BY l.line) i) AS items"
    };
}
pub(super) use {order_columns_postgres, order_columns_sqlite};

/// Reads a row with the columns above.
pub(super) fn read(row: &Row) -> Result<Result<Order, RowError>, sqlx::Error> {
    let id: String = row.try_get("order_id")?;
    let definition: i64 = row.try_get("saga_definition")?;
    let texts = Texts {
        total: row.try_get("total_amount")?,
        payment_id: row.try_get("payment_id")?,
        items: row.try_get("items")?,
        saga: row.try_get("saga")?,
    };
    let rest = |parsed: Parsed| -> Result<Order, sqlx::Error> {
        Ok(Order {
            id: parsed.id,
            user_id: row.try_get("user_id")?,
            items: parsed.items,
            total: parsed.total,
            payment_id: parsed.payment_id,
            payment_method: row.try_get("payment_method")?,
            traceparent: row.try_get("traceparent")?,
            saga: parsed.saga,
            created_at: time(row.try_get("created_at")?),
            updated_at: time(row.try_get("updated_at")?),
        })
    };
    match parse(&id, definition, &texts) {
        Ok(parsed) => rest(parsed).map(Ok),
        Err(error) => Ok(Err(error)),
    }
}

/// The columns whose text must mean something.
struct Texts {
    total: String,
    payment_id: String,
    items: Option<String>,
    saga: String,
}

struct Parsed {
    id: Uuid,
    payment_id: Uuid,
    total: event_contracts::Money,
    items: Vec<PricedItem>,
    saga: Saga,
}

fn parse(id: &str, definition: i64, texts: &Texts) -> Result<Parsed, RowError> {
    let broken = |reason: String| RowError::Broken { order: id.to_owned(), reason };
    let order = Uuid::try_parse(id).map_err(|error| broken(error.to_string()))?;
    // Before the saga's JSON: newer code may have written what this code cannot read.
    if definition > i64::from(DEFINITION) {
        return Err(RowError::Newer { order, definition });
    }
    let items = texts.items.as_deref().unwrap_or("[]");
    Ok(Parsed {
        id: order,
        payment_id: Uuid::try_parse(&texts.payment_id).map_err(|error| broken(error.to_string()))?,
        total: texts.total.parse().map_err(|error| broken(format!("total {}: {error}", texts.total)))?,
        items: serde_json::from_str(items).map_err(|error| broken(format!("items: {error}")))?,
        saga: serde_json::from_str(&texts.saga).map_err(|error| broken(format!("saga: {error}")))?,
    })
}

/// A plain enum's name as its JSON writes it.
pub(crate) fn name_of<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(name)) => name,
        Ok(other) => other.to_string(),
        Err(_) => String::new(),
    }
}

/// The other way round; none for names that this code does not know.
pub(crate) fn from_name<T: serde::de::DeserializeOwned>(name: &str) -> Option<T> {
    serde_json::from_value(serde_json::Value::from(name)).ok()
}

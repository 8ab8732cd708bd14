//! An order's row as a value.

use event_contracts::orders::PricedItem;
use serde::Serialize;
use service_kit::sql::{Row, Sql, Transaction, json, time};
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
         (SELECT json_group_array(json_object('productId', i.product_id, 'quantity', i.quantity, \
                 'unitPrice', i.unit_price)) \
          FROM (SELECT * FROM order_items l WHERE l.order_id = o.order_id ORDER BY l.line) i) AS items"
    };
}
pub(super) use {order_columns_postgres, order_columns_sqlite};

// `$1` is a JSON array. The lock first: whatever is decided, is decided on what stands there under it. In one order, so that two
// batches never wait for each other in a ring. SQLite's transactions are alone anyway.
pub(super) const LOCK: Sql = Sql::each(
    concat!(
        "SELECT ",
        order_columns_postgres!(),
        " FROM orders o WHERE o.order_id = ANY (ARRAY(SELECT json_array_elements_text($1::json)::uuid)) \
         ORDER BY o.order_id FOR UPDATE OF o"
    ),
    concat!(
        "SELECT ",
        order_columns_sqlite!(),
        " FROM orders o WHERE o.order_id IN (SELECT value FROM json_each($1))"
    ),
);

// `$1` is a JSON array.
const INSERT: Sql = Sql::each(
    "INSERT INTO orders (order_id, user_id, total_amount, status, payment_status, payment_id, payment_method, reason, \
            traceparent, saga_phase, saga_version, saga_definition, saga, created_at, updated_at) \
     SELECT o.id, o.user_id, o.total, o.status, o.payment_status, o.payment_id, o.payment_method, o.reason, \
            o.traceparent, o.phase, o.version, o.definition, o.saga, \
            timestamptz 'epoch' + o.at * interval '1 microsecond', timestamptz 'epoch' + o.at * interval '1 microsecond' \
     FROM json_to_recordset($1::json) AS o (id uuid, user_id text, total numeric, status order_status, payment_status text, \
            payment_id uuid, payment_method text, reason text, traceparent text, phase text, version bigint, \
            definition bigint, saga jsonb, at bigint)",
    "INSERT INTO orders (order_id, user_id, total_amount, status, payment_status, payment_id, payment_method, reason, \
            traceparent, saga_phase, saga_version, saga_definition, saga, created_at, updated_at) \
     SELECT o.value->>'id', o.value->>'user_id', o.value->>'total', o.value->>'status', o.value->>'payment_status', \
            o.value->>'payment_id', o.value->>'payment_method', o.value->>'reason', o.value->>'traceparent', \
            o.value->>'phase', o.value->>'version', o.value->>'definition', o.value->>'saga', o.value->>'at', o.value->>'at' \
     FROM json_each($1) AS o",
);
const INSERT_ITEMS: Sql = Sql::each(
    "INSERT INTO order_items (order_id, line, product_id, quantity, unit_price) \
     SELECT i.\"order\", i.line, i.product, i.quantity, i.price \
     FROM json_to_recordset($1::json) AS i (\"order\" uuid, line integer, product bigint, quantity integer, price numeric)",
    "INSERT INTO order_items (order_id, line, product_id, quantity, unit_price) \
     SELECT i.value->>'order', i.value->>'line', i.value->>'product', i.value->>'quantity', i.value->>'price' \
     FROM json_each($1) AS i",
);
const UPDATE: Sql = Sql::each(
    "UPDATE orders SET status = o.status, payment_status = o.payment_status, reason = o.reason, tracking_number = o.tracking_number, \
            saga_phase = o.phase, saga_version = o.version, saga_definition = o.definition, saga = o.saga, \
            updated_at = timestamptz 'epoch' + o.at * interval '1 microsecond' \
     FROM json_to_recordset($1::json) AS o (id uuid, status order_status, payment_status text, reason text, \
            tracking_number text, phase text, version bigint, definition bigint, saga jsonb, at bigint) \
     WHERE orders.order_id = o.id",
    "UPDATE orders SET status = o.value->>'status', payment_status = o.value->>'payment_status', reason = o.value->>'reason', \
            tracking_number = o.value->>'tracking_number', saga_phase = o.value->>'phase', saga_version = o.value->>'version', \
            saga_definition = o.value->>'definition', saga = o.value->>'saga', updated_at = o.value->>'at' \
     FROM json_each($1) AS o WHERE orders.order_id = o.value->>'id'",
);

/// An order as it is about to be written.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub(super) struct OrderRow {
    id: Uuid,
    user_id: String,
    total: String,
    status: String,
    payment_status: String,
    payment_id: Uuid,
    payment_method: String,
    reason: Option<String>,
    tracking_number: Option<String>,
    traceparent: Option<String>,
    phase: String,
    version: u64,
    definition: u32,
    saga: serde_json::Value,
    /// Microseconds.
    at: i64,
}

impl OrderRow {
    pub(super) fn new(order: &Order) -> Result<Self, sqlx::Error> {
        let saga = &order.saga;
        Ok(Self {
            id: order.id,
            user_id: order.user_id.clone(),
            total: order.total.to_string(),
            status: name_of(&saga.status),
            payment_status: name_of(&saga.payment),
            payment_id: order.payment_id,
            payment_method: order.payment_method.clone(),
            reason: saga.reason.clone(),
            tracking_number: saga.tracking_number.clone(),
            traceparent: order.traceparent.clone(),
            phase: name_of(&saga.phase),
            version: saga.version,
            definition: saga.definition,
            saga: serde_json::to_value(saga).map_err(|error| sqlx::Error::Encode(error.into()))?,
            at: order.updated_at.timestamp_micros(),
        })
    }
}

/// A line of an order, as it is written once.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub(super) struct ItemRow {
    order: Uuid,
    /// From 1.
    line: usize,
    product: i64,
    quantity: u32,
    price: String,
}

impl ItemRow {
    /// The lines of an order.
    pub(super) fn all(order: &Order) -> impl Iterator<Item = Self> {
        order.items.iter().zip(1..).map(|(item, line)| Self {
            order: order.id,
            line,
            product: item.product_id,
            quantity: item.quantity,
            price: item.unit_price.to_string(),
        })
    }
}

/// Stores new orders and their lines.
pub(super) async fn insert(
    tx: &mut Transaction,
    orders: &[OrderRow],
    items: &[ItemRow],
) -> Result<(), sqlx::Error> {
    if !orders.is_empty() {
        sqlx::query(tx.sql(INSERT)).bind(json(orders)?).execute(tx.connection()).await?;
    }
    if !items.is_empty() {
        sqlx::query(tx.sql(INSERT_ITEMS)).bind(json(items)?).execute(tx.connection()).await?;
    }
    Ok(())
}

/// Writes what a step may change of orders. What they were placed with stays.
pub(super) async fn update(tx: &mut Transaction, orders: &[OrderRow]) -> Result<(), sqlx::Error> {
    if orders.is_empty() {
        return Ok(());
    }
    sqlx::query(tx.sql(UPDATE)).bind(json(orders)?).execute(tx.connection()).await.map(drop)
}

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

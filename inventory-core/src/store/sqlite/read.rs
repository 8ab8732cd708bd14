//! What `begin` reads under the lock, and what is read without any.

use std::time::Duration;

use futures::TryStreamExt;
use sqlx::SqliteExecutor;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::error::store_error;
use super::{Shared, rows};
use crate::clock::{Clock, Timestamp};
use crate::ids::{CustomerId, Delivery, Note, OrderId, ProductId};
use crate::product::Product;
use crate::quantity::Units;
use crate::reservation::{Reservation, Status};
use crate::store::{Due, Footprint, HoldOn, IdMap, IdSet, Locked, OrdersPage, Read, StoreError, json};

/// Everything that the rules need to know about the footprint. The transaction has the file's write lock.
pub(super) async fn lock(
    connection: &mut SqliteConnection,
    clock: &dyn Clock,
    footprint: &Footprint,
) -> Result<Locked, StoreError> {
    let now = clock.now();
    let reservations = reservations(&mut *connection, &footprint.orders).await?;
    let of_orders = reservations.iter().flat_map(|r| r.requested.iter()).map(|line| line.product);
    let ids: IdSet<ProductId> = footprint.products.iter().copied().chain(of_orders).collect();
    let products = products(&mut *connection, ids.iter().copied()).await?;
    let of_orders = reservations.iter().filter_map(|r| r.customer.as_ref());
    let customers: IdSet<&CustomerId> = footprint.customers.iter().chain(of_orders).collect();
    // Only limited products have such rows.
    let limited = products.iter().any(|product| product.per_customer_limit.is_some());
    let customer_units = match limited && !customers.is_empty() {
        true => customer_units(&mut *connection, customers, &ids).await?,
        false => IdMap::default(),
    };
    let adjustments = json::strings(footprint.adjustments.iter().map(|id| id.as_str()));
    let adjustments = match footprint.adjustments.is_empty() {
        true => Vec::new(),
        false => fetch(&mut *connection, ADJUSTMENTS, adjustments, rows::adjustment).await?,
    };
    Ok(Locked {
        now,
        products: products.into_iter().map(|p| (p.id, p)).collect(),
        reservations: reservations.into_iter().map(|r| (r.order, r)).collect(),
        adjustments: adjustments.into_iter().map(|a| (a.id.clone(), a)).collect(),
        customer_units,
        delivered: delivered(connection, &footprint.deliveries).await?,
        skipped: Vec::new(),
    })
}

// In all of these the ids lead (CROSS JOIN) and each is one look-up by key, whatever the planner thinks of the
// sizes of tables.

/// The columns of `rows::product`.
pub(super) const PRODUCTS: &str = "SELECT p.product_id, p.on_hand, p.held, p.version, p.admin_version, \
    p.low_stock_threshold, p.per_customer_limit, p.limited_since, p.name, p.alert_state, p.last_batch \
    FROM json_each(?1) j CROSS JOIN inventory p ON p.product_id = j.value";

/// The columns of `rows::reservation`.
pub(super) const RESERVATIONS: &str = "SELECT r.order_id, r.status, r.late, r.customer_id, r.created_at, \
    r.expires_at, r.expires_at_max, r.ended_at, r.lines \
    FROM json_each(?1) j CROSS JOIN reservations r ON r.order_id = unhex(j.value)";

/// The columns of `rows::adjustment`.
pub(super) const ADJUSTMENTS: &str = "SELECT a.adjustment_id, a.product_id, a.delta, a.reason, a.reference, \
    a.at, a.version FROM json_each(?1) j CROSS JOIN adjustments a ON a.adjustment_id = j.value";

const KNOWN_ORDERS: &str = "SELECT r.order_id FROM json_each(?1) j CROSS JOIN reservations r \
    ON r.order_id = unhex(j.value) ORDER BY r.order_id";

// All of a customer's rows, which are few, rather than every pair of a customer and a product of the batch.
const CUSTOMER_UNITS: &str = "SELECT c.customer_id, c.product_id, c.units FROM json_each(?1) j \
    CROSS JOIN customer_product c ON c.customer_id = j.value";

const DELIVERED: &str = "SELECT i.consumer, i.message FROM json_each(?1) j \
    CROSS JOIN inbox i ON i.consumer = j.value ->> 0 AND i.message = j.value ->> 1";

/// What `begin` may send.
#[cfg(test)]
pub(super) const BATCH_READS: [&str; 5] = [PRODUCTS, RESERVATIONS, ADJUSTMENTS, CUSTOMER_UNITS, DELIVERED];

async fn products(
    executor: impl SqliteExecutor<'_>,
    ids: impl Iterator<Item = ProductId>,
) -> Result<Vec<Product>, StoreError> {
    fetch(executor, PRODUCTS, json::integers(ids.map(ProductId::get)), rows::product).await
}

async fn reservations(
    executor: impl SqliteExecutor<'_>,
    orders: &[OrderId],
) -> Result<Vec<Reservation>, StoreError> {
    if orders.is_empty() {
        return Ok(Vec::new());
    }
    let orders = json::uuids(orders.iter().map(|order| order.get()));
    fetch(executor, RESERVATIONS, orders, rows::reservation).await
}

async fn customer_units(
    executor: impl SqliteExecutor<'_>,
    customers: IdSet<&CustomerId>,
    products: &IdSet<ProductId>,
) -> Result<IdMap<(CustomerId, ProductId), Units>, StoreError> {
    let customers = json::strings(customers.into_iter().map(|customer| customer.as_str()));
    let rows = fetch(executor, CUSTOMER_UNITS, customers, |row| {
        let key = (rows::text(row, 0, CustomerId::parse)?, ProductId::new(rows::get(row, 1)?));
        Ok((key, Units::stored(rows::get(row, 2)?)))
    });
    Ok(rows.await?.into_iter().filter(|((_, product), _)| products.contains(product)).collect())
}

async fn delivered(
    executor: impl SqliteExecutor<'_>,
    deliveries: &[Delivery],
) -> Result<IdSet<Delivery>, StoreError> {
    if deliveries.is_empty() {
        return Ok(IdSet::default());
    }
    let pairs = json::pairs(deliveries.iter().map(|d| (d.consumer.as_str(), d.message.as_str())));
    let rows = fetch(executor, DELIVERED, pairs, |row| {
        Ok(Delivery { consumer: rows::text(row, 0, Note::parse)?, message: rows::text(row, 1, Note::parse)? })
    });
    Ok(rows.await?.into_iter().collect())
}

/// All rows of a statement with one parameter.
async fn fetch<T>(
    executor: impl SqliteExecutor<'_>,
    statement: &'static str,
    parameter: String,
    decode: impl Fn(&SqliteRow) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut found = Vec::new();
    let mut stream = sqlx::query(statement).bind(parameter).fetch(executor);
    while let Some(row) = stream.try_next().await.map_err(store_error)? {
        found.push(decode(&row)?);
    }
    Ok(found)
}

impl Shared {
    /// Products first: an order of ours that takes the last unit between the two statements is then known, and
    /// its retry is not told that it came too late.
    pub(super) async fn read(&self, ids: &[ProductId], orders: &[OrderId]) -> Result<Read, StoreError> {
        let mut read = Read::default();
        if !ids.is_empty() {
            read.products = products(&self.readers, ids.iter().copied()).await?;
        }
        if !orders.is_empty() {
            let orders = json::uuids(orders.iter().map(|order| order.get()));
            let known = |row: &SqliteRow| Ok(OrderId::new(rows::get(row, 0)?));
            read.known_orders = fetch(&self.readers, KNOWN_ORDERS, orders, known).await?;
        }
        Ok(read)
    }

    pub(super) async fn reservation(
        &self,
        order: OrderId,
    ) -> Result<(Timestamp, Option<Reservation>), StoreError> {
        let found = reservations(&self.readers, &[order]).await?.pop();
        Ok((self.clock.now(), found))
    }

    pub(super) async fn orders_after(
        &self,
        after: Option<OrderId>,
        limit: usize,
    ) -> Result<OrdersPage, StoreError> {
        // The empty blob comes before every id.
        let after = after.map_or(Vec::new(), |order| order.get().as_bytes().to_vec());
        let page = sqlx::query(
            "SELECT order_id, CASE WHEN status = ?1 THEN expires_at END FROM reservations \
             WHERE order_id > ?2 ORDER BY order_id LIMIT ?3",
        )
        .bind(Status::Held.code())
        .bind(after)
        .bind(row_limit(limit))
        .fetch_all(&self.readers)
        .await
        .map_err(store_error)?;
        let orders = page.iter().map(|row| Ok((OrderId::new(rows::get(row, 0)?), rows::maybe_time(row, 1)?)));
        Ok(OrdersPage { now: self.clock.now(), orders: orders.collect::<Result<_, StoreError>>()? })
    }

    /// The partial index on open holds is the durable low watermark here: what has ended is not in it.
    pub(super) async fn due(&self, grace: Duration, limit: usize) -> Result<Due, StoreError> {
        let now = self.clock.now();
        let orders = sqlx::query(
            "SELECT order_id FROM reservations WHERE status = 1 AND expires_at <= ?1 \
             ORDER BY expires_at, order_id LIMIT ?2",
        )
        .bind(now.minus(grace).micros())
        .bind(row_limit(limit))
        .fetch_all(&self.readers)
        .await
        .map_err(store_error)?;
        let orders = orders.iter().map(|row| Ok(OrderId::new(rows::get(row, 0)?)));
        Ok(Due { now, orders: orders.collect::<Result<_, StoreError>>()? })
    }

    /// Walks the open holds in the order in which they end. `[product,` stands only at the start of a line.
    pub(super) async fn holds_on(&self, product: ProductId, limit: usize) -> Result<Vec<HoldOn>, StoreError> {
        let mut stream = sqlx::query(
            "SELECT order_id, expires_at, lines FROM reservations \
             WHERE status = 1 AND instr(lines, ?1) > 0 ORDER BY expires_at, order_id",
        )
        .bind(format!("[{product},"))
        .fetch(&self.readers);
        let mut holds = Vec::new();
        while holds.len() < limit {
            let Some(row) = stream.try_next().await.map_err(store_error)? else { break };
            let order = OrderId::new(rows::get(&row, 0)?);
            let (_, lines) = json::parse_lines(rows::get(&row, 2)?)
                .ok_or_else(|| super::error::corrupt(format!("lines of order {order}")))?;
            let expires_at = rows::time(&row, 1)?;
            holds.extend(lines.quantity_of(product).map(|quantity| HoldOn { order, quantity, expires_at }));
        }
        Ok(holds)
    }
}

/// As SQLite takes it.
pub(super) fn row_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

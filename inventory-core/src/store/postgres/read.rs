//! Reads outside batches, each one statement.

use sqlx::postgres::{PgArguments, PgPool, PgRow};
use sqlx::query::Query;
use sqlx::{Postgres, Row as _};
use uuid::Uuid;

use super::errors::{classify, connection_is_lost};
use super::rows::{
    PRODUCT_COLUMNS, limit as bound, order_ids, product, product_columns, product_ids, reservation,
    reservation_columns,
};
use crate::clock::Timestamp;
use crate::ids::{OrderId, ProductId};
use crate::quantity::Quantity;
use crate::reservation::Reservation;
use crate::store::{HoldOn, OrdersPage, Read, StoreError};

const ANY_PRODUCT: &str = "SELECT 1 FROM inventory LIMIT 1";
const READ: &str = concat!(
    "SELECT ",
    product_columns!(),
    ", NULL::uuid AS order_id FROM inventory WHERE product_id = ANY ($1) UNION ALL \
     SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, order_id \
     FROM reservations WHERE order_id = ANY ($2)"
);
const RESERVATION: &str = concat!(
    "SELECT clock_timestamp(), ",
    reservation_columns!(),
    " FROM (SELECT) one LEFT JOIN reservations r ON r.order_id = $1"
);
const ORDERS_AFTER: &str = "SELECT clock_timestamp(), r.order_id, CASE WHEN r.status = 1 THEN r.expires_at END \
     FROM (SELECT) one LEFT JOIN (SELECT order_id, status, expires_at FROM reservations \
     WHERE $1::uuid IS NULL OR order_id > $1 ORDER BY order_id LIMIT $2) r ON true ORDER BY r.order_id";
/// Reads every open hold: it serves the message of a refused administration, which is rare.
const HOLDS_ON: &str = "SELECT r.order_id, l.quantity, r.expires_at FROM reservations r \
     JOIN reservation_lines l ON l.order_id = r.order_id AND l.product_id = $1 \
     WHERE r.status = 1 AND r.products @> ARRAY[$1] AND l.quantity > 0 \
     ORDER BY r.expires_at, r.order_id LIMIT $2";

/// Runs a read; one that meets a connection that died in the pool is repeated on another. A server that went away leaves
/// them all dead, and each is found out by the read that takes it: hence as many attempts as there may be of them, and one.
pub(super) async fn rows<'q>(
    pool: &PgPool,
    query: impl Fn() -> Query<'q, Postgres, PgArguments>,
) -> Result<Vec<PgRow>, StoreError> {
    for _ in 0..pool.options().get_max_connections() {
        match query().fetch_all(pool).await {
            Err(error) if connection_is_lost(&error) => {}
            outcome => return outcome.map_err(classify),
        }
    }
    query().fetch_all(pool).await.map_err(classify)
}

/// See [`crate::store::postgres::PostgresStore::has_products`].
pub(super) async fn has_products(pool: &PgPool) -> Result<bool, StoreError> {
    Ok(!rows(pool, || sqlx::query(ANY_PRODUCT)).await?.is_empty())
}

/// See [`crate::store::Store::read`].
pub(super) async fn read(
    pool: &PgPool,
    products: &[ProductId],
    orders: &[OrderId],
) -> Result<Read, StoreError> {
    let (products, orders) = (product_ids(products), order_ids(orders));
    let mut read = Read::default();
    for row in rows(pool, || sqlx::query(READ).bind(&products).bind(&orders)).await? {
        match row.try_get::<Option<Uuid>, _>(PRODUCT_COLUMNS).map_err(classify)? {
            Some(order) => read.known_orders.push(OrderId::new(order)),
            None => read.products.push(product(&row)?),
        }
    }
    read.products.sort_unstable_by_key(|product| product.id);
    read.known_orders.sort_unstable();
    Ok(read)
}

/// See [`crate::store::Store::reservation`].
pub(super) async fn reservation_of(
    pool: &PgPool,
    order: OrderId,
) -> Result<(Timestamp, Option<Reservation>), StoreError> {
    let rows = rows(pool, || sqlx::query(RESERVATION).bind(order.get())).await?;
    let row = rows.first().ok_or_else(|| classify(sqlx::Error::RowNotFound))?;
    let now = row.try_get(0).map_err(classify)?;
    let found = row.try_get::<Option<Uuid>, _>(1).map_err(classify)?;
    Ok((now, found.map(|_| reservation(row, 1)).transpose()?))
}

/// See [`crate::store::Store::orders_after`].
pub(super) async fn orders_after(
    pool: &PgPool,
    after: Option<OrderId>,
    limit: usize,
) -> Result<OrdersPage, StoreError> {
    let after = after.map(OrderId::get);
    let rows = rows(pool, || sqlx::query(ORDERS_AFTER).bind(after).bind(bound(limit))).await?;
    let mut page = OrdersPage { now: Timestamp::EPOCH, orders: Vec::with_capacity(rows.len()) };
    for row in rows {
        page.now = page.now.max(row.try_get(0).map_err(classify)?);
        if let Some(order) = row.try_get::<Option<Uuid>, _>(1).map_err(classify)? {
            let held_until: Option<Timestamp> = row.try_get(2).map_err(classify)?;
            page.orders.push((OrderId::new(order), held_until));
        }
    }
    Ok(page)
}

/// See [`crate::store::Store::holds_on`].
pub(super) async fn holds_on(
    pool: &PgPool,
    product: ProductId,
    limit: usize,
) -> Result<Vec<HoldOn>, StoreError> {
    let rows = rows(pool, || sqlx::query(HOLDS_ON).bind(product.get()).bind(bound(limit))).await?;
    rows.iter()
        .map(|row| {
            let order = OrderId::new(row.try_get(0).map_err(classify)?);
            let quantity: i32 = row.try_get(1).map_err(classify)?;
            let expires_at = row.try_get(2).map_err(classify)?;
            let quantity = Quantity::new(quantity.into()).map_err(|error| {
                super::rows::corrupt("reservations", format_args!("order {order}: {error}"))
            })?;
            Ok(HoldOn { order, quantity, expires_at })
        })
        .collect()
}

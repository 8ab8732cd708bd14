//! The first half of a batch: fence, locks, clock, and what the rules need to read.
//!
//! READ COMMITTED: each statement sees what was committed when it started. Products are therefore read by the very statement that
//! locks them (which re-reads a row it had to wait for), what hangs on them by a later one. Reservations: see [`super::seen`].

use std::fmt::Write as _;
use std::time::Instant;

use futures::TryStreamExt as _;
use sqlx::{AssertSqlSafe, Either, PgConnection, Row as _};

use super::errors::classify;
use super::presumed::Sighting;
use super::rows::{PRODUCT_COLUMNS, column, product, product_columns, product_ids};
use super::seen::{Recalled, Seen, Versions};
use super::session::run;
use crate::clock::Timestamp;
use crate::ids::{AdjustmentId, BatchId, CustomerId, Delivery, Note, ProductId};
use crate::product::Product;
use crate::quantity::Units;
use crate::store::{Adjustment, Footprint, IdMap, IdSet, Locked, StoreError, StoreErrorKind};

/// Prepared by name, so that a simple-protocol message can run several of them: one round trip for the whole
/// beginning of a batch, and no parsing worth mentioning. Their arguments are numbers and UUIDs that we format ourselves.
const PREPARE: &str = concat!(
    "PREPARE holdfast_fence (uuid) AS INSERT INTO commit_batch (batch_id) VALUES ($1);",
    "PREPARE holdfast_lock (bigint[]) AS SELECT ",
    product_columns!(),
    " FROM inventory WHERE product_id = ANY ($1) ORDER BY product_id FOR UPDATE;",
    "PREPARE holdfast_clock AS SELECT clock_timestamp(), statement_timestamp()",
);

/// The clock is read above the locks, row by row: the last row's time is after the last lock.
const LOCK: &str = concat!(
    "SELECT l.*, clock_timestamp(), statement_timestamp() FROM (SELECT ",
    product_columns!(),
    " FROM inventory WHERE product_id = ANY ($1) ORDER BY product_id FOR UPDATE) l"
);
const LOCK_FREE_ONES: &str = concat!(
    "SELECT l.*, clock_timestamp(), statement_timestamp() FROM (SELECT ",
    product_columns!(),
    " FROM inventory WHERE product_id = ANY ($1) ORDER BY product_id FOR UPDATE SKIP LOCKED) l"
);
const CLOCK: &str = "SELECT clock_timestamp(), statement_timestamp()";
const EXISTING: &str = "SELECT product_id FROM inventory WHERE product_id = ANY ($1) ORDER BY product_id";
const ADJUSTMENTS: &str = "SELECT adjustment_id, product_id, delta, reason, reference, at, version \
     FROM adjustments WHERE adjustment_id = ANY ($1)";
const CUSTOMER_UNITS: &str = "SELECT customer_id, product_id, units FROM customer_product \
     WHERE customer_id = ANY ($1) AND product_id = ANY ($2)";
const DELIVERED: &str = "SELECT i.consumer, i.message FROM unnest($1::text[], $2::text[]) AS d (consumer, message) \
     JOIN inbox i ON i.consumer = d.consumer AND i.message = d.message";

/// Up to here the lock goes along with the fence, its rows as text; more rows travel better in binary, one message
/// later.
const PRODUCTS_IN_FIRST_MESSAGE_MAX: usize = 256;

/// A batch that has begun.
pub(super) struct Opened {
    pub(super) locked: Locked,
    /// Which version of each reservation was seen.
    pub(super) versions: Versions,
    pub(super) sighting: Sighting,
}

/// Prepares a fresh session.
pub(super) async fn prepare(conn: &mut PgConnection) -> Result<(), StoreError> {
    run(conn, PREPARE).await
}

/// See [`crate::store::Session::begin`]. `recalled` is of the footprint's orders; `again`: see [`lock_with_orders`]. On error the transaction may still be open.
pub(super) async fn begin(
    conn: &mut PgConnection,
    batch: BatchId,
    footprint: &Footprint,
    recalled: Recalled,
    again: bool,
) -> Result<Opened, StoreError> {
    let mut begun = lock_with_orders(conn, batch, footprint, recalled, again).await?;
    let locked = &mut begun.locked;
    if !footprint.adjustments.is_empty() {
        locked.adjustments = adjustments(conn, &footprint.adjustments).await?;
    }
    if !footprint.deliveries.is_empty() {
        locked.delivered = delivered(conn, &footprint.deliveries).await?;
    }
    locked.customer_units = customer_units(conn, footprint, locked).await?;
    Ok(begun)
}

fn first_message(batch: BatchId) -> String {
    format!("BEGIN;EXECUTE holdfast_fence('{batch}')")
}

/// Fence, locks and clock, in one message where that is better.
async fn begin_and_lock(
    conn: &mut PgConnection,
    batch: BatchId,
    products: &[ProductId],
    skip: bool,
) -> Result<(Locked, Sighting), StoreError> {
    if skip || products.len() > PRODUCTS_IN_FIRST_MESSAGE_MAX {
        run(conn, first_message(batch)).await?;
        return lock(conn, products, skip).await;
    }
    let mut message = first_message(batch);
    message.push_str(";EXECUTE holdfast_lock('{");
    for (position, product) in products.iter().enumerate() {
        let comma = if position == 0 { "" } else { "," };
        let _ = write!(message, "{comma}{product}");
    }
    message.push_str("}');EXECUTE holdfast_clock");
    let mut sighting = Sighting { sent: Instant::now(), received: Timestamp::EPOCH };
    let mut answers = sqlx::raw_sql(AssertSqlSafe(message)).fetch_many(conn);
    let mut locked = Locked::nothing(Timestamp::EPOCH);
    while let Some(answer) = answers.try_next().await.map_err(classify)? {
        match answer {
            Either::Right(row) if row.len() == PRODUCT_COLUMNS => keep(&mut locked, product(&row)?),
            Either::Right(row) => (locked.now, sighting.received) = (column(&row, 0)?, column(&row, 1)?),
            Either::Left(_) => {}
        }
    }
    Ok((locked, sighting))
}

fn keep(locked: &mut Locked, product: Product) {
    locked.products.insert(product.id, product);
}

/// Locks inside the open transaction. With `skip` says what others hold.
async fn lock(
    conn: &mut PgConnection,
    products: &[ProductId],
    skip: bool,
) -> Result<(Locked, Sighting), StoreError> {
    let ids = product_ids(products);
    let sql = if skip { LOCK_FREE_ONES } else { LOCK };
    let mut locked = Locked::nothing(Timestamp::EPOCH);
    let mut sent = Instant::now();
    let rows = sqlx::query(sql).bind(&ids).fetch_all(&mut *conn).await.map_err(classify)?;
    for row in &rows {
        keep(&mut locked, product(row)?);
    }
    let received;
    (locked.now, received) = match rows.last() {
        Some(row) => (column(row, PRODUCT_COLUMNS)?, column(row, PRODUCT_COLUMNS + 1)?),
        None => {
            sent = Instant::now();
            let row = sqlx::query(CLOCK).fetch_one(&mut *conn).await.map_err(classify)?;
            (column(&row, 0)?, column(&row, 1)?)
        }
    };
    if skip {
        let existing: Vec<i64> =
            sqlx::query_scalar(EXISTING).bind(&ids).fetch_all(conn).await.map_err(classify)?;
        let others = existing.into_iter().map(ProductId::new);
        locked.skipped = others.filter(|id| !locked.products.contains_key(id)).collect();
    }
    Ok((locked, Sighting { sent, received }))
}

/// Sees the orders, locks what they need, and looks again for those that were not there; with `again` for all: then nothing that
/// others do in between can be a conflict once more.
async fn lock_with_orders(
    conn: &mut PgConnection,
    batch: BatchId,
    footprint: &Footprint,
    recalled: Recalled,
    again: bool,
) -> Result<Opened, StoreError> {
    let Recalled { mut seen, unread, .. } = recalled;
    let is_begun = !unread.is_empty();
    if is_begun {
        run(conn, first_message(batch)).await?;
    }
    let mut absent = seen.read(conn, unread).await?;
    let wanted = seen.wanted(footprint);
    let (mut locked, sighting) = if is_begun {
        lock(conn, &wanted, footprint.skip_locked).await?
    } else {
        begin_and_lock(conn, batch, &wanted, footprint.skip_locked).await?
    };
    if again {
        (seen, absent) = (Seen::default(), footprint.orders.clone());
    }
    if !absent.is_empty() {
        seen.read(conn, absent).await?;
        if let Some(order) = seen.beyond(&wanted) {
            return Err(StoreError::new(
                StoreErrorKind::Conflict,
                format!("order {order} appeared while its batch was waiting for locks"),
            ));
        }
    }
    locked.reservations = seen.reservations;
    Ok(Opened { locked, versions: seen.versions, sighting })
}

async fn adjustments(
    conn: &mut PgConnection,
    ids: &[AdjustmentId],
) -> Result<IdMap<AdjustmentId, Adjustment>, StoreError> {
    type Row = (String, i64, i64, String, Option<String>, Timestamp, i64);
    let ids: Vec<&str> = ids.iter().map(AdjustmentId::as_str).collect();
    let rows: Vec<Row> = sqlx::query_as(ADJUSTMENTS).bind(ids).fetch_all(conn).await.map_err(classify)?;
    rows.into_iter()
        .map(|(id, product, delta, reason, reference, at, version)| {
            let bad = |_| super::rows::corrupt("adjustments", &id);
            let key = AdjustmentId::parse(&id).map_err(bad)?;
            let adjustment = Adjustment {
                id: key.clone(),
                product: ProductId::new(product),
                delta: Units::stored(delta),
                reason: Note::parse(&reason).map_err(bad)?,
                reference: reference.as_deref().map(Note::parse).transpose().map_err(bad)?,
                at,
                version: u64::try_from(version).map_err(|_| super::rows::corrupt("adjustments", &id))?,
            };
            Ok((key, adjustment))
        })
        .collect()
}

async fn delivered(conn: &mut PgConnection, deliveries: &[Delivery]) -> Result<IdSet<Delivery>, StoreError> {
    let consumers: Vec<&str> = deliveries.iter().map(|delivery| delivery.consumer.as_str()).collect();
    let messages: Vec<&str> = deliveries.iter().map(|delivery| delivery.message.as_str()).collect();
    let rows: Vec<(String, String)> =
        sqlx::query_as(DELIVERED).bind(consumers).bind(messages).fetch_all(conn).await.map_err(classify)?;
    rows.into_iter()
        .map(|(consumer, message)| {
            let bad = |_| super::rows::corrupt("inbox", &message);
            Ok(Delivery {
                consumer: Note::parse(&consumer).map_err(bad)?,
                message: Note::parse(&message).map_err(bad)?,
            })
        })
        .collect()
}

/// Read only when a locked product is limited: most are not.
async fn customer_units(
    conn: &mut PgConnection,
    footprint: &Footprint,
    locked: &Locked,
) -> Result<IdMap<(CustomerId, ProductId), Units>, StoreError> {
    let limited: Vec<i64> = locked
        .products
        .values()
        .filter(|product| product.per_customer_limit.is_some())
        .map(|product| product.id.get())
        .collect();
    if limited.is_empty() {
        return Ok(IdMap::default());
    }
    let of_orders = locked.reservations.values().filter_map(|reservation| reservation.customer.as_ref());
    let mut customers: Vec<&str> =
        footprint.customers.iter().chain(of_orders).map(CustomerId::as_str).collect();
    customers.sort_unstable();
    customers.dedup();
    if customers.is_empty() {
        return Ok(IdMap::default());
    }
    let rows: Vec<(String, i64, i64)> = sqlx::query_as(CUSTOMER_UNITS)
        .bind(customers)
        .bind(limited)
        .fetch_all(conn)
        .await
        .map_err(classify)?;
    rows.into_iter()
        .map(|(customer, product, units)| {
            let customer = CustomerId::parse(&customer)
                .map_err(|_| super::rows::corrupt("customer_product", &customer))?;
            Ok(((customer, ProductId::new(product)), Units::stored(units)))
        })
        .collect()
}

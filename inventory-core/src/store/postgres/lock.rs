//! The first half of a batch: fence, locks, clock, and what the rules need to read.
//!
//! READ COMMITTED: each statement sees what was committed when it started. Products are therefore read by the very statement that
//! locks them (which re-reads a row it had to wait for), what hangs on them by a later one. Reservations are read before the
//! locks, since they say what to lock; under the locks the version of each row says whether that is still what it is.

use std::fmt::Write as _;

use futures::TryStreamExt as _;
use sqlx::{AssertSqlSafe, Either, PgConnection, Row as _};

use super::errors::classify;
use super::rows::{
    PRODUCT_COLUMNS, RowVersion, column, order_ids, product, product_columns, product_ids, reservation,
    reservation_columns,
};
use super::session::run;
use crate::clock::Timestamp;
use crate::ids::{AdjustmentId, BatchId, CustomerId, Delivery, Note, OrderId, ProductId};
use crate::lines::Line;
use crate::product::Product;
use crate::quantity::Units;
use crate::reservation::Reservation;
use crate::store::{Adjustment, Footprint, IdMap, IdSet, Locked, StoreError, StoreErrorKind};

/// Prepared by name, so that a simple-protocol message can run several of them: one round trip for the whole
/// beginning of a batch, and no parsing worth mentioning. Their arguments are numbers and UUIDs that we format ourselves.
const PREPARE: &str = concat!(
    "PREPARE holdfast_fence (uuid) AS INSERT INTO commit_batch (batch_id) VALUES ($1);",
    "PREPARE holdfast_lock (bigint[]) AS SELECT ",
    product_columns!(),
    " FROM inventory WHERE product_id = ANY ($1) ORDER BY product_id FOR UPDATE;",
    "PREPARE holdfast_clock AS SELECT clock_timestamp()",
);

/// The clock is read above the locks, row by row: the last row's time is after the last lock.
const LOCK: &str = concat!(
    "SELECT l.*, clock_timestamp() FROM (SELECT ",
    product_columns!(),
    " FROM inventory WHERE product_id = ANY ($1) ORDER BY product_id FOR UPDATE) l"
);
const LOCK_FREE_ONES: &str = concat!(
    "SELECT l.*, clock_timestamp() FROM (SELECT ",
    product_columns!(),
    " FROM inventory WHERE product_id = ANY ($1) ORDER BY product_id FOR UPDATE SKIP LOCKED) l"
);
const CLOCK: &str = "SELECT clock_timestamp()";
const EXISTING: &str = "SELECT product_id FROM inventory WHERE product_id = ANY ($1) ORDER BY product_id";
const RESERVATIONS: &str =
    concat!("SELECT r.xmin, ", reservation_columns!(), " FROM reservations r WHERE r.order_id = ANY ($1)");
const CURRENT: &str = "SELECT count(*) FROM (SELECT unnest($1::uuid[]) AS o, unnest($2::xid[]) AS x) e \
     JOIN reservations r ON r.order_id = e.o AND r.xmin = e.x";
const ADJUSTMENTS: &str = "SELECT adjustment_id, product_id, delta, reason, reference, at, version \
     FROM adjustments WHERE adjustment_id = ANY ($1)";
const CUSTOMER_UNITS: &str = "SELECT customer_id, product_id, units FROM customer_product \
     WHERE customer_id = ANY ($1) AND product_id = ANY ($2)";
const DELIVERED: &str = "SELECT i.consumer, i.message FROM unnest($1::text[], $2::text[]) AS d (consumer, message) \
     JOIN inbox i ON i.consumer = d.consumer AND i.message = d.message";

/// Up to here the lock goes along with the fence, its rows as text; more rows travel better in binary, one message
/// later.
const PRODUCTS_IN_FIRST_MESSAGE_MAX: usize = 256;

/// Prepares a fresh session.
pub(super) async fn prepare(conn: &mut PgConnection) -> Result<(), StoreError> {
    run(conn, PREPARE).await
}

/// See [`crate::store::Session::begin`]; with it, which version of each reservation was read. On error the transaction is still open.
pub(super) async fn begin(
    conn: &mut PgConnection,
    batch: BatchId,
    footprint: &Footprint,
) -> Result<(Locked, Versions), StoreError> {
    let mut versions = Versions::default();
    let few = footprint.products.len() <= PRODUCTS_IN_FIRST_MESSAGE_MAX;
    let mut locked = if few && !footprint.read_orders && !footprint.skip_locked {
        begin_and_lock(conn, batch, &footprint.products).await?
    } else {
        run(conn, first_message(batch)).await?;
        if footprint.read_orders {
            let (locked, read) = lock_with_orders(conn, footprint).await?;
            versions = read;
            locked
        } else {
            lock(conn, &footprint.products, footprint.skip_locked).await?
        }
    };
    if !footprint.adjustments.is_empty() {
        locked.adjustments = adjustments(conn, &footprint.adjustments).await?;
    }
    if !footprint.deliveries.is_empty() {
        locked.delivered = delivered(conn, &footprint.deliveries).await?;
    }
    locked.customer_units = customer_units(conn, footprint, &locked).await?;
    Ok((locked, versions))
}

fn first_message(batch: BatchId) -> String {
    format!("BEGIN;EXECUTE holdfast_fence('{batch}')")
}

fn nothing_locked(now: Timestamp) -> Locked {
    Locked {
        now,
        products: IdMap::default(),
        reservations: IdMap::default(),
        adjustments: IdMap::default(),
        customer_units: IdMap::default(),
        delivered: IdSet::default(),
        skipped: Vec::new(),
    }
}

/// Fence, locks and clock in one message.
async fn begin_and_lock(
    conn: &mut PgConnection,
    batch: BatchId,
    products: &[ProductId],
) -> Result<Locked, StoreError> {
    let mut message = first_message(batch);
    message.push_str(";EXECUTE holdfast_lock('{");
    for (position, product) in products.iter().enumerate() {
        let comma = if position == 0 { "" } else { "," };
        let _ = write!(message, "{comma}{product}");
    }
    message.push_str("}');EXECUTE holdfast_clock");
    let mut answers = sqlx::raw_sql(AssertSqlSafe(message)).fetch_many(conn);
    let mut locked = nothing_locked(Timestamp::EPOCH);
    while let Some(answer) = answers.try_next().await.map_err(classify)? {
        match answer {
            Either::Right(row) if row.len() == PRODUCT_COLUMNS => keep(&mut locked, product(&row)?),
            Either::Right(row) => locked.now = column(&row, 0)?,
            Either::Left(_) => {}
        }
    }
    Ok(locked)
}

fn keep(locked: &mut Locked, product: Product) {
    locked.products.insert(product.id, product);
}

/// Locks inside the open transaction. With `skip` says what others hold.
async fn lock(conn: &mut PgConnection, products: &[ProductId], skip: bool) -> Result<Locked, StoreError> {
    let ids = product_ids(products);
    let sql = if skip { LOCK_FREE_ONES } else { LOCK };
    let mut locked = nothing_locked(Timestamp::EPOCH);
    let rows = sqlx::query(sql).bind(&ids).fetch_all(&mut *conn).await.map_err(classify)?;
    for row in &rows {
        keep(&mut locked, product(row)?);
    }
    locked.now = match rows.last() {
        Some(row) => column(row, PRODUCT_COLUMNS)?,
        None => column(&sqlx::query(CLOCK).fetch_one(&mut *conn).await.map_err(classify)?, 0)?,
    };
    if skip {
        let existing: Vec<i64> =
            sqlx::query_scalar(EXISTING).bind(&ids).fetch_all(conn).await.map_err(classify)?;
        let others = existing.into_iter().map(ProductId::new);
        locked.skipped = others.filter(|id| !locked.products.contains_key(id)).collect();
    }
    Ok(locked)
}

/// Reads the orders, locks what they need, and makes sure that they are under the locks what they were before: a look at the versions
/// of a thousand rows costs a fraction of reading them again. If one has changed, all are read again. An order that was not there
/// has no version; it is looked for again in any case.
async fn lock_with_orders(
    conn: &mut PgConnection,
    footprint: &Footprint,
) -> Result<(Locked, Versions), StoreError> {
    let mut found = Found::default();
    found.read(conn, &footprint.orders).await?;
    let mut wanted = footprint.products.clone();
    wanted.extend(found.products());
    wanted.sort_unstable();
    wanted.dedup();
    let mut locked = lock(conn, &wanted, footprint.skip_locked).await?;

    if !found.is_current(conn).await? {
        found = Found::default();
    }
    let mut absent = footprint.orders.clone();
    absent.retain(|order| !found.reservations.contains_key(order));
    if !absent.is_empty() {
        found.read(conn, &absent).await?;
        if let Some(order) = found.beyond(&wanted) {
            return Err(StoreError::new(
                StoreErrorKind::Conflict,
                format!("order {order} appeared while its batch was waiting for locks"),
            ));
        }
    }
    locked.reservations = found.reservations;
    Ok((locked, found.versions))
}

/// Which version of each reservation a batch has read.
pub(super) type Versions = IdMap<OrderId, RowVersion>;

/// Reservations that exist.
#[derive(Default)]
struct Found {
    reservations: IdMap<OrderId, Reservation>,
    versions: Versions,
}

impl Found {
    async fn read(&mut self, conn: &mut PgConnection, orders: &[OrderId]) -> Result<(), StoreError> {
        let rows =
            sqlx::query(RESERVATIONS).bind(order_ids(orders)).fetch_all(conn).await.map_err(classify)?;
        self.reservations.reserve(rows.len());
        self.versions.reserve(rows.len());
        for row in &rows {
            let reservation = reservation(row, 1)?;
            self.versions.insert(reservation.order, column(row, 0)?);
            self.reservations.insert(reservation.order, reservation);
        }
        Ok(())
    }

    /// Whether all of them are what they were when they were read.
    async fn is_current(&self, conn: &mut PgConnection) -> Result<bool, StoreError> {
        if self.versions.is_empty() {
            return Ok(true);
        }
        let (orders, versions): (Vec<_>, Vec<_>) =
            self.versions.iter().map(|(order, version)| (order.get(), *version)).unzip();
        let current: i64 = sqlx::query_scalar(CURRENT)
            .bind(orders)
            .bind(versions)
            .fetch_one(conn)
            .await
            .map_err(classify)?;
        Ok(usize::try_from(current) == Ok(self.versions.len()))
    }

    /// The products of all of them, most of them many times.
    fn products(&self) -> impl Iterator<Item = ProductId> {
        self.reservations.values().flat_map(|found| found.requested.iter().map(|line| line.product))
    }

    /// The first that needs a product other than these.
    fn beyond(&self, locked: &[ProductId]) -> Option<OrderId> {
        let is_beyond = |line: Line| locked.binary_search(&line.product).is_err();
        self.reservations
            .values()
            .find(|found| found.requested.iter().any(is_beyond))
            .map(|found| found.order)
    }
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

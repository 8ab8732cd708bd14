//! Rows as the rules know them.

use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

use super::error::{corrupt, store_error};
use crate::clock::Timestamp;
use crate::ids::{AdjustmentId, BatchId, CustomerId, InvalidText, Note, OrderId, ProductId};
use crate::product::{Alert, Product};
use crate::quantity::{Quantity, Units};
use crate::reservation::{Reservation, Status};
use crate::store::{Adjustment, StoreError, json};

/// From the columns of [`PRODUCTS`](super::read::PRODUCTS).
pub(super) fn product(row: &SqliteRow) -> Result<Product, StoreError> {
    let id: i64 = get(row, 0)?;
    let limit: Option<i64> = get(row, 6)?;
    Ok(Product {
        id: ProductId::new(id),
        on_hand: Units::stored(get(row, 1)?),
        held: Units::stored(get(row, 2)?),
        version: unsigned(row, 3)?,
        admin_version: unsigned(row, 4)?,
        low_stock_threshold: get::<Option<i64>>(row, 5)?.map(Units::stored),
        per_customer_limit: limit
            .map(Quantity::new)
            .transpose()
            .map_err(|e| corrupt(format!("per_customer_limit of product {id} {e}")))?,
        limited_since: maybe_time(row, 7)?,
        name: maybe_text(row, 8, Note::parse)?,
        alert: Alert::from_code(get(row, 9)?),
        last_batch: BatchId::new(get(row, 10)?),
    })
}

/// From the columns of [`RESERVATIONS`](super::read::RESERVATIONS).
pub(super) fn reservation(row: &SqliteRow) -> Result<Reservation, StoreError> {
    let order = OrderId::new(get(row, 0)?);
    let status = get(row, 1)?;
    let text: &str = get(row, 8)?;
    let (requested, lines) =
        json::parse_lines(text).ok_or_else(|| corrupt(format!("lines of order {order} are {text}")))?;
    Ok(Reservation {
        order,
        status: Status::from_code(status)
            .ok_or_else(|| corrupt(format!("status of order {order} is {status}")))?,
        customer: maybe_text(row, 3, CustomerId::parse)?,
        requested,
        lines,
        created_at: time(row, 4)?,
        expires_at: time(row, 5)?,
        expires_at_max: time(row, 6)?,
        ended_at: maybe_time(row, 7)?,
        late: get(row, 2)?,
    })
}

/// From the columns of [`ADJUSTMENTS`](super::read::ADJUSTMENTS).
pub(super) fn adjustment(row: &SqliteRow) -> Result<Adjustment, StoreError> {
    Ok(Adjustment {
        id: text(row, 0, AdjustmentId::parse)?,
        product: ProductId::new(get(row, 1)?),
        delta: Units::stored(get(row, 2)?),
        reason: text(row, 3, Note::parse)?,
        reference: maybe_text(row, 4, Note::parse)?,
        at: time(row, 5)?,
        version: unsigned(row, 6)?,
    })
}

/// One column.
pub(super) fn get<'r, T>(row: &'r SqliteRow, column: usize) -> Result<T, StoreError>
where
    T: sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
{
    row.try_get(column).map_err(store_error)
}

/// A version or a count.
pub(super) fn unsigned(row: &SqliteRow, column: usize) -> Result<u64, StoreError> {
    let value: i64 = get(row, column)?;
    u64::try_from(value).map_err(|_| corrupt(format!("a version or count is {value}")))
}

pub(super) fn time(row: &SqliteRow, column: usize) -> Result<Timestamp, StoreError> {
    Ok(Timestamp::from_micros(get(row, column)?))
}

pub(super) fn maybe_time(row: &SqliteRow, column: usize) -> Result<Option<Timestamp>, StoreError> {
    Ok(get::<Option<i64>>(row, column)?.map(Timestamp::from_micros))
}

pub(super) fn maybe_uuid(row: &SqliteRow, column: usize) -> Result<Option<Uuid>, StoreError> {
    get(row, column)
}

pub(super) fn text<T>(
    row: &SqliteRow,
    column: usize,
    parse: fn(&str) -> Result<T, InvalidText>,
) -> Result<T, StoreError> {
    let text: &str = get(row, column)?;
    parse(text).map_err(|e| corrupt(format!("a text {e}: {text:?}")))
}

pub(super) fn maybe_text<T>(
    row: &SqliteRow,
    column: usize,
    parse: fn(&str) -> Result<T, InvalidText>,
) -> Result<Option<T>, StoreError> {
    let text: Option<&str> = get(row, column)?;
    text.map(parse).transpose().map_err(|e| corrupt(format!("a text {e}")))
}

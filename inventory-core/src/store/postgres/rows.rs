//! Rows as the engine's types, and the engine's types as what the driver binds.

use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgHasArrayType, PgRow, PgTypeInfo, PgValueRef};
use sqlx::{Postgres, Row as _};
use uuid::Uuid;

use super::errors::classify;
use crate::clock::Timestamp;
use crate::ids::{BatchId, CustomerId, Note, OrderId, ProductId};
use crate::lines::{Line, Lines};
use crate::product::{Alert, Product};
use crate::quantity::{Quantity, Units};
use crate::reservation::{Reservation, Status};
use crate::store::{StoreError, StoreErrorKind};

/// What [`product`] expects, in this order. A macro, so that `concat!` can put it into constant SQL.
macro_rules! product_columns {
    () => {
        "product_id, on_hand, held, version, admin_version, low_stock_threshold, per_customer_limit, limited_since, \
         name, alert_state, last_batch"
    };
}
/// What [`reservation`] expects, in this order.
macro_rules! reservation_columns {
    () => {
        "r.order_id, r.status, r.late, r.customer_id, r.created_at, r.expires_at, r.expires_at_max, r.ended_at, \
         r.products, r.quantities, r.remaining"
    };
}
pub(super) use {product_columns, reservation_columns};

/// Which version of a row was read: the transaction that wrote it, as the server tells it in `xmin`. A row whose version is the same
/// has not been changed since, by anyone.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct RowVersion(u32);

/// The server's own numbers for `xid` and `xid[]`; they never change.
const XID: PgTypeInfo = PgTypeInfo::with_oid(Oid(28));
const XID_ARRAY: PgTypeInfo = PgTypeInfo::with_oid(Oid(1011));

impl sqlx::Type<Postgres> for RowVersion {
    fn type_info() -> PgTypeInfo {
        XID
    }
}

impl PgHasArrayType for RowVersion {
    fn array_type_info() -> PgTypeInfo {
        XID_ARRAY
    }
}

impl sqlx::Encode<'_, Postgres> for RowVersion {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        buffer.extend_from_slice(&self.0.to_be_bytes());
        Ok(IsNull::No)
    }
}

impl sqlx::Decode<'_, Postgres> for RowVersion {
    fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
        Ok(Self(u32::from_be_bytes(value.as_bytes()?.try_into()?)))
    }
}

/// How many columns [`product`] reads.
pub(super) const PRODUCT_COLUMNS: usize = 11;

/// A row nobody can have written by way of this adapter.
pub(super) fn corrupt(what: &str, detail: impl std::fmt::Display) -> StoreError {
    StoreError::new(StoreErrorKind::Corrupt, format!("{what}: {detail}"))
}

/// One column of a row.
pub(super) fn column<'r, T>(row: &'r PgRow, at: usize) -> Result<T, StoreError>
where
    T: sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
{
    row.try_get(at).map_err(classify)
}

/// Reads the columns of [`product_columns`], from the first on.
pub(super) fn product(row: &PgRow) -> Result<Product, StoreError> {
    let id = ProductId::new(column(row, 0)?);
    let bad = |what: &str| corrupt("inventory", format_args!("product {id} has an unacceptable {what}"));
    let unsigned = |version: i64, what| u64::try_from(version).map_err(|_| bad(what));
    let limit: Option<i32> = column(row, 6)?;
    let name: Option<&str> = column(row, 8)?;
    Ok(Product {
        id,
        on_hand: Units::stored(column(row, 1)?),
        held: Units::stored(column(row, 2)?),
        version: unsigned(column(row, 3)?, "version")?,
        admin_version: unsigned(column(row, 4)?, "admin_version")?,
        low_stock_threshold: column::<Option<i64>>(row, 5)?.map(Units::stored),
        per_customer_limit: limit
            .map(|limit| Quantity::new(limit.into()).map_err(|_| bad("limit")))
            .transpose()?,
        limited_since: column(row, 7)?,
        name: name.map(|name| Note::parse(name).map_err(|_| bad("name"))).transpose()?,
        alert: Alert::from_code(column::<i16>(row, 9)?.into()),
        last_batch: BatchId::new(column(row, 10)?),
    })
}

/// Reads the columns of [`reservation_columns`], from `first` on.
pub(super) fn reservation(row: &PgRow, first: usize) -> Result<Reservation, StoreError> {
    let order = OrderId::new(column(row, first)?);
    let bad = |what: &str| corrupt("reservations", format_args!("order {order} has unacceptable {what}"));
    let at = |offset: usize| -> Result<Timestamp, StoreError> { column::<Timestamp>(row, first + offset) };
    let customer: Option<&str> = column(row, first + 3)?;
    let products: Vec<i64> = column(row, first + 8)?;
    let quantities: Vec<i32> = column(row, first + 9)?;
    let remaining: Option<Vec<i32>> = column(row, first + 10)?;
    let requested = lines(&products, &quantities).ok_or_else(|| bad("lines"))?;
    let lines = match remaining {
        None => requested.clone(),
        Some(remaining) => lines(&products, &remaining).ok_or_else(|| bad("remaining lines"))?,
    };
    Ok(Reservation {
        order,
        status: Status::from_code(column::<i16>(row, first + 1)?.into()).ok_or_else(|| bad("status"))?,
        customer: customer.map(|id| CustomerId::parse(id).map_err(|_| bad("customer"))).transpose()?,
        requested,
        lines,
        created_at: at(4)?,
        expires_at: at(5)?,
        expires_at_max: at(6)?,
        ended_at: column(row, first + 7)?,
        late: column(row, first + 2)?,
    })
}

/// Lines from parallel arrays, without those that are used up; `None` if the arrays make no sense.
fn lines(products: &[i64], quantities: &[i32]) -> Option<Lines> {
    if products.len() != quantities.len() || !products.windows(2).all(|pair| pair[0] < pair[1]) {
        return None;
    }
    let lines: Option<Vec<Line>> = products
        .iter()
        .zip(quantities)
        .filter(|&(_, &quantity)| quantity != 0)
        .map(|(&product, &quantity)| {
            Some(Line { product: ProductId::new(product), quantity: Quantity::new(quantity.into()).ok()? })
        })
        .collect();
    lines.map(Lines::stored)
}

/// Products as the driver binds them.
pub(super) fn product_ids(products: &[ProductId]) -> Vec<i64> {
    products.iter().map(|product| product.get()).collect()
}

/// Orders as the driver binds them.
pub(super) fn order_ids(orders: &[OrderId]) -> Vec<Uuid> {
    orders.iter().map(|order| order.get()).collect()
}

/// A version as stored. Versions count batches; the column holds 292,000 years of a million a second.
pub(super) fn version(version: u64) -> i64 {
    i64::try_from(version).unwrap_or(i64::MAX)
}

/// A limit as stored.
pub(super) fn limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

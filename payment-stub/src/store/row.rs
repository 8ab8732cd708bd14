//! A payment's row, read.

use service_kit::sql::{Row, id, time};
use sqlx::Row as _;

use crate::payment::{Cause, Payment, Request, Status};

/// What a payment is read from, in each dialect.
macro_rules! columns {
    (postgres) => {
        "payment_id::text AS payment_id, order_id::text AS order_id, amount::text AS amount, method, status, reason, \
         causation_id, traceparent, (extract(epoch FROM created_at) * 1000000)::bigint AS created_at, \
         (extract(epoch FROM updated_at) * 1000000)::bigint AS updated_at"
    };
    (sqlite) => {
        "payment_id, order_id, amount, method, status, reason, causation_id, traceparent, created_at, updated_at"
    };
}
pub(super) use columns;

/// Reads one.
pub(super) fn payment(row: &Row) -> Result<Payment, sqlx::Error> {
    Ok(Payment {
        request: Request {
            payment_id: id(row, "payment_id")?,
            order_id: id(row, "order_id")?,
            amount: row.try_get::<&str, _>("amount")?.parse().map_err(|error| decode("amount", error))?,
            method: row.try_get("method")?,
        },
        cause: Cause { causation_id: row.try_get("causation_id")?, traceparent: row.try_get("traceparent")? },
        status: status(row)?,
        reason: row.try_get("reason")?,
        created_at: time(row.try_get("created_at")?),
        updated_at: time(row.try_get("updated_at")?),
    })
}

fn status(row: &Row) -> Result<Status, sqlx::Error> {
    let name: &str = row.try_get("status")?;
    Status::parse(name).ok_or_else(|| decode("status", UnknownStatus(name.to_owned())))
}

fn decode(column: &str, source: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::ColumnDecode { index: column.to_owned(), source: Box::new(source) }
}

#[derive(Debug, thiserror::Error)]
#[error("{0:?} is no status of a payment")]
struct UnknownStatus(String);

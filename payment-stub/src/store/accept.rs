//! Accepting a payment.

use std::time::Duration;

use service_kit::sql::{Database, Sql, Transaction};
use sqlx::Any;
use sqlx::query::Query;

use super::WriteError;
use super::row::{columns, payment};
use crate::method::{Behaviour, Method};
use crate::payment::{Cause, Payment, Request};

// Answers nothing if the id was accepted before.
const INSERT: Sql = Sql::each(
    concat!(
        "INSERT INTO payments (payment_id, order_id, amount, method, status, causation_id, traceparent, created_at, updated_at, \
         due_at) VALUES ($1::uuid, $2::uuid, $3::numeric, $4, 'ACCEPTED', $5, $6, \
         clock_timestamp(), clock_timestamp(), clock_timestamp() + $7 * interval '1 microsecond') ON CONFLICT (payment_id) DO NOTHING RETURNING ",
        columns!(postgres)
    ),
    concat!(
        "INSERT INTO payments (payment_id, order_id, amount, method, status, causation_id, traceparent, created_at, updated_at, \
         due_at) SELECT $1, $2, $3, $4, 'ACCEPTED', $5, $6, clock.now, clock.now, clock.now + $7 \
         FROM (SELECT CAST(unixepoch('subsec') * 1000000 AS INTEGER) AS now) AS clock WHERE true ON CONFLICT (payment_id) DO NOTHING RETURNING ",
        columns!(sqlite)
    ),
);

const SELECT: Sql = Sql::each(
    concat!("SELECT ", columns!(postgres), " FROM payments WHERE payment_id = $1::uuid"),
    concat!("SELECT ", columns!(sqlite), " FROM payments WHERE payment_id = $1"),
);

/// Why a payment was not accepted.
#[derive(Debug)]
pub(crate) enum AcceptError {
    /// The same id was used for this.
    Conflict(Box<Request>),
    /// The books could not be written.
    Write(WriteError),
}

impl From<sqlx::Error> for AcceptError {
    fn from(error: sqlx::Error) -> Self {
        Self::Write(error.into())
    }
}

/// Accepts a payment for good, or answers it as it is now if it was accepted before. One statement, and one more for a repeat.
pub(crate) async fn accept(
    database: &Database,
    request: &Request,
    cause: &Cause,
) -> Result<Payment, AcceptError> {
    let inserted = insert(database.sql(INSERT), request, cause).fetch_optional(database.pool()).await;
    let inserted = inserted.map_err(|error| match error {
        // The answer is missing, not the effect.
        error @ (sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_)) => {
            WriteError::AtCommit(error)
        }
        error => WriteError::Before(error),
    });
    if let Some(row) = inserted.map_err(AcceptError::Write)? {
        return Ok(payment(&row)?);
    }
    let found = find(database.sql(SELECT), request).fetch_one(database.pool()).await?;
    the_same(payment(&found)?, request)
}

/// The same, as a part of something larger.
pub(crate) async fn accept_in(
    tx: &mut Transaction,
    request: &Request,
    cause: &Cause,
) -> Result<Payment, AcceptError> {
    if let Some(row) = insert(tx.sql(INSERT), request, cause).fetch_optional(tx.connection()).await? {
        return Ok(payment(&row)?);
    }
    // A statement of its own: on Postgres it sees what another transaction inserted while this one waited for it.
    let found = find(tx.sql(SELECT), request).fetch_one(tx.connection()).await?;
    the_same(payment(&found)?, request)
}

type Statement<'q> = Query<'q, Any, <Any as sqlx::Database>::Arguments>;

fn insert<'q>(sql: &'static str, request: &'q Request, cause: &'q Cause) -> Statement<'q> {
    let due_in = match request.method.parse::<Method>().map(|method| method.payment) {
        Ok(Behaviour::Silent) => None,
        Ok(behaviour) => Some(behaviour.settles_after()),
        // Refused by the worker, as an outcome.
        Err(_) => Some(Duration::ZERO),
    };
    let due_in = due_in.map(|due_in| i64::try_from(due_in.as_micros()).unwrap_or(i64::MAX / 4));
    sqlx::query(sql)
        .bind(request.payment_id.to_string())
        .bind(request.order_id.to_string())
        .bind(request.amount.to_string())
        .bind(request.method.as_str())
        .bind(cause.causation_id.as_deref())
        .bind(cause.traceparent.as_deref())
        .bind(due_in)
}

fn find<'q>(sql: &'static str, request: &Request) -> Statement<'q> {
    sqlx::query(sql).bind(request.payment_id.to_string())
}

/// What stands there, if it was asked for with the same content.
fn the_same(payment: Payment, request: &Request) -> Result<Payment, AcceptError> {
    if payment.request != *request {
        return Err(AcceptError::Conflict(Box::new(payment.request)));
    }
    Ok(payment)
}

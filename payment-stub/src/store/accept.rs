//! Accepting a payment.

use std::time::Duration;

use service_kit::sql::{Database, Sql, Transaction};

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

/// Accepts a payment for good, or answers it as it is now if it was accepted before.
pub(crate) async fn accept(
    database: &Database,
    request: &Request,
    cause: &Cause,
) -> Result<Payment, AcceptError> {
    let mut tx = database.begin().await?;
    let payment = accept_in(&mut tx, request, cause).await?;
    tx.commit().await.map_err(|error| AcceptError::Write(WriteError::AtCommit(error)))?;
    Ok(payment)
}

/// The same, as a part of something larger.
pub(crate) async fn accept_in(
    tx: &mut Transaction,
    request: &Request,
    cause: &Cause,
) -> Result<Payment, AcceptError> {
    let due_in = match request.method.parse::<Method>().map(|method| method.payment) {
        Ok(Behaviour::Silent) => None,
        Ok(behaviour) => Some(behaviour.settles_after()),
        // Refused by the worker, as an outcome.
        Err(_) => Some(Duration::ZERO),
    };
    let due_in = due_in.map(|due_in| i64::try_from(due_in.as_micros()).unwrap_or(i64::MAX / 4));
    let id = request.payment_id.to_string();
    let inserted = sqlx::query(tx.sql(INSERT))
        .bind(id.as_str())
        .bind(request.order_id.to_string())
        .bind(request.amount.to_string())
        .bind(request.method.as_str())
        .bind(cause.causation_id.as_deref())
        .bind(cause.traceparent.as_deref())
        .bind(due_in)
        .fetch_optional(tx.connection())
        .await?;
    if let Some(row) = inserted {
        return Ok(payment(&row)?);
    }
    // A statement of its own: on Postgres it sees what another transaction inserted while this one waited for it.
    let row = sqlx::query(tx.sql(SELECT)).bind(id.as_str()).fetch_one(tx.connection()).await?;
    let payment = payment(&row)?;
    if payment.request != *request {
        return Err(AcceptError::Conflict(Box::new(payment.request)));
    }
    Ok(payment)
}

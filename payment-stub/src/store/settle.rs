//! Settling what is due: the new status and its event in one transaction.

use std::time::Duration;

use chrono::{DateTime, Utc};
use event_contracts::payments::{PaymentFailed, PaymentRefunded, PaymentSuccessful, VERSION};
use event_contracts::topics;
use serde::Serialize;
use service_kit::events::{Outgoing, outbox};
use service_kit::sql::{Database, Row, Sql, Transaction, json};
use sqlx::Row as _;
use uuid::{NoContext, Timestamp, Uuid};

use super::row::{columns, payment};
use crate::limits::BATCH_MAX;
use crate::outcome::{self, Outcome};
use crate::payment::{Payment, Status};

/// Who writes these events.
const SOURCE: &str = "payment-stub";

// Rows in other hands are settled there. On SQLite the transaction has the file's one write lock.
const CLAIM: Sql = Sql::each(
    concat!(
        "SELECT ",
        columns!(postgres),
        " FROM payments WHERE due_at <= clock_timestamp() ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED"
    ),
    concat!(
        "SELECT ",
        columns!(sqlite),
        " FROM payments WHERE due_at <= CAST(unixepoch('subsec') * 1000000 AS INTEGER) ORDER BY due_at LIMIT $1"
    ),
);

// `$1` is a JSON array, `$2` the time.
const UPDATE: Sql = Sql::each(
    "UPDATE payments SET status = s.status, reason = s.reason, updated_at = timestamptz 'epoch' + $2 * interval '1 microsecond', \
     due_at = NULL FROM json_to_recordset($1::json) AS s (payment uuid, status text, reason text) \
     WHERE payments.payment_id = s.payment",
    "UPDATE payments SET status = s.value->>'status', reason = s.value->>'reason', updated_at = $2, due_at = NULL \
     FROM json_each($1) AS s WHERE payments.payment_id = s.value->>'payment'",
);

const POSTPONE: Sql = Sql::each(
    "UPDATE payments SET due_at = clock_timestamp() + interval '1 minute' WHERE payment_id = $1::uuid",
    "UPDATE payments SET due_at = CAST((unixepoch('subsec') + 60) * 1000000 AS INTEGER) WHERE payment_id = $1",
);

const NEXT_DUE: Sql = Sql::each(
    "SELECT (extract(epoch FROM min(due_at) - clock_timestamp()) * 1000000)::bigint FROM payments WHERE due_at IS NOT NULL",
    "SELECT min(due_at) - CAST(unixepoch('subsec') * 1000000 AS INTEGER) FROM payments WHERE due_at IS NOT NULL",
);

/// What one look brought.
#[derive(Debug)]
pub(crate) struct Batch {
    /// What became of each payment that was due.
    pub(crate) settled: Vec<Status>,
    /// How long until the next one is due, if there is one.
    pub(crate) next_due: Option<Duration>,
}

/// Settles up to so many payments that are due, by the database's clock.
pub(crate) async fn settle_due(database: &Database) -> Result<Batch, sqlx::Error> {
    let mut tx = database.begin().await?;
    let rows = sqlx::query(tx.sql(CLAIM)).bind(BATCH_MAX).fetch_all(tx.connection()).await?;
    let now = tx.now().await?;
    let (mut settled, mut rows_after, mut events) = (Vec::with_capacity(rows.len()), Vec::new(), Vec::new());
    for row in &rows {
        let payment = match payment(row) {
            Ok(payment) => payment,
            Err(error) => {
                postpone(&mut tx, row, &error).await?;
                continue;
            }
        };
        let outcome = outcome::of(payment.status, &payment.request.method);
        rows_after.push(Settled::new(&payment, outcome.as_ref()));
        if let Some(outcome) = outcome {
            tell(&mut events, &payment, &outcome, now)?;
            settled.push(outcome.status);
        }
    }
    if !rows_after.is_empty() {
        sqlx::query(tx.sql(UPDATE))
            .bind(json(&rows_after)?)
            .bind(now.timestamp_micros())
            .execute(tx.connection())
            .await?;
    }
    outbox::write_all(&mut tx, &events).await?;
    let next_due: Option<i64> = sqlx::query_scalar(tx.sql(NEXT_DUE)).fetch_one(tx.connection()).await?;
    tx.commit().await?;
    let next_due = next_due.map(|micros| Duration::from_micros(u64::try_from(micros).unwrap_or(0)));
    Ok(Batch { settled, next_due })
}

/// A row that cannot be read must not hold up the rest: it is looked at again later.
async fn postpone(tx: &mut Transaction, row: &Row, error: &sqlx::Error) -> Result<(), sqlx::Error> {
    let id: &str = row.try_get("payment_id")?;
    tracing::error!(payment_id = id, %error, "a payment cannot be read, and waits");
    sqlx::query(tx.sql(POSTPONE)).bind(id).execute(tx.connection()).await?;
    Ok(())
}

/// A payment's row as it is about to be written. Without an outcome it only is not due any more.
#[derive(Serialize)]
struct Settled {
    payment: Uuid,
    status: &'static str,
    reason: Option<String>,
}

impl Settled {
    fn new(payment: &Payment, outcome: Option<&Outcome>) -> Self {
        let (status, reason) = match outcome {
            Some(outcome) => (outcome.status, outcome.reason.clone()),
            None => (payment.status, payment.reason.clone()),
        };
        Self { payment: payment.request.payment_id, status: status.name(), reason }
    }
}

/// Says the outcome's events.
fn tell(
    events: &mut Vec<outbox::Row>,
    payment: &Payment,
    outcome: &Outcome,
    now: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    let (payment_id, order_id, amount) =
        (payment.request.payment_id, payment.request.order_id, payment.request.amount);
    for _ in 0..outcome.copies {
        events.push(match outcome.status {
            Status::Successful => {
                let told = PaymentSuccessful { payment_id, order_id, amount };
                (&event(payment, topics::PAYMENT_SUCCESSFUL, now, told)).try_into()?
            }
            Status::Failed => {
                let reason = outcome.reason.clone().unwrap_or_default();
                let told = PaymentFailed { payment_id, order_id, amount, reason };
                (&event(payment, topics::PAYMENT_FAILED, now, told)).try_into()?
            }
            Status::Refunded => {
                let told = PaymentRefunded { payment_id, order_id, amount };
                (&event(payment, topics::PAYMENT_REFUNDED, now, told)).try_into()?
            }
            // No outcomes.
            Status::Accepted | Status::Refunding => return Ok(()),
        });
    }
    Ok(())
}

/// The key is the order's id, so that the facts about one order keep their order. It is not this service's aggregate: no version.
fn event<P: Serialize>(payment: &Payment, topic: &'static str, at: DateTime<Utc>, payload: P) -> Outgoing<P> {
    Outgoing {
        id: event_id(at),
        topic,
        version: VERSION,
        at,
        source: SOURCE,
        aggregate_type: "order",
        aggregate_id: payment.request.order_id.to_string(),
        aggregate_version: 0,
        correlation_id: payment.request.order_id.to_string(),
        causation_id: payment.cause.causation_id.clone(),
        traceparent: payment.cause.traceparent.clone(),
        payload,
    }
}

/// Time-ordered by the store's clock, so that the outbox's index grows at its end.
fn event_id(at: DateTime<Utc>) -> Uuid {
    let seconds = u64::try_from(at.timestamp()).unwrap_or(0);
    Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, at.timestamp_subsec_nanos()))
}

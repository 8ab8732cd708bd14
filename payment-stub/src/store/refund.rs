//! Asking for a refund.

use service_kit::sql::{Database, Sql};
use uuid::Uuid;

use super::row::{columns, payment};
use super::{WriteError, later};
use crate::method::{Behaviour, Method};
use crate::payment::{Payment, Status};

const LOCK: Sql = Sql::each(
    concat!("SELECT ", columns!(postgres), " FROM payments WHERE payment_id = $1::uuid FOR UPDATE"),
    concat!("SELECT ", columns!(sqlite), " FROM payments WHERE payment_id = $1"),
);

const UPDATE: Sql = Sql::each(
    "UPDATE payments SET status = 'REFUNDING', updated_at = timestamptz 'epoch' + $2 * interval '1 microsecond', \
     due_at = timestamptz 'epoch' + $3 * interval '1 microsecond' WHERE payment_id = $1::uuid",
    "UPDATE payments SET status = 'REFUNDING', updated_at = $2, due_at = $3 WHERE payment_id = $1",
);

/// Why there is no refund.
#[derive(Debug)]
pub(crate) enum RefundError {
    /// No such payment.
    NotFound,
    /// Its outcome is not known yet.
    NotSettled,
    /// It failed: there is no money to give back.
    Failed,
    /// The books could not be written.
    Write(WriteError),
}

impl From<sqlx::Error> for RefundError {
    fn from(error: sqlx::Error) -> Self {
        Self::Write(error.into())
    }
}

/// Commits to giving the money back, or answers the payment as it is if that was done before.
pub(crate) async fn refund(database: &Database, id: Uuid) -> Result<Payment, RefundError> {
    let mut tx = database.begin().await?;
    let row = sqlx::query(tx.sql(LOCK)).bind(id.to_string()).fetch_optional(tx.connection()).await?;
    let payment = payment(&row.ok_or(RefundError::NotFound)?)?;
    match payment.status {
        Status::Accepted => Err(RefundError::NotSettled),
        Status::Failed => Err(RefundError::Failed),
        Status::Refunding | Status::Refunded => Ok(payment),
        Status::Successful => {
            let now = tx.now().await?;
            let method = payment.request.method.parse::<Method>();
            let behaviour = method.map_or(Behaviour::Approve, |method| method.refund);
            sqlx::query(tx.sql(UPDATE))
                .bind(id.to_string())
                .bind(now.timestamp_micros())
                .bind(later(now, behaviour.settles_after()))
                .execute(tx.connection())
                .await?;
            tx.commit().await.map_err(|error| RefundError::Write(WriteError::AtCommit(error)))?;
            Ok(Payment { status: Status::Refunding, updated_at: now, ..payment })
        }
    }
}

//! Reading one payment.

use service_kit::sql::{Database, Sql};
use uuid::Uuid;

use super::row::{columns, payment};
use crate::payment::Payment;

const SELECT: Sql = Sql::each(
    concat!("SELECT ", columns!(postgres), " FROM payments WHERE payment_id = $1::uuid"),
    concat!("SELECT ", columns!(sqlite), " FROM payments WHERE payment_id = $1"),
);

/// A payment, if there is one.
pub(crate) async fn find(database: &Database, id: Uuid) -> Result<Option<Payment>, sqlx::Error> {
    let row = sqlx::query(database.sql(SELECT)).bind(id.to_string()).fetch_optional(database.pool()).await?;
    row.as_ref().map(payment).transpose()
}

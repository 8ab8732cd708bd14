//! Money facts that were told already, whatever their events' ids.

use std::collections::HashSet;

use service_kit::sql::{Sql, Transaction, id, json};
use sqlx::Row as _;
use uuid::Uuid;

use super::batch::Money;

// `$1` is a JSON array.
const INSERT: Sql = Sql::each(
    "INSERT INTO payments_seen (payment_id, outcome, event_id, at) SELECT m.payment, m.outcome, m.event, clock_timestamp() \
     FROM json_to_recordset($1::json) AS m (payment uuid, outcome text, event text) ORDER BY m.payment, m.outcome \
     ON CONFLICT DO NOTHING RETURNING payment_id::text AS payment_id, outcome",
    "INSERT INTO payments_seen (payment_id, outcome, event_id, at) \
     SELECT m.value->>'payment', m.value->>'outcome', m.value->>'event', CAST(unixepoch('subsec') * 1000000 AS INTEGER) \
     FROM json_each($1) AS m WHERE true ON CONFLICT DO NOTHING RETURNING payment_id, outcome",
);

/// Those of these outcomes that are told for the first time, by payment and outcome.
pub(super) async fn firsts(
    tx: &mut Transaction,
    money: &[&Money],
) -> Result<HashSet<(Uuid, String)>, sqlx::Error> {
    if money.is_empty() {
        return Ok(HashSet::new());
    }
    let rows = sqlx::query(tx.sql(INSERT)).bind(json(money)?).fetch_all(tx.connection()).await?;
    rows.iter().map(|row| Ok((id(row, "payment_id")?, row.try_get("outcome")?))).collect()
}

//! The order's history, append-only: what came in, which calls were begun and how they ended, what went out.

use chrono::{DateTime, Utc};
use serde::Serialize;
use service_kit::sql::{Sql, Transaction};
use uuid::Uuid;

use super::timeline::{EntryKind, EntryStatus};

/// One line about to be written.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Line {
    pub(super) kind: EntryKind,
    pub(super) step: String,
    pub(super) compensating: bool,
    pub(super) status: EntryStatus,
    pub(super) details: Option<String>,
    pub(super) event: Option<String>,
}

// All lines of a step in one statement, in their order.
const INSERT: Sql = Sql::each(
    "INSERT INTO saga_state_log (order_id, saga_version, kind, step_name, is_compensating, status, details, event_id, created_at) \
     SELECT $1::uuid, $2, l.value->>'kind', l.value->>'step', (l.value->>'compensating')::boolean, l.value->>'status', \
            l.value->>'details', l.value->>'event', timestamptz 'epoch' + $3 * interval '1 microsecond' \
     FROM jsonb_array_elements($4::jsonb) WITH ORDINALITY AS l (value, n) ORDER BY l.n",
    "INSERT INTO saga_state_log (order_id, saga_version, kind, step_name, is_compensating, status, details, event_id, created_at) \
     SELECT $1, $2, l.value->>'kind', l.value->>'step', l.value->>'compensating', l.value->>'status', \
            l.value->>'details', l.value->>'event', $3 \
     FROM json_each($4) AS l ORDER BY l.key",
);

/// Writes the lines of one step.
pub(super) async fn write(
    tx: &mut Transaction,
    order: Uuid,
    version: u64,
    at: DateTime<Utc>,
    lines: &[Line],
) -> Result<(), sqlx::Error> {
    if lines.is_empty() {
        return Ok(());
    }
    let lines = serde_json::to_string(lines).map_err(|error| sqlx::Error::Encode(error.into()))?;
    sqlx::query(tx.sql(INSERT))
        .bind(order.to_string())
        .bind(i64::try_from(version).unwrap_or(i64::MAX))
        .bind(at.timestamp_micros())
        .bind(lines)
        .execute(tx.connection())
        .await?;
    Ok(())
}

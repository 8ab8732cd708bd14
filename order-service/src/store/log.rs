//! The order's history, append-only: what came in, which calls were begun and how they ended, what went out.

use serde::Serialize;
use service_kit::sql::{Sql, Transaction, json};
use uuid::Uuid;

use super::timeline::{EntryKind, EntryStatus};

/// One line about to be written.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Line {
    pub(super) order: Uuid,
    /// The saga's version after the step.
    pub(super) version: u64,
    /// Microseconds.
    pub(super) at: i64,
    pub(super) kind: EntryKind,
    pub(super) step: String,
    pub(super) compensating: bool,
    pub(super) status: EntryStatus,
    pub(super) details: Option<String>,
    pub(super) event: Option<String>,
}

// `$1` is a JSON array; the lines get their numbers in its order.
const INSERT: Sql = Sql::each(
    "INSERT INTO saga_state_log (order_id, saga_version, kind, step_name, is_compensating, status, details, event_id, created_at) \
     SELECT l.\"order\", l.version, l.kind, l.step, l.compensating, l.status, l.details, l.event, \
            timestamptz 'epoch' + l.at * interval '1 microsecond' \
     FROM ROWS FROM (json_to_recordset($1::json) AS (\"order\" uuid, version bigint, at bigint, kind text, step text, \
            compensating boolean, status text, details text, event text)) \
          WITH ORDINALITY AS l (\"order\", version, at, kind, step, compensating, status, details, event, n) ORDER BY l.n",
    "INSERT INTO saga_state_log (order_id, saga_version, kind, step_name, is_compensating, status, details, event_id, created_at) \
     SELECT l.value->>'order', l.value->>'version', l.value->>'kind', l.value->>'step', l.value->>'compensating', \
            l.value->>'status', l.value->>'details', l.value->>'event', l.value->>'at' \
     FROM json_each($1) AS l ORDER BY l.key",
);

/// Writes lines in their order.
pub(super) async fn write(tx: &mut Transaction, lines: &[Line]) -> Result<(), sqlx::Error> {
    if lines.is_empty() {
        return Ok(());
    }
    sqlx::query(tx.sql(INSERT)).bind(json(lines)?).execute(tx.connection()).await.map(drop)
}

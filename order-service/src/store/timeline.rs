//! An order's history, read: steps, events and whether they are delivered.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use service_kit::sql::{Sql, time};
use sqlx::Row as _;
use uuid::Uuid;

use super::Store;
use super::row::from_name;

/// What a line of the history is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum EntryKind {
    /// A call to another service.
    Step,
    /// Something that came in: an answer, an event, a timer, a wish.
    Input,
    /// An event that went out.
    Event,
    /// An operator should look.
    Alarm,
}

/// How far it got.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum EntryStatus {
    /// Begun: the intent is durable.
    Started,
    /// Done.
    Completed,
    /// Not done, or no longer wanted.
    Failed,
}

/// One line of an order's history.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Rises within an order.
    pub seq: i64,
    /// The saga's version after it.
    pub version: i64,
    /// What it is about.
    pub kind: EntryKind,
    /// The step's, input's or event's name.
    pub name: String,
    /// Whether it undoes something.
    pub is_compensating: bool,
    /// How far it got.
    pub status: EntryStatus,
    /// For people.
    pub details: Option<String>,
    /// The event that was written, or that led to this.
    pub event_id: Option<String>,
    /// For events that went out: whether the transport has it.
    pub is_delivered: Option<bool>,
    /// By the database's clock.
    pub at: DateTime<Utc>,
}

// The relay deletes what it has delivered; what still stands there is pending.
const SELECT: Sql = Sql::each(
    "SELECT l.seq, l.saga_version, l.kind, l.step_name, l.is_compensating::int::bigint AS is_compensating, l.status, l.details, \
            l.event_id, (extract(epoch FROM l.created_at) * 1000000)::bigint AS at, \
            (CASE WHEN l.kind = 'EVENT' THEN EXISTS (SELECT FROM outbox b WHERE b.id = l.event_id::uuid) ELSE false END)::int::bigint AS is_pending \
     FROM saga_state_log l WHERE l.order_id = $1::uuid ORDER BY l.seq",
    "SELECT l.seq, l.saga_version, l.kind, l.step_name, l.is_compensating, l.status, l.details, l.event_id, l.created_at AS at, \
            (l.kind = 'EVENT' AND EXISTS (SELECT 1 FROM outbox b WHERE b.id = unhex(replace(l.event_id, '-', '')))) AS is_pending \
     FROM saga_state_log l WHERE l.order_id = $1 ORDER BY l.seq",
);

impl Store {
    /// The order's whole history, oldest first; empty for an unknown order.
    pub async fn timeline(&self, order: Uuid) -> Result<Vec<Entry>, sqlx::Error> {
        let rows = sqlx::query(self.db.sql(SELECT)).bind(order.to_string()).fetch_all(self.db.pool()).await?;
        rows.iter()
            .map(|row| {
                let named = |column: &str| row.try_get::<String, _>(column);
                let unknown =
                    |name: String| sqlx::Error::Decode(format!("unknown {name:?} in the log").into());
                let (kind, status) = (named("kind")?, named("status")?);
                let kind: EntryKind = from_name(&kind).ok_or_else(|| unknown(kind))?;
                Ok(Entry {
                    seq: row.try_get("seq")?,
                    version: row.try_get("saga_version")?,
                    kind,
                    name: named("step_name")?,
                    is_compensating: row.try_get::<i64, _>("is_compensating")? != 0,
                    status: from_name(&status).ok_or_else(|| unknown(status))?,
                    details: row.try_get("details")?,
                    event_id: row.try_get("event_id")?,
                    is_delivered: (kind == EntryKind::Event)
                        .then(|| row.try_get::<i64, _>("is_pending").map(|pending| pending == 0))
                        .transpose()?,
                    at: time(row.try_get("at")?),
                })
            })
            .collect()
    }
}

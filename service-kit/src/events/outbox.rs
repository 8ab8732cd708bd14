//! Writing an event: into the outbox, in the transaction that made it true.

use chrono::{DateTime, Utc};
use event_contracts::{Envelope, Metadata};
use serde::Serialize;
use uuid::Uuid;

use crate::sql::{Sql, Transaction};

/// One event about to be written. `P` is a payload of `event_contracts`.
#[derive(Clone, Debug)]
pub struct Outgoing<P> {
    /// Minted here and never again.
    pub id: Uuid,
    /// Its type, which is its topic.
    pub topic: &'static str,
    /// The payload's version.
    pub version: u32,
    /// When it happened, by the database's clock.
    pub at: DateTime<Utc>,
    /// Who writes it.
    pub source: &'static str,
    /// The kind of aggregate, such as `order`.
    pub aggregate_type: &'static str,
    /// The key; order is kept per key.
    pub aggregate_id: String,
    /// The aggregate's version after the change, or 0 where it has none.
    pub aggregate_version: u64,
    /// The business conversation.
    pub correlation_id: String,
    /// The event or request that led to it.
    pub causation_id: Option<String>,
    /// W3C trace context.
    pub traceparent: Option<String>,
    /// What happened.
    pub payload: P,
}

/// Name and value of a header.
pub type Header = (String, String);

impl<P: Serialize> Outgoing<P> {
    /// The envelope as it is sent, and its facts again as headers.
    pub fn encode(&self) -> Result<(Vec<u8>, Vec<Header>), serde_json::Error> {
        let envelope = Envelope {
            event_id: self.id,
            event_type: self.topic.to_owned(),
            version: self.version,
            timestamp: self.at,
            payload: &self.payload,
            metadata: Metadata {
                source_service: self.source.to_owned(),
                correlation_id: self.correlation_id.clone(),
                causation_id: self.causation_id.clone(),
                traceparent: self.traceparent.clone(),
            },
            aggregate_id: self.aggregate_id.clone(),
            aggregate_version: self.aggregate_version,
        };
        Ok((serde_json::to_vec(&envelope)?, self.headers()))
    }

    fn headers(&self) -> Vec<Header> {
        let header = |name: &str, value: String| (name.to_owned(), value);
        let mut headers = vec![
            header("eventId", self.id.to_string()),
            header("eventType", self.topic.to_owned()),
            header("version", self.version.to_string()),
            header("sourceService", self.source.to_owned()),
            header("correlationId", self.correlation_id.clone()),
            header("aggregateVersion", self.aggregate_version.to_string()),
            header("content-type", "application/json".to_owned()),
            header("ce_specversion", "1.0".to_owned()),
            header("ce_id", self.id.to_string()),
            header("ce_source", format!("/{}", self.source)),
            header("ce_type", self.topic.to_owned()),
            header("ce_subject", self.aggregate_id.clone()),
            header("ce_time", self.at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true)),
        ];
        headers.extend(self.causation_id.iter().map(|id| header("causationId", id.clone())));
        headers.extend(self.traceparent.iter().map(|trace| header("traceparent", trace.clone())));
        headers
    }
}

/// An event as it is stored, encoded: several are written by one statement.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Row {
    id: Uuid,
    kind: &'static str,
    key: String,
    version: u64,
    topic: &'static str,
    payload: String,
    headers: serde_json::Map<String, serde_json::Value>,
    at: i64,
}

impl Row {
    /// The event's id.
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// Its type, which is its topic.
    pub fn topic(&self) -> &'static str {
        self.topic
    }

    /// The envelope, as it is sent.
    pub fn payload(&self) -> &str {
        &self.payload
    }
}

impl<P: Serialize> TryFrom<&Outgoing<P>> for Row {
    type Error = sqlx::Error;

    fn try_from(event: &Outgoing<P>) -> Result<Self, sqlx::Error> {
        let (payload, headers) = event.encode().map_err(|error| sqlx::Error::Encode(error.into()))?;
        Ok(Self {
            id: event.id,
            kind: event.aggregate_type,
            key: event.aggregate_id.clone(),
            version: event.aggregate_version,
            topic: event.topic,
            payload: String::from_utf8(payload).map_err(|error| sqlx::Error::Encode(error.into()))?,
            headers: headers.into_iter().map(|(name, value)| (name, value.into())).collect(),
            at: event.at.timestamp_micros(),
        })
    }
}

// `$1` is a JSON array; the rows get their numbers in its order.
const INSERT: Sql = Sql::each(
    "INSERT INTO outbox (id, aggregatetype, aggregateid, aggregate_version, type, topic, payload, headers, created_at) \
     SELECT e.id, e.kind, e.key, e.version, e.topic, e.topic, convert_to(e.payload, 'UTF8'), e.headers, \
            timestamptz 'epoch' + e.at * interval '1 microsecond' \
     FROM ROWS FROM (json_to_recordset($1::json) AS (id uuid, kind text, key text, version bigint, topic text, payload text, \
            headers jsonb, at bigint)) WITH ORDINALITY AS e (id, kind, key, version, topic, payload, headers, at, n) ORDER BY e.n",
    "INSERT INTO outbox (id, aggregatetype, aggregateid, aggregate_version, type, topic, payload, headers, created_at) \
     SELECT unhex(replace(e.value->>'id', '-', '')), e.value->>'kind', e.value->>'key', e.value->>'version', e.value->>'topic', \
            e.value->>'topic', CAST(e.value->>'payload' AS BLOB), e.value->>'headers', e.value->>'at' \
     FROM json_each($1) AS e ORDER BY e.key",
);

/// Writes the event's row. The aggregate's row must have been locked before, so that the order of `seq` is the order of commits.
pub async fn write<P: Serialize>(tx: &mut Transaction, event: &Outgoing<P>) -> Result<(), sqlx::Error> {
    write_all(tx, &[Row::try_from(event)?]).await
}

/// Writes rows in their order; their aggregates are locked, as for [`write()`].
pub async fn write_all(tx: &mut Transaction, rows: &[Row]) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let rows = crate::sql::json(rows)?;
    sqlx::query(tx.sql(INSERT)).bind(rows).execute(tx.connection()).await.map(drop)
}

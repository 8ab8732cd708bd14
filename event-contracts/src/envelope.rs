//! The envelope around every event.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// One event: what happened, to what, and where it belongs. Consumers ignore fields that they do not know.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Envelope<P> {
    /// Minted when the event is written, never when it is sent: the key by which a second delivery is known.
    pub event_id: Uuid,
    /// What kind of event; the name of its topic.
    pub event_type: String,
    /// The payload's version. Raised by breaking changes only.
    pub version: u32,
    /// When it happened, by the clock of the store that wrote it.
    pub timestamp: DateTime<Utc>,
    /// What happened.
    pub payload: P,
    /// Where it belongs.
    pub metadata: Metadata,
    /// What it happened to; the message's key.
    pub aggregate_id: String,
    /// The aggregate's version after it, or 0 for aggregates without versions. Consumers may drop lower ones.
    pub aggregate_version: u64,
}

/// Where an event belongs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Metadata {
    /// Who wrote it.
    pub source_service: String,
    /// The business conversation: the order's id where there is one, else the id of the first event.
    pub correlation_id: String,
    /// The event or request that led to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub causation_id: Option<String>,
    /// W3C trace context.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
}

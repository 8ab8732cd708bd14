//! What a consumer hands events to.

use async_trait::async_trait;
use uuid::Uuid;

/// One event as it was received. The payload is the whole envelope, unparsed; what stands here was read from the headers, or from the
/// envelope where headers are missing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Incoming {
    /// The key by which a second delivery is known.
    pub id: Uuid,
    /// Its type.
    pub event_type: String,
    /// The payload's version.
    pub version: u32,
    /// The aggregate's id.
    pub key: String,
    /// The aggregate's version, or 0.
    pub aggregate_version: u64,
    /// W3C trace context.
    pub traceparent: Option<String>,
    /// The envelope, as bytes.
    pub payload: Vec<u8>,
}

impl Incoming {
    /// Parses the envelope with a payload of type `P`; what cannot be parsed is a permanent failure.
    pub fn parse<P: serde::de::DeserializeOwned>(&self) -> Result<event_contracts::Envelope<P>, HandleError> {
        serde_json::from_slice(&self.payload).map_err(|error| {
            HandleError::Permanent(format!("cannot be read as {}: {error}", self.event_type))
        })
    }
}

/// What became of an event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Handled {
    /// Its effects are durable.
    Done,
    /// It was handled before.
    Duplicate,
    /// Not for this consumer.
    Ignored,
}

/// Why an event was not handled.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum HandleError {
    /// Not now: the same event may be handled later. It is retried in place, and what follows waits.
    #[error("not now: {0}")]
    Transient(String),
    /// Never: it goes to the dead letters, and its key is parked.
    #[error("never: {0}")]
    Permanent(String),
}

impl From<sqlx::Error> for HandleError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            // The data is at fault; anything else may heal.
            sqlx::Error::Encode(_) | sqlx::Error::Decode(_) | sqlx::Error::ColumnDecode { .. } => {
                Self::Permanent(error.to_string())
            }
            error => Self::Transient(error.to_string()),
        }
    }
}

/// Handles the events of some topics for one group. **Effects and the inbox row are durable together before it returns `Done`.**
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// The group's name; also the consumer's name in the inbox.
    fn group(&self) -> &'static str;

    /// What it wants to hear.
    fn topics(&self) -> &'static [&'static str];

    /// Handles one event. Events of one key come in order, one at a time; those of other keys at the same time.
    async fn handle(&self, event: &Incoming) -> Result<Handled, HandleError>;
}

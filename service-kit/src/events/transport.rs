//! The transport's port. Two adapters: Kafka, and a durable log in a file for one process.

use std::time::Duration;

use async_trait::async_trait;

/// One message. Order is kept among the records of one topic and key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// Where it goes.
    pub topic: String,
    /// The aggregate's id.
    pub key: String,
    /// The envelope, serialised.
    pub payload: Vec<u8>,
    /// The envelope's facts again, so that routing needs no parsing.
    pub headers: Vec<(String, String)>,
}

/// A record and where it stood.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Received {
    /// The record.
    pub record: Record,
    /// Its partition (0 in the local log).
    pub partition: i32,
    /// Its place in the partition.
    pub offset: i64,
}

/// What becomes of old records.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cleanup {
    /// They go after a while.
    Delete,
    /// The last one of each key stays.
    Compact,
}

/// A topic that a service needs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TopicSpec {
    /// Its name.
    pub name: String,
    /// What becomes of old records.
    pub cleanup: Cleanup,
    /// How long records stay where they go after a while; as the brokers see fit if `None`. The local log has its own word on it, see
    /// [`RetentionOptions`](super::RetentionOptions).
    pub keep: Option<Duration>,
}

/// Carries records, at least once.
#[async_trait]
pub trait Transport: Send + Sync + 'static {
    /// Makes the topics that are missing.
    async fn ensure_topics(&self, topics: &[TopicSpec]) -> Result<(), TransportError>;

    /// What sends.
    fn publisher(&self) -> std::sync::Arc<dyn Publisher>;

    /// Reads topics as a member of a group, from where the group stopped; a new group starts at the earliest record.
    async fn subscribe(&self, group: &str, topics: &[&str]) -> Result<Box<dyn Subscription>, TransportError>;

    /// What stands in a topic up to its end at this moment, in order per partition, without joining a group: for operators. `after`
    /// names the last place of a partition that is left out; a partition that is not named is read from its start.
    async fn read(&self, topic: &str, _after: &[(i32, i64)]) -> Result<Vec<Received>, TransportError> {
        let message = format!("{topic} cannot be read without a group on this transport");
        Err(TransportError { message, is_transient: false })
    }
}

/// Sends records.
#[async_trait]
pub trait Publisher: Send + Sync + 'static {
    /// Sends records in their order and waits until each is durable (`acks=all`) or refused. Answers one result per record. Once
    /// a record of a key fails, later ones of the same topic and key in the same call fail with [`PublishError::Behind`], unsent.
    async fn publish(&self, records: &[Record]) -> Vec<Result<(), PublishError>>;
}

/// A group's view of its topics.
#[async_trait]
pub trait Subscription: Send {
    /// Waits for records; a bounded batch, in order per partition. Keeps the group's membership alive however long the caller
    /// works between two calls. Cancel-safe: dropped before it answered, it has taken nothing.
    async fn next(&mut self) -> Result<Vec<Received>, TransportError>;

    /// Everything up to and with these places is done for good: where the group goes on after a restart.
    async fn done(&mut self, received: &[Received]) -> Result<(), TransportError>;

    /// Stores what is done and leaves the group.
    async fn close(self: Box<Self>);
}

/// Why a record was not sent.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PublishError {
    /// Not now: away, a full queue, a timeout. It may have arrived; sending it again is right.
    #[error("not published: {0}")]
    Transient(String),
    /// Never: too large, not allowed. It blocks its key.
    #[error("refused for good: {0}")]
    Permanent(String),
    /// An earlier record of the same key was not sent.
    #[error("an earlier record of the same key was not published")]
    Behind,
}

/// Why the transport could not be used.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct TransportError {
    /// What it said, and what to change.
    pub message: String,
    /// Whether it may work later.
    pub is_transient: bool,
}

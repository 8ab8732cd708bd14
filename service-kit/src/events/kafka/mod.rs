//! Kafka as the transport.
//!
//! ```text
//! publisher ── one chain per topic and key ─► idempotent producer (acks=all) ─► topic
//! topic ─► poller, a thread per subscription ─► bounded queue ─► next()          done() ─► ledger ─► commits
//! ```
//!
//! The poller keeps the group's membership alive while the caller works, pauses its partitions while the queue is full, and commits
//! only what the caller said is done. Only this module knows rdkafka.

mod context;
mod errors;
mod ledger;
#[cfg(feature = "mock-kafka")]
pub mod mock;
mod options;
mod poller;
mod publisher;
mod read;
mod record;
mod shared;
mod subscription;
mod topics;

use std::sync::Arc;

use async_trait::async_trait;

use super::transport::{Publisher, Received, Subscription, TopicSpec, Transport, TransportError};
use publisher::KafkaPublisher;
use read::Reader;

pub use options::KafkaOptions;

/// Carries records through Kafka. Making one connects to nobody yet: brokers may be away, and come back.
pub struct KafkaTransport {
    options: KafkaOptions,
    publisher: Arc<KafkaPublisher>,
    reader: Reader,
}

impl std::fmt::Debug for KafkaTransport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KafkaTransport").field("options", &self.options).finish_non_exhaustive()
    }
}

impl KafkaTransport {
    /// An error names the option that is wrong.
    pub fn new(options: KafkaOptions) -> Result<Self, TransportError> {
        options.check()?;
        let publisher = Arc::new(KafkaPublisher::new(&options)?);
        Ok(Self { options, publisher, reader: Reader::default() })
    }
}

#[async_trait]
impl Transport for KafkaTransport {
    async fn ensure_topics(&self, topics: &[TopicSpec]) -> Result<(), TransportError> {
        topics::ensure(&self.options, &self.publisher, topics).await
    }

    fn publisher(&self) -> Arc<dyn Publisher> {
        self.publisher.clone()
    }

    async fn subscribe(&self, group: &str, topics: &[&str]) -> Result<Box<dyn Subscription>, TransportError> {
        Ok(Box::new(subscription::start(&self.options, group, topics).await?))
    }

    async fn read(&self, topic: &str, after: &[(i32, i64)]) -> Result<Vec<Received>, TransportError> {
        self.reader.whole(&self.options, topic, after).await
    }
}

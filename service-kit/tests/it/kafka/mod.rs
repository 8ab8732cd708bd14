//! The Kafka transport. What both can show runs on the mock cluster and on a real broker; what needs injected errors runs on the
//! mock cluster alone, what needs compaction, the admin API or a restart on a real broker alone.

// First, because it takes longest and so runs beside all others.
mod absence;
mod both;
mod mocked;
mod real;

use std::collections::BTreeMap;
use std::time::Duration;

use service_kit::events::kafka::mock::MockKafka;
use service_kit::events::kafka::{KafkaOptions, KafkaTransport};
use service_kit::events::{Cleanup, PublishError, Received, Record, Subscription, TopicSpec, Transport};
use tokio::time::timeout;

/// A generous bound for whatever is awaited.
const SOON: Duration = Duration::from_secs(60);

/// Where a test runs.
enum Kafka {
    Mock(MockKafka),
    Real(String),
}

impl Kafka {
    fn mock() -> Self {
        Self::Mock(MockKafka::start().unwrap())
    }

    fn brokers(&self) -> &str {
        match self {
            Self::Mock(mock) => mock.brokers(),
            Self::Real(brokers) => brokers,
        }
    }

    /// How long a silent member stays. On the mock cluster a first join takes three seconds, which a shorter session does not
    /// survive.
    fn session(&self) -> Duration {
        Duration::from_secs(if matches!(self, Self::Mock(_)) { 4 } else { 2 })
    }

    fn transport(&self) -> KafkaTransport {
        let options = KafkaOptions { session_timeout: self.session(), ..options(self.brokers()) };
        KafkaTransport::new(options).unwrap()
    }
}

/// Impatient, so that tests need not wait long.
fn options(brokers: &str) -> KafkaOptions {
    KafkaOptions {
        partitions: 4,
        session_timeout: Duration::from_secs(4),
        finish_within: Duration::from_millis(500),
        ..KafkaOptions::new(brokers, "test")
    }
}

/// A name that no other test uses.
fn unique(kind: &str) -> String {
    format!("{kind}-{}", uuid::Uuid::new_v4().simple())
}

async fn topic(transport: &dyn Transport) -> String {
    let name = unique("topic");
    transport
        .ensure_topics(&[TopicSpec { name: name.clone(), cleanup: Cleanup::Delete, keep: None }])
        .await
        .unwrap();
    name
}

/// The `number`-th record of a key. Its payload is no text.
fn record(topic: &str, key: &str, number: usize) -> Record {
    let mut payload = vec![0xff, 0x00];
    payload.extend(number.to_string().into_bytes());
    Record {
        topic: topic.to_owned(),
        key: key.to_owned(),
        payload,
        headers: vec![("number".to_owned(), number.to_string()), ("name".to_owned(), "wörd".to_owned())],
    }
}

fn number(received: &Received) -> usize {
    received.record.headers[0].1.parse().unwrap()
}

/// Publishes as the relay does: what failed for now is published again, until all is there.
async fn publish_all(transport: &dyn Transport, records: &[Record]) {
    let publisher = transport.publisher();
    let mut left = records.to_vec();
    let all = async {
        while !left.is_empty() {
            let results = publisher.publish(&left).await;
            let mut result = results.into_iter();
            left.retain(|record| match result.next().unwrap() {
                Ok(()) => false,
                Err(PublishError::Permanent(why)) => panic!("{}: {why}", record.key),
                Err(_) => true,
            });
        }
    };
    timeout(SOON, all).await.expect("all is published");
}

async fn next(subscription: &mut dyn Subscription) -> Vec<Received> {
    timeout(SOON, subscription.next()).await.expect("records come").unwrap()
}

/// At least so many, whatever batches they come in. They are not done.
async fn take(subscription: &mut dyn Subscription, count: usize) -> Vec<Received> {
    let mut taken = Vec::new();
    while taken.len() < count {
        taken.extend(next(subscription).await);
    }
    taken
}

fn numbers_by_key(received: &[Received]) -> BTreeMap<String, Vec<usize>> {
    let mut by_key: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for one in received {
        by_key.entry(one.record.key.clone()).or_default().push(number(one));
    }
    by_key
}

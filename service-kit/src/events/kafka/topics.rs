//! Making topics by the admin API.

use std::sync::Arc;
use std::time::Duration;

use futures::executor::block_on;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::producer::Producer as _;

use super::super::transport::{Cleanup, TopicSpec, TransportError};
use super::context::Logs;
use super::errors::{topic_error, transport_error};
use super::options::KafkaOptions;
use super::publisher::{KafkaPublisher, Producer};

const ANSWER_WITHIN: Duration = Duration::from_secs(10);
const DOING: &str = "making Kafka topics";

/// Makes what is missing. Topics that are there stay as they are; one that should be compacted and is not is named in the log.
pub(super) async fn ensure(
    options: &KafkaOptions,
    publisher: &Arc<KafkaPublisher>,
    topics: &[TopicSpec],
) -> Result<(), TransportError> {
    if topics.is_empty() {
        return Ok(());
    }
    let (options, producer, topics) = (options.clone(), publisher.producer(), topics.to_vec());
    // The admin client's end waits for its thread.
    let ensuring = tokio::task::spawn_blocking(move || ensure_blocking(&options, &producer, &topics));
    ensuring.await.unwrap_or_else(|error| {
        Err(TransportError { message: format!("{DOING} did not end: {error}"), is_transient: true })
    })
}

fn ensure_blocking(
    options: &KafkaOptions,
    producer: &Producer,
    topics: &[TopicSpec],
) -> Result<(), TransportError> {
    let admin: AdminClient<Logs> =
        options.admin().create_with_context(Logs).map_err(|error| transport_error(DOING, &error))?;
    let asked =
        AdminOptions::new().request_timeout(Some(ANSWER_WITHIN)).operation_timeout(Some(ANSWER_WITHIN));
    if !has_admin_api(&admin, &asked).map_err(|error| transport_error(DOING, &error))? {
        return by_asking(producer, topics).map_err(|error| transport_error(DOING, &error));
    }
    let new: Vec<NewTopic<'_>> = topics.iter().map(|topic| new_topic(options, topic)).collect();
    let results =
        block_on(admin.create_topics(&new, &asked)).map_err(|error| transport_error(DOING, &error))?;
    for (result, topic) in results.into_iter().zip(topics) {
        match result {
            Ok(_) => tracing::info!(topic = topic.name, "made the Kafka topic"),
            Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => check_cleanup(&admin, topic, &asked),
            Err((name, code)) => return Err(topic_error("making the Kafka topic", &name, code)),
        }
    }
    Ok(())
}

/// Making topics goes through the cluster's controller, for which librdkafka waits in vain where there is none. Any broker can be
/// asked about itself, and one without an admin API is known for it at once.
fn has_admin_api(admin: &AdminClient<Logs>, asked: &AdminOptions) -> KafkaResult<bool> {
    let metadata = admin.inner().fetch_metadata(None, ANSWER_WITHIN)?;
    let Some(broker) = metadata.brokers().first() else { return Ok(true) };
    let described = block_on(admin.describe_configs([&ResourceSpecifier::Broker(broker.id())], asked));
    Ok(!matches!(described, Err(KafkaError::AdminOp(RDKafkaErrorCode::UnsupportedFeature))))
}

fn new_topic<'a>(options: &KafkaOptions, topic: &'a TopicSpec) -> NewTopic<'a> {
    // -1 is how the protocol says "as the brokers see fit".
    let replication = TopicReplication::Fixed(options.replication.unwrap_or(-1));
    NewTopic::new(&topic.name, options.partitions, replication).set("cleanup.policy", policy(topic.cleanup))
}

fn policy(cleanup: Cleanup) -> &'static str {
    match cleanup {
        Cleanup::Delete => "delete",
        Cleanup::Compact => "compact",
    }
}

/// A topic's configuration is its operator's: it is not changed behind their back.
fn check_cleanup(admin: &AdminClient<Logs>, topic: &TopicSpec, asked: &AdminOptions) {
    if topic.cleanup != Cleanup::Compact {
        return;
    }
    let described = block_on(admin.describe_configs([&ResourceSpecifier::Topic(&topic.name)], asked));
    let found = described.ok().and_then(|mut all| all.pop()?.ok());
    let value = found.as_ref().and_then(|config| config.get("cleanup.policy")?.value.clone());
    if let Some(value) = value.filter(|value| !value.contains("compact")) {
        tracing::warn!(
            topic = topic.name,
            found = value,
            "the Kafka topic should keep the last record of each key: set its cleanup.policy to compact"
        );
    }
}

/// Brokers without an admin API (librdkafka's mock cluster) make a topic when a producer asks for it.
fn by_asking(producer: &Producer, topics: &[TopicSpec]) -> KafkaResult<()> {
    tracing::debug!("these Kafka brokers have no admin API; asking for topics makes them");
    topics
        .iter()
        .try_for_each(|topic| producer.client().fetch_metadata(Some(&topic.name), ANSWER_WITHIN).map(drop))
}

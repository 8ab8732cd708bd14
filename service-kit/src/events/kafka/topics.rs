//! Making topics by the admin API.

use std::sync::Arc;
use std::time::Duration;

use futures::executor::block_on;
use rdkafka::admin::{
    AdminClient, AdminOptions, NewTopic, OwnedResourceSpecifier, ResourceSpecifier, TopicReplication,
};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::producer::Producer as _;

use super::super::transport::{Cleanup, TopicSpec, TransportError};
use super::context::Logs;
use super::errors::{topic_error, transport_error};
use super::options::KafkaOptions;
use super::publisher::{KafkaPublisher, Producer};

const ANSWER_WITHIN: Duration = Duration::from_secs(10);
const DOING: &str = "making Kafka topics";
/// What becomes of old records …
const POLICY: &str = "cleanup.policy";
/// … and how long they stay, in milliseconds.
const KEEP: &str = "retention.ms";

/// Makes what is missing. Topics that are there stay as they are; one that lets records go that are to stay is named in the log.
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
    let ages: Vec<Option<String>> =
        topics.iter().map(|topic| topic.keep.map(|keep| millis(keep).to_string())).collect();
    let new: Vec<NewTopic<'_>> =
        topics.iter().zip(&ages).map(|(topic, keep)| new_topic(options, topic, keep.as_deref())).collect();
    let results =
        block_on(admin.create_topics(&new, &asked)).map_err(|error| transport_error(DOING, &error))?;
    let mut known = Vec::new();
    for (result, topic) in results.into_iter().zip(topics) {
        match result {
            Ok(_) => tracing::info!(topic = topic.name, "made the Kafka topic"),
            Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => known.push(topic),
            Err((name, code)) => return Err(topic_error("making the Kafka topic", &name, code)),
        }
    }
    check(&admin, &known, &asked);
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

fn new_topic<'a>(options: &KafkaOptions, topic: &'a TopicSpec, keep: Option<&'a str>) -> NewTopic<'a> {
    // -1 is how the protocol says "as the brokers see fit".
    let replication = TopicReplication::Fixed(options.replication.unwrap_or(-1));
    let new = NewTopic::new(&topic.name, options.partitions, replication).set(POLICY, policy(topic.cleanup));
    match keep {
        Some(keep) => new.set(KEEP, keep),
        None => new,
    }
}

fn policy(cleanup: Cleanup) -> &'static str {
    match cleanup {
        Cleanup::Delete => "delete",
        Cleanup::Compact => "compact",
    }
}

fn millis(age: Duration) -> i64 {
    i64::try_from(age.as_millis()).unwrap_or(i64::MAX)
}

/// A topic's configuration is its operator's: it is not changed behind their back, only named in the log.
fn check(admin: &AdminClient<Logs>, topics: &[&TopicSpec], asked: &AdminOptions) {
    let specifiers: Vec<_> = topics.iter().map(|topic| ResourceSpecifier::Topic(&topic.name)).collect();
    if specifiers.is_empty() {
        return;
    }
    let described = block_on(admin.describe_configs(&specifiers, asked)).unwrap_or_default();
    for found in described.into_iter().flatten() {
        let OwnedResourceSpecifier::Topic(name) = &found.specifier else { continue };
        let Some(topic) = topics.iter().find(|topic| topic.name == *name) else { continue };
        let value = |name| found.get(name).and_then(|entry| entry.value.as_deref());
        if let Some(advice) = advice(topic, value(POLICY), value(KEEP)) {
            tracing::warn!(topic = name, "the Kafka topic lets go what is to stay: {advice}");
        }
    }
}

/// What its operator should change, if anything.
fn advice(topic: &TopicSpec, policy: Option<&str>, keep: Option<&str>) -> Option<String> {
    match topic.cleanup {
        Cleanup::Compact if policy.is_some_and(|policy| !policy.contains("compact")) => {
            Some(format!("set its {POLICY} to compact, so that the last record of each key stays"))
        }
        Cleanup::Compact => None,
        Cleanup::Delete => {
            let wanted = millis(topic.keep?);
            // Below zero: for ever.
            let found = keep?.parse::<i64>().ok().filter(|found| (0..wanted).contains(found))?;
            Some(format!("set its {KEEP} to {wanted} at least, it is {found}"))
        }
    }
}

/// Brokers without an admin API (librdkafka's mock cluster) make a topic when a producer asks for it.
fn by_asking(producer: &Producer, topics: &[TopicSpec]) -> KafkaResult<()> {
    tracing::debug!("these Kafka brokers have no admin API; asking for topics makes them");
    topics
        .iter()
        .try_for_each(|topic| producer.client().fetch_metadata(Some(&topic.name), ANSWER_WITHIN).map(drop))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_topic_that_lets_go_what_is_to_stay_is_named() {
        let topic = |cleanup, keep| TopicSpec { name: "t".into(), cleanup, keep };
        let kept = topic(Cleanup::Delete, Some(Duration::from_secs(60)));
        assert!(advice(&kept, Some("delete"), Some("59999")).unwrap().contains("60000"));
        for enough in [Some("60000"), Some("99999999"), Some("-1"), Some("soon"), None] {
            assert_eq!(advice(&kept, Some("delete"), enough), None, "{enough:?}");
        }
        assert_eq!(advice(&topic(Cleanup::Delete, None), Some("delete"), Some("1")), None);
        let compacted = topic(Cleanup::Compact, None);
        assert!(advice(&compacted, Some("delete"), Some("1")).unwrap().contains("compact"));
        assert_eq!(advice(&compacted, Some("compact,delete"), Some("1")), None);
    }
}

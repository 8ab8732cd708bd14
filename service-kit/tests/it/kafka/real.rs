//! What only a real broker shows: topics made by the admin API, compaction, limits of a topic.

use std::sync::Arc;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, AlterConfig, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;
use service_kit::events::kafka::{KafkaOptions, KafkaTransport};
use service_kit::events::{
    Cleanup, ConsumerOptions, Handled, PublishError, RetentionOptions, TopicSpec, Transport,
};
use test_support::kafka::real;
use tokio::time::{sleep, timeout};

use super::{SOON, number, numbers_by_key, options, publish_all, record, take, topic, unique};
use crate::events::harness::{DLQ, Scripted, consume, place};

struct Admin(AdminClient<DefaultClientContext>);

impl Admin {
    fn of(brokers: &str) -> Self {
        Self(ClientConfig::new().set("bootstrap.servers", brokers).create().unwrap())
    }

    fn partitions(&self, topic: &str) -> usize {
        let metadata = self.0.inner().fetch_metadata(Some(topic), SOON).unwrap();
        metadata.topics()[0].partitions().len()
    }

    /// Asks for all of them: to ask for one by name may make it.
    fn knows(&self, topic: &str) -> bool {
        let metadata = self.0.inner().fetch_metadata(None, SOON).unwrap();
        metadata.topics().iter().any(|found| found.name() == topic)
    }

    async fn describe(&self, topic: &str, name: &str) -> String {
        let described =
            self.0.describe_configs([&ResourceSpecifier::Topic(topic)], &AdminOptions::new()).await;
        let config = described.unwrap().pop().unwrap().unwrap();
        config.get(name).unwrap().value.clone().unwrap()
    }

    /// Whatever is not named goes back to the broker's default.
    async fn configure(&self, topic: &str, settings: &[(&str, &str)]) {
        let mut config = AlterConfig::new(ResourceSpecifier::Topic(topic));
        for (name, value) in settings {
            config = config.set(name, value);
        }
        for result in self.0.alter_configs([&config], &AdminOptions::new()).await.unwrap() {
            result.unwrap();
        }
    }
}

#[tokio::test]
async fn topics_are_made_as_they_are_wanted_and_once() {
    let Some(brokers) = real("topics made by the admin API").await else { return };
    let transport =
        KafkaTransport::new(KafkaOptions { partitions: 3, replication: Some(1), ..options(&brokers) });
    let transport = transport.unwrap();
    let hour = Duration::from_secs(3600);
    let topics = [
        (unique("kept"), Cleanup::Delete, Some(hour)),
        (unique("compacted"), Cleanup::Compact, None),
        (unique("as-brokers-do"), Cleanup::Delete, None),
    ]
    .map(|(name, cleanup, keep)| TopicSpec { name, cleanup, keep });
    transport.ensure_topics(&topics).await.unwrap();
    let admin = Admin::of(&brokers);
    for (topic, policy) in topics.iter().zip(["delete", "compact", "delete"]) {
        assert_eq!(admin.partitions(&topic.name), 3);
        assert_eq!(admin.describe(&topic.name, "cleanup.policy").await, policy);
        let is_an_hour = admin.describe(&topic.name, "retention.ms").await == "3600000";
        assert_eq!(is_an_hour, topic.keep.is_some());
    }
    // Again with one more, and with other wishes: what is there stays as it is.
    let again = KafkaTransport::new(KafkaOptions { partitions: 5, ..options(&brokers) }).unwrap();
    let new = TopicSpec { name: unique("new"), cleanup: Cleanup::Delete, keep: None };
    let first = TopicSpec { keep: Some(hour * 2), ..topics[0].clone() };
    let third = TopicSpec { cleanup: Cleanup::Compact, ..topics[2].clone() };
    again.ensure_topics(&[first, topics[1].clone(), third, new.clone()]).await.unwrap();
    assert_eq!([3, 3, 5], [&topics[0], &topics[1], &new].map(|topic| admin.partitions(&topic.name)));
    assert_eq!(admin.describe(&topics[0].name, "retention.ms").await, "3600000");
    assert_eq!(admin.describe(&topics[2].name, "cleanup.policy").await, "delete");
}

#[tokio::test]
async fn race_31_a_group_makes_topics_that_keep_its_dead_letters_for_as_long_as_its_inbox_counts_on() {
    let Some(brokers) = real("how long a broker keeps dead letters").await else { return };
    let place = place().await;
    let handler = Scripted::new(&place.database, |_| Ok(Handled::Done));
    let transport = Arc::new(KafkaTransport::new(options(&brokers)).unwrap());
    let running = consume(transport, handler, &place.database, ConsumerOptions::default());
    let admin = Admin::of(&brokers);
    let made = async {
        while !admin.knows(DLQ) {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(SOON, made).await.expect("the topic of dead letters is made");
    let kept = RetentionOptions::default().dead_letters.as_millis().to_string();
    assert_eq!(admin.describe(DLQ, "retention.ms").await, kept);
    running.end().await;
}

#[tokio::test]
async fn a_topic_that_cannot_be_made_is_named_with_the_reason() {
    let Some(brokers) = real("a topic that the brokers refuse to make").await else { return };
    let greedy = KafkaTransport::new(KafkaOptions { replication: Some(3), ..options(&brokers) }).unwrap();
    let name = unique("topic");
    let error =
        greedy.ensure_topics(&[TopicSpec { name: name.clone(), cleanup: Cleanup::Delete, keep: None }]).await;
    let error = error.unwrap_err();
    assert!(!error.is_transient, "{error}");
    assert!(
        error.message.contains(&name) && error.message.contains("fewer brokers than replicas"),
        "{error}"
    );
}

#[tokio::test]
async fn an_unknown_topic_fails_for_now_and_not_for_good() {
    let Some(brokers) = real("a topic that nobody made").await else { return };
    let impatient = KafkaOptions { delivery_timeout: Duration::from_secs(2), ..options(&brokers) };
    let transport = KafkaTransport::new(impatient).unwrap();
    let results = transport.publisher().publish(&[record(&unique("nowhere"), "k", 0)]).await;
    assert!(matches!(results[0], Err(PublishError::Transient(_))), "{results:?}");
}

#[tokio::test]
async fn only_the_record_that_is_too_large_for_its_topic_is_refused() {
    let Some(brokers) = real("a topic's own limit, and batches that exceed it").await else { return };
    let transport = KafkaTransport::new(KafkaOptions { partitions: 1, ..options(&brokers) }).unwrap();
    let topic = topic(&transport).await;
    Admin::of(&brokers).configure(&topic, &[("max.message.bytes", "2000")]).await;
    // All of one partition, so that they share batches; together they are too large, too.
    let mut records: Vec<_> = (0..60).map(|at| record(&topic, &format!("k{at}"), at)).collect();
    records[30].payload = vec![7; 3000];
    let results = transport.publisher().publish(&records).await;
    for (at, result) in results.iter().enumerate() {
        match result {
            Err(PublishError::Permanent(why)) if at == 30 => {
                assert!(why.contains("max.message.bytes"), "{why}")
            }
            Ok(()) if at != 30 => {}
            other => panic!("{at}: {other:?}"),
        }
    }
    let mut subscription = transport.subscribe(&unique("group"), &[&topic]).await.unwrap();
    let received = take(&mut *subscription, 59).await;
    assert_eq!(numbers_by_key(&received).len(), 59);
    subscription.close().await;
}

/// What a new reader finds, key by key. It knows the end by a record of a key that is written last.
async fn read_to_the_end(transport: &KafkaTransport, topic: &str, end: usize) -> Vec<usize> {
    publish_all(transport, &[record(topic, "end", end)]).await;
    let mut subscription = transport.subscribe(&unique("group"), &[topic]).await.unwrap();
    let mut received = Vec::new();
    while !received.iter().any(|one| number(one) == end) {
        received.extend(take(&mut *subscription, 1).await);
    }
    subscription.close().await;
    received.iter().filter(|one| one.record.key == "k").map(number).collect()
}

#[tokio::test]
async fn a_compacted_topic_keeps_the_last_record_of_each_key() {
    let Some(brokers) = real("compaction").await else { return };
    let transport = KafkaTransport::new(KafkaOptions { partitions: 1, ..options(&brokers) }).unwrap();
    let topic = unique("levels");
    transport
        .ensure_topics(&[TopicSpec { name: topic.clone(), cleanup: Cleanup::Compact, keep: None }])
        .await
        .unwrap();
    // Segments are closed, and so compacted, almost at once.
    let quickly =
        [("cleanup.policy", "compact"), ("segment.ms", "100"), ("min.cleanable.dirty.ratio", "0.001")];
    Admin::of(&brokers).configure(&topic, &quickly).await;
    for at in 0..10 {
        publish_all(&transport, &[record(&topic, "k", at)]).await;
    }
    let compacted = async {
        for end in 1000.. {
            let left = read_to_the_end(&transport, &topic, end).await;
            assert_eq!(left.last(), Some(&9), "the last one stays");
            if left.len() == 1 {
                break;
            }
            // Records of a later time close the segment.
            sleep(Duration::from_millis(300)).await;
        }
    };
    timeout(SOON, compacted).await.expect("the earlier ones go");
}

//! What needs errors on order.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use service_kit::events::kafka::mock::{MockKafka, Refusal};
use service_kit::events::kafka::{KafkaOptions, KafkaTransport};
use service_kit::events::{PublishError, Transport};

use tokio::time::sleep;

use super::{numbers_by_key, options, publish_all, record, take, topic, unique};

fn kinds(results: &[Result<(), PublishError>]) -> Vec<&'static str> {
    let kind = |result: &Result<(), PublishError>| match result {
        Ok(()) => "ok",
        Err(PublishError::Transient(_)) => "transient",
        Err(PublishError::Permanent(_)) => "permanent",
        Err(PublishError::Behind) => "behind",
    };
    results.iter().map(kind).collect()
}

async fn arrived(transport: &KafkaTransport, topic: &str, count: usize) -> BTreeMap<String, Vec<usize>> {
    let mut subscription = transport.subscribe(&unique("group"), &[topic]).await.unwrap();
    let received = take(&mut *subscription, count).await;
    subscription.close().await;
    numbers_by_key(&received)
}

#[tokio::test]
async fn a_record_that_the_broker_refuses_for_good_keeps_later_ones_of_its_key_unsent() {
    let mock = MockKafka::start().unwrap();
    let transport = KafkaTransport::new(options(mock.brokers())).unwrap();
    let topic = topic(&transport).await;
    mock.refuse_produce(&[Refusal::RD_KAFKA_RESP_ERR_INVALID_RECORD]).unwrap();
    let records = [0, 1, 2].map(|at| record(&topic, "k", at));
    let results = transport.publisher().publish(&records).await;
    assert_eq!(kinds(&results), ["permanent", "behind", "behind"]);
    publish_all(&transport, &records).await;
    assert_eq!(arrived(&transport, &topic, 3).await["k"], [0, 1, 2], "nothing had been sent before");
}

#[tokio::test]
async fn brokers_that_are_away_fail_records_for_now_and_later_ones_are_behind() {
    let mock = MockKafka::start().unwrap();
    let impatient = KafkaOptions { delivery_timeout: Duration::from_secs(1), ..options(mock.brokers()) };
    let transport = KafkaTransport::new(impatient).unwrap();
    let topic = topic(&transport).await;
    let records = [("a", 0), ("b", 0), ("a", 1)].map(|(key, at)| record(&topic, key, at));
    mock.down().unwrap();
    let results = transport.publisher().publish(&records).await;
    assert_eq!(kinds(&results), ["transient", "transient", "behind"]);
    assert!(results[0].clone().unwrap_err().to_string().contains("KAFKA_BROKERS"), "{results:?}");
    mock.up().unwrap();
    publish_all(&transport, &records).await;
    let expected = BTreeMap::from([("a".to_owned(), vec![0, 1]), ("b".to_owned(), vec![0])]);
    assert_eq!(arrived(&transport, &topic, 3).await, expected);
}

#[tokio::test]
async fn publishing_stops_at_a_full_queue() {
    let mock = MockKafka::start().unwrap();
    let small =
        KafkaOptions { queue_max: 5, delivery_timeout: Duration::from_secs(1), ..options(mock.brokers()) };
    let transport = KafkaTransport::new(small).unwrap();
    let topic = topic(&transport).await;
    mock.down().unwrap();
    let records: Vec<_> = (0..12).map(|at| record(&topic, &format!("k{at}"), at)).collect();
    let results = transport.publisher().publish(&records).await;
    assert_eq!(kinds(&results), ["transient"; 12]);
    let full = |result: &Result<(), PublishError>| result.clone().unwrap_err().to_string().contains("queue");
    assert_eq!(results.iter().map(full).collect::<Vec<_>>(), [vec![false; 5], vec![true; 7]].concat());
    mock.up().unwrap();
    publish_all(&transport, &records).await;
    assert_eq!(arrived(&transport, &topic, 12).await.len(), 12);
}

#[tokio::test]
async fn a_producer_that_lost_its_footing_is_replaced() {
    let mock = MockKafka::start().unwrap();
    let transport = KafkaTransport::new(options(mock.brokers())).unwrap();
    let topic = topic(&transport).await;
    publish_all(&transport, &[record(&topic, "k", 0)]).await;
    mock.refuse_produce(&[Refusal::RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER]).unwrap();
    // librdkafka calls this fatal: that producer refuses everything from then on.
    let results = transport.publisher().publish(&[record(&topic, "k", 1), record(&topic, "k", 2)]).await;
    assert_eq!(kinds(&results), ["transient", "behind"]);
    let results = transport.publisher().publish(&[record(&topic, "k", 1), record(&topic, "k", 2)]).await;
    assert_eq!(kinds(&results), ["ok", "ok"]);
    assert_eq!(arrived(&transport, &topic, 3).await["k"], [0, 1, 2]);
}

#[tokio::test]
async fn a_member_that_lost_its_partitions_while_it_was_full_reads_on() {
    const COUNT: usize = 3000;
    let mock = MockKafka::start().unwrap();
    let options = options(mock.brokers());
    let transport = KafkaTransport::new(options.clone()).unwrap();
    let topic = topic(&transport).await;
    let sent: Vec<_> = (0..COUNT).map(|at| record(&topic, &format!("k{at}"), at)).collect();
    publish_all(&transport, &sent).await;
    let mut subscription = transport.subscribe(&unique("group"), &[&topic]).await.unwrap();
    let first = take(&mut *subscription, 1).await;
    subscription.done(&first).await.unwrap();
    // Its queue fills, and it pauses. Then the brokers are away for longer than its session.
    sleep(Duration::from_secs(1)).await;
    mock.down().unwrap();
    sleep(options.session_timeout * 2).await;
    mock.up().unwrap();
    let mut keys: BTreeSet<String> = first.into_iter().map(|one| one.record.key).collect();
    while keys.len() < COUNT {
        keys.extend(take(&mut *subscription, 1).await.into_iter().map(|one| one.record.key));
    }
    subscription.close().await;
}

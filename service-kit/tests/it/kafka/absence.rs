//! A broker that stops and dies while records are published and read.

use std::collections::BTreeMap;
use std::time::Duration;

use service_kit::events::kafka::{KafkaOptions, KafkaTransport};
use service_kit::events::{PublishError, Record, Subscription, Transport};
use test_support::kafka::own;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::{SOON, number, options, record, topic, unique};

const KEYS: usize = 8;

/// Publishes as the relay does until it is told to stop: of each key, the next few; only the successful prefix counts. Answers how
/// many of each key are there, and how often publishing failed.
async fn publish(transport: KafkaTransport, topic: String, stop: CancellationToken) -> (Vec<usize>, usize) {
    let publisher = transport.publisher();
    let mut published = vec![0; KEYS];
    let mut failures = 0;
    while !stop.is_cancelled() {
        let batch: Vec<(usize, Record)> = (0..3)
            .flat_map(|ahead| (0..KEYS).map(move |key| (key, ahead)))
            .map(|(key, ahead)| (key, record(&topic, &format!("k{key}"), published[key] + ahead)))
            .collect();
        let records: Vec<Record> = batch.iter().map(|(_, record)| record.clone()).collect();
        let results = publisher.publish(&records).await;
        let mut is_blocked = [false; KEYS];
        for ((key, _), result) in batch.iter().zip(results) {
            match result {
                Ok(()) => {
                    assert!(!is_blocked[*key], "a record overtook one of its key that failed");
                    published[*key] += 1;
                }
                Err(PublishError::Permanent(why)) => panic!("{why}"),
                Err(_) => {
                    is_blocked[*key] = true;
                    failures += 1;
                }
            }
        }
        sleep(Duration::from_millis(5)).await;
    }
    (published, failures)
}

/// Reads until every key has so many. Answers the numbers of each key as they came.
async fn read(subscription: &mut dyn Subscription, until: &[usize]) -> BTreeMap<String, Vec<usize>> {
    let mut read: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let highest = |read: &BTreeMap<String, Vec<usize>>, key: usize| {
        read.get(&format!("k{key}")).and_then(|numbers| numbers.iter().max()).map_or(0, |last| last + 1)
    };
    while (0..KEYS).any(|key| highest(&read, key) < until[key]) {
        let batch = super::next(subscription).await;
        for one in &batch {
            read.entry(one.record.key.clone()).or_default().push(number(one));
        }
        subscription.done(&batch).await.unwrap();
    }
    read
}

/// Of each key all numbers, and each for the first time in order. A record whose answer was lost may be there twice.
fn nothing_lost_and_in_order(read: &BTreeMap<String, Vec<usize>>, published: &[usize]) {
    for (key, count) in published.iter().enumerate() {
        let mut next = 0;
        for number in &read[&format!("k{key}")] {
            assert!(*number <= next, "k{key}: {number} came before {next}");
            next = next.max(number + 1);
        }
        assert!(next >= *count, "k{key}: {count} were published, {next} are there");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_stops_and_dies_loses_nothing_and_keeps_the_order() {
    let Some(mut broker) = own("a broker that stops and dies under load").await else { return };
    let short = Duration::from_secs(2);
    let options =
        KafkaOptions { delivery_timeout: short, session_timeout: short, ..options(&broker.address()) };
    let transport = KafkaTransport::new(options.clone()).unwrap();
    let topic = topic(&transport).await;
    let mut subscription = transport.subscribe(&unique("group"), &[&topic]).await.unwrap();
    let stop = CancellationToken::new();
    let mut publishing = JoinSet::new();
    publishing.spawn(publish(transport, topic.clone(), stop.clone()));

    // Records flow before, between and after.
    read(&mut *subscription, &[5; KEYS]).await;
    broker.stop().await.unwrap();
    // Longer than a record may take: publishing fails meanwhile.
    sleep(Duration::from_secs(3)).await;
    broker.start_again().await.unwrap();
    let flowing = super::next(&mut *subscription).await;
    subscription.done(&flowing).await.unwrap();
    broker.kill9().await.unwrap();
    broker.start_again().await.unwrap();
    let flowing = super::next(&mut *subscription).await;
    subscription.done(&flowing).await.unwrap();

    stop.cancel();
    let (published, failures) = publishing.join_next().await.unwrap().unwrap();
    assert!(failures > 0, "the broker's absence was noticed");
    subscription.close().await;
    let observing = KafkaTransport::new(options).unwrap();
    let mut observer = observing.subscribe(&unique("observer"), &[&topic]).await.unwrap();
    let all = timeout(SOON, read(&mut *observer, &published)).await.expect("all records are there");
    nothing_lost_and_in_order(&all, &published);
    observer.close().await;
}

//! What the mock cluster and a real broker show alike.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use service_kit::events::{PublishError, Received, Subscription, Transport};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::{Kafka, SOON, next, number, numbers_by_key, publish_all, record, take, topic, unique};

macro_rules! on_both {
    ($($test:ident),* $(,)?) => {
        mod on_the_mock_cluster {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test(super::Kafka::mock()).await;
            })*
        }
        mod on_a_real_broker {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                if let Some(brokers) = test_support::kafka::real(stringify!($test)).await {
                    super::$test(super::Kafka::Real(brokers)).await;
                }
            })*
        }
    };
}

on_both!(
    records_arrive_as_they_went_in_order_per_key,
    a_refused_record_blocks_its_key_and_no_other,
    a_group_goes_on_after_what_is_done_and_no_further,
    two_members_share_a_topic_and_hand_over_without_repeating,
    long_work_keeps_the_membership,
    a_slow_caller_gets_everything_once,
    a_dropped_member_leaves_its_partitions_to_others,
    a_topic_is_read_to_its_end_without_a_group,
    one_client_reads_topic_after_topic_and_mixes_none,
);

async fn records_arrive_as_they_went_in_order_per_key(kafka: Kafka) {
    let transport = kafka.transport();
    let topic = topic(&transport).await;
    let keys = ["a", "b", "c", "d", "e"];
    let sent: Vec<_> = (0..100).map(|at| record(&topic, keys[at % keys.len()], at)).collect();
    for call in sent.chunks(37) {
        let results = transport.publisher().publish(call).await;
        assert_eq!(results, vec![Ok(()); call.len()]);
    }
    let mut subscription = transport.subscribe(&unique("group"), &[&topic]).await.unwrap();
    let received = take(&mut *subscription, sent.len()).await;
    for key in keys {
        let of = |key: &str| sent.iter().filter(|sent| sent.key == key).cloned().collect::<Vec<_>>();
        let got: Vec<_> =
            received.iter().map(|got| got.record.clone()).filter(|got| got.key == key).collect();
        assert_eq!(got, of(key));
    }
    subscription.close().await;
}

async fn a_refused_record_blocks_its_key_and_no_other(kafka: Kafka) {
    let transport = kafka.transport();
    let topic = topic(&transport).await;
    let mut records = [("a", 0), ("a", 1), ("b", 0), ("a", 2)].map(|(key, at)| record(&topic, key, at));
    records[1].payload = vec![7; 2_000_000];
    let results = transport.publisher().publish(&records).await;
    assert_eq!([&results[0], &results[2]], [&Ok(()), &Ok(())]);
    let Err(PublishError::Permanent(why)) = &results[1] else { panic!("{results:?}") };
    assert!(why.contains("max.message.bytes"), "{why}");
    assert_eq!(results[3], Err(PublishError::Behind));
    // The refused one is mended, and its key goes on.
    records[1] = record(&topic, "a", 1);
    publish_all(&transport, &[records[1].clone(), records[3].clone()]).await;
    let mut subscription = transport.subscribe(&unique("group"), &[&topic]).await.unwrap();
    let received = numbers_by_key(&take(&mut *subscription, 4).await);
    assert_eq!(received, BTreeMap::from([("a".to_owned(), vec![0, 1, 2]), ("b".to_owned(), vec![0])]));
}

async fn a_group_goes_on_after_what_is_done_and_no_further(kafka: Kafka) {
    let transport = kafka.transport();
    let (topic, group) = (topic(&transport).await, unique("group"));
    let sent: Vec<_> = (0..20).map(|at| record(&topic, "k", at)).collect();
    publish_all(&transport, &sent).await;
    let mut subscription = transport.subscribe(&group, &[&topic]).await.unwrap();
    let received = take(&mut *subscription, 20).await;
    subscription.done(&received[..7]).await.unwrap();
    subscription.close().await;
    let mut again = transport.subscribe(&group, &[&topic]).await.unwrap();
    let rest = take(&mut *again, 13).await;
    assert_eq!(rest.iter().map(number).collect::<Vec<_>>(), (7..20).collect::<Vec<_>>());
    again.close().await;
}

/// Which member handled which place, one entry each time.
type Handled = Arc<Mutex<Vec<(&'static str, i32, i64)>>>;

async fn handle(
    name: &'static str,
    subscription: &mut dyn Subscription,
    batch: Vec<Received>,
    handled: &Handled,
) {
    for one in batch {
        sleep(Duration::from_millis(1)).await;
        handled.lock().unwrap().push((name, one.partition, one.offset));
        subscription.done(std::slice::from_ref(&one)).await.unwrap();
    }
}

/// A member that works through what it gets until it is told to stop.
async fn work(
    name: &'static str,
    mut subscription: Box<dyn Subscription>,
    stop: CancellationToken,
    handled: Handled,
) {
    while let Some(batch) = stop.run_until_cancelled(subscription.next()).await {
        handle(name, &mut *subscription, batch.unwrap(), &handled).await;
    }
    subscription.close().await;
}

async fn two_members_share_a_topic_and_hand_over_without_repeating(kafka: Kafka) {
    let transport = kafka.transport();
    let (topic, group) = (topic(&transport).await, unique("group"));
    let keys: Vec<String> = (0..10).map(|key| format!("k{key}")).collect();
    let round = |at: usize| keys.iter().map(|key| record(&topic, key, at)).collect::<Vec<_>>();
    let (stop, handled) = (CancellationToken::new(), Handled::default());
    let first = transport.subscribe(&group, &[&topic]).await.unwrap();
    let mut members = tokio::task::JoinSet::new();
    members.spawn(work("first", first, stop.clone(), handled.clone()));

    publish_all(&transport, &round(0)).await;
    let working = async {
        while handled.lock().unwrap().is_empty() {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(SOON, working).await.expect("the first member has all partitions");

    // The second one joins while the first one is hardly ever idle: something was always done just now. Publishing goes on until the second one has its share.
    let mut second = transport.subscribe(&group, &[&topic]).await.unwrap();
    let mut rounds = 1;
    let joined = async {
        loop {
            publish_all(&transport, &round(rounds)).await;
            rounds += 1;
            if let Ok(batch) = timeout(Duration::from_millis(30), second.next()).await {
                break batch.unwrap();
            }
        }
    };
    let batch = timeout(SOON, joined).await.expect("the second member gets partitions");
    handle("second", &mut *second, batch, &handled).await;
    members.spawn(work("second", second, stop.clone(), handled.clone()));
    for _ in 0..5 {
        publish_all(&transport, &round(rounds)).await;
        rounds += 1;
    }
    let count = rounds * keys.len();
    let distinct =
        || handled.lock().unwrap().iter().map(|(_, at, offset)| (*at, *offset)).collect::<BTreeSet<_>>();
    let all = async {
        while distinct().len() < count {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(SOON, all).await.expect("every record is handled");
    stop.cancel();
    members.join_all().await;

    let handled = handled.lock().unwrap();
    assert_eq!(handled.len(), count, "handled and done, and yet again: {handled:?}");
    for name in ["first", "second"] {
        assert!(handled.iter().any(|(member, ..)| *member == name), "{name} had no share");
    }
}

async fn long_work_keeps_the_membership(kafka: Kafka) {
    // More than one call gives and the queue holds: the partitions are paused meanwhile.
    const COUNT: usize = 2000;
    let transport = kafka.transport();
    let (topic, group) = (topic(&transport).await, unique("group"));
    let sent: Vec<_> = (0..COUNT).map(|at| record(&topic, &format!("k{at}"), at)).collect();
    publish_all(&transport, &sent).await;
    let mut subscription = transport.subscribe(&group, &[&topic]).await.unwrap();
    let mut received = next(&mut *subscription).await;
    // The work: longer than the session, which is also the longest time between two polls.
    sleep(kafka.session() * 2).await;
    let rest = take(&mut *subscription, COUNT - received.len()).await;
    received.extend(rest);
    let distinct: BTreeSet<usize> = received.iter().map(number).collect();
    assert_eq!(
        (received.len(), distinct.len()),
        (COUNT, COUNT),
        "a member that was thrown out reads from the start"
    );
    subscription.done(&received).await.unwrap();
    subscription.close().await;
    publish_all(&transport, &[record(&topic, "k", COUNT)]).await;
    let mut again = transport.subscribe(&group, &[&topic]).await.unwrap();
    assert_eq!(number(&next(&mut *again).await[0]), COUNT, "what was done late counts");
    again.close().await;
}

async fn a_slow_caller_gets_everything_once(kafka: Kafka) {
    const COUNT: usize = 4000;
    let transport = kafka.transport();
    let topic = topic(&transport).await;
    let sent: Vec<_> = (0..COUNT).map(|at| record(&topic, &format!("k{at}"), at)).collect();
    publish_all(&transport, &sent).await;
    let mut subscription = transport.subscribe(&unique("group"), &[&topic]).await.unwrap();
    let mut received = next(&mut *subscription).await;
    while received.len() < COUNT {
        // Long enough for the queue to fill and the partitions to be paused, again and again.
        sleep(Duration::from_millis(300)).await;
        received.extend(next(&mut *subscription).await);
    }
    let mut places: BTreeMap<i32, Vec<i64>> = BTreeMap::new();
    for one in &received {
        places.entry(one.partition).or_default().push(one.offset);
    }
    for (partition, offsets) in places {
        let end = i64::try_from(offsets.len()).unwrap();
        assert_eq!(offsets, (0..end).collect::<Vec<_>>(), "partition {partition}");
    }
    subscription.close().await;
}

async fn a_dropped_member_leaves_its_partitions_to_others(kafka: Kafka) {
    let transport = kafka.transport();
    let (topic, group) = (topic(&transport).await, unique("group"));
    publish_all(&transport, &[record(&topic, "k", 0), record(&topic, "k", 1)]).await;
    let mut subscription = transport.subscribe(&group, &[&topic]).await.unwrap();
    let received = take(&mut *subscription, 2).await;
    subscription.done(&received[..1]).await.unwrap();
    drop(subscription);
    let mut other = transport.subscribe(&group, &[&topic]).await.unwrap();
    // Nobody waited for the first member's end: it may have been too late to say what was done.
    while next(&mut *other).await.last().map(number) != Some(1) {}
    other.close().await;
}

async fn a_topic_is_read_to_its_end_without_a_group(kafka: Kafka) {
    let transport = kafka.transport();
    assert_eq!(transport.read(&unique("nowhere"), &[]).await.unwrap(), []);
    let topic = topic(&transport).await;
    assert_eq!(transport.read(&topic, &[]).await.unwrap(), []);
    let keys = ["a", "b", "c", "d", "e"];
    let sent: Vec<_> = (0..50).map(|at| record(&topic, keys[at % keys.len()], at)).collect();
    publish_all(&transport, &sent).await;
    let read = transport.read(&topic, &[]).await.unwrap();
    assert!(read.is_sorted_by_key(|received| (received.partition, received.offset)));
    let mut records: Vec<_> = read.iter().map(|received| received.record.clone()).collect();
    records.sort_by_key(|record| record.headers[0].1.parse::<usize>().unwrap());
    assert_eq!(records, sent);
    // A place that is named is left out, with all before it; partitions that are not named are read from their start.
    let (partition, offset) = (read[0].partition, read[0].offset);
    let rest = transport.read(&topic, &[(partition, offset)]).await.unwrap();
    assert_eq!(rest, read[1..]);
    let ends: BTreeMap<_, _> = read.iter().map(|received| (received.partition, received.offset)).collect();
    let ends: Vec<_> = ends.into_iter().collect();
    assert_eq!(transport.read(&topic, &ends).await.unwrap(), []);
    publish_all(&transport, &[record(&topic, "a", 50)]).await;
    let new = transport.read(&topic, &ends).await.unwrap();
    assert_eq!(new.iter().map(number).collect::<Vec<_>>(), [50]);
}

async fn one_client_reads_topic_after_topic_and_mixes_none(kafka: Kafka) {
    let transport = kafka.transport();
    let (full, sparse) = (topic(&transport).await, topic(&transport).await);
    let many: Vec<_> = (0..400).map(|at| record(&full, &format!("k{}", at % 20), at)).collect();
    publish_all(&transport, &many).await;
    publish_all(&transport, &[record(&sparse, "a", 1000)]).await;
    for _ in 0..5 {
        let read = transport.read(&full, &[]).await.unwrap();
        assert_eq!(read.len(), many.len());
        assert!(read.iter().all(|received| received.record.topic == full));
        let read = transport.read(&sparse, &[]).await.unwrap();
        assert_eq!(read.iter().map(number).collect::<Vec<_>>(), [1000]);
        assert_eq!(transport.read(&unique("nowhere"), &[]).await.unwrap(), []);
    }
}

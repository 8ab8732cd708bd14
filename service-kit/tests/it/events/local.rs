//! The log in a file.

use std::time::Duration;

use service_kit::events::{Cleanup, LocalLog, LocalOptions, PublishError, Received, TopicSpec, Transport};

use super::support::{record, until};

async fn open(folder: &tempfile::TempDir) -> LocalLog {
    let options = LocalOptions { poll_every: Duration::from_millis(20), ..LocalOptions::default() };
    LocalLog::open(folder.path(), options).await.unwrap()
}

fn keys(received: &[Received]) -> Vec<&str> {
    received.iter().map(|received| received.record.key.as_str()).collect()
}

#[tokio::test]
async fn a_new_group_starts_at_the_earliest_record_and_each_group_sees_all() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(&folder).await;
    let records = [record("t", "a", 1), record("u", "b", 1), record("t", "c", 1), record("other", "d", 1)];
    assert!(log.publisher().publish(&records).await.iter().all(Result::is_ok));
    for group in ["one", "two"] {
        let mut subscription = log.subscribe(group, &["t", "u"]).await.unwrap();
        let received = subscription.next().await.unwrap();
        assert_eq!(keys(&received), ["a", "b", "c"]);
        assert_eq!(received[0].record, records[0], "bytes, key and headers as they were");
    }
}

#[tokio::test]
async fn after_a_restart_a_group_goes_on_behind_what_it_has_done() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(&folder).await;
    log.publisher().publish(&[record("t", "a", 1), record("t", "b", 1), record("t", "c", 1)]).await;
    let mut subscription = log.subscribe("g", &["t"]).await.unwrap();
    let received = subscription.next().await.unwrap();
    subscription.done(&received[..2]).await.unwrap();
    subscription.done(&received[..1]).await.unwrap(); // too late: never backwards
    subscription.close().await;
    log.close().await;
    drop(log);
    let log = open(&folder).await;
    let mut subscription = log.subscribe("g", &["t"]).await.unwrap();
    assert_eq!(keys(&subscription.next().await.unwrap()), ["c"]);
}

#[tokio::test]
async fn a_waiting_subscription_is_woken_by_a_publisher() {
    let folder = tempfile::tempdir().unwrap();
    // Without waking it would be found after an hour.
    let options = LocalOptions { poll_every: Duration::from_secs(3600), ..LocalOptions::default() };
    let log = LocalLog::open(folder.path(), options).await.unwrap();
    let mut subscription = log.subscribe("g", &["t"]).await.unwrap();
    let publisher = log.publisher();
    let (received, _) = tokio::join!(subscription.next(), async {
        tokio::task::yield_now().await;
        publisher.publish(&[record("t", "a", 1)]).await
    });
    assert_eq!(keys(&received.unwrap()), ["a"]);
}

#[tokio::test]
async fn one_process_consumes_and_an_operator_may_publish_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    assert!(LocalLog::open_beside(folder.path(), LocalOptions::default()).await.is_err(), "no log there");
    let log = open(&folder).await;
    let second = LocalLog::open(folder.path(), LocalOptions::default()).await.unwrap_err();
    assert!(second.message.contains("another process"), "{second}");
    let operator = LocalLog::open_beside(folder.path(), LocalOptions::default()).await.unwrap();
    assert!(operator.subscribe("g", &["t"]).await.is_err());
    assert_eq!(operator.publisher().publish(&[record("t", "a", 1)]).await, [Ok(())]);
    let mut subscription = log.subscribe("g", &["t"]).await.unwrap();
    assert_eq!(keys(&subscription.next().await.unwrap()), ["a"]);
    assert_eq!(operator.read("t", &[]).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_too_large_is_refused_for_good_and_holds_back_its_key_only() {
    let folder = tempfile::tempdir().unwrap();
    let options = LocalOptions { payload_bytes_max: 100, ..LocalOptions::default() };
    let log = LocalLog::open(folder.path(), options).await.unwrap();
    let mut large = record("t", "a", 1);
    large.payload = vec![0; 101];
    let records = [large, record("t", "a", 2), record("t", "b", 1), record("u", "a", 1)];
    let answers = log.publisher().publish(&records).await;
    assert!(matches!(answers[0], Err(PublishError::Permanent(_))), "{answers:?}");
    assert_eq!(answers[1..], [Err(PublishError::Behind), Ok(()), Ok(())]);
    assert_eq!(keys(&log.read("t", &[]).await.unwrap()), ["b"]);
}

#[tokio::test]
async fn records_are_pruned_when_every_group_has_done_them_and_they_are_old() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(&folder).await;
    let (now, later) = (Duration::ZERO, Duration::from_secs(3600));
    let dead = "t.g.dlq";
    log.publisher().publish(&[record("t", "a", 1), record("t", "b", 1), record(dead, "x", 1)]).await;
    let (mut quick, _slow) =
        (log.subscribe("quick", &["t"]).await.unwrap(), log.subscribe("slow", &["t"]).await.unwrap());
    let received = quick.next().await.unwrap();
    quick.done(&received).await.unwrap();
    until("the clock moved on", async || log.prune(now, later).await.unwrap().old == 0).await;
    assert_eq!(log.read("t", &[]).await.unwrap().len(), 2, "the slow group has not done them");
    let mut slow = log.subscribe("slow", &["t"]).await.unwrap();
    slow.done(&received[..1]).await.unwrap();
    assert_eq!(log.prune(later, later).await.unwrap().old, 0, "not old enough");
    until("pruned", async || log.prune(now, later).await.unwrap().old == 1).await;
    assert_eq!(keys(&log.read("t", &[]).await.unwrap()), ["b"]);
    assert_eq!(log.read(dead, &[]).await.unwrap().len(), 1, "dead letters have an age of their own");
    until("pruned", async || log.prune(later, now).await.unwrap().old == 1).await;
}

#[tokio::test]
async fn a_compacted_topic_keeps_the_last_record_of_each_key() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(&folder).await;
    let topic = TopicSpec { name: "levels".into(), cleanup: Cleanup::Compact, keep: None };
    log.ensure_topics(std::slice::from_ref(&topic)).await.unwrap();
    log.ensure_topics(&[topic]).await.unwrap();
    let records: Vec<_> =
        [("a", 1), ("b", 1), ("a", 2), ("a", 3)].map(|(key, n)| record("levels", key, n)).into();
    log.publisher().publish(&records).await;
    let pruned = log.prune(Duration::ZERO, Duration::ZERO).await.unwrap();
    assert_eq!((pruned.superseded, pruned.old), (2, 0), "age does not matter");
    let left = log.read("levels", &[]).await.unwrap();
    assert_eq!(
        left.iter().map(|left| left.record.clone()).collect::<Vec<_>>(),
        [records[1].clone(), records[3].clone()]
    );
}

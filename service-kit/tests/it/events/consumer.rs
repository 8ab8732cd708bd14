//! The consumer loop.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use service_kit::events::{
    ConsumerOptions, HandleError, Handled, Handler, Incoming, PublishError, Transport, inbox,
};
use service_kit::sql::{Database, Dialect};
use tokio::sync::{Barrier, Semaphore};
use tokio_util::task::TaskTracker;

use super::harness::{DLQ, GROUP, Scripted, TOPIC, WithPublisher, consume, open_log, options, place};
use super::support::{FakePublisher, header, record, stores, until};

#[tokio::test]
async fn events_of_a_key_come_in_order_and_those_of_other_keys_meanwhile() {
    struct Meeting {
        barrier: Barrier,
        met: AtomicUsize,
    }
    #[async_trait]
    impl Handler for Meeting {
        fn group(&self) -> &'static str {
            GROUP
        }
        fn topics(&self) -> &'static [&'static str] {
            &[TOPIC]
        }
        async fn handle(&self, _: &Incoming) -> Result<Handled, HandleError> {
            // Passes only while two are being handled at once.
            self.barrier.wait().await;
            self.met.fetch_add(1, Ordering::SeqCst);
            Ok(Handled::Done)
        }
    }
    let place = place().await;
    // Lanes are by hash: of a hundred keys some meet in one lane, and most do not.
    let records: Vec<_> = (0..100).map(|key| record(TOPIC, &key.to_string(), 1)).collect();
    place.publish(&records).await;
    let meeting = Arc::new(Meeting { barrier: Barrier::new(2), met: AtomicUsize::new(0) });
    let running = consume(place.transport(), meeting.clone(), &place.database, options());
    until("pairs met", async || meeting.met.load(Ordering::SeqCst) >= 50).await;
    running.task.abort();

    let place = super::harness::place().await;
    let records: Vec<_> =
        (1..=50).flat_map(|n| ["a", "b", "c", "d"].map(|key| record(TOPIC, key, n))).collect();
    place.publish(&records).await;
    let handler = Scripted::new(&place.database, |_| Ok(Handled::Done));
    let small = ConsumerOptions { in_flight_max: 7, ..options() };
    let running = consume(place.transport(), handler.clone(), &place.database, small);
    for key in ["a", "b", "c", "d"] {
        until("all are done", async || handler.done(key).len() == 50).await;
        assert_eq!(handler.done(key), (1..=50).collect::<Vec<_>>());
    }
    running.end().await;
    assert_eq!(place.offset().await, 200);
}

#[tokio::test]
async fn race_11_after_a_crash_between_effect_and_offset_the_effect_is_there_once() {
    let stores = stores().await;
    for (n, database) in stores.databases.iter().enumerate() {
        let folder = stores.folder.path().join(n.to_string());
        let log = open_log(&folder).await;
        log.publisher().publish(&[record(TOPIC, "a", 1)]).await;
        let handler = Scripted::new(database, |_| Ok(Handled::Done));
        let never_stores = ConsumerOptions { store_every: Duration::from_secs(3600), ..options() };
        let transport: Arc<dyn Transport> = Arc::new(log.clone());
        let running = consume(transport.clone(), handler.clone(), database, never_stores);
        until("the effect is durable", async || handler.done("a") == [1]).await;
        running.task.abort();
        assert!(running.task.await.unwrap_err().is_cancelled());
        let running = consume(transport, handler.clone(), database, options());
        until("it came again", async || !handler.duplicates().is_empty()).await;
        running.end().await;
        assert_eq!((handler.done("a"), handler.duplicates()), (vec![1], vec![("a".to_owned(), 1)]));
    }
}

#[tokio::test]
async fn race_12_what_may_work_later_is_tried_again_and_never_becomes_a_dead_letter() {
    let place = place().await;
    let mut failures = 30;
    let handler = Scripted::new(&place.database, move |event| {
        if event.key == "a" && failures > 0 {
            failures -= 1;
            return Err(HandleError::Transient("the commit's outcome is unknown".into()));
        }
        Ok(Handled::Done)
    });
    place.publish(&[record(TOPIC, "a", 1), record(TOPIC, "a", 2), record(TOPIC, "b", 1)]).await;
    let running = consume(place.transport(), handler.clone(), &place.database, options());
    until("done in the end", async || handler.done("a").len() == 2).await;
    assert_eq!(handler.done("a"), [1, 2]);
    assert!(running.metric(&["events_retried_total"]) >= 30.0);
    running.end().await;
    assert!(place.read(DLQ).await.is_empty());
}

#[tokio::test]
async fn race_20_the_second_handler_of_a_record_waits_for_the_first_and_then_sees_it() {
    for database in stores().await.databases {
        let mut first = database.begin().await.unwrap();
        assert!(inbox::is_first(&mut first, GROUP, "m").await.unwrap());
        let second = {
            let database = database.clone();
            TaskTracker::new().spawn(async move {
                let mut second = database.begin().await.unwrap();
                inbox::is_first(&mut second, GROUP, "m").await.unwrap()
            })
        };
        if database.dialect() == Dialect::Postgres {
            until("the second waits", async || waiting(&database).await == 1).await;
        } else {
            // There the whole transaction waits.
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
        }
        assert!(!second.is_finished());
        first.commit().await.unwrap();
        assert!(!second.await.unwrap());
    }
}

async fn waiting(database: &Database) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()")
        .fetch_one(database.pool())
        .await
        .unwrap()
}

#[tokio::test]
async fn race_25_an_old_batch_that_a_zombie_publishes_again_has_no_effect() {
    let place = place().await;
    let old = [record(TOPIC, "a", 1), record(TOPIC, "a", 2)];
    place.publish(&old).await;
    place.publish(&[record(TOPIC, "a", 3)]).await;
    place.publish(&old).await;
    let handler = Scripted::new(&place.database, |_| Ok(Handled::Done));
    let running = consume(place.transport(), handler.clone(), &place.database, options());
    until("all came", async || handler.duplicates().len() == 2).await;
    running.end().await;
    assert_eq!(handler.done("a"), [1, 2, 3]);
    assert_eq!(handler.duplicates(), [("a".to_owned(), 1), ("a".to_owned(), 2)]);
}

#[tokio::test]
async fn race_26_a_poison_event_leaves_with_its_reason_and_bytes_and_others_flow() {
    let place = place().await;
    let mut bad = record(TOPIC, "bad", 1);
    bad.payload = b"\xff\x00 not json".to_vec();
    let mut unreadable = record(TOPIC, "unreadable", 1);
    unreadable.headers.clear();
    let records = [bad.clone(), unreadable, record(TOPIC, "panic", 1), record(TOPIC, "good", 1)];
    place.publish(&records).await;
    let handler = Scripted::new(&place.database, |event| {
        assert!(event.key != "panic", "a bug");
        event
            .parse::<serde_json::Value>()
            .map(|_| Handled::Done)
            .or_else(|error| if event.key == "bad" { Err(error) } else { Ok(Handled::Done) })
    });
    let running = consume(place.transport(), handler.clone(), &place.database, options());
    until("letters", async || place.read(DLQ).await.len() == 3).await;
    until("others flow", async || handler.done("good") == [1]).await;
    let letters = place.read(DLQ).await;
    let letter = &letters.iter().find(|letter| letter.record.key == "bad").unwrap().record;
    assert_eq!(letter.payload, bad.payload);
    for name in ["eventId", "eventType", "aggregateVersion"] {
        assert_eq!(header(letter, name), header(&bad, name));
    }
    for (name, value) in [
        ("__connect.errors.topic", TOPIC),
        ("__connect.errors.partition", "0"),
        ("__connect.errors.offset", "1"),
        ("holdfast.attempts", "1"),
        ("holdfast.replays", "0"),
        ("holdfast.group", GROUP),
    ] {
        assert_eq!(header(letter, name), value, "{name}");
    }
    assert!(header(letter, "__connect.errors.exception.message").contains("cannot be read as order.created"));
    assert_eq!(header(letter, "__connect.errors.exception.class.name"), "holdfast.Refused");
    let reasons: HashSet<_> =
        letters.iter().map(|letter| header(&letter.record, "__connect.errors.exception.message")).collect();
    assert!(reasons.contains("the handler panicked"), "{reasons:?}");
    running.end().await;
    assert_eq!(place.offset().await, 4);
}

#[tokio::test]
async fn race_27_later_events_of_a_poisoned_key_follow_it_also_after_a_restart() {
    let stores = stores().await;
    for (n, database) in stores.databases.iter().enumerate() {
        let log = open_log(&stores.folder.path().join(n.to_string())).await;
        let transport: Arc<dyn Transport> = Arc::new(log.clone());
        let handler = Scripted::new(database, |event| {
            if (event.key.as_str(), event.aggregate_version) == ("bad", 1) {
                return Err(HandleError::Permanent("cannot be".into()));
            }
            Ok(Handled::Done)
        });
        log.publisher().publish(&[record(TOPIC, "bad", 1), record(TOPIC, "bad", 2)]).await;
        let letters = async || log.read(DLQ, &[]).await.unwrap();
        let running = consume(transport.clone(), handler.clone(), database, options());
        until("both are letters", async || letters().await.len() == 2).await;
        running.end().await;
        let running = consume(transport, handler.clone(), database, options());
        log.publisher().publish(&[record(TOPIC, "bad", 3), record(TOPIC, "good", 1)]).await;
        until("the third, too", async || letters().await.len() == 3).await;
        until("the other is done", async || handler.done("good") == [1]).await;
        running.end().await;
        assert!(handler.done("bad").is_empty());
        let classes: Vec<_> = letters()
            .await
            .iter()
            .map(|letter| header(&letter.record, "__connect.errors.exception.class.name").to_owned())
            .collect();
        assert_eq!(classes, ["holdfast.Refused", "holdfast.KeyParked", "holdfast.KeyParked"]);
    }
}

#[tokio::test]
async fn race_28_when_every_event_looks_poisonous_consuming_stops_instead() {
    let place = place().await;
    let handler = Scripted::new(&place.database, |_| Err(HandleError::Permanent("a bug".into())));
    let records: Vec<_> = (0..100).map(|key| record(TOPIC, &key.to_string(), 1)).collect();
    place.publish(&records).await;
    let strict = ConsumerOptions {
        breaker_window: 10,
        breaker_failures: 4,
        breaker_pause: Duration::from_millis(500),
        ..options()
    };
    let running = consume(place.transport(), handler.clone(), &place.database, strict);
    until("it stands still", async || running.metric(&["events_consumer_tripped"]) == 1.0).await;
    let letters = place.read(DLQ).await.len();
    assert_eq!(letters, 3, "the fourth stopped it");
    handler.heal();
    until("after the pause it goes on", async || place.offset().await == 100).await;
    let done = (0..100).filter(|key| handler.done(&key.to_string()) == [1]).count();
    let letters: HashSet<_> = place.read(DLQ).await.into_iter().map(|letter| letter.record.key).collect();
    assert_eq!((done, letters.len()), (97, 3), "nothing is lost");
    running.end().await;
}

#[tokio::test]
async fn race_32_a_group_whose_offsets_are_gone_starts_at_the_earliest_and_knows_what_it_did() {
    let place = place().await;
    let handler = Scripted::new(&place.database, |_| Ok(Handled::Done));
    place.publish(&[record(TOPIC, "a", 1), record(TOPIC, "a", 2)]).await;
    let running = consume(place.transport(), handler.clone(), &place.database, options());
    until("done", async || handler.done("a").len() == 2).await;
    running.end().await;
    let url = format!("sqlite:{}", place.folder.path().join("events.db").display());
    let file = Database::connect(&url, "log").await.unwrap();
    sqlx::query("DELETE FROM group_offsets").execute(file.pool()).await.unwrap();
    let running = consume(place.transport(), handler.clone(), &place.database, options());
    until("all came again", async || handler.duplicates().len() == 2).await;
    running.end().await;
    assert_eq!(handler.done("a"), [1, 2]);
}

#[tokio::test]
async fn race_39_a_shutdown_finishes_what_was_begun_stores_it_and_loses_nothing_else() {
    struct Slow {
        begun: AtomicUsize,
        done: AtomicUsize,
        may_end: Semaphore,
    }
    #[async_trait]
    impl Handler for Slow {
        fn group(&self) -> &'static str {
            GROUP
        }
        fn topics(&self) -> &'static [&'static str] {
            &[TOPIC]
        }
        async fn handle(&self, _: &Incoming) -> Result<Handled, HandleError> {
            self.begun.fetch_add(1, Ordering::SeqCst);
            self.may_end.acquire().await.unwrap().forget();
            self.done.fetch_add(1, Ordering::SeqCst);
            Ok(Handled::Done)
        }
    }
    let place = place().await;
    let slow = Arc::new(Slow { begun: 0.into(), done: 0.into(), may_end: Semaphore::new(0) });
    let records: Vec<_> = (1..=5).map(|n| record(TOPIC, "a", n)).collect();
    place.publish(&records).await;
    let patient = ConsumerOptions { drain_deadline: Duration::from_secs(60), ..options() };
    let running = consume(place.transport(), slow.clone(), &place.database, patient);
    until("one is begun", async || slow.begun.load(Ordering::SeqCst) == 1).await;
    running.stop.cancel();
    // Whatever it takes now must not be begun.
    place.publish(&[record(TOPIC, "b", 1)]).await;
    slow.may_end.add_permits(100);
    running.end().await;
    let done = slow.done.load(Ordering::SeqCst);
    assert_eq!((done, slow.begun.load(Ordering::SeqCst)), (1, 1), "finished, and nothing else begun");
    assert_eq!(place.offset().await, 1);
    let handler = Scripted::new(&place.database, |_| Ok(Handled::Done));
    let running = consume(place.transport(), handler.clone(), &place.database, options());
    until("the rest is done", async || handler.done("a").len() == 4 && handler.done("b").len() == 1).await;
    assert_eq!(handler.done("a"), [2, 3, 4, 5]);
    running.end().await;
}

#[tokio::test]
async fn the_offset_moves_only_when_the_letter_is_durable() {
    let place = place().await;
    let is_away = Arc::new(std::sync::atomic::AtomicBool::new(true));
    let away = is_away.clone();
    let letters = FakePublisher::new(move |_| {
        if away.load(Ordering::SeqCst) { Err(PublishError::Transient("away".into())) } else { Ok(()) }
    });
    let transport: Arc<dyn Transport> = Arc::new(WithPublisher(place.log.clone(), letters.clone()));
    let handler = Scripted::new(&place.database, |event| {
        if event.key == "bad" { Err(HandleError::Permanent("no".into())) } else { Ok(Handled::Done) }
    });
    // One of ten others is in another lane.
    place.publish(&[record(TOPIC, "bad", 1)]).await;
    place.publish(&(0..10).map(|key| record(TOPIC, &key.to_string(), 1)).collect::<Vec<_>>()).await;
    let running = consume(transport.clone(), handler.clone(), &place.database, options());
    until("it tries", async || letters.calls.load(Ordering::SeqCst) > 3).await;
    until("another is done", async || (0..10).any(|key| handler.done(&key.to_string()) == [1])).await;
    assert_eq!(place.offset().await, 0);
    // A crash here: the key is parked, the letter not written. It is not lost.
    running.task.abort();
    assert!(running.task.await.unwrap_err().is_cancelled());
    is_away.store(false, Ordering::SeqCst);
    let running = consume(transport, handler.clone(), &place.database, options());
    until("the letter is there", async || letters.sent().contains_key("bad")).await;
    until("the offset moved", async || place.offset().await == 11).await;
    running.end().await;
}

#[tokio::test]
async fn unknown_types_are_counted_and_passed_by() {
    let place = place().await;
    let handler = Scripted::new(&place.database, |_| Ok(Handled::Ignored));
    place.publish(&[record(TOPIC, "a", 1)]).await;
    let running = consume(place.transport(), handler, &place.database, options());
    until("counted", async || running.metric(&["events_consumed_total", "ignored"]) == 1.0).await;
    until("passed", async || place.offset().await == 1).await;
    running.end().await;
    assert!(place.read(DLQ).await.is_empty());
}

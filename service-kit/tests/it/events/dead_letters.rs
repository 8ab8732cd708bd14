//! An operator at work.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use service_kit::events::{
    DeadLetters, HandleError, Handled, LocalLog, LocalOptions, PublishError, Publisher, Record, Selection,
    Transport,
};

use super::harness::{DLQ, GROUP, Place, Running, Scripted, TOPIC, WithPublisher, consume, options, place};
use super::support::{record, until};

fn letters(place: &Place) -> DeadLetters {
    DeadLetters::new(place.transport(), TOPIC, GROUP)
}

fn all() -> Selection {
    Selection::default()
}

fn poison(
    key: &'static str,
) -> impl FnMut(&service_kit::events::Incoming) -> Result<Handled, HandleError> + Send {
    move |event| {
        if event.key == key { Err(HandleError::Permanent("cannot be".into())) } else { Ok(Handled::Done) }
    }
}

async fn pending(place: &Place) -> Vec<(String, u64)> {
    let list = letters(place).list(&all()).await.unwrap();
    list.iter().map(|letter| (letter.key.clone(), version(&letter.record))).collect()
}

fn version(record: &Record) -> u64 {
    super::support::header(record, "aggregateVersion").parse().unwrap()
}

async fn parked(place: &Place) -> HashSet<String> {
    let keys: Vec<String> =
        sqlx::query_scalar("SELECT key FROM parked_keys").fetch_all(place.database.pool()).await.unwrap();
    keys.into_iter().collect()
}

/// Two events of a poisoned key and one of another are through.
async fn poisoned() -> (Place, Arc<Scripted>, Running) {
    let place = place().await;
    let handler = Scripted::new(&place.database, poison("bad"));
    let running = consume(place.transport(), handler.clone(), &place.database, options());
    place.publish(&[record(TOPIC, "bad", 1), record(TOPIC, "bad", 2), record(TOPIC, "good", 1)]).await;
    until("both are letters", async || pending(&place).await.len() == 2).await;
    until("the good one is done", async || handler.done("good") == [1]).await;
    (place, handler, running)
}

#[tokio::test]
async fn a_redrive_heals_a_key_in_order_and_later_events_go_on() {
    let (place, handler, running) = poisoned().await;
    handler.heal();
    let redriven = letters(&place).redrive(&all()).await.unwrap();
    assert_eq!((redriven.settled.len(), redriven.unparking), (2, vec!["bad".to_owned()]));
    place.publish(&[record(TOPIC, "bad", 3)]).await;
    until("healed", async || handler.done("bad").len() == 3).await;
    assert_eq!(handler.done("bad"), [1, 2, 3]);
    assert!(parked(&place).await.is_empty() && pending(&place).await.is_empty());
    running.end().await;
}

#[tokio::test]
async fn an_event_that_comes_before_the_letters_are_back_follows_and_order_is_kept() {
    let (place, handler, running) = poisoned().await;
    running.end().await;
    handler.heal();
    // Stands before what is sent back, and is not consumed yet when the operator looks.
    place.publish(&[record(TOPIC, "bad", 3)]).await;
    assert_eq!(letters(&place).redrive(&all()).await.unwrap().settled.len(), 2);
    let running = consume(place.transport(), handler.clone(), &place.database, options());
    until("all three are letters again", async || pending(&place).await.len() == 3).await;
    assert_eq!(parked(&place).await, ["bad".to_owned()].into());
    assert!(handler.done("bad").is_empty(), "nothing overtook");
    assert_eq!(pending(&place).await, [1, 2, 3].map(|n| ("bad".to_owned(), n)), "in the source's order");
    assert!(
        letters(&place).list(&all()).await.unwrap().iter().all(|letter| letter.replays == 0),
        "none was tried"
    );
    letters(&place).redrive(&all()).await.unwrap();
    until("healed", async || handler.done("bad") == [1, 2, 3]).await;
    until("unparked", async || parked(&place).await.is_empty()).await;
    running.end().await;
}

#[tokio::test]
async fn when_the_first_letter_fails_again_those_behind_it_do_not_overtake_it() {
    let (place, handler, running) = poisoned().await;
    // Still poisoned: version 1 alone, so that 2 would succeed if it were tried.
    handler.script(|event| {
        if event.aggregate_version == 1 {
            Err(HandleError::Permanent("still".into()))
        } else {
            Ok(Handled::Done)
        }
    });
    letters(&place).redrive(&all()).await.unwrap();
    until("both came back", async || pending(&place).await.len() == 2 && place.read(DLQ).await.len() == 6)
        .await;
    assert!(handler.done("bad").is_empty());
    let list = letters(&place).list(&all()).await.unwrap();
    assert_eq!(list.iter().map(|letter| letter.replays).collect::<Vec<_>>(), [1, 0]);
    assert_eq!(parked(&place).await, ["bad".to_owned()].into());
    running.end().await;
}

#[tokio::test]
async fn race_29_a_redrive_reaches_the_group_that_failed_and_no_other() {
    let place = place().await;
    let (one, two) = (
        Scripted::of_group("one", &place.database, poison("bad")),
        Scripted::of_group("two", &place.database, |_| Ok(Handled::Done)),
    );
    let running =
        [&one, &two].map(|handler| consume(place.transport(), handler.clone(), &place.database, options()));
    place.publish(&[record(TOPIC, "bad", 1)]).await;
    let letters = DeadLetters::new(place.transport(), TOPIC, "one");
    until("a letter", async || letters.list(&all()).await.unwrap().len() == 1).await;
    until("the other has it", async || two.done("bad") == [1]).await;
    one.heal();
    letters.redrive(&all()).await.unwrap();
    until("healed", async || one.done("bad") == [1]).await;
    until("the other passed it by", async || running[1].metric(&["for_another_group"]) == 2.0).await;
    assert!(two.duplicates().is_empty(), "its handler never saw it");
    for running in running {
        running.end().await;
    }
}

#[tokio::test]
async fn race_30_a_letter_that_was_sent_back_too_often_stays_and_its_key_stays_parked() {
    let (place, handler, running) = poisoned().await;
    let letters = letters(&place).with_replays_max(2);
    for replays in 1..=2 {
        assert_eq!(letters.redrive(&all()).await.unwrap().settled.len(), 2);
        until("it came back", async || {
            let list = letters.list(&all()).await.unwrap();
            list.len() == 2 && list[0].replays == replays
        })
        .await;
    }
    handler.heal();
    let refused = letters.redrive(&all()).await.unwrap();
    assert_eq!((refused.settled.len(), refused.exhausted.len()), (0, 2), "the second waits behind the first");
    assert_eq!(parked(&place).await, ["bad".to_owned()].into());
    let first = Selection { max: Some(1), ..all() };
    assert!(letters.discard(&first).await.unwrap().unparking.is_empty(), "one is left");
    letters.redrive(&all()).await.unwrap();
    until("the second is healed", async || handler.done("bad") == [2]).await;
    until("unparked", async || parked(&place).await.is_empty()).await;
    running.end().await;
}

#[tokio::test]
async fn dry_runs_change_nothing_and_selections_are_kept() {
    let (place, handler, running) = poisoned().await;
    let letters = letters(&place);
    let dry = Selection { dry_run: true, ..all() };
    assert_eq!(letters.redrive(&dry).await.unwrap().unparking, ["bad"]);
    assert_eq!(letters.discard(&dry).await.unwrap().settled.len(), 2);
    let nobody = Selection { key: Some("nobody".into()), ..all() };
    assert!(letters.redrive(&nobody).await.unwrap().settled.is_empty());
    assert_eq!((place.read(DLQ).await.len(), place.read(TOPIC).await.len()), (2, 3));
    let shown = letters.list(&all()).await.unwrap();
    assert_eq!(letters.show(0, shown[0].offset).await.unwrap().as_ref(), Some(&shown[0]));
    assert_eq!(letters.show(0, 1).await.unwrap(), None);
    handler.heal();
    let first = Selection { max: Some(1), key: Some("bad".into()), ..all() };
    assert!(letters.redrive(&first).await.unwrap().unparking.is_empty());
    until("the first is done", async || handler.done("bad") == [1]).await;
    assert_eq!(pending(&place).await, [("bad".to_owned(), 2)]);
    assert_eq!(parked(&place).await, ["bad".to_owned()].into());
    running.end().await;
}

#[tokio::test]
async fn discarded_letters_are_gone_and_their_key_goes_on() {
    let (place, handler, running) = poisoned().await;
    handler.heal();
    assert_eq!(letters(&place).discard(&all()).await.unwrap().unparking, ["bad"]);
    until("unparked", async || parked(&place).await.is_empty()).await;
    place.publish(&[record(TOPIC, "bad", 3)]).await;
    until("it goes on", async || handler.done("bad") == [3]).await;
    running.end().await;
}

/// As if nobody had looked for longer than letters are kept.
async fn letters_age_out(place: &Place) {
    let for_ever = std::time::Duration::from_secs(1 << 32);
    until("the letters are gone", async || {
        place.log.prune(for_ever, std::time::Duration::ZERO).await.unwrap();
        place.read(DLQ).await.is_empty()
    })
    .await;
}

#[tokio::test]
async fn a_key_whose_letters_are_gone_stays_parked_until_an_operator_lets_it_go() {
    let (place, handler, running) = poisoned().await;
    handler.heal();
    letters_age_out(&place).await;
    assert_eq!(parked(&place).await, ["bad".to_owned()].into());
    assert!(letters(&place).let_go("bad").await.unwrap().is_empty());
    until("unparked", async || parked(&place).await.is_empty()).await;
    // Of a key that is not parked nothing is changed, and no other group takes it for its own.
    assert!(letters(&place).let_go("good").await.unwrap().is_empty());
    assert!(DeadLetters::new(place.transport(), TOPIC, "two").let_go("good").await.unwrap().is_empty());
    place.publish(&[record(TOPIC, "bad", 3), record(TOPIC, "good", 2)]).await;
    until("both go on", async || handler.done("bad") == [3] && handler.done("good") == [1, 2]).await;
    assert_eq!(running.metric(&["for_another_group"]), 1.0);
    assert!(pending(&place).await.is_empty());
    running.end().await;
}

#[tokio::test]
async fn a_key_is_not_let_go_while_letters_of_it_wait_nor_if_one_comes_before_the_group_hears_of_it() {
    let (place, handler, running) = poisoned().await;
    let sent = place.read(TOPIC).await.len();
    assert_eq!(letters(&place).let_go("bad").await.unwrap().len(), 2);
    assert_eq!(place.read(TOPIC).await.len(), sent, "nothing is asked of the group");
    running.end().await;
    handler.heal();
    letters_age_out(&place).await;
    // Stands before the question, and is no letter yet when it is asked.
    place.publish(&[record(TOPIC, "bad", 3)]).await;
    assert!(letters(&place).let_go("bad").await.unwrap().is_empty());
    let end = place.read(TOPIC).await.last().map(|last| last.offset).unwrap();
    let running = consume(place.transport(), handler.clone(), &place.database, options());
    until("the group has heard of it", async || place.offset().await >= end).await;
    assert_eq!(pending(&place).await, [("bad".to_owned(), 3)]);
    assert_eq!(parked(&place).await, ["bad".to_owned()].into());
    letters(&place).redrive(&all()).await.unwrap();
    until("healed", async || handler.done("bad") == [3]).await;
    running.end().await;
}

#[tokio::test]
async fn a_repeated_redrive_has_no_second_effect_and_works_from_another_process() {
    let (place, handler, running) = poisoned().await;
    handler.heal();
    let beside = LocalLog::open_beside(place.folder.path(), LocalOptions::default()).await.unwrap();
    let operator: Arc<dyn Transport> = Arc::new(beside);
    let letters = DeadLetters::new(operator, TOPIC, GROUP);
    letters.redrive(&all()).await.unwrap();
    until("healed", async || handler.done("bad") == [1, 2]).await;
    // As if the operator's process had died before it marked them.
    let sent: Vec<Record> = place.read(TOPIC).await[3..].iter().map(|sent| sent.record.clone()).collect();
    assert_eq!(sent.len(), 3);
    place.publish(&sent).await;
    place.publish(&[record(TOPIC, "bad", 3)]).await;
    until("the next one is done", async || handler.done("bad") == [1, 2, 3]).await;
    assert_eq!(handler.duplicates(), [("bad".to_owned(), 1), ("bad".to_owned(), 2)]);
    running.end().await;
}

/// Passes on what the test allows, then nothing of the same call; after it everything or nothing.
struct UpTo {
    log: LocalLog,
    allowed: AtomicUsize,
    then: usize,
}

#[async_trait]
impl Publisher for UpTo {
    async fn publish(&self, records: &[Record]) -> Vec<Result<(), PublishError>> {
        let allowed = self.allowed.load(Ordering::SeqCst);
        let left = allowed.checked_sub(records.len()).unwrap_or(self.then);
        self.allowed.store(left, Ordering::SeqCst);
        let passed = &records[..allowed.min(records.len())];
        let mut answers = self.log.publisher().publish(passed).await;
        answers.resize(records.len(), Err(PublishError::Transient("away".into())));
        answers
    }
}

#[tokio::test]
async fn whatever_a_redrive_could_not_send_a_second_one_completes() {
    // Two letters, the last record of the key, two marks.
    for (allowed, then) in (0..5).flat_map(|allowed| [(allowed, 0), (allowed, 1_000)]) {
        let (place, handler, running) = poisoned().await;
        handler.heal();
        let failing = Arc::new(UpTo { log: place.log.clone(), allowed: allowed.into(), then });
        let transport: Arc<dyn Transport> = Arc::new(WithPublisher(place.log.clone(), failing));
        let error = DeadLetters::new(transport, TOPIC, GROUP).redrive(&all()).await.unwrap_err();
        assert!(error.message.contains("repeat") && error.is_transient, "{error}");
        assert!(!pending(&place).await.is_empty(), "after {allowed} records something is left to be settled");
        letters(&place).redrive(&all()).await.unwrap();
        until("healed", async || handler.done("bad") == [1, 2]).await;
        until("unparked", async || parked(&place).await.is_empty()).await;
        assert!(pending(&place).await.is_empty());
        running.end().await;
    }
}

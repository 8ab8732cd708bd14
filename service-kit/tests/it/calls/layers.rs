//! Each layer, seen to do its work.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use service_kit::calls::breaker::BreakerState;
use service_kit::calls::{BreakerOptions, BudgetOptions, BulkheadOptions, Call, CallErrorKind, CallOptions};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use super::{Reply, fixture, patient, status};

const MS: fn(u64) -> Duration = Duration::from_millis;

fn unkeyed() -> Call {
    Call { idempotent: false, ..Call::keyed_post("/x", json!({})) }
}

#[tokio::test]
async fn a_keyed_call_is_tried_again_after_pauses_that_double_up_to_a_limit() {
    let mut options = patient();
    options.retry.attempts_max = 6;
    (options.retry.delay_min, options.retry.delay_max) = (MS(50), MS(300));
    let fixture = fixture(options).await;
    fixture.callee.will([503, 500, 429, 502, 504].map(status));
    let answer = fixture.client.call(Call::keyed_post("/x", json!({}))).await.unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(fixture.callee.requests(), 6);
    assert_eq!(fixture.timing.slept(), [MS(50), MS(100), MS(200), MS(300), MS(300)]);
}

#[tokio::test]
async fn a_call_without_a_key_is_never_sent_twice() {
    let fixture = fixture(patient()).await;
    for (sent, code) in [503, 429].into_iter().enumerate() {
        fixture.callee.will([status(code)]);
        let error = fixture.client.call(unkeyed()).await.unwrap_err();
        assert_eq!(error.attempts, 1);
        assert_eq!(fixture.callee.requests(), sent + 1);
    }
    let fixture = self::fixture(CallOptions { attempt_timeout: MS(30), ..patient() }).await;
    fixture.callee.will([Reply::Never]);
    assert_eq!(fixture.client.call(unkeyed()).await.unwrap_err().attempts, 1);
}

#[tokio::test]
async fn retry_after_is_the_least_pause() {
    let fixture = fixture(patient()).await;
    fixture.callee.will([Reply::Answer(429, &[("retry-after", "7")], "{}")]);
    fixture.client.call(Call::get("/x")).await.unwrap();
    assert_eq!(fixture.timing.slept(), [Duration::from_secs(7) + MS(50)]);
}

#[tokio::test]
async fn a_pause_beyond_the_deadline_is_not_begun() {
    let fixture = fixture(patient()).await;
    fixture.callee.will([Reply::Answer(503, &[("retry-after", "60")], "{}")]);
    let error = fixture.client.call(Call::get("/x")).await.unwrap_err();
    let retry_after = Some(Duration::from_secs(60));
    assert_eq!(error.kind, CallErrorKind::Status { status: 503, retry_after });
    assert_eq!(error.retry_after(), retry_after);
    assert_eq!(fixture.callee.requests(), 1);
    assert!(fixture.timing.slept().is_empty());
}

#[tokio::test]
async fn the_deadline_is_one_for_all_tries() {
    let mut options = patient();
    options.deadline = Duration::from_secs(10);
    options.retry.attempts_max = 100;
    (options.retry.delay_min, options.retry.delay_max) = (Duration::from_secs(3), Duration::from_secs(3));
    let fixture = fixture(options).await;
    fixture.callee.will((0..100).map(|_| status(503)));
    let error = fixture.client.call(Call::get("/x")).await.unwrap_err();
    // Tries at 0, 3, 6 and 9 seconds; the next would be at 12.
    assert_eq!((error.attempts, fixture.callee.requests()), (4, 4));
}

#[tokio::test]
async fn all_calls_together_may_repeat_only_as_often_as_the_budget_allows() {
    let mut options = patient();
    options.budget = BudgetOptions { repeats_max: 3, calls_per_repeat: 4 };
    options.breaker.failures_to_open = 64;
    let fixture = fixture(options).await;
    fixture.callee.will((0..100).map(|_| status(503)));
    for _ in 0..5 {
        fixture.client.call(Call::get("/x")).await.unwrap_err();
    }
    // Five calls, three repeats that were saved up, and one that the second to the fifth earned.
    assert_eq!(fixture.callee.requests(), 5 + 3 + 1);
}

fn fragile(failures_to_open: u32) -> CallOptions {
    let mut options = patient();
    options.retry.attempts_max = 1;
    options.breaker = BreakerOptions { window: 8, failures_to_open, open_for: Duration::from_secs(5) };
    options
}

#[tokio::test]
async fn an_open_breaker_fails_at_once_and_says_when_to_come_back() {
    let fixture = fixture(fragile(2)).await;
    fixture.callee.will([status(503), status(429)]);
    for _ in 0..2 {
        fixture.client.call(Call::get("/x")).await.unwrap_err();
    }
    assert_eq!(fixture.client.breaker_state(), BreakerState::Open);
    fixture.timing.pass(Duration::from_secs(2));
    let error = fixture.client.call(Call::get("/x")).await.unwrap_err();
    assert_eq!(error.kind, CallErrorKind::Open { retry_after: Duration::from_secs(3) });
    assert_eq!((error.may_have_arrived, error.attempts), (false, 0));
    assert_eq!(fixture.callee.requests(), 2);
}

#[tokio::test]
async fn answers_of_4xx_do_not_open_the_breaker() {
    let fixture = fixture(fragile(2)).await;
    fixture.callee.will([409, 404, 422, 410, 400].map(status));
    for _ in 0..5 {
        fixture.client.call(Call::get("/x")).await.unwrap();
    }
    assert_eq!(fixture.client.breaker_state(), BreakerState::Closed);
}

#[tokio::test]
async fn timeouts_open_the_breaker() {
    let fixture = fixture(CallOptions { attempt_timeout: MS(20), ..fragile(2) }).await;
    fixture.callee.will([Reply::Never, Reply::Never]);
    for _ in 0..2 {
        fixture.client.call(Call::get("/x")).await.unwrap_err();
    }
    assert_eq!(fixture.client.breaker_state(), BreakerState::Open);
}

#[tokio::test]
async fn what_was_this_sides_own_doing_does_not_open_the_breaker() {
    let fixture = fixture(fragile(1)).await;
    // A request that cannot be made.
    fixture.client.call(Call::get("/x").with_header("bad name", "y")).await.unwrap_err();
    assert_eq!(fixture.client.breaker_state(), BreakerState::Closed);

    // A try for which little of the deadline was left: 60 s less a pause of 59.9 s.
    let mut options = CallOptions { deadline: Duration::from_secs(60), ..fragile(2) };
    options.retry.attempts_max = 2;
    (options.retry.delay_min, options.retry.delay_max) = (MS(59_900), MS(59_900));
    let fixture = self::fixture(options).await;
    fixture.callee.will([status(503), Reply::Never]);
    let error = fixture.client.call(Call::get("/x")).await.unwrap_err();
    assert_eq!((error.kind, error.attempts), (CallErrorKind::Deadline, 2));
    assert_eq!(fixture.client.breaker_state(), BreakerState::Closed);
}

#[tokio::test]
async fn a_deadline_that_is_shorter_than_a_tries_time_opens_the_breaker_too() {
    let fixture = fixture(CallOptions { deadline: MS(30), ..fragile(1) }).await;
    fixture.callee.will([Reply::Never]);
    let error = fixture.client.call(Call::get("/x")).await.unwrap_err();
    assert_eq!(error.kind, CallErrorKind::Deadline);
    assert_eq!(fixture.client.breaker_state(), BreakerState::Open);
}

#[tokio::test]
async fn a_breaker_that_opens_between_two_tries_ends_the_call_which_may_have_arrived() {
    let mut options = fragile(2);
    options.retry.attempts_max = 5;
    let fixture = fixture(options).await;
    fixture.callee.will((0..5).map(|_| status(503)));
    let error = fixture.client.call(Call::get("/x")).await.unwrap_err();
    assert!(matches!(error.kind, CallErrorKind::Open { .. }), "{error}");
    assert_eq!((error.may_have_arrived, error.attempts), (true, 2));
}

#[tokio::test]
async fn half_open_lets_one_probe_through_whose_success_closes_the_breaker() {
    let fixture = fixture(fragile(1)).await;
    fixture.callee.will([status(503)]);
    fixture.client.call(Call::get("/x")).await.unwrap_err();
    fixture.timing.pass(Duration::from_secs(5));
    let (release, arrivals) = (Arc::new(Semaphore::new(0)), fixture.callee.arrivals());
    fixture.callee.will([Reply::Held(release.clone())]);
    let client = fixture.client.clone();
    let probe = TaskTracker::new().spawn(async move { client.call(Call::get("/probe")).await });
    arrivals.acquire().await.unwrap().forget();
    for _ in 0..3 {
        let error = fixture.client.call(Call::get("/x")).await.unwrap_err();
        assert!(error.retry_after().is_some_and(|wait| !wait.is_zero()), "{error}");
    }
    assert_eq!(fixture.callee.requests(), 2);
    release.add_permits(1);
    probe.await.unwrap().unwrap();
    assert_eq!(fixture.client.breaker_state(), BreakerState::Closed);
    fixture.client.call(Call::get("/x")).await.unwrap();
}

#[tokio::test]
async fn a_call_that_is_dropped_gives_back_its_probe_and_its_place() {
    let mut options = fragile(1);
    options.bulkhead = BulkheadOptions { concurrency_max: 1, wait_max: MS(1) };
    let fixture = fixture(options).await;
    fixture.callee.will([status(503), Reply::Never]);
    fixture.client.call(Call::get("/x")).await.unwrap_err();
    fixture.timing.pass(Duration::from_secs(5));
    let arrivals = fixture.callee.arrivals();
    tokio::select! {
        _ = fixture.client.call(Call::get("/probe")) => panic!("it never answers"),
        arrived = arrivals.acquire() => arrived.unwrap().forget(),
    }
    fixture.client.call(Call::get("/x")).await.unwrap();
    assert_eq!(fixture.client.breaker_state(), BreakerState::Closed);
}

#[tokio::test]
async fn a_callee_that_hangs_holds_up_so_many_callers_and_no_more() {
    let mut options = fragile(1);
    options.bulkhead = BulkheadOptions { concurrency_max: 2, wait_max: MS(1) };
    let fixture = fixture(options).await;
    let (release, arrivals) = (Arc::new(Semaphore::new(0)), fixture.callee.arrivals());
    fixture.callee.will([Reply::Held(release.clone()), Reply::Held(release.clone())]);
    let tracker = TaskTracker::new();
    let held: Vec<_> = (0..2)
        .map(|_| {
            let client = fixture.client.clone();
            tracker.spawn(async move { client.call(Call::get("/held")).await })
        })
        .collect();
    arrivals.acquire_many(2).await.unwrap().forget();
    let error = fixture.client.call(Call::get("/x")).await.unwrap_err();
    assert_eq!((error.kind, error.may_have_arrived), (CallErrorKind::BulkheadFull, false));
    assert_eq!(fixture.callee.requests(), 2);
    assert_eq!(fixture.client.breaker_state(), BreakerState::Closed, "that was not the callee's fault");
    release.add_permits(2);
    for call in held {
        call.await.unwrap().unwrap();
    }
    fixture.client.call(Call::get("/x")).await.unwrap();
}

#[tokio::test]
async fn waiting_for_a_place_ends_with_the_deadline() {
    let mut options = fragile(1);
    options.deadline = Duration::from_secs(1);
    options.bulkhead = BulkheadOptions { concurrency_max: 1, wait_max: Duration::from_secs(60) };
    let fixture = fixture(options).await;
    let arrivals = fixture.callee.arrivals();
    fixture.callee.will([Reply::Never]);
    let mut first = Box::pin(fixture.client.call(Call::get("/held")));
    tokio::select! {
        _ = &mut first => panic!("it never answers"),
        arrived = arrivals.acquire() => {
            arrived.unwrap().forget();
            // The first one is not polled, so it keeps its place.
            let error = fixture.client.call(Call::get("/x")).await.unwrap_err();
            assert_eq!((error.kind, error.may_have_arrived), (CallErrorKind::Deadline, false));
        }
    }
}

//! I15: queues are bounded; overload is answered, not suffered, and what is told "nothing happened" did not happen.

use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use inventory_core::error::{Failure, ReserveError};
use inventory_core::options::EngineOptions;
use inventory_core::reservation::Status;
use inventory_core::store::faults::{Fault, FaultPlan, FaultyStore};
use inventory_core::store::memory::MemoryStore;

use super::support::{at_rest, levels, new_order, open, options, request, stock};

#[tokio::test]
async fn i15_a_silent_store_fills_a_bounded_queue_and_every_caller_is_answered_in_time() {
    let store = FaultyStore::new(Arc::new(MemoryStore::default()), FaultPlan::none());
    let small = EngineOptions {
        batch_commands_max: 10,
        reserves_queued_max: 50,
        request_deadline: Duration::from_millis(300),
        ..options()
    };
    let engine = open(Arc::new(store.clone()), small).await;
    stock(&engine, &[(1, 1_000)]).await;
    store.set_plan(FaultPlan::script([(store.batches_begun(), Fault::Stall(Duration::from_secs(2)))]));

    let orders: Vec<_> = (0..200).map(|_| new_order()).collect();
    let asked = orders.iter().map(|order| engine.reserve(request(*order, &[(1, 1)])));
    let answers = futures::future::join_all(asked).await;
    let count = |wanted: &Failure| {
        answers.iter().filter(|a| matches!(a, Err(ReserveError::Failed(f)) if f == wanted)).count()
    };
    let (unknown, overloaded) = (count(&Failure::OutcomeUnknown), count(&Failure::Overloaded));
    assert_eq!(unknown + overloaded, 200, "{answers:?}");
    assert!((1..=10).contains(&unknown), "one batch was under way, {unknown} are unknown");

    at_rest(&engine, &[1]).await;
    let mut held = 0;
    for (order, answer) in orders.iter().zip(&answers) {
        let found = engine.reservation(*order).await.unwrap().1;
        if matches!(answer, Err(ReserveError::Failed(Failure::Overloaded))) {
            assert_eq!(found, None, "told that nothing happened, and it did");
        }
        held += i64::from(found.is_some_and(|r| r.status == Status::Held));
    }
    assert_eq!(levels(&engine, 1).await, (1_000, held));
    engine.shutdown().await;
}

/// Asks for four times as much as a queue has room for while the store says nothing, and says what is wrong with how that is taken.
async fn overfilled(options: EngineOptions, room: usize) -> Result<(), String> {
    let store = FaultyStore::new(Arc::new(MemoryStore::default()), FaultPlan::none());
    let engine = open(Arc::new(store.clone()), options).await;
    stock(&engine, &[(1, 1_000)]).await;
    let begun = store.batches_begun();
    store.set_plan(FaultPlan::script([(begun, Fault::Stall(Duration::from_secs(2)))]));
    let mut busy = pin!(engine.reserve(request(new_order(), &[(1, 1)])));
    while store.batches_begun() == begun {
        assert!(futures::poll!(busy.as_mut()).is_pending());
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let (mut waiting, mut refused) = (Vec::new(), 0);
    for _ in 0..4 * room {
        let mut asked = Box::pin(engine.reserve(request(new_order(), &[(1, 1)])));
        match futures::poll!(asked.as_mut()) {
            Poll::Pending => waiting.push(asked),
            Poll::Ready(Err(ReserveError::Failed(Failure::Overloaded))) => refused += 1,
            Poll::Ready(other) => return Err(format!("answered while the store said nothing: {other:?}")),
        }
    }
    let queued = engine.stats().queued;
    futures::join!(busy, futures::future::join_all(waiting)).1.clear();
    engine.shutdown().await;
    match (queued == room as u64, refused == 3 * room) {
        (true, true) => Ok(()),
        _ => Err(format!("{queued} commands wait where {room} may, and {refused} were refused at once")),
    }
}

fn with_room(room: usize) -> EngineOptions {
    let request_deadline = Duration::from_millis(300);
    EngineOptions { reserves_queued_max: room, request_deadline, ..options() }
}

#[tokio::test]
async fn i15_a_full_queue_refuses_at_once_and_grows_no_further() {
    assert_eq!(overfilled(with_room(50), 50).await, Ok(()));
}

/// A defect on purpose: a queue that takes whatever comes.
#[tokio::test]
async fn i15_a_queue_without_a_bound_is_caught() {
    let found = overfilled(with_room(usize::MAX), 50).await;
    assert_eq!(found, Err("200 commands wait where 50 may, and 0 were refused at once".to_owned()));
}

#[tokio::test]
async fn what_frees_stock_is_not_shed_while_reserves_are() {
    let store = FaultyStore::new(Arc::new(MemoryStore::default()), FaultPlan::none());
    let small = EngineOptions { batch_commands_max: 4, reserves_queued_max: 4, ..options() };
    let engine = open(Arc::new(store.clone()), small).await;
    stock(&engine, &[(1, 1_000)]).await;
    let held: Vec<_> = (0..40).map(|_| new_order()).collect();
    for order in &held {
        engine.reserve(request(*order, &[(1, 1)])).await.unwrap();
    }
    store.set_plan(FaultPlan::script([(store.batches_begun(), Fault::Stall(Duration::from_millis(200)))]));
    let reserves = (0..100).map(|_| engine.reserve(request(new_order(), &[(1, 1)])));
    let releases = held.iter().map(|order| engine.release(*order, None, None, None));
    let (reserved, released) =
        futures::join!(futures::future::join_all(reserves), futures::future::join_all(releases));
    assert!(reserved.iter().any(Result::is_err), "the queue of reserves never filled: nothing was tested");
    assert!(released.iter().all(Result::is_ok), "{released:?}");
    engine.shutdown().await;
}

#[tokio::test]
async fn a_drained_engine_answers_everyone_it_took() {
    let store = FaultyStore::new(Arc::new(MemoryStore::default()), FaultPlan::none());
    let engine = open(Arc::new(store.clone()), options()).await;
    stock(&engine, &[(1, 10)]).await;
    store.set_plan(FaultPlan::script([(store.batches_begun(), Fault::Stall(Duration::from_millis(100)))]));
    let order = new_order();
    let asked = engine.reserve(request(order, &[(1, 1)]));
    let ended = async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        engine.shutdown().await;
    };
    let (answer, ()) = futures::join!(asked, ended);
    assert_eq!(answer.unwrap().reservation.status, Status::Held);
}

/// Goodput: a slow store with a long queue must not spend its batches on callers who have given up meanwhile.
#[tokio::test]
async fn i15_who_would_be_answered_too_late_is_refused_before_and_not_executed_for_nobody() {
    let store = FaultyStore::new(Arc::new(MemoryStore::default()), FaultPlan::none());
    let slow =
        EngineOptions { batch_commands_max: 10, request_deadline: Duration::from_secs(2), ..options() };
    let engine = open(Arc::new(store.clone()), slow).await;
    stock(&engine, &[(1, 1_000)]).await;
    let (begun, stall) = (store.batches_begun(), Duration::from_millis(700));
    store.set_plan(FaultPlan::script((0..8).map(|batch| (begun + batch, Fault::Stall(stall)))));
    for _ in 0..2 {
        engine.reserve(request(new_order(), &[(1, 1)])).await.unwrap();
    }
    // Six batches, of which two are done within the callers' patience.
    let answers = (0..60).map(|_| engine.reserve(request(new_order(), &[(1, 1)])));
    let answers = futures::future::join_all(answers).await;
    let admitted = answers.iter().filter(|answer| answer.is_ok()).count();
    let refused = answers
        .iter()
        .filter(|answer| matches!(answer, Err(ReserveError::Failed(Failure::Overloaded))))
        .count();
    assert_eq!(admitted + refused, 60, "nobody is left in doubt: {answers:?}");
    assert!(admitted > 0 && refused > 0, "{admitted} admitted, {refused} refused");
    at_rest(&engine, &[1]).await;
    assert_eq!(levels(&engine, 1).await, (1_000, 2 + i64::try_from(admitted).unwrap()));
    engine.shutdown().await;
}

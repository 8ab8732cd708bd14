//! I8: no hold outlives its time; what was not bought comes back.

use std::sync::Arc;
use std::time::{Duration, Instant};

use inventory_core::engine::{Engine, ReserveRequest};
use inventory_core::error::CommitError;
use inventory_core::ids::OrderId;
use inventory_core::options::EngineOptions;
use inventory_core::reservation::Status;
use inventory_core::store::faults::{Fault, FaultPlan, FaultyStore};
use inventory_core::store::memory::MemoryStore;

use super::support::{at_rest, is_sold_out, levels, new_order, open, options, request, stock};

fn short_hold(order: OrderId, units: i64) -> ReserveRequest {
    ReserveRequest { ttl: Some(Duration::from_millis(50)), ..request(order, &[(1, units)]) }
}

async fn until_status(engine: &Engine, order: OrderId, status: Status) {
    for _ in 0..1_000 {
        if engine.reservation(order).await.unwrap().1.is_some_and(|r| r.status == status) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("order {order} never became {}", status.name());
}

#[tokio::test]
async fn i8_an_idle_hold_ends_without_traffic_and_its_stock_can_be_had_again() {
    let engine = open(Arc::new(MemoryStore::default()), options()).await;
    stock(&engine, &[(1, 1)]).await;
    let order = new_order();
    engine.reserve(short_hold(order, 1)).await.unwrap();
    until_status(&engine, order, Status::Expired).await;
    at_rest(&engine, &[1]).await;
    assert_eq!(levels(&engine, 1).await, (1, 0));
    engine.reserve(request(new_order(), &[(1, 1)])).await.unwrap();
    // Committed too late, and the stock is gone: lost, for good.
    assert_eq!(engine.commit(order, None, None).await, Err(CommitError::Expired(order)));
    until_status(&engine, order, Status::Lost).await;
    engine.shutdown().await;
}

#[tokio::test]
async fn i8_orphans_of_an_engine_that_is_gone_are_adopted() {
    let store = MemoryStore::default();
    let engine = open(Arc::new(store.clone()), options()).await;
    stock(&engine, &[(1, 3)]).await;
    let order = new_order();
    engine.reserve(short_hold(order, 3)).await.unwrap();
    engine.shutdown().await;
    let heir = open(Arc::new(store), options()).await;
    until_status(&heir, order, Status::Expired).await;
    heir.shutdown().await;
}

#[tokio::test]
async fn a_committed_hold_never_expires_and_an_extended_one_ends_at_its_new_time() {
    let engine = open(Arc::new(MemoryStore::default()), options()).await;
    stock(&engine, &[(1, 10)]).await;
    let (bought, extended, control) = (new_order(), new_order(), new_order());
    engine.reserve(short_hold(bought, 1)).await.unwrap();
    engine.commit(bought, None, None).await.unwrap();
    engine.reserve(short_hold(extended, 1)).await.unwrap();
    engine.extend(extended, Duration::from_secs(600)).await.unwrap();
    engine.reserve(short_hold(control, 1)).await.unwrap();
    until_status(&engine, control, Status::Expired).await;
    assert_eq!(engine.reservation(bought).await.unwrap().1.unwrap().status, Status::Committed);
    assert_eq!(engine.reservation(extended).await.unwrap().1.unwrap().status, Status::Held);
    engine.shutdown().await;
}

#[tokio::test]
async fn many_holds_that_end_together_are_all_swept() {
    let sweeping = EngineOptions { batch_commands_max: 64, ..options() };
    let engine = open(Arc::new(MemoryStore::default()), sweeping).await;
    stock(&engine, &[(1, 5_000)]).await;
    let asked = (0..5_000).map(|_| engine.reserve(short_hold(new_order(), 1)));
    let answers = futures::future::join_all(asked).await;
    assert!(answers.iter().all(Result::is_ok));
    for _ in 0..1_000 {
        if engine.stats().expired == 5_000 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(engine.stats().expired, 5_000);
    at_rest(&engine, &[1]).await;
    assert_eq!(levels(&engine, 1).await, (5_000, 0));
    assert!(!is_sold_out(&engine.reserve(request(new_order(), &[(1, 5_000)])).await));
    engine.shutdown().await;
}

/// While something is due the scan for orphans does not run and stays overdue: that must not turn the sweeper into a loop.
#[tokio::test]
async fn i8_a_due_hold_that_cannot_be_ended_now_is_tried_again_after_a_pause_and_not_in_a_loop() {
    let store = FaultyStore::new(Arc::new(MemoryStore::default()), FaultPlan::none());
    let patient =
        EngineOptions { others_queued_max: 1, request_deadline: Duration::from_secs(60), ..options() };
    let engine = open(Arc::new(store.clone()), patient).await;
    stock(&engine, &[(1, 10)]).await;
    let due = new_order();
    let short = ReserveRequest { ttl: Some(Duration::from_secs(1)), ..request(due, &[(1, 1)]) };
    engine.reserve(short).await.unwrap();
    let begun = store.batches_begun();
    store.set_plan(FaultPlan::script([(begun, Fault::Stall(Duration::from_secs(5)))]));
    let busy = engine.reserve(request(new_order(), &[(1, 1)]));
    // Fills the lane of the expire commands before the hold is due.
    let in_the_way = async {
        while store.batches_begun() == begun {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        engine.extend(due, Duration::ZERO).await
    };
    let tries = async {
        let started = Instant::now();
        tokio::time::sleep(Duration::from_secs(4)).await;
        (engine.stats().overloaded, started.elapsed())
    };
    let (_, _, (tries, time)) = futures::join!(busy, in_the_way, tries);
    // A pause is a fifth of a second; a loop makes thousands of tries in it.
    let most = u64::try_from(time.as_millis()).unwrap() / 100;
    assert!((1..=most).contains(&tries), "tried {tries} times in {time:?}");
    until_status(&engine, due, Status::Expired).await;
    engine.shutdown().await;
}

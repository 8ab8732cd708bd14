//! I5, I6, I7 over a store that fails in every way, at every step, by seed: what was acknowledged is there, what was refused is not, memory
//! and store agree at rest, and the audit is clean.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use inventory_core::engine::Engine;
use inventory_core::error::{Failure, ReleaseError, ReserveError};
use inventory_core::ids::OrderId;
use inventory_core::options::EngineOptions;
use inventory_core::reservation::Status;
use inventory_core::store::StoreErrorKind;
use inventory_core::store::faults::{Fault, FaultPlan, FaultyStore};
use inventory_core::store::memory::MemoryStore;
use rand::{RngExt, SeedableRng, rngs::StdRng};

use super::support::{at_rest, levels, new_order, open, options, product, request, stock};

/// Small batches and a short patience: many batches, many faults, every kind of answer.
fn hasty() -> EngineOptions {
    EngineOptions { batch_commands_max: 4, request_deadline: Duration::from_millis(500), ..options() }
}

async fn faulty(plan: FaultPlan) -> (FaultyStore, Engine) {
    let store = FaultyStore::new(Arc::new(MemoryStore::default()), FaultPlan::none());
    let engine = open(Arc::new(store.clone()), hasty()).await;
    stock(&engine, &[(1, 40), (2, 1_000)]).await;
    store.set_plan(plan);
    (store, engine)
}

/// One shopper: reserves a cart, commits or releases it, repeats whatever failed, and says how the order must end.
async fn shop(engine: Engine, order: OrderId, cart: Vec<(i64, i64)>, buys: bool) -> Option<Status> {
    loop {
        match engine.reserve(request(order, &cart)).await {
            Ok(_) => break,
            Err(ReserveError::InsufficientStock(_)) => return None,
            Err(ReserveError::Failed(failure)) if failure.is_transient() => {}
            Err(other) => panic!("{order}: {other}"),
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    loop {
        let done = if buys {
            engine.commit(order, None, None).await.map_err(|error| error.to_string())
        } else {
            engine.release(order, None, None, None).await.map_err(|error| error.to_string())
        };
        match done {
            Ok(_) => return Some(if buys { Status::Committed } else { Status::Released }),
            Err(error) if error.contains("repeat") => {}
            Err(other) => panic!("{order}: {other}"),
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// How many faults were met.
async fn survive(seed: u64) -> usize {
    let (store, engine) = faulty(FaultPlan::random(seed, 250)).await;
    let mut random = StdRng::seed_from_u64(seed);
    let mut shoppers = FuturesUnordered::new();
    for _ in 0..120 {
        let cart = match random.random_range(0..3) {
            0 => vec![(1, 1)],
            1 => vec![(1, 1), (2, 2)],
            _ => vec![(2, 3)],
        };
        let order = new_order();
        let engine = engine.clone();
        let buys = random.random_bool(0.5);
        shoppers.push(async move { (order, cart.clone(), shop(engine, order, cart, buys).await) });
    }
    let mut sold = [0_i64; 2];
    let mut ends = Vec::new();
    while let Some((order, cart, end)) = shoppers.next().await {
        if end == Some(Status::Committed) {
            for (id, units) in cart {
                sold[usize::try_from(id).unwrap() - 1] += units;
            }
        }
        ends.push((order, end));
    }
    store.set_plan(FaultPlan::none());
    store.settled().await;
    let injected = store.injected().len();

    for (order, end) in ends {
        let found = engine.reservation(order).await.unwrap().1.map(|reservation| reservation.status);
        assert_eq!(found, end, "seed {seed}: order {order}");
    }
    assert_eq!(levels(&engine, 1).await, (40 - sold[0], 0), "seed {seed}");
    assert_eq!(levels(&engine, 2).await, (1_000 - sold[1], 0), "seed {seed}");
    at_rest(&engine, &[1, 2]).await;
    let report = engine.audit().await.unwrap();
    assert!(report.ok(), "seed {seed}: {:?}", report.violations);
    engine.shutdown().await;
    injected
}

#[tokio::test]
async fn i5_i6_shoppers_get_through_a_failing_store_and_everything_adds_up() {
    let mut faults = 0;
    for seed in 0..24 {
        faults += survive(seed).await;
    }
    assert!(faults > 100, "only {faults} faults met: little was tested");
}

/// The batch after the stock was set is the one that meets the fault.
async fn one_fault(fault: Fault) -> (FaultyStore, Engine) {
    let (store, engine) = faulty(FaultPlan::none()).await;
    store.set_plan(FaultPlan::script([(store.batches_begun(), fault)]));
    (store, engine)
}

#[tokio::test]
async fn i6_an_unknown_commit_that_took_effect_is_one_hold() {
    for fault in [
        Fault::UnknownCommitted,
        Fault::UnknownNotCommitted,
        Fault::UnknownCommittedLate(Duration::from_millis(50)),
    ] {
        let (store, engine) = one_fault(fault).await;
        let order = new_order();
        engine.reserve(request(order, &[(1, 2)])).await.unwrap();
        store.settled().await;
        assert_eq!(levels(&engine, 1).await, (40, 2), "{fault:?}");
        assert_eq!(engine.stats().unknown_commits, 1, "{fault:?}");
        at_rest(&engine, &[1]).await;
        assert!(engine.audit().await.unwrap().ok());
        engine.shutdown().await;
    }
}

/// Found by the simulation: the order's tombstone stood in a COMMIT that was being resolved, and memory did not know the order yet.
#[tokio::test]
async fn i7_an_order_in_a_commit_whose_outcome_is_unknown_is_not_told_sold_out() {
    let (store, engine) = faulty(FaultPlan::none()).await;
    stock(&engine, &[(3, 0)]).await;
    let (order, cart) = (new_order(), [(3, 1)]);
    let sold_out = engine.reserve(request(new_order(), &cart)).await.unwrap_err();
    assert!(matches!(sold_out, ReserveError::InsufficientStock(_)), "{sold_out}");
    // Longer unknown than the caller is patient.
    let unknown = (store.batches_begun(), Fault::UnknownCommitted);
    store.set_plan(FaultPlan::script([unknown]).failing_resolves(6));
    let released = engine.release(order, None, None, None).await.unwrap_err();
    assert!(matches!(released, ReleaseError::Failed(Failure::OutcomeUnknown)), "{released}");
    let refused = loop {
        match engine.reserve(request(order, &cart)).await.unwrap_err() {
            ReserveError::Failed(failure) if failure.is_transient() => {}
            other => break other,
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    assert!(matches!(refused, ReserveError::AlreadyReleased(_)), "{refused}");
    engine.shutdown().await;
}

#[tokio::test]
async fn i6_definite_failures_leave_no_effect_and_are_tried_again() {
    for kind in [
        StoreErrorKind::Transient,
        StoreErrorKind::LockTimeout,
        StoreErrorKind::Conflict,
        StoreErrorKind::Unavailable,
    ] {
        for fault in [Fault::FailBegin(kind), Fault::FailPersist(kind), Fault::FailCommit(kind)] {
            let (_store, engine) = one_fault(fault).await;
            engine.reserve(request(new_order(), &[(1, 2)])).await.unwrap();
            assert_eq!(engine.stats().retries, 1, "{fault:?}");
            assert_eq!(levels(&engine, 1).await, (40, 2), "{fault:?}");
            at_rest(&engine, &[1]).await;
            engine.shutdown().await;
        }
    }
}

#[tokio::test]
async fn a_command_whose_data_the_store_refuses_fails_alone() {
    let (store, engine) = faulty(FaultPlan::none()).await;
    let next = store.batches_begun();
    let stall = (next, Fault::Stall(Duration::from_millis(200)));
    store.set_plan(FaultPlan::script([stall, (next + 1, Fault::FailPersist(StoreErrorKind::Data))]));
    // While the first batch stalls, the others gather for the second.
    let asked = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        futures::future::join_all((0..4).map(|_| engine.reserve(request(new_order(), &[(1, 1)])))).await
    };
    let (first, answers) = futures::join!(engine.release(new_order(), None, None, None), asked);
    first.unwrap();
    // The fault strikes the whole batch once; each half then goes through.
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    let (_store, engine) = one_fault(Fault::FailPersist(StoreErrorKind::Data)).await;
    let alone = engine.reserve(request(new_order(), &[(1, 1)])).await;
    assert!(matches!(alone, Err(ReserveError::Failed(Failure::Refused { .. }))), "{alone:?}");
    at_rest(&engine, &[1]).await;
    engine.shutdown().await;
}

#[tokio::test]
async fn a_full_store_refuses_new_holds_and_goes_on_releasing() {
    let (store, engine) = faulty(FaultPlan::none()).await;
    let order = new_order();
    engine.reserve(request(order, &[(1, 1)])).await.unwrap();
    let next = store.batches_begun();
    let full = Fault::FailPersist(StoreErrorKind::Full);
    store.set_plan(FaultPlan::script([(next, full)]));
    let refused = engine.reserve(request(new_order(), &[(1, 1)])).await;
    assert!(matches!(refused, Err(ReserveError::Failed(Failure::Unavailable { .. }))), "{refused:?}");
    store.set_plan(FaultPlan::script([(store.batches_begun(), full)]));
    assert_eq!(engine.release(order, None, None, None).await.unwrap().status, Status::Released);
    assert_eq!(levels(&engine, 1).await, (40, 0));
    at_rest(&engine, &[1]).await;
    engine.shutdown().await;
}

#[tokio::test]
async fn a_store_that_comes_back_is_found_without_anyone_asking() {
    let (store, engine) = faulty(FaultPlan::none()).await;
    let lost = Fault::FailBegin(StoreErrorKind::Unavailable);
    store.set_plan(FaultPlan::script([(store.batches_begun(), lost)]).failing_opens(8));
    let answer = engine.reserve(request(new_order(), &[(1, 1)])).await;
    assert!(matches!(
        &answer,
        Ok(_) | Err(ReserveError::Failed(Failure::Unavailable { .. } | Failure::OutcomeUnknown))
    ));
    for _ in 0..1_000 {
        if engine.is_ready() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(engine.is_ready());
    assert!(engine.counter(product(1)).is_some());
    engine.reserve(request(new_order(), &[(1, 1)])).await.unwrap();
    at_rest(&engine, &[1]).await;
    engine.shutdown().await;
}

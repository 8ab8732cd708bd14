//! The faulty store does what its plan says, and is the inner store otherwise.

use std::sync::Arc;
use std::time::Duration;

use inventory_core::clock::Timestamp;
use inventory_core::ids::{BatchId, Note, ProductId};
use inventory_core::product::{Alert, Product};
use inventory_core::quantity::Units;
use inventory_core::store::faults::{Fault, FaultPlan, FaultyStore};
use inventory_core::store::memory::MemoryStore;
use inventory_core::store::sqlite::SqliteStore;
use inventory_core::store::{
    CommitFailure, Effects, Footprint, Locked, ProductEffect, Resolution, Store, StoreError, StoreErrorKind,
};
use uuid::Uuid;

/// How one batch ended for who sent it.
#[derive(Debug)]
enum End {
    Committed,
    Failed(StoreErrorKind),
    Unknown,
}

/// Raises product 1's stock by one, in a batch of its own.
async fn raise(store: &dyn Store) -> (BatchId, End) {
    let batch = BatchId::new(Uuid::now_v7());
    let end = match try_raise(store, batch).await {
        Ok(()) => End::Committed,
        Err(CommitFailure::Definite(error)) => End::Failed(error.kind),
        Err(CommitFailure::Unknown(_)) => End::Unknown,
    };
    (batch, end)
}

async fn try_raise(store: &dyn Store, batch: BatchId) -> Result<(), CommitFailure> {
    let mut session = store.open_session().await?;
    let footprint = Footprint { products: vec![ProductId::new(1)], ..Footprint::default() };
    let locked = session.begin(batch, &footprint).await?;
    session.persist(&raised(&locked, batch)).await?;
    session.commit().await
}

fn raised(locked: &Locked, batch: BatchId) -> Effects {
    let before = locked.products.get(&ProductId::new(1));
    let after = Product {
        id: ProductId::new(1),
        on_hand: before.map_or(Units::ZERO, |p| p.on_hand) + Units::stored(1),
        held: Units::ZERO,
        version: before.map_or(0, |p| p.version) + 1,
        admin_version: 1,
        low_stock_threshold: None,
        per_customer_limit: None,
        limited_since: None,
        name: Note::parse("raised").ok(),
        alert: Alert::None,
        last_batch: batch,
    };
    let product = ProductEffect { version_before: before.map(|p| p.version), stock_only: false, after };
    Effects { products: vec![product], ..Effects::none(batch, locked.now) }
}

async fn on_hand(store: &dyn Store) -> i64 {
    let read = store.read(&[ProductId::new(1)], &[]).await.unwrap();
    read.products.first().map_or(0, |product| product.on_hand.get())
}

fn in_memory(plan: FaultPlan) -> FaultyStore {
    FaultyStore::new(Arc::new(MemoryStore::default()), plan)
}

fn only(fault: Fault) -> FaultPlan {
    FaultPlan::script([(0, fault)])
}

async fn resolve(store: &FaultyStore, batch: BatchId) -> Result<Resolution, StoreError> {
    store.resolve(batch, inventory_core::store::Backend::default()).await
}

#[tokio::test]
async fn i6_a_definite_failure_leaves_nothing_wherever_it_strikes() {
    for kind in [StoreErrorKind::Transient, StoreErrorKind::Unavailable, StoreErrorKind::Full] {
        for fault in [Fault::FailBegin(kind), Fault::FailPersist(kind), Fault::FailCommit(kind)] {
            let store = in_memory(only(fault));
            let (batch, end) = raise(&store).await;
            assert!(matches!(end, End::Failed(said) if said == kind), "{fault:?} ended {end:?}");
            assert_eq!(store.injected(), [(0, batch, fault)]);
            assert_eq!(on_hand(&store).await, 0, "{fault:?} left an effect");
            assert_eq!(resolve(&store, batch).await.unwrap(), Resolution::Aborted);
            assert!(
                matches!(raise(&store).await.1, End::Committed),
                "the next batch is none of its business"
            );
        }
    }
}

#[tokio::test]
async fn i6_an_unknown_outcome_resolves_to_what_the_store_holds() {
    let cases =
        [(Fault::UnknownNotCommitted, Resolution::Aborted), (Fault::UnknownCommitted, Resolution::Committed)];
    for (fault, expected) in cases {
        let store = in_memory(only(fault).failing_resolves(2));
        let (batch, end) = raise(&store).await;
        assert!(matches!(end, End::Unknown), "{fault:?} ended {end:?}");
        for _ in 0..2 {
            assert_eq!(resolve(&store, batch).await.unwrap_err().kind, StoreErrorKind::Unavailable);
        }
        assert_eq!(resolve(&store, batch).await.unwrap(), expected);
        assert_eq!(on_hand(&store).await, i64::from(expected == Resolution::Committed));
    }
}

#[tokio::test(start_paused = true)]
async fn i6_a_late_commit_takes_effect_unless_it_was_resolved_before() {
    let late = Fault::UnknownCommittedLate(Duration::from_secs(3));
    let store = in_memory(only(late));
    let (batch, end) = raise(&store).await;
    assert!(matches!(end, End::Unknown));
    assert_eq!(on_hand(&store).await, 0, "it is late");
    store.settled().await;
    assert_eq!(on_hand(&store).await, 1);
    assert_eq!(resolve(&store, batch).await.unwrap(), Resolution::Committed);

    let store = in_memory(only(late));
    let (batch, _) = raise(&store).await;
    assert_eq!(resolve(&store, batch).await.unwrap(), Resolution::Aborted);
    store.settled().await;
    assert_eq!(on_hand(&store).await, 0, "it was resolved as aborted");
}

#[tokio::test(start_paused = true)]
async fn while_a_commit_is_late_or_stalls_nobody_else_gets_its_rows() {
    for fault in [Fault::UnknownCommittedLate(Duration::from_secs(3)), Fault::Stall(Duration::from_secs(3))] {
        let store = in_memory(only(fault));
        // The second batch must see what the first wrote: it would fail on the product's version otherwise.
        let (_, second) = tokio::join!(raise(&store), raise(&store));
        assert!(matches!(second.1, End::Committed), "{fault:?}: {second:?}");
        assert_eq!(on_hand(&store).await, 2);
    }
}

#[tokio::test]
async fn a_lost_session_stays_lost_and_another_can_be_opened() {
    let store = in_memory(only(Fault::FailBegin(StoreErrorKind::Unavailable)).failing_opens(1));
    assert_eq!(store.open_session().await.err().map(|e| e.kind), Some(StoreErrorKind::Unavailable));
    let mut session = store.open_session().await.unwrap();
    let begin = session.begin(BatchId::new(Uuid::now_v7()), &Footprint::default()).await;
    assert_eq!(begin.unwrap_err().kind, StoreErrorKind::Unavailable);
    let begin = session.begin(BatchId::new(Uuid::now_v7()), &Footprint::default()).await;
    assert_eq!(begin.unwrap_err().kind, StoreErrorKind::Unavailable);
    assert!(session.rollback().await.is_err());
    assert!(matches!(raise(&store).await.1, End::Committed));
    assert_eq!(store.batches_begun(), 3);
}

/// Under any seed: what was answered committed, or resolved so, is exactly what is there.
async fn add_up(inner: Arc<dyn Store>, seed: u64) {
    let store = FaultyStore::new(inner, FaultPlan::random(seed, 500));
    let mut committed = 0;
    for n in 0..40 {
        let (batch, end) = raise(&store).await;
        match end {
            End::Committed => committed += 1,
            End::Failed(_) => {}
            End::Unknown => {
                if n % 2 == 0 {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                committed += i64::from(resolve(&store, batch).await.unwrap() == Resolution::Committed);
            }
        }
    }
    store.settled().await;
    assert_eq!(on_hand(&store).await, committed, "seed {seed}: {:?}", store.injected());
    assert!(!store.injected().is_empty());
}

#[tokio::test(start_paused = true)]
async fn i6_in_memory_what_was_answered_is_what_is_there() {
    for seed in 0..50 {
        add_up(Arc::new(MemoryStore::default()), seed).await;
    }
}

#[tokio::test]
async fn i6_in_a_file_what_was_answered_is_what_is_there() {
    for seed in 100..103 {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(directory.path().join("ledger.db")).await.unwrap();
        add_up(Arc::new(store), seed).await;
    }
}

#[tokio::test]
async fn without_faults_the_wrapper_is_not_there() {
    let store = in_memory(FaultPlan::none());
    store.set_plan(FaultPlan::script([(1, Fault::UnknownNotCommitted)]));
    assert!(matches!(raise(&store).await.1, End::Committed));
    assert!(matches!(raise(&store).await.1, End::Unknown));
    store.set_plan(FaultPlan::none());
    assert!(matches!(raise(&store).await.1, End::Committed));
    assert_eq!((on_hand(&store).await, store.injected().len()), (2, 1));
    let (now, none) = store.reservation(inventory_core::ids::OrderId::new(Uuid::nil())).await.unwrap();
    assert!(now > Timestamp::EPOCH && none.is_none());
}

//! The life of a reservation through the public API.

use std::sync::Arc;

use inventory_core::error::{CommitError, Failure, ReserveError};
use inventory_core::options::{EngineOptions, WriterPlace};
use inventory_core::reservation::Status;
use inventory_core::store::memory::MemoryStore;
use tokio::task::JoinSet;

use super::support::{at_rest, is_sold_out, levels, new_order, open, options, product, request, stock};

#[tokio::test]
async fn a_hold_is_committed_once_and_its_repeats_are_replays() {
    let engine = open(Arc::new(MemoryStore::default()), options()).await;
    stock(&engine, &[(1, 5)]).await;
    let order = new_order();
    assert!(!engine.reserve(request(order, &[(1, 2), (1, 1)])).await.unwrap().replayed);
    assert!(engine.reserve(request(order, &[(1, 3)])).await.unwrap().replayed);
    assert_eq!(levels(&engine, 1).await, (5, 3));
    assert_eq!(engine.commit(order, None, None).await.unwrap().status, Status::Committed);
    assert_eq!(engine.commit(order, None, None).await.unwrap().status, Status::Committed);
    assert_eq!(levels(&engine, 1).await, (2, 0));
    at_rest(&engine, &[1]).await;
    engine.shutdown().await;
}

#[tokio::test]
async fn i7_the_retry_of_the_order_that_took_the_last_unit_is_a_replay() {
    let engine = open(Arc::new(MemoryStore::default()), options()).await;
    stock(&engine, &[(1, 1)]).await;
    let winner = new_order();
    engine.reserve(request(winner, &[(1, 1)])).await.unwrap();
    assert!(is_sold_out(&engine.reserve(request(new_order(), &[(1, 1)])).await));
    assert!(engine.reserve(request(winner, &[(1, 1)])).await.unwrap().replayed);
    assert_eq!(engine.stats().refused_in_memory, 1);
    engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i7_two_requests_of_one_order_at_once_are_one_hold_and_one_replay() {
    let engine = open(Arc::new(MemoryStore::default()), options()).await;
    for id in 1..=300 {
        stock(&engine, &[(id, 3)]).await;
        let order = new_order();
        let mut asked = JoinSet::new();
        for _ in 0..3 {
            let engine = engine.clone();
            asked.spawn(async move { engine.reserve(request(order, &[(id, 2)])).await });
        }
        let answers = asked.join_all().await;
        let mut told: Vec<bool> = answers.into_iter().map(|held| held.unwrap().replayed).collect();
        told.sort_unstable();
        assert_eq!(told, [false, true, true], "product {id}");
    }
    engine.shutdown().await;
}

#[tokio::test]
async fn a_seeded_engine_whose_writer_is_a_task_works_and_mints_the_same_batches_again() {
    let mut batches = Vec::new();
    for seed in [7, 7, 8] {
        let seeded = EngineOptions { writer: WriterPlace::Runtime, seed: Some(seed), ..options() };
        let engine = open(Arc::new(MemoryStore::default()), seeded).await;
        stock(&engine, &[(1, 5)]).await;
        let order = new_order();
        engine.reserve(request(order, &[(1, 2)])).await.unwrap();
        engine.commit(order, None, None).await.unwrap();
        at_rest(&engine, &[1]).await;
        let history = engine.history(product(1), 1, 10).await.unwrap();
        batches.push(history.into_iter().map(|version| version.batch).collect::<Vec<_>>());
        engine.shutdown().await;
    }
    assert_eq!((batches[0].len(), &batches[0]), (3, &batches[1]));
    assert!(batches[2].iter().all(|batch| !batches[0].contains(batch)));
}

#[tokio::test]
async fn a_refusal_names_every_short_line_and_unknown_products_come_first() {
    let engine = open(Arc::new(MemoryStore::default()), options()).await;
    stock(&engine, &[(1, 1), (2, 1), (3, 9)]).await;
    let short = engine.reserve(request(new_order(), &[(1, 2), (2, 3), (3, 1)])).await;
    let Err(ReserveError::InsufficientStock(short)) = short else { panic!("{short:?}") };
    let named: Vec<_> = short.iter().map(|s| (s.product, s.requested.get(), s.available.get())).collect();
    assert_eq!(named, [(product(1), 2, 1), (product(2), 3, 1)]);
    let unknown = engine.reserve(request(new_order(), &[(1, 2), (77, 1), (99, 1)])).await;
    assert_eq!(unknown, Err(ReserveError::ProductNotFound(vec![product(77), product(99)])));
    engine.shutdown().await;
}

#[tokio::test]
async fn i2_what_is_known_survives_a_restart() {
    let store = MemoryStore::default();
    let engine = open(Arc::new(store.clone()), options()).await;
    stock(&engine, &[(1, 1)]).await;
    let order = new_order();
    engine.reserve(request(order, &[(1, 1)])).await.unwrap();
    engine.shutdown().await;

    let engine = open(Arc::new(store), options()).await;
    assert!(is_sold_out(&engine.reserve(request(new_order(), &[(1, 1)])).await));
    assert!(engine.reserve(request(order, &[(1, 1)])).await.unwrap().replayed);
    assert_eq!(engine.stats().holds_watched, 1, "the sweeper must know the holds of before");
    engine.shutdown().await;
}

#[tokio::test]
async fn after_shutdown_every_request_is_told_that_the_engine_stopped() {
    let engine = open(Arc::new(MemoryStore::default()), options()).await;
    stock(&engine, &[(1, 1)]).await;
    engine.shutdown().await;
    let answer = engine.commit(new_order(), None, None).await;
    assert_eq!(answer, Err(CommitError::Failed(Failure::Stopped)));
}

#[tokio::test]
async fn i1_a_thousand_buyers_of_a_hundred_units_are_told_exactly() {
    let engine = open(Arc::new(MemoryStore::default()), options()).await;
    stock(&engine, &[(1, 100)]).await;
    let asked = (0..1_000).map(|_| engine.reserve(request(new_order(), &[(1, 1)])));
    let answers = futures::future::join_all(asked).await;
    assert_eq!(answers.iter().filter(|a| a.is_ok()).count(), 100);
    assert_eq!(answers.iter().filter(|a| is_sold_out(a)).count(), 900);
    at_rest(&engine, &[1]).await;
    assert_eq!(levels(&engine, 1).await, (100, 100));
    engine.shutdown().await;
}

#[tokio::test]
async fn i10_crossing_carts_get_all_lines_or_none() {
    let engine = open(Arc::new(MemoryStore::default()), options()).await;
    stock(&engine, &[(1, 60), (2, 60)]).await;
    let asked = (0..200).map(|i| {
        let cart = if i % 2 == 0 { [(1, 1), (2, 2)] } else { [(2, 1), (1, 2)] };
        engine.reserve(request(new_order(), &cart))
    });
    let answers = futures::future::join_all(asked).await;
    let held = answers.iter().filter(|a| a.is_ok()).count();
    assert!(answers.iter().all(|a| a.is_ok() || is_sold_out(a)), "{answers:?}");
    let (_, one) = levels(&engine, 1).await;
    let (_, two) = levels(&engine, 2).await;
    assert_eq!(one + two, 3 * i64::try_from(held).unwrap(), "a cart holds three units or none");
    at_rest(&engine, &[1, 2]).await;
    engine.shutdown().await;
}

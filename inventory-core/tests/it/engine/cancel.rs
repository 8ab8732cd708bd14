//! I17: dropping a caller's future at any await leaves everything true.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};

use inventory_core::reservation::Status;
use inventory_core::store::memory::MemoryStore;

use super::support::{at_rest, levels, new_order, open, options, request, stock};

/// Polls `future` up to `polls` times, letting everyone else run in between, then drops it.
/// True if it had finished by then.
async fn poll_then_drop(future: impl Future, polls: usize) -> bool {
    let mut future = pin!(future);
    for _ in 0..polls {
        if future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
            return true;
        }
        tokio::task::yield_now().await;
    }
    false
}

#[tokio::test]
async fn i17_a_reserve_dropped_at_any_poll_is_held_or_not_and_leaks_nothing() {
    let engine = open(Arc::new(MemoryStore::default()), options()).await;
    stock(&engine, &[(1, 1_000), (2, 1_000)]).await;
    let mut polls = 0;
    loop {
        let order = new_order();
        let finished = poll_then_drop(engine.reserve(request(order, &[(1, 2), (2, 1)])), polls).await;
        at_rest(&engine, &[1, 2]).await;
        let (_, found) = engine.reservation(order).await.unwrap();
        let held = found.map_or(0, |r| {
            assert_eq!(r.status, Status::Held);
            1
        });
        assert_eq!(levels(&engine, 1).await, (1_000, 2 * held), "dropped after {polls} polls");
        assert_eq!(levels(&engine, 2).await, (1_000, held), "dropped after {polls} polls");
        engine.release(order, None, None, None).await.unwrap();
        if finished {
            break;
        }
        polls += 1;
        assert!(polls < 10_000, "a reserve never finished");
    }
    assert!(polls >= 2, "the reserve never had to wait: nothing was tested");
    engine.shutdown().await;
}

#[tokio::test]
async fn i17_a_cold_reserve_dropped_while_its_product_is_loaded_takes_nothing() {
    let store = MemoryStore::default();
    let first = open(Arc::new(store.clone()), options()).await;
    stock(&first, &[(1, 10)]).await;
    first.shutdown().await;
    for polls in 0..4 {
        let engine = open(Arc::new(store.clone()), options()).await;
        let order = new_order();
        poll_then_drop(engine.reserve(request(order, &[(1, 1)])), polls).await;
        at_rest(&engine, &[1]).await;
        engine.release(order, None, None, None).await.unwrap();
        assert_eq!(levels(&engine, 1).await, (10, 0));
        engine.shutdown().await;
    }
}

#[tokio::test]
async fn i17_dropped_commits_and_releases_happen_or_not_and_never_half() {
    let engine = open(Arc::new(MemoryStore::default()), options()).await;
    stock(&engine, &[(1, 100)]).await;
    let mut sold = 0;
    for polls in 0..8 {
        let order = new_order();
        engine.reserve(request(order, &[(1, 1)])).await.unwrap();
        poll_then_drop(engine.commit(order, None, None), polls).await;
        // Commands of one lane are executed in order: when this one is answered, the dropped one is done.
        engine.release(new_order(), None, None, None).await.unwrap();
        at_rest(&engine, &[1]).await;
        // Whatever became of the dropped commit, asking again says so.
        if engine.reservation(order).await.unwrap().1.unwrap().status == Status::Committed {
            sold += 1;
            engine.commit(order, None, None).await.unwrap();
        } else {
            engine.release(order, None, None, None).await.unwrap();
        }
        assert_eq!(levels(&engine, 1).await, (100 - sold, 0));
    }
    assert!(sold > 0, "no dropped commit ever took effect: the writer does not own its work");
    engine.shutdown().await;
}

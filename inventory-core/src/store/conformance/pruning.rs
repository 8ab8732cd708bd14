//! What pruning removes, and what it must keep.

use std::time::Duration;

use super::StoreFactory;
use super::draft::{delivery, footprint, look, order, orders, product, put, reservation, stock};
use crate::ids::{OrderId, ProductId};
use crate::reservation::{Reservation, Status};
use crate::store::{Footprint, Pruned, Retention, Store};

const DAY: Duration = Duration::from_secs(86_400);

/// Keeps everything that is not older than this; and nothing is when the time is over.
fn retention(keep: Duration, rows_max: usize) -> Retention {
    Retention { reservations: keep, journal: keep, fences: keep, deliveries: keep, rows_max }
}

/// Prunes until nothing is left to do: how much went, and in how many pieces.
async fn prune(store: &dyn Store, retention: &Retention) -> (Pruned, usize) {
    let mut sum = Pruned::default();
    for pieces in 1..1_000 {
        let piece = store.prune(retention).await.expect("prune");
        sum.reservations += piece.reservations;
        sum.journal += piece.journal;
        sum.fences += piece.fences;
        sum.deliveries += piece.deliveries;
        if !piece.more {
            return (sum, pieces);
        }
    }
    panic!("pruning never ends");
}

/// Reservations that ended ten days ago, in every way.
async fn ended_long_ago(store: &dyn Store, count: usize) -> Vec<OrderId> {
    let statuses = [Status::Committed, Status::Released, Status::Expired, Status::Lost];
    let effects = put(store, footprint(&[1]), |draft, locked| {
        for n in 0..count {
            let held = draft.reserve(order(), &[(1, 1)]);
            draft.change(ProductId::new(1), |product| {
                product.held -= held.lines.as_slice()[0].quantity.units()
            });
            let created = draft.effects.created.last_mut().expect("just created");
            created.status = statuses[n % statuses.len()];
            created.created_at = locked.now.minus(DAY * 11);
            created.expires_at = locked.now.minus(DAY * 11);
            created.ended_at = Some(locked.now.minus(DAY * 10));
        }
    });
    effects.await.created.iter().map(|reservation| reservation.order).collect()
}

pub(super) async fn keeps(make: &dyn StoreFactory) {
    let subject = make.fresh().await;
    let store = subject.store();
    stock(&*store, &[(1, 10)]).await;
    let (open, ended) = (order(), order());
    let handled = delivery("release", "m1");
    let effects = put(&*store, footprint(&[1]), |draft, _| {
        draft.reserve(open, &[(1, 1)]);
        draft.effects.created[0].created_at = draft.effects.journal.at.minus(DAY * 30);
        draft.reserve(ended, &[(1, 2)]);
        draft.effects.deliveries.push(handled.clone());
    });
    let effects = effects.await;
    put(&*store, orders(&[ended]), |draft, _| draft.end(&effects.created[1], Status::Released)).await;
    let (pruned, _) = prune(&*store, &retention(DAY, 1_000)).await;
    assert_eq!(pruned, Pruned::default());
    assert!(reservation(&*store, open).await.is_some() && reservation(&*store, ended).await.is_some());
    assert_eq!(store.history(ProductId::new(1), 0, 10).await.expect("history").len(), 3);
    let ask = Footprint { deliveries: vec![handled.clone()], ..Footprint::default() };
    assert!(look(&*store, &ask).await.delivered.contains(&handled));
    // Whatever the retention says, an open hold stays.
    let (pruned, _) = prune(&*store, &retention(Duration::ZERO, 1_000)).await;
    assert_eq!((pruned.reservations, pruned.deliveries), (1, 1));
    assert!(reservation(&*store, open).await.is_some() && reservation(&*store, ended).await.is_none());
    assert!(look(&*store, &ask).await.delivered.is_empty());
}

pub(super) async fn removes(make: &dyn StoreFactory) {
    let subject = make.fresh().await;
    let store = subject.store();
    stock(&*store, &[(1, 100)]).await;
    let old = ended_long_ago(&*store, 9).await;
    let young = order();
    let held = put(&*store, footprint(&[1]), |draft, _| drop(draft.reserve(young, &[(1, 1)]))).await;
    put(&*store, orders(&[young]), |draft, _| draft.end(&held.created[0], Status::Committed)).await;
    let mut keep = retention(DAY, 4);
    keep.journal = DAY * 30;
    let first = store.prune(&keep).await.expect("prune");
    assert_eq!((first.reservations, first.more), (4, true));
    let (rest, _) = prune(&*store, &keep).await;
    assert_eq!(rest, Pruned { reservations: 5, ..Pruned::default() });
    let read = store.read(&[], &old).await.expect("read");
    assert!(read.known_orders.is_empty());
    assert!(reservation(&*store, young).await.is_some());
    // A pruned order is a new order.
    let again = Reservation { order: old[0], ..held.created[0].clone() };
    put(&*store, footprint(&[1]), |draft, _| draft.create(again)).await;
    let before = product(&*store, 1).await;
    let (pruned, _) = prune(&*store, &retention(Duration::ZERO, 2)).await;
    assert!(pruned.fences >= 5, "only {} fences went", pruned.fences);
    assert_eq!(product(&*store, 1).await, before, "pruning leaves products alone");
}

pub(super) async fn checkpoints(make: &dyn StoreFactory) {
    let subject = make.fresh().await;
    let store = subject.store();
    stock(&*store, &[(1, 10), (2, 20), (3, 30)]).await;
    for on_hand in 11..16 {
        put(&*store, footprint(&[1]), |draft, _| draft.set(1, on_hand)).await;
    }
    put(&*store, footprint(&[1, 3]), |draft, _| {
        draft.set(1, 16);
        draft.set(3, 31);
    })
    .await;
    let histories = async || {
        let mut last = Vec::new();
        for id in [1, 2, 3] {
            last.push(store.history(ProductId::new(id), 0, 100).await.expect("history"));
        }
        last
    };
    let before = histories().await;
    let (pruned, pieces) = prune(&*store, &retention(Duration::ZERO, 3)).await;
    assert!(pruned.journal >= 5 && pieces > 1, "{pruned:?} in {pieces} pieces");
    for (before, after) in before.iter().zip(histories().await) {
        let last = before.last().expect("a version");
        let (checkpoint, others) = after.split_last().expect("the last version stays");
        assert_eq!((checkpoint.batch, checkpoint.at, checkpoint.after), (last.batch, last.at, last.after));
        // An entry that is another product's checkpoint may stay whole; what stays is as it was.
        for left in others {
            let was = before.iter().find(|version| version.batch == left.batch).expect("a version of before");
            assert_eq!((left.at, left.after), (was.at, was.after));
        }
        assert!(after.len() < before.len() || before.len() <= 2, "nothing went: {after:?}");
    }
    let (again, _) = prune(&*store, &retention(Duration::ZERO, 100)).await;
    assert_eq!(again.journal, 0, "a checkpoint is not pruned again and again");
    // The chain goes on from there, and the old checkpoint may go then.
    put(&*store, footprint(&[2]), |draft, _| draft.set(2, 21)).await;
    let chain = store.history(ProductId::new(2), 0, 10).await.expect("history");
    assert_eq!(chain.iter().map(|version| version.after.version).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(chain[1].after.previous, Some(chain[0].batch));
    prune(&*store, &retention(Duration::ZERO, 100)).await;
    let left = store.history(ProductId::new(2), 0, 10).await.expect("history");
    assert_eq!(left.iter().map(|version| version.after.version).collect::<Vec<_>>(), [2]);
}

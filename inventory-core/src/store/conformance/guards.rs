//! The barriers behind the code: keys, guards, CHECKs. Whatever trips one leaves nothing of its batch.

use super::StoreFactory;
use super::draft::{
    Draft, adjustment_id, delivery, footprint, note, order, orders, product, put, refused, reservation, stock,
};
use crate::ids::ProductId;
use crate::quantity::Units;
use crate::reservation::{Reservation, Status};
use crate::store::{Adjustment, Locked, Store, StoreErrorKind};

pub(super) async fn duplicate_order(make: &dyn StoreFactory) {
    let subject = make.fresh().await;
    let store = subject.store();
    stock(&*store, &[(1, 10), (2, 10)]).await;
    let (known, new) = (order(), order());
    put(&*store, footprint(&[1]), |draft, _| drop(draft.reserve(known, &[(1, 4)]))).await;
    let said = refused(&*store, footprint(&[2]), |draft, _| {
        draft.reserve(new, &[(2, 1)]);
        draft.reserve(known, &[(2, 1)]);
    });
    assert_eq!(said.await, StoreErrorKind::Conflict);
    assert_eq!(reservation(&*store, new).await, None);
    assert_eq!(product(&*store, 2).await.held.get(), 0);
    let tombstone = Reservation {
        status: Status::Released,
        requested: crate::lines::Lines::none(),
        lines: crate::lines::Lines::none(),
        ..reservation(&*store, known).await.expect("it exists")
    };
    let said = refused(&*store, orders(&[known]), |draft, _| draft.create(tombstone)).await;
    assert_eq!(said, StoreErrorKind::Conflict, "a tombstone has the same key");
}

pub(super) async fn status(make: &dyn StoreFactory) {
    let subject = make.fresh().await;
    let store = subject.store();
    stock(&*store, &[(1, 10)]).await;
    let (known, unknown) = (order(), order());
    put(&*store, footprint(&[1]), |draft, _| drop(draft.reserve(known, &[(1, 4)]))).await;
    let held = reservation(&*store, known).await.expect("it exists");
    put(&*store, orders(&[known]), |draft, _| draft.end(&held, Status::Expired)).await;
    let before = product(&*store, 1).await;
    let released = Reservation { status: Status::Released, ..held.clone() };
    for wrong in [Status::Held, Status::Committed, Status::Released, Status::Lost] {
        let change = (wrong, released.clone());
        let said = refused(&*store, orders(&[known]), |draft, _| {
            draft.set(1, 99);
            draft.effects.changed.push(change);
        });
        assert_eq!(said.await, StoreErrorKind::Conflict, "from {}", wrong.name());
    }
    let change = (Status::Held, Reservation { order: unknown, ..held });
    let said = refused(&*store, footprint(&[1]), |draft, _| draft.effects.changed.push(change)).await;
    assert_eq!(said, StoreErrorKind::Conflict, "an unknown order cannot change");
    assert_eq!(product(&*store, 1).await, before);
    assert_eq!(reservation(&*store, known).await.expect("it exists").status, Status::Expired);
    put(&*store, orders(&[known]), |draft, _| draft.effects.changed.push((Status::Expired, released))).await;
    assert_eq!(reservation(&*store, known).await.expect("it exists").status, Status::Released);
}

pub(super) async fn version(make: &dyn StoreFactory) {
    let subject = make.fresh().await;
    let store = subject.store();
    stock(&*store, &[(1, 10), (2, 10)]).await;
    put(&*store, footprint(&[1]), |draft, _| draft.set(1, 11)).await;
    for stock_only in [true, false] {
        for stale in [0, 1, 3] {
            let said = refused_edited(&*store, &[1, 2], |effect| {
                effect.stock_only = stock_only;
                if effect.after.id == ProductId::new(1) {
                    effect.version_before = Some(stale);
                }
            });
            assert_eq!(said.await, StoreErrorKind::Conflict, "stock_only {stock_only}, version {stale}");
        }
        let said = refused_edited(&*store, &[1], |effect| {
            effect.stock_only = stock_only;
            effect.after.id = ProductId::new(404);
        });
        assert_eq!(said.await, StoreErrorKind::Conflict, "an unknown product cannot change");
    }
    assert_eq!(product(&*store, 2).await.version, 1, "the other product of the batch is untouched");
    assert!(store.read(&[ProductId::new(404)], &[]).await.expect("read").products.is_empty());
}

pub(super) async fn duplicate_product(make: &dyn StoreFactory) {
    let subject = make.fresh().await;
    let store = subject.store();
    stock(&*store, &[(1, 10)]).await;
    let said = refused(&*store, footprint(&[2]), |draft, _| {
        draft.set(1, 99);
        draft.set(2, 99);
    });
    assert_eq!(said.await, StoreErrorKind::Conflict);
    assert_eq!(product(&*store, 1).await.on_hand.get(), 10);
    assert!(store.read(&[ProductId::new(2)], &[]).await.expect("read").products.is_empty());
}

pub(super) async fn duplicate_adjustment(make: &dyn StoreFactory) {
    let subject = make.fresh().await;
    let store = subject.store();
    stock(&*store, &[(1, 10)]).await;
    let adjust = |draft: &mut Draft, locked: &Locked| {
        draft.set(1, 20);
        draft.effects.adjustments.push(Adjustment {
            id: adjustment_id("delivery-7"),
            product: ProductId::new(1),
            delta: Units::stored(10),
            reason: note("received"),
            reference: None,
            at: locked.now,
            version: 2,
        });
    };
    put(&*store, footprint(&[1]), adjust).await;
    assert_eq!(refused(&*store, footprint(&[1]), adjust).await, StoreErrorKind::Conflict);
    assert_eq!(product(&*store, 1).await.version, 2);
}

pub(super) async fn duplicate_delivery(make: &dyn StoreFactory) {
    let subject = make.fresh().await;
    let store = subject.store();
    stock(&*store, &[(1, 10)]).await;
    let handle = |message: &'static str| {
        move |draft: &mut Draft, _: &Locked| {
            draft.set(1, 20);
            draft.effects.deliveries.push(delivery("release", message));
        }
    };
    put(&*store, footprint(&[1]), handle("m1")).await;
    assert_eq!(refused(&*store, footprint(&[1]), handle("m1")).await, StoreErrorKind::Conflict);
    put(&*store, footprint(&[1]), handle("m2")).await;
    assert_eq!(product(&*store, 1).await.version, 3);
}

pub(super) async fn i1_oversold(make: &dyn StoreFactory) {
    let subject = make.fresh().await;
    let store = subject.store();
    stock(&*store, &[(1, 10)]).await;
    let order = order();
    for (on_hand, held) in [(10, 11), (10, -1), (-1, -1), (-1, 0)] {
        for stock_only in [true, false] {
            let said = refused_edited(&*store, &[1], |effect| {
                effect.stock_only = stock_only;
                effect.after.on_hand = Units::stored(on_hand);
                effect.after.held = Units::stored(held);
            });
            assert_eq!(said.await, StoreErrorKind::Data, "{held} held of {on_hand}");
        }
    }
    let said = refused(&*store, footprint(&[1]), |draft, _| drop(draft.reserve(order, &[(1, 11)]))).await;
    assert_eq!(said, StoreErrorKind::Data);
    assert_eq!(reservation(&*store, order).await, None);
    assert_eq!(product(&*store, 1).await.version, 1);
}

/// What the store says to changes of `products` after `edit` has spoiled them.
async fn refused_edited(
    store: &dyn Store,
    products: &[i64],
    edit: impl Fn(&mut crate::store::ProductEffect),
) -> StoreErrorKind {
    let mut session = super::draft::open(store).await;
    let batch = super::draft::batch();
    let locked = session.begin(batch, &footprint(products)).await.expect("begin");
    let mut draft = Draft::new(batch, &locked);
    for product in products {
        draft.set(*product, 50);
    }
    let mut effects = draft.finish();
    effects.products.iter_mut().for_each(edit);
    match session.persist(&effects).await {
        Err(error) => error.kind,
        Ok(()) => super::draft::definite(session.commit().await.expect_err("must be refused")).kind,
    }
}

//! What is read outside of batches.

use std::time::Duration;

use super::StoreFactory;
use super::draft::{
    Draft, ago, delivery, footprint, journal_lines, lines, look, note, order, orders, put, reservation, stock,
};
use crate::clock::Timestamp;
use crate::ids::{OrderId, ProductId};
use crate::journal::{ChangeKind, JournalLine, JournalProduct, ProductChange, Remark};
use crate::quantity::{Quantity, Units};
use crate::reservation::{Reservation, Status};
use crate::store::{HoldOn, Store};

pub(super) async fn absent(make: &dyn StoreFactory) {
    let subject = make.fresh().await;
    let store = subject.store();
    let read = store.read(&[ProductId::new(1)], &[order()]).await.expect("read");
    assert!(read.products.is_empty() && read.known_orders.is_empty());
    assert_eq!(reservation(&*store, order()).await, None);
    assert!(store.orders_after(None, 10).await.expect("page").orders.is_empty());
    assert!(store.due(Duration::ZERO, 10).await.expect("due").orders.is_empty());
    assert!(store.holds_on(ProductId::new(1), 10).await.expect("holds").is_empty());
    assert!(store.history(ProductId::new(1), 0, 10).await.expect("history").is_empty());
    let locked = look(&*store, &footprint(&[1])).await;
    assert!(locked.products.is_empty() && locked.customer_units.is_empty());
    assert!(subject.outbox().await.is_empty());
}

pub(super) async fn products_and_orders(make: &dyn StoreFactory) {
    let subject = make.fresh().await;
    let store = subject.store();
    stock(&*store, &[(-1, 10), (5, 10), (6, 10)]).await;
    let mut known = [order(), order(), order()];
    put(&*store, footprint(&[5]), |draft, _| known.iter().for_each(|o| drop(draft.reserve(*o, &[(5, 1)]))))
        .await;
    known.sort_unstable();
    let asked = [known[2], order(), known[0]];
    let read = store.read(&[6, -1, 404].map(ProductId::new), &asked).await.expect("read");
    let mut products: Vec<_> = read.products.iter().map(|product| product.id.get()).collect();
    products.sort_unstable();
    assert_eq!(products, [-1, 6]);
    let mut orders = read.known_orders;
    orders.sort_unstable();
    assert_eq!(orders, [known[0], known[2]]);
    let nothing = store.read(&[], &[]).await.expect("read");
    assert!(nothing.products.is_empty() && nothing.known_orders.is_empty());
}

pub(super) async fn orders_after(make: &dyn StoreFactory) {
    let subject = make.fresh().await;
    let store = subject.store();
    stock(&*store, &[(1, 100)]).await;
    let mut all: Vec<OrderId> = (0..10).map(|_| OrderId::new(uuid::Uuid::new_v4())).collect();
    all.push(OrderId::new(uuid::Uuid::nil()));
    all.push(OrderId::new(uuid::Uuid::max()));
    all.sort_unstable();
    let effects = put(&*store, footprint(&[1]), |draft, _| {
        all.iter().for_each(|order| drop(draft.reserve(*order, &[(1, 1)])));
    });
    let ended = effects.await.created.into_iter().find(|r| r.order == all[3]).expect("it was created");
    put(&*store, orders(&[ended.order]), |draft, _| draft.end(&ended, Status::Released)).await;
    let mut seen = Vec::new();
    loop {
        let page = store.orders_after(seen.last().map(|(order, _)| *order), 5).await.expect("page");
        assert!(page.orders.len() <= 5 && page.now >= ended.created_at);
        if page.orders.is_empty() {
            break;
        }
        seen.extend(page.orders);
    }
    let end = |order: &OrderId| (*order != ended.order).then_some(ended.expires_at);
    assert_eq!(seen, all.iter().map(|order| (*order, end(order))).collect::<Vec<_>>());
}

/// Holds on product 1 that end at `ends`, by name.
async fn hold(store: &dyn Store, ends: impl Fn(Timestamp) -> Vec<(OrderId, Timestamp)>) {
    put(store, footprint(&[1]), |draft, locked| {
        for (order, expires_at) in ends(locked.now) {
            draft.reserve(order, &[(1, 1)]);
            let hold = draft.effects.created.last_mut().expect("just created");
            hold.created_at = ago(locked.now, 1_000);
            hold.expires_at = expires_at;
        }
    })
    .await;
}

pub(super) async fn i8_due(make: &dyn StoreFactory) {
    let subject = make.fresh().await;
    let store = subject.store();
    stock(&*store, &[(1, 100)]).await;
    let names: Vec<OrderId> = (0..5).map(|_| OrderId::new(uuid::Uuid::new_v4())).collect();
    hold(&*store, |now| {
        let ends = [ago(now, 200), ago(now, 100), ago(now, 300), now, now.plus(Duration::from_secs(3_600))];
        names.iter().copied().zip(ends).collect()
    })
    .await;
    let due = store.due(Duration::ZERO, 10).await.expect("due");
    assert_eq!(due.orders, [names[2], names[0], names[1], names[3]]);
    let due = store.due(Duration::from_secs(150), 10).await.expect("due");
    assert_eq!(due.orders, [names[2], names[0]], "the grace is not over for the others");
    assert_eq!(store.due(Duration::ZERO, 2).await.expect("due").orders, [names[2], names[0]]);
    let ended = reservation(&*store, names[2]).await.expect("it exists");
    put(&*store, orders(&[names[2]]), |draft, _| draft.end(&ended, Status::Expired)).await;
    let extended = reservation(&*store, names[0]).await.expect("it exists");
    put(&*store, orders(&[names[0]]), |draft, locked| {
        let expires_at = locked.now.plus(Duration::from_secs(3_600));
        draft.effects.changed.push((Status::Held, Reservation { expires_at, ..extended }));
    })
    .await;
    // One that was due already when it was written, long after the others were looked at.
    let late = order();
    hold(&*store, |now| vec![(late, ago(now, 250))]).await;
    assert_eq!(store.due(Duration::ZERO, 10).await.expect("due").orders, [late, names[1], names[3]]);
}

pub(super) async fn holds_on(make: &dyn StoreFactory) {
    let subject = make.fresh().await;
    let store = subject.store();
    stock(&*store, &[(1, 100), (2, 100), (12, 100)]).await;
    let names: Vec<OrderId> = (0..5).map(|_| OrderId::new(uuid::Uuid::new_v4())).collect();
    let effects = put(&*store, footprint(&[1, 2, 12]), |draft, locked| {
        let wanted: [&[_]; 5] =
            [&[(1, 3)], &[(1, 1), (2, 4)], &[(12, 1)], &[(1, 2), (12, 2)], &[(1, 1), (2, 2)]];
        for ((order, wanted), n) in names.iter().zip(wanted).zip(1..) {
            draft.reserve(*order, wanted);
            let hold = draft.effects.created.last_mut().expect("just created");
            hold.expires_at = locked.now.plus(Duration::from_secs(100 - n));
        }
        // Partly released: nothing of product 1 is left.
        draft.change(ProductId::new(1), |product| product.held -= Units::stored(1));
        draft.effects.created[4].lines = lines(&[(2, 2)]);
    });
    let created = effects.await.created;
    put(&*store, orders(&[names[3]]), |draft, _| draft.end(&created[3], Status::Committed)).await;
    let hold = |n: usize, quantity| HoldOn {
        order: names[n],
        quantity: Quantity::new(quantity).expect("a quantity"),
        expires_at: created[n].expires_at,
    };
    let on = async |product, limit| store.holds_on(ProductId::new(product), limit).await.expect("holds");
    assert_eq!(on(1, 10).await, [hold(1, 1), hold(0, 3)]);
    assert_eq!(on(1, 1).await, [hold(1, 1)]);
    assert_eq!(on(2, 10).await, [hold(4, 2), hold(1, 4)]);
    assert_eq!(on(12, 10).await, [hold(2, 1)]);
}

pub(super) async fn history(make: &dyn StoreFactory) {
    let subject = make.fresh().await;
    let store = subject.store();
    let product = ProductId::new(1);
    stock(&*store, &[(1, 10), (2, 10)]).await;
    let (cart, single) = (order(), order());
    let reserved = put(&*store, footprint(&[1, 2]), |draft, _| {
        draft.reserve(cart, &[(1, 2), (2, 3)]);
        draft.reserve(single, &[(1, 1)]);
    });
    let reserved = reserved.await;
    put(&*store, footprint(&[2]), |draft, _| draft.set(2, 11)).await;
    let adjusted = put(&*store, footprint(&[1]), |draft, _| adjust(draft)).await;

    let versions = store.history(product, 0, 10).await.expect("history");
    assert_eq!(versions.iter().map(|v| v.after.version).collect::<Vec<_>>(), [1, 2, 3]);
    let second = &versions[1];
    assert_eq!((second.batch, second.at), (reserved.journal.batch, reserved.journal.at));
    let previous = Some(versions[0].batch);
    let (on_hand, held) = (Units::stored(10), Units::stored(3));
    assert_eq!(second.after, JournalProduct { product, version: 2, on_hand, held, previous });
    let change =
        |kind, order, units, reason| ProductChange { kind, order, units: Units::stored(units), reason };
    let reserve = |order, units| change(ChangeKind::Reserve, Some(order), units, None);
    assert_eq!(second.changes, [reserve(cart, 2), reserve(single, 1)]);
    assert_eq!(versions[0].after.previous, None);
    assert_eq!(versions[2].batch, adjusted.journal.batch);
    assert_eq!(versions[2].changes, [change(ChangeKind::Adjust, None, -4, Some(note("brøken \"glass\"")))]);

    let from_second = store.history(product, 2, 1).await.expect("history");
    assert_eq!(from_second, std::slice::from_ref(second));
    assert!(store.history(product, 4, 10).await.expect("history").is_empty());
    assert!(store.history(product, u64::MAX, 10).await.expect("history").is_empty());
}

fn adjust(draft: &mut Draft) {
    let line = JournalLine { product: ProductId::new(1), units: Units::stored(-4) };
    let remark = Remark {
        adjustment: Some(super::draft::adjustment_id("a-1")),
        reason: Some(note("brøken \"glass\"")),
        reference: Some(note("ticket 7")),
        customer: Some(super::draft::customer("Ann")),
        delivery: Some(delivery("adjust", "m-1")),
    };
    // Commands without lines, and lines of another product, around it.
    draft.note(ChangeKind::Extend, Some(order()), [], None);
    draft.note(ChangeKind::Reserve, Some(order()), journal_lines(&lines(&[(9, 1)])), None);
    draft.note(ChangeKind::Adjust, None, [line], Some(remark));
    draft.change(ProductId::new(1), |product| product.on_hand -= Units::stored(4));
}

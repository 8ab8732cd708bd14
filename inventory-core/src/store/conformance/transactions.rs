//! All or nothing, one after the other, and for good.

use super::StoreFactory;
use super::draft::{
    Draft, TTL, batch, footprint, look, open, order, orders, product, put, refused, reservation, stock,
};
use crate::ids::{BatchId, OrderId, ProductId};
use crate::reservation::{Reservation, Status};
use crate::store::{Footprint, Locked, LookAhead, Session, StoreErrorKind};

pub(super) async fn sees_earlier(make: &dyn StoreFactory) {
    let subject = make.fresh().await;
    let store = subject.store();
    stock(&*store, &[(1, 10)]).await;
    let order = order();
    put(&*store, footprint(&[1]), |draft, _| drop(draft.reserve(order, &[(1, 4)]))).await;
    let locked = look(&*store, &orders(&[order])).await;
    assert_eq!(locked.products[&ProductId::new(1)].held.get(), 4);
    assert_eq!(locked.products[&ProductId::new(1)].version, 2);
    assert!(locked.reservations.contains_key(&order));
}

pub(super) async fn rollback(make: &dyn StoreFactory) {
    let subject = make.fresh().await;
    let store = subject.store();
    stock(&*store, &[(1, 10)]).await;
    let (order, batch) = (order(), batch());
    let mut session = open(&*store).await;
    let locked = session.begin(batch, &footprint(&[1])).await.expect("begin");
    let mut draft = Draft::new(batch, &locked);
    draft.reserve(order, &[(1, 4)]);
    session.persist(&draft.finish()).await.expect("persist");
    session.rollback().await.expect("rollback");
    assert_eq!(product(&*store, 1).await.held.get(), 0);
    assert_eq!(reservation(&*store, order).await, None);
    assert_eq!(store.history(ProductId::new(1), 0, 10).await.expect("history").len(), 1);
    session.rollback().await.expect("a rollback without a transaction does nothing");
}

pub(super) async fn dropped(make: &dyn StoreFactory) {
    let subject = make.fresh().await;
    let store = subject.store();
    stock(&*store, &[(1, 10)]).await;
    let (order, batch) = (order(), batch());
    let mut session = open(&*store).await;
    let locked = session.begin(batch, &footprint(&[1])).await.expect("begin");
    let mut draft = Draft::new(batch, &locked);
    draft.reserve(order, &[(1, 4)]);
    session.persist(&draft.finish()).await.expect("persist");
    drop(session);
    put(&*store, footprint(&[1]), |draft, _| draft.set(1, 11)).await;
    let product = product(&*store, 1).await;
    assert_eq!((product.on_hand.get(), product.held.get(), product.version), (11, 0, 2));
    assert_eq!(reservation(&*store, order).await, None);
}

pub(super) async fn usable_after_error(make: &dyn StoreFactory) {
    let subject = make.fresh().await;
    let store = subject.store();
    stock(&*store, &[(1, 10), (2, 10)]).await;
    let order = order();
    put(&*store, footprint(&[1]), |draft, _| drop(draft.reserve(order, &[(1, 1)]))).await;
    let mut session = open(&*store).await;
    let first = batch();
    let locked = session.begin(first, &footprint(&[1, 2])).await.expect("begin");
    let mut draft = Draft::new(first, &locked);
    draft.set(2, 77);
    draft.reserve(order, &[(1, 1)]);
    session.persist(&draft.finish()).await.expect_err("the order exists");
    assert!(session.commit().await.is_err(), "the transaction is gone: it cannot commit");
    assert_eq!(product(&*store, 2).await.on_hand.get(), 10, "nothing of the batch is left");
    let second = batch();
    let locked = session.begin(second, &footprint(&[2])).await.expect("the session is usable again");
    let mut draft = Draft::new(second, &locked);
    draft.set(2, 12);
    session.persist(&draft.finish()).await.expect("persist");
    session.commit().await.expect("commit");
    assert_eq!(product(&*store, 2).await.on_hand.get(), 12);
}

pub(super) async fn waits(make: &dyn StoreFactory) {
    let subject = make.fresh().await;
    let store = subject.store();
    stock(&*store, &[(1, 10)]).await;
    let (mut first, mut second) = (open(&*store).await, open(&*store).await);
    let id = batch();
    let locked = first.begin(id, &footprint(&[1])).await.expect("begin");
    let mut draft = Draft::new(id, &locked);
    draft.set(1, 99);
    let effects = draft.finish();
    let footprint = footprint(&[1]);
    let (seen, ()) = tokio::join!(second.begin(batch(), &footprint), async {
        first.persist(&effects).await.expect("persist");
        first.commit().await.expect("commit");
    });
    let seen = seen.expect("begin");
    assert_eq!(seen.products[&ProductId::new(1)].on_hand.get(), 99, "it saw a state that was being changed");
    assert!(seen.now >= effects.journal.at);
    second.rollback().await.expect("rollback");
}

/// Commits a batch of this session.
async fn put_on(session: &mut dyn Session, footprint: Footprint, fill: impl FnOnce(&mut Draft)) {
    put_and_look(session, footprint, batch(), &Footprint::default(), fill).await;
}

/// The same; what `next` is told that is begun meanwhile, if the store does that.
async fn put_and_look(
    session: &mut dyn Session,
    footprint: Footprint,
    next: BatchId,
    ahead: &Footprint,
    fill: impl FnOnce(&mut Draft),
) -> Option<Locked> {
    let id = batch();
    let locked = session.begin(id, &footprint).await.expect("begin");
    let mut draft = Draft::new(id, &locked);
    fill(&mut draft);
    session.persist(&draft.finish()).await.expect("persist");
    let mut told = None;
    let look = LookAhead::now(|session| told = session.begin(next, ahead));
    session.commit_looking_ahead(look).await.expect("commit");
    told
}

pub(super) async fn i9_told(make: &dyn StoreFactory) {
    let subject = make.fresh().await;
    let store = subject.store();
    stock(&*store, &[(1, 10), (2, 10)]).await;
    for (is_changed, is_ahead) in [(false, false), (false, true), (true, false), (true, true)] {
        let (order, mut held) = (order(), None);
        let mut session = open(&*store).await;
        put_on(session.as_mut(), footprint(&[1]), |draft| held = Some(draft.reserve(order, &[(1, 4)]))).await;
        let held = held.expect("it was just made");
        let (id, wanted) = (batch(), orders(&[order]));
        let told =
            put_and_look(session.as_mut(), footprint(&[2]), id, &wanted, |draft| draft.set(2, 77)).await;
        // It is the last hold: who ends it once more would have a stock that cannot be.
        put(&*store, orders(&[order]), |draft, _| draft.end(&held, Status::Released)).await;
        let (id, locked) = match told.filter(|_| is_ahead) {
            Some(told) => (id, told),
            None => {
                let id = batch();
                (id, session.begin(id, &wanted).await.expect("begin"))
            }
        };
        let told = &locked.reservations[&order];
        let is_so = told.status == Status::Released;
        let mut draft = Draft::new(id, &locked);
        if is_changed && !is_so {
            draft.end(told, Status::Committed);
        }
        match session.persist(&draft.finish()).await {
            Ok(()) => assert!(is_so, "its answers rest on a hold that is gone"),
            Err(error) => assert_eq!((error.kind, is_so), (StoreErrorKind::Conflict, false), "{error}"),
        }
        session.rollback().await.expect("rollback");
        assert_eq!(reservation(&*store, order).await.expect("it exists").status, Status::Released);
    }
}

pub(super) async fn given_up_ahead(make: &dyn StoreFactory) {
    let subject = make.fresh().await;
    let store = subject.store();
    stock(&*store, &[(1, 100)]).await;
    let mut session = open(&*store).await;
    // Which of the three are looked for; there is no third.
    for ahead in [&[][..], &[0], &[0, 1], &[0, 1, 2], &[0, 2], &[2]] {
        let mut known = [order(), order(), order()];
        known.sort_unstable();
        let mut held = Vec::new();
        put_on(session.as_mut(), footprint(&[1]), |draft| {
            held.extend(known[..2].iter().map(|order| draft.reserve(*order, &[(1, 1)])));
        })
        .await;
        // The batch before changes one of them itself.
        let extended = Reservation { expires_at: held[0].expires_at.plus(TTL), ..held[0].clone() };
        let change = (Status::Held, extended.clone());
        held[0] = extended;
        let next: Vec<OrderId> = ahead.iter().map(|place| known[*place]).collect();
        put_and_look(session.as_mut(), orders(&known[..1]), batch(), &orders(&next), |draft| {
            draft.effects.changed.push(change);
        })
        .await;
        // The batch that comes is another, and of the first two; and so is the one after it.
        for _ in 0..2 {
            let id = batch();
            let locked = session.begin(id, &orders(&known[..2])).await.expect("begin");
            assert_eq!(locked.reservations.len(), 2, "ahead: {ahead:?}");
            for held in &held {
                assert_eq!(locked.reservations.get(&held.order), Some(held), "ahead: {ahead:?}");
            }
            session.persist(&Draft::new(id, &locked).finish()).await.expect("nobody has changed them");
            session.rollback().await.expect("rollback");
        }
    }
}

pub(super) async fn begun_ahead(make: &dyn StoreFactory) {
    let subject = make.fresh().await;
    let store = subject.store();
    stock(&*store, &[(1, 100)]).await;
    let mut session = open(&*store).await;
    let (first, mut held) = (order(), None);
    put_on(session.as_mut(), footprint(&[1]), |draft| held = Some(draft.reserve(first, &[(1, 4)]))).await;
    let (id, wanted) = (batch(), Footprint { products: vec![ProductId::new(1)], ..orders(&[first]) });
    let told = put_and_look(session.as_mut(), footprint(&[1]), id, &wanted, |draft| {
        draft.reserve(order(), &[(1, 3)]);
    });
    let locked = match told.await {
        Some(told) => told,
        None => session.begin(id, &wanted).await.expect("begin"),
    };
    let now = product(&*store, 1).await;
    assert_eq!((now.held.get(), locked.products.get(&now.id)), (7, Some(&now)));
    assert_eq!(locked.reservations.get(&first), held.as_ref());
    let (mut draft, second) = (Draft::new(id, &locked), order());
    draft.end(&locked.reservations[&first], Status::Committed);
    draft.reserve(second, &[(1, 1)]);
    session.persist(&draft.finish()).await.expect("persist");
    session.commit().await.expect("commit");
    let now = product(&*store, 1).await;
    assert_eq!((now.held.get(), now.version), (4, 4));
    assert_eq!(reservation(&*store, first).await.expect("it exists").status, Status::Committed);
    assert_eq!(reservation(&*store, second).await.expect("it exists").status, Status::Held);
}

pub(super) async fn ahead_of_failure(make: &dyn StoreFactory) {
    let subject = make.fresh().await;
    let store = subject.store();
    stock(&*store, &[(1, 100)]).await;
    let mut session = open(&*store).await;
    let taken = order();
    put_on(session.as_mut(), footprint(&[1]), |draft| drop(draft.reserve(taken, &[(1, 4)]))).await;
    let before = product(&*store, 1).await;
    let (failing, next) = (batch(), batch());
    let locked = session.begin(failing, &footprint(&[1])).await.expect("begin");
    let mut draft = Draft::new(failing, &locked);
    draft.reserve(taken, &[(1, 3)]);
    let mut told = None;
    let mut failed = session.persist(&draft.finish()).await.is_err();
    if !failed {
        let ahead = footprint(&[1]);
        let look = LookAhead::now(|session| told = session.begin(next, &ahead));
        failed = session.commit_looking_ahead(look).await.is_err();
    }
    assert!(failed, "the order exists");
    if let Some(told) = told {
        let mut draft = Draft::new(next, &told);
        draft.reserve(order(), &[(1, 5)]);
        session.persist(&draft.finish()).await.expect_err("it rests on a batch that failed");
    }
    let id = batch();
    let locked = session.begin(id, &footprint(&[1])).await.expect("begin");
    assert_eq!(locked.products.get(&before.id), Some(&before));
    session.rollback().await.expect("rollback");
}

pub(super) async fn time(make: &dyn StoreFactory) {
    let subject = make.fresh().await;
    let store = subject.store();
    let mut last = look(&*store, &footprint(&[])).await.now;
    for _ in 0..20 {
        let now = look(&*store, &footprint(&[])).await.now;
        assert!(now >= last, "{now} is before {last}");
        let (read, _) = store.reservation(order()).await.expect("read");
        assert!(read >= now, "{read} is before {now}");
        last = read;
    }
}

pub(super) async fn durable(make: &dyn StoreFactory) {
    let subject = make.fresh().await;
    let store = subject.store();
    stock(&*store, &[(1, 10)]).await;
    let order = order();
    let effects = put(&*store, footprint(&[1]), |draft, _| drop(draft.reserve(order, &[(1, 4)]))).await;
    drop(store);
    let Some(subject) = subject.reopen().await else { return };
    let store = subject.store();
    assert_eq!(product(&*store, 1).await, effects.products[0].after);
    assert_eq!(reservation(&*store, order).await, Some(effects.created[0].clone()));
    let now = look(&*store, &footprint(&[])).await.now;
    assert!(now >= effects.journal.at, "the store's time went back over a restart");
    let again = refused(&*store, footprint(&[1]), |draft, _| drop(draft.reserve(order, &[(1, 4)]))).await;
    assert_eq!(again, StoreErrorKind::Conflict);
}

//! How a batch whose COMMIT got no answer is settled.

use super::StoreFactory;
use super::draft::{Draft, batch, footprint, open, product, put, stock};
use crate::store::{Backend, Footprint, Resolution, Session, Store, StoreErrorKind};

pub(super) async fn committed(make: &dyn StoreFactory) {
    let subject = make.fresh().await;
    let store = subject.store();
    let effects = put(&*store, footprint(&[1]), |draft, _| draft.set(1, 10)).await;
    for _ in 0..2 {
        let resolution = store.resolve(effects.journal.batch, Backend::default()).await;
        assert_eq!(resolution.expect("resolve"), Resolution::Committed);
    }
    assert_eq!(product(&*store, 1).await.on_hand.get(), 10, "resolving changes nothing");
}

pub(super) async fn never_ran(make: &dyn StoreFactory) {
    let subject = make.fresh().await;
    let store = subject.store();
    let batch = batch();
    for _ in 0..2 {
        let resolution = store.resolve(batch, Backend::default()).await;
        assert_eq!(resolution.expect("resolve"), Resolution::Aborted);
    }
    let mut session = open(&*store).await;
    let error = session.begin(batch, &footprint(&[1])).await.expect_err("a fenced batch must not begin");
    assert_eq!(error.kind, StoreErrorKind::Conflict);
    let resolution = store.resolve(batch, Backend::default()).await;
    assert_eq!(resolution.expect("resolve"), Resolution::Aborted);
}

pub(super) async fn rolled_back(make: &dyn StoreFactory) {
    let subject = make.fresh().await;
    let store = subject.store();
    let (batch, mut session) = written(&*store).await;
    session.rollback().await.expect("rollback");
    let resolution = store.resolve(batch, session.backend()).await;
    assert_eq!(resolution.expect("resolve"), Resolution::Aborted);
    nothing_written(&*store).await;
}

pub(super) async fn session_lost(make: &dyn StoreFactory) {
    let subject = make.fresh().await;
    let store = subject.store();
    let (batch, session) = written(&*store).await;
    let backend = session.backend();
    drop(session);
    let resolution = store.resolve(batch, backend).await;
    assert_eq!(resolution.expect("resolve"), Resolution::Aborted);
    nothing_written(&*store).await;
}

pub(super) async fn late_commit(make: &dyn StoreFactory) {
    let subject = make.fresh().await;
    let store = subject.store();
    let (batch, mut session) = written(&*store).await;
    let backend = session.backend();
    if make.resolves_open_sessions() {
        let resolution = store.resolve(batch, backend).await;
        assert_eq!(resolution.expect("resolve"), Resolution::Aborted);
        assert!(session.commit().await.is_err(), "the late COMMIT must fail");
    } else {
        // The session cannot be reached from outside, so what commits late is the same batch, tried again.
        drop(session);
        let resolution = store.resolve(batch, backend).await;
        assert_eq!(resolution.expect("resolve"), Resolution::Aborted);
        let mut late = open(&*store).await;
        let error = late.begin(batch, &footprint(&[1])).await.expect_err("the batch is fenced");
        assert_eq!(error.kind, StoreErrorKind::Conflict);
    }
    nothing_written(&*store).await;
}

pub(super) async fn used_twice(make: &dyn StoreFactory) {
    let subject = make.fresh().await;
    let store = subject.store();
    let first = put(&*store, footprint(&[1]), |draft, _| draft.set(1, 10)).await;
    let mut session = open(&*store).await;
    let again = session.begin(first.journal.batch, &footprint(&[1])).await;
    assert_eq!(again.expect_err("the id was used").kind, StoreErrorKind::Conflict);
    session.begin(batch(), &footprint(&[1])).await.expect("another id may begin on the same session");
    session.rollback().await.expect("rollback");
}

pub(super) async fn without_effects(make: &dyn StoreFactory) {
    let subject = make.fresh().await;
    let store = subject.store();
    let batch = batch();
    let mut session = open(&*store).await;
    session.begin(batch, &Footprint::default()).await.expect("begin");
    session.commit().await.expect("commit");
    let resolution = store.resolve(batch, session.backend()).await;
    assert_eq!(resolution.expect("resolve"), Resolution::Committed);
}

/// A batch that changes product 1 from 10 to 99, written but not committed.
async fn written(store: &dyn Store) -> (crate::ids::BatchId, Box<dyn Session>) {
    stock(store, &[(1, 10)]).await;
    let mut session = open(store).await;
    let batch = batch();
    let locked = session.begin(batch, &footprint(&[1])).await.expect("begin");
    let mut draft = Draft::new(batch, &locked);
    draft.set(1, 99);
    session.persist(&draft.finish()).await.expect("persist");
    (batch, session)
}

async fn nothing_written(store: &dyn Store) {
    let product = product(store, 1).await;
    assert_eq!((product.on_hand.get(), product.version), (10, 1), "the aborted batch left a trace");
    stock_can_still_change(store).await;
}

async fn stock_can_still_change(store: &dyn Store) {
    put(store, footprint(&[1]), |draft, _| draft.set(1, 11)).await;
}

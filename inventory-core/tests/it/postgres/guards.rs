//! What stands behind the code: constraints, keys, versions, states. In every case nothing is left of the batch, and the
//! session goes on.

use std::time::Duration;

use inventory_core::ids::ProductId;
use inventory_core::quantity::Units;
use inventory_core::reservation::{Reservation, Status};
use inventory_core::store::{CommitFailure, Effects, Footprint, Session, StoreError, StoreErrorKind};

use super::hand::{
    Ledger, begin, begin_hold, begin_with_orders, count, execute, hold, ids, lines, move_stock, new_batch,
    new_order, push, refusal,
};

const TTL: Duration = Duration::from_secs(900);

/// Persists and commits, expects a refusal, and checks that another batch works on the same session.
async fn refused(ledger: &Ledger, session: &mut dyn Session, effects: &Effects) -> StoreError {
    let error = refusal(session, effects).await;
    assert!(matches!(session.commit().await, Err(CommitFailure::Definite(_))), "there is nothing to commit");
    let mut sql = ledger.sql().await;
    let fences: i64 = sqlx::query_scalar("SELECT count(*) FROM commit_batch WHERE batch_id = $1")
        .bind(effects.journal.batch.get())
        .fetch_one(&mut sql)
        .await
        .unwrap();
    assert_eq!(fences, 0, "the refused batch left its fence behind");
    hold(session, new_order(), &[(1, 1)], TTL).await;
    error
}

#[tokio::test]
async fn i1_the_database_itself_refuses_to_oversell() {
    let ledger = Ledger::new().await;
    ledger.stock(&[(1, 5)]).await;
    let mut session = ledger.session().await;
    let order = new_order();
    let effects = begin_hold(session.as_mut(), order, &[(1, 6)], TTL).await;
    let error = refused(&ledger, session.as_mut(), &effects).await;
    assert_eq!(error.kind, StoreErrorKind::Data);
    assert_eq!(ledger.reservation(order).await, None);
    assert_eq!(ledger.product(1).await.held, Units::stored(1), "only the batch after it");
}

#[tokio::test]
async fn i7_an_order_that_exists_is_a_conflict() {
    let ledger = Ledger::new().await;
    ledger.stock(&[(1, 5)]).await;
    let first = ledger.hold(new_order(), &[(1, 1)], TTL).await;
    let mut session = ledger.session().await;
    let effects = begin_hold(session.as_mut(), first.order, &[(1, 2)], TTL).await;
    assert_eq!(refused(&ledger, session.as_mut(), &effects).await.kind, StoreErrorKind::Conflict);
    assert_eq!(ledger.reservation(first.order).await, Some(first));
}

#[tokio::test]
async fn i9_a_product_at_another_version_is_a_conflict_on_both_paths() {
    let ledger = Ledger::new().await;
    ledger.stock(&[(1, 5)]).await;
    let mut session = ledger.session().await;
    for common in [true, false] {
        let mut effects = begin_hold(session.as_mut(), new_order(), &[(1, 1)], TTL).await;
        effects.products[0].version_before = Some(40);
        effects.created[0].late = !common;
        assert_eq!(refused(&ledger, session.as_mut(), &effects).await.kind, StoreErrorKind::Conflict);
    }
}

#[tokio::test]
async fn i4_a_reservation_in_another_state_is_a_conflict() {
    let ledger = Ledger::new().await;
    ledger.stock(&[(1, 5)]).await;
    let hold = ledger.hold(new_order(), &[(1, 1)], TTL).await;
    let mut session = ledger.session().await;
    let (locked, batch) = begin_with_orders(session.as_mut(), &[hold.order]).await;
    let mut effects = Effects::none(batch, locked.now);
    let mut changed = hold.clone();
    changed.status = Status::Released;
    effects.changed = vec![(Status::Expired, changed)];
    assert_eq!(refused(&ledger, session.as_mut(), &effects).await.kind, StoreErrorKind::Conflict);
    assert_eq!(ledger.reservation(hold.order).await, Some(hold));
}

/// A batch that expires these holds, or one of them to two thirds, which takes another way through the adapter.
async fn begin_expiry(session: &mut dyn Session, holds: &[Reservation], common: bool) -> Effects {
    let orders: Vec<_> = holds.iter().map(|hold| hold.order).collect();
    let (locked, batch) = begin_with_orders(session, &orders).await;
    let mut effects = Effects::none(batch, locked.now);
    // Not in the order of their keys.
    for hold in holds.iter().rev() {
        let expired = Reservation { status: Status::Expired, ..locked.reservations[&hold.order].clone() };
        effects.changed.push((Status::Held, expired));
    }
    if !common {
        effects.changed[0].1.lines = lines(&[(1, 2)]);
    }
    effects
}

#[tokio::test]
async fn i9_a_reservation_that_was_changed_since_it_was_read_is_a_conflict_though_its_state_is_the_same() {
    let ledger = Ledger::new().await;
    ledger.stock(&[(1, 50)]).await;
    let mut session = ledger.session().await;
    // Someone extends one of the holds; nothing else of it differs.
    for (common, extended) in [(true, 0), (true, 1), (true, 2), (false, 0), (false, 1)] {
        let mut holds = Vec::new();
        for _ in 0..3 {
            holds.push(ledger.hold(new_order(), &[(1, 3)], TTL).await);
        }
        let effects = begin_expiry(session.as_mut(), &holds, common).await;
        let extend = format!(
            "UPDATE reservations SET expires_at = expires_at + interval '1 minute' WHERE order_id = '{}'",
            holds[extended].order
        );
        assert_eq!(execute(&mut ledger.sql().await, &extend).await.unwrap(), 1);
        assert_eq!(refused(&ledger, session.as_mut(), &effects).await.kind, StoreErrorKind::Conflict);
        for hold in &holds {
            assert_eq!(ledger.reservation(hold.order).await.unwrap().status, Status::Held);
        }
        let effects = begin_expiry(session.as_mut(), &holds, common).await;
        session.persist(&effects).await.unwrap();
        session.commit().await.unwrap();
        for (_, written) in effects.changed {
            assert_eq!(ledger.reservation(written.order).await, Some(written));
        }
    }
}

#[tokio::test]
async fn i9_holds_end_only_with_the_stock_that_was_decided_on() {
    let ledger = Ledger::new().await;
    ledger.stock(&[(1, 50)]).await;
    let hold = ledger.hold(new_order(), &[(1, 3)], TTL).await;
    let mut session = ledger.session().await;
    for common in [true, false] {
        let mut effects = begin_expiry(session.as_mut(), std::slice::from_ref(&hold), common).await;
        let product = ledger.product(1).await;
        push(&mut effects, Some(product.version - 1), Some(product.last_batch), product);
        assert_eq!(refused(&ledger, session.as_mut(), &effects).await.kind, StoreErrorKind::Conflict);
        assert_eq!(ledger.reservation(hold.order).await.unwrap(), hold);
    }
}

#[tokio::test]
async fn i9_nothing_rests_on_a_hold_that_its_session_remembers_and_somebody_else_has_changed() {
    const EXTEND: &str = "UPDATE reservations SET expires_at = expires_at + interval '1 minute'";
    let ledger = Ledger::new().await;
    ledger.stock(&[(1, 50)]).await;
    let mut sql = ledger.sql().await;
    // An ending as one message, and as more than one; and an answer alone, which changes nothing.
    for (is_changed, asks) in [(true, false), (true, true), (false, false), (false, true)] {
        let order = new_order();
        let mut session = ledger.session().await;
        let made = hold(session.as_mut(), order, &[(1, 1)], TTL).await;
        execute(&mut sql, EXTEND).await.unwrap();
        let footprint = Footprint { orders: vec![order], skip_locked: asks, ..Footprint::default() };
        let batch = new_batch();
        let locked = session.begin(batch, &footprint).await.unwrap();
        assert_eq!(locked.reservations[&order], made, "it is remembered, not read");
        let mut effects = Effects::none(batch, locked.now);
        if is_changed {
            effects.changed = vec![(Status::Held, Reservation { status: Status::Expired, ..made.clone() })];
            move_stock(&mut effects, &locked, &[(1, 1)], 0, -1);
        }
        assert_eq!(refused(&ledger, session.as_mut(), &effects).await.kind, StoreErrorKind::Conflict);
        let versions = ledger.product(1).await.version - locked.products[&ProductId::new(1)].version;
        assert_eq!(versions, 1, "of the batch after it");
        // Told anew, it is what it is.
        let (locked, _) = begin_with_orders(session.as_mut(), &[order]).await;
        assert_eq!(Some(&locked.reservations[&order]), ledger.reservation(order).await.as_ref());
        assert_ne!(locked.reservations[&order], made);
        session.rollback().await.unwrap();
    }
}

#[tokio::test]
async fn i6_holds_of_a_transaction_that_was_given_up_are_not_remembered() {
    let ledger = Ledger::new().await;
    ledger.stock(&[(1, 5)]).await;
    let mut session = ledger.session().await;
    let made = begin_hold(session.as_mut(), new_order(), &[(1, 1)], TTL).await;
    session.persist(&made).await.unwrap();
    session.rollback().await.unwrap();
    let order = made.created[0].order;
    let (locked, _) = begin_with_orders(session.as_mut(), &[order]).await;
    assert!(locked.reservations.is_empty());
}

#[tokio::test]
async fn a_reservation_that_its_batch_has_not_read_is_not_changed() {
    let ledger = Ledger::new().await;
    ledger.stock(&[(1, 5)]).await;
    let hold = ledger.hold(new_order(), &[(1, 1)], TTL).await;
    let mut session = ledger.session().await;
    let (locked, batch) = begin(session.as_mut(), &ids([1])).await;
    let mut effects = Effects::none(batch, locked.now);
    effects.changed = vec![(Status::Held, Reservation { status: Status::Released, ..hold.clone() })];
    assert_eq!(refused(&ledger, session.as_mut(), &effects).await.kind, StoreErrorKind::Conflict);
    assert_eq!(ledger.reservation(hold.order).await, Some(hold));
}

#[tokio::test]
async fn a_batch_id_is_used_once() {
    let ledger = Ledger::new().await;
    ledger.stock(&[(1, 5)]).await;
    let mut session = ledger.session().await;
    let (_, batch) = begin(session.as_mut(), &ids([1])).await;
    session.commit().await.unwrap();
    let again = session.begin(batch, &Footprint { products: ids([1]), ..Footprint::default() }).await;
    assert_eq!(again.unwrap_err().kind, StoreErrorKind::Conflict);
    begin(session.as_mut(), &ids([1])).await;
}

#[tokio::test]
async fn i6_a_rolled_back_batch_leaves_nothing() {
    let ledger = Ledger::new().await;
    ledger.stock(&[(1, 5)]).await;
    let before = ledger.product(1).await;
    let mut session = ledger.session().await;
    let effects = begin_hold(session.as_mut(), new_order(), &[(1, 1)], TTL).await;
    session.persist(&effects).await.unwrap();
    session.rollback().await.unwrap();
    assert!(matches!(session.commit().await, Err(CommitFailure::Definite(_))));
    assert_eq!(ledger.product(1).await, before);
    assert_eq!(count(&mut ledger.sql().await, "reservations").await, 0);
}

#[tokio::test]
async fn a_transaction_that_the_server_ended_is_unavailable_and_commits_nothing() {
    let ledger = Ledger::new().await;
    ledger.stock(&[(1, 5)]).await;
    let mut session = ledger.session().await;
    let order = new_order();
    let effects = begin_hold(session.as_mut(), order, &[(1, 1)], TTL).await;
    let pid = session.backend().pid.unwrap();
    execute(&mut ledger.sql().await, &format!("SELECT pg_terminate_backend({pid}, 5000)")).await.unwrap();
    assert_eq!(session.persist(&effects).await.unwrap_err().kind, StoreErrorKind::Unavailable);
    assert!(matches!(session.commit().await, Err(CommitFailure::Definite(_))), "COMMIT was never sent");
    let again = session.begin(super::hand::new_batch(), &Footprint::default()).await;
    assert_eq!(again.unwrap_err().kind, StoreErrorKind::Unavailable);
    assert_eq!(ledger.reservation(order).await, None);
    assert_eq!(ledger.product(1).await.id, ProductId::new(1));
}

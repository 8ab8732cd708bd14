//! Holds that the session remembers, of products that it has left, end by one message. Whatever is no longer so, nothing of it is written.

use std::time::Duration;

use inventory_core::ids::OrderId;
use inventory_core::journal::ChangeKind;
use inventory_core::reservation::{Reservation, Status};
use inventory_core::store::{Effects, Locked, Session, Store as _, StoreErrorKind};

use super::hand::{Ledger, begin_with_orders, command, execute, held, hold, move_stock, new_order};
use super::locks::patient;
use super::presumed::{is_free, refused, refused_behind, rows, stocked, warm};

const TTL: Duration = Duration::from_secs(900);

/// What every order here asks for.
const CART: [(i64, i64); 2] = [(1, 2), (3, 1)];

/// Begins a batch in which these holds, all of [`CART`], come to this, beside a new one or not, and says what to persist.
async fn begin_to_end(
    session: &mut dyn Session,
    holds: &[Reservation],
    to: Status,
    with_new: bool,
) -> (Locked, Effects) {
    let mut orders: Vec<OrderId> = holds.iter().map(|made| made.order).collect();
    orders.sort_unstable();
    let (locked, batch) = begin_with_orders(session, &orders).await;
    let mut effects = Effects::none(batch, locked.now);
    let (kind, on_hand) = match to {
        Status::Committed => (ChangeKind::Commit, -1),
        Status::Released => (ChangeKind::Release, 0),
        _ => (ChangeKind::Expire, 0),
    };
    for made in holds {
        let ended = Reservation { status: to, ended_at: Some(locked.now), ..made.clone() };
        effects.changed.push((Status::Held, ended));
        effects.journal.commands.push(command(kind, Some(made.order), &CART));
    }
    if with_new {
        let order = new_order();
        effects.created.push(held(order, &CART, locked.now, TTL));
        effects.journal.commands.push(command(ChangeKind::Reserve, Some(order), &CART));
    }
    let count = i64::try_from(holds.len()).unwrap();
    move_stock(&mut effects, &locked, &CART, on_hand * count, i64::from(with_new) - count);
    (locked, effects)
}

/// Two holds of a session that has left their products as they are.
async fn two_holds(session: &mut dyn Session) -> [Reservation; 2] {
    [hold(session, new_order(), &CART, TTL).await, hold(session, new_order(), &CART, TTL).await]
}

#[tokio::test]
async fn what_a_session_holds_ends_without_asking_and_is_written_as_others_write_it() {
    let ledger = stocked().await;
    let mut session = warm(&ledger).await;
    let mut sql = ledger.sql().await;
    let ends = [Status::Committed, Status::Released, Status::Expired];
    for (to, with_new) in ends.into_iter().flat_map(|to| [(to, false), (to, true)]) {
        let holds = two_holds(session.as_mut()).await;
        let (locked, effects) = begin_to_end(session.as_mut(), &holds, to, with_new).await;
        for made in &holds {
            assert_eq!(&locked.reservations[&made.order], made);
        }
        session.persist(&effects).await.unwrap();
        assert!(is_free(&mut sql, 1).await, "it has asked the server");
        session.commit().await.unwrap();
        for written in effects.changed.iter().map(|(_, ended)| ended).chain(&effects.created) {
            assert_eq!(ledger.reservation(written.order).await.as_ref(), Some(written));
        }
        for effect in &effects.products {
            assert_eq!(ledger.product(effect.after.id.get()).await, effect.after);
            let history = ledger.store.history(effect.after.id, effect.after.version, 1).await.unwrap();
            assert_eq!((history[0].batch, history[0].at), (effects.journal.batch, effects.journal.at));
            let told: Vec<_> = history[0].changes.iter().map(|change| (change.kind, change.order)).collect();
            let asked: Vec<_> =
                effects.journal.commands.iter().map(|command| (command.kind, command.order)).collect();
            assert_eq!(told, asked);
        }
        // What they have left is remembered.
        let made = hold(session.as_mut(), new_order(), &CART, TTL).await;
        let (_, effects) = begin_to_end(session.as_mut(), &[made], to, with_new).await;
        assert!(is_free(&mut sql, 1).await, "it has asked the server");
        session.persist(&effects).await.unwrap();
        session.commit().await.unwrap();
        let again = session.begin(effects.journal.batch, &Default::default()).await.unwrap_err();
        assert_eq!(again.kind, StoreErrorKind::Conflict, "its fence");
    }
}

/// Everything as it was before.
async fn nothing_ends(ledger: &Ledger, session: &mut dyn Session, holds: &[Reservation], effects: &Effects) {
    assert_eq!(refused(ledger, session, effects).await, StoreErrorKind::Conflict);
    for made in holds {
        let standing = ledger.reservation(made.order).await.unwrap();
        assert_eq!((standing.status, standing.ended_at), (made.status, made.ended_at));
    }
}

#[tokio::test]
async fn i4_i9_what_somebody_has_changed_since_is_a_conflict_and_nothing_ends() {
    // The stock of one; one of the holds, as nobody may without its stock; and the hold itself by way of an extension.
    let others = [
        "UPDATE inventory SET held = held + 1, version = version + 1 WHERE product_id = 3",
        "UPDATE reservations SET late = late WHERE order_id = $1",
        "UPDATE reservations SET expires_at = expires_at + interval '1 minute' WHERE order_id = $1",
    ];
    for (change, with_new) in others.into_iter().flat_map(|change| [(change, false), (change, true)]) {
        let ledger = stocked().await;
        let mut sql = ledger.sql().await;
        let mut session = warm(&ledger).await;
        let holds = two_holds(session.as_mut()).await;
        let (_, effects) = begin_to_end(session.as_mut(), &holds, Status::Committed, with_new).await;
        assert!(is_free(&mut sql, 1).await, "it has asked the server");
        let change = change.replace("$1", &format!("'{}'", holds[1].order));
        assert_eq!(execute(&mut sql, &change).await.unwrap(), 1);
        nothing_ends(&ledger, session.as_mut(), &holds, &effects).await;
    }
}

#[tokio::test]
async fn i4_i9_what_is_being_changed_is_waited_for_and_nothing_ends() {
    // Both take the lock of product 3, after which one changes it and the other only the hold.
    let changes = [
        "UPDATE inventory SET held = held + 1, version = version + 1 WHERE product_id = 3",
        "SELECT FROM inventory WHERE product_id = 3 FOR UPDATE; \
         UPDATE reservations SET expires_at = expires_at + interval '1 minute' WHERE order_id = $1",
    ];
    let ledger = Ledger::with(patient()).await;
    ledger.stock(&[(1, 50), (2, 50), (3, 50)]).await;
    let mut sql = ledger.sql().await;
    for (change, with_new) in changes.into_iter().flat_map(|change| [(change, false), (change, true)]) {
        let mut session = warm(&ledger).await;
        let holds = two_holds(session.as_mut()).await;
        let (_, effects) = begin_to_end(session.as_mut(), &holds, Status::Released, with_new).await;
        let mut other = ledger.sql().await;
        let change = change.replace("$1", &format!("'{}'", holds[1].order));
        execute(&mut other, &format!("BEGIN; {change}")).await.unwrap();
        session.persist(&effects).await.unwrap();
        let refused = refused_behind(session.as_mut(), &mut other, &mut sql).await;
        assert_eq!(refused.kind, StoreErrorKind::Conflict);
        for made in &holds {
            assert_eq!(ledger.reservation(made.order).await.unwrap().status, Status::Held);
        }
        for made in &effects.created {
            assert_eq!(ledger.reservation(made.order).await, None);
        }
        assert_eq!(ledger.product(1).await.version, effects.products[0].after.version - 1);
    }
}

#[tokio::test]
async fn i4_i9_beside_a_hold_that_stays_a_hold_ends_and_rests_on_the_rows_as_they_are() {
    let ledger = stocked().await;
    let mut sql = ledger.sql().await;
    for is_changed in [false, true] {
        let mut session = warm(&ledger).await;
        let holds = two_holds(session.as_mut()).await;
        // Both are told. The first ends.
        let (locked, both) = begin_to_end(session.as_mut(), &holds, Status::Released, false).await;
        assert!(is_free(&mut sql, 1).await, "it has asked the server");
        let mut effects = Effects::none(both.journal.batch, locked.now);
        effects.changed.push(both.changed[0].clone());
        effects.journal.commands.push(both.journal.commands[0].clone());
        move_stock(&mut effects, &locked, &CART, 0, -1);
        if is_changed {
            let change = format!("UPDATE reservations SET late = late WHERE order_id = '{}'", holds[1].order);
            assert_eq!(execute(&mut sql, &change).await.unwrap(), 1);
            nothing_ends(&ledger, session.as_mut(), &holds, &effects).await;
            continue;
        }
        session.persist(&effects).await.unwrap();
        assert!(!is_free(&mut sql, 1).await, "a hold that stays is made sure of under locks");
        session.commit().await.unwrap();
        let ended = &effects.changed[0].1;
        assert_eq!(ledger.reservation(ended.order).await.as_ref(), Some(ended));
        assert_eq!(ledger.product(1).await, effects.products[0].after);
    }
}

#[tokio::test]
async fn a_hold_that_is_not_remembered_is_read_under_way() {
    let ledger = stocked().await;
    let mut sql = ledger.sql().await;
    let theirs = ledger.hold(new_order(), &CART, TTL).await;
    let mut session = warm(&ledger).await;
    let mine = hold(session.as_mut(), new_order(), &CART, TTL).await;
    let before = rows(&mut sql).await;
    let mut orders = [mine.order, theirs.order];
    orders.sort_unstable();
    let (locked, _) = begin_with_orders(session.as_mut(), &orders).await;
    assert!(!is_free(&mut sql, 1).await);
    assert_eq!(locked.reservations[&mine.order], mine);
    assert_eq!(locked.reservations[&theirs.order], theirs);
    session.rollback().await.unwrap();
    assert_eq!(rows(&mut sql).await, before);
}

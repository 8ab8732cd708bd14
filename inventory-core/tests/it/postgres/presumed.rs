//! Batches that are decided on what their session has left, and sent as one message. Whatever is no longer so, nothing of them is written.

use std::time::Duration;

use inventory_core::ids::{CustomerId, Note, ProductId};
use inventory_core::journal::{ChangeKind, Remark};
use inventory_core::store::postgres::PostgresOptions;
use inventory_core::store::{CommitFailure, Effects, Session, Store as _, StoreError, StoreErrorKind};
use sqlx::PgConnection;

use super::hand::{
    Ledger, begin, begin_hold, command, count, definite, execute, held, hold, ids, move_stock, new_order,
    refusal,
};
use super::locks::{patient, waits};

const TTL: Duration = Duration::from_secs(900);

pub(super) async fn stocked() -> Ledger {
    let ledger =
        Ledger::with(PostgresOptions { lock_timeout: Duration::from_millis(300), ..Default::default() });
    let ledger = ledger.await;
    ledger.stock(&[(1, 50), (2, 50), (3, 50)]).await;
    ledger
}

/// A session that has left all three products as they are.
pub(super) async fn warm(ledger: &Ledger) -> Box<dyn Session> {
    let mut session = ledger.session().await;
    hold(session.as_mut(), new_order(), &[(1, 1), (2, 1), (3, 1)], TTL).await;
    session
}

/// Whether nobody has locked the product: then what has begun is presumed.
pub(super) async fn is_free(sql: &mut PgConnection, product: i64) -> bool {
    let look = format!("SELECT FROM inventory WHERE product_id = {product} FOR UPDATE NOWAIT");
    execute(sql, &look).await.is_ok()
}

/// Waits until nobody has locked the product. A server says that a statement has failed before it ends the transaction.
async fn gets_free(sql: &mut PgConnection, product: i64) {
    let look =
        format!("SET lock_timeout = '10s'; SELECT FROM inventory WHERE product_id = {product} FOR UPDATE");
    execute(sql, &look).await.expect("nothing is left locked");
}

/// Everything that a batch could have left.
pub(super) async fn rows(sql: &mut PgConnection) -> [i64; 4] {
    [
        count(sql, "reservations").await,
        count(sql, "journal").await,
        count(sql, "commit_batch").await,
        sqlx::query_scalar("SELECT sum(version)::bigint FROM inventory").fetch_one(sql).await.unwrap(),
    ]
}

/// Persists and commits, one of which must be refused. Nothing of it may be left, and the session must go on with what is so.
pub(super) async fn refused(ledger: &Ledger, session: &mut dyn Session, effects: &Effects) -> StoreErrorKind {
    let mut sql = ledger.sql().await;
    let before = rows(&mut sql).await;
    let error = refusal(session, effects).await;
    assert_eq!(
        rows(&mut sql).await,
        before,
        "something of it is left: reservations, journal, fences, versions"
    );
    assert!(matches!(session.commit().await, Err(CommitFailure::Definite(_))), "there is nothing to commit");
    gets_free(&mut sql, 1).await;
    for _ in 0..4 {
        let order = new_order();
        let made = hold(session, order, &[(1, 1), (3, 1)], TTL).await;
        assert_eq!(ledger.reservation(order).await, Some(made));
    }
    error.kind
}

/// Commits a batch that waits for another transaction, which commits once it is waited for, and is refused.
pub(super) async fn refused_behind(
    session: &mut dyn Session,
    other: &mut PgConnection,
    sql: &mut PgConnection,
) -> StoreError {
    let backend = session.backend().pid.unwrap();
    let done = async {
        waits(sql, backend).await;
        execute(other, "COMMIT").await.unwrap();
    };
    let (committed, ()) = tokio::join!(session.commit(), done);
    definite(committed)
}

/// One batch of these orders, on the first way that fits it.
async fn write(session: &mut dyn Session, orders: &[&[(i64, i64)]], customer: Option<&str>) -> Effects {
    let mut products: Vec<i64> = orders.iter().flat_map(|lines| lines.iter().map(|line| line.0)).collect();
    products.sort_unstable();
    products.dedup();
    let (locked, batch) = begin(session, &ids(products.iter().copied())).await;
    let mut effects = Effects::none(batch, locked.now);
    let customer = customer.map(|name| CustomerId::parse(name).unwrap());
    for lines in orders {
        let order = new_order();
        let mut made = held(order, lines, locked.now, TTL);
        made.customer.clone_from(&customer);
        effects.created.push(made);
        let mut reserve = command(ChangeKind::Reserve, Some(order), lines);
        if customer.is_some() {
            reserve.remark = Some(Box::new(Remark { customer: customer.clone(), ..Remark::default() }));
        }
        effects.journal.commands.push(reserve);
    }
    let units = |product| orders.iter().flat_map(|lines| lines.iter()).filter(move |line| line.0 == product);
    let moved: Vec<(i64, i64)> =
        products.iter().map(|product| (*product, units(*product).map(|line| line.1).sum())).collect();
    move_stock(&mut effects, &locked, &moved, 0, 1);
    session.persist(&effects).await.unwrap();
    effects
}

#[tokio::test]
async fn a_batch_that_presumes_asks_nothing_before_it_is_sent_and_writes_what_others_write() {
    let ledger = stocked().await;
    let mut session = warm(&ledger).await;
    let mut sql = ledger.sql().await;
    let shapes: [&[&[(i64, i64)]]; 3] =
        [&[&[(1, 2)], &[(1, 2)]], &[&[(1, 2)], &[(2, 1)]], &[&[(1, 1), (3, 4)], &[(2, 3)]]];
    for (orders, customer) in shapes.into_iter().flat_map(|shape| [(shape, None), (shape, Some("Ann"))]) {
        let effects = write(session.as_mut(), orders, customer).await;
        assert!(is_free(&mut sql, 1).await, "it has asked the server");
        session.commit().await.unwrap();
        for effect in &effects.products {
            assert_eq!(ledger.product(effect.after.id.get()).await, effect.after);
            let history = ledger.store.history(effect.after.id, effect.after.version, 1).await.unwrap();
            assert_eq!((history[0].batch, history[0].at), (effects.journal.batch, effects.journal.at));
            assert_eq!(
                (history[0].after.on_hand, history[0].after.held),
                (effect.after.on_hand, effect.after.held)
            );
            let told =
                history[0].changes.iter().map(|change| (change.order, change.units)).collect::<Vec<_>>();
            let asked =
                effects.created.iter().flat_map(|made| made.requested.iter().map(|line| (made.order, line)));
            let asked = asked.filter(|(_, line)| line.product == effect.after.id);
            assert_eq!(
                told,
                asked.map(|(order, line)| (Some(order), line.quantity.units())).collect::<Vec<_>>()
            );
        }
        for made in &effects.created {
            assert_eq!(ledger.reservation(made.order).await.as_ref(), Some(made));
        }
        let fence = "SELECT outcome FROM commit_batch WHERE batch_id = $1";
        let outcome: String =
            sqlx::query_scalar(fence).bind(effects.journal.batch.get()).fetch_one(&mut sql).await.unwrap();
        assert_eq!(outcome, "committed");
    }
}

#[tokio::test]
async fn i1_i9_what_somebody_has_changed_since_is_a_conflict_and_nothing_of_the_batch_is_written() {
    let ledger = stocked().await;
    let mut sql = ledger.sql().await;
    // The second as nobody may: only the version of the row tells it. The last limits a product, which is presumed no more.
    let others = [
        "UPDATE inventory SET held = held + 1, version = version + 1 WHERE product_id = 3",
        "UPDATE inventory SET on_hand = on_hand - 1 WHERE product_id = 1",
        "UPDATE inventory SET per_customer_limit = 1, limited_since = now(), version = version + 1 WHERE product_id = 1",
    ];
    for change in others {
        let mut session = warm(&ledger).await;
        let effects = begin_hold(session.as_mut(), new_order(), &[(1, 1), (3, 1)], TTL).await;
        assert!(is_free(&mut sql, 1).await, "it has asked the server");
        assert_eq!(execute(&mut sql, change).await.unwrap(), 1);
        assert_eq!(refused(&ledger, session.as_mut(), &effects).await, StoreErrorKind::Conflict, "{change}");
    }
    let mut session = warm(&ledger).await;
    begin_hold(session.as_mut(), new_order(), &[(1, 1)], TTL).await;
    assert!(!is_free(&mut sql, 1).await, "what its customers have was not read");
}

#[tokio::test]
async fn i1_i9_what_is_being_changed_is_waited_for_and_nothing_of_the_batch_is_written() {
    let ledger = Ledger::with(patient()).await;
    ledger.stock(&[(1, 50), (2, 50), (3, 50)]).await;
    let mut session = warm(&ledger).await;
    let effects = begin_hold(session.as_mut(), new_order(), &[(1, 1), (3, 1)], TTL).await;
    let mut other = ledger.sql().await;
    let change = "BEGIN; UPDATE inventory SET held = held + 1, version = version + 1 WHERE product_id = 3";
    execute(&mut other, change).await.unwrap();
    session.persist(&effects).await.unwrap();
    let refused = refused_behind(session.as_mut(), &mut other, &mut ledger.sql().await).await;
    assert_eq!(refused.kind, StoreErrorKind::Conflict);
    assert_eq!(ledger.reservation(effects.created[0].order).await, None);
    assert_eq!(ledger.product(1).await.version, effects.products[0].after.version - 1);
}

#[tokio::test]
async fn i9_what_takes_more_than_one_message_rests_on_the_rows_as_they_are() {
    let ledger = stocked().await;
    let mut sql = ledger.sql().await;
    for is_changed in [false, true] {
        let mut session = warm(&ledger).await;
        // Of a batch that refuses everything, the answers rest on what was presumed; one that names a product writes more than one statement.
        for is_empty in [true, false] {
            hold(session.as_mut(), new_order(), &[(1, 1)], TTL).await;
            let (locked, batch) = begin(session.as_mut(), &ids([1])).await;
            if is_changed && !is_free(&mut sql, 1).await {
                // It doubts now, and has asked.
                session.rollback().await.unwrap();
                continue;
            }
            assert!(is_free(&mut sql, 1).await, "it has asked the server");
            let mut effects = Effects::none(batch, locked.now);
            if !is_empty {
                move_stock(&mut effects, &locked, &[(1, 1)], 1, 0);
                effects.journal.commands.push(command(ChangeKind::Set, None, &[(1, 1)]));
                effects.products[0].stock_only = false;
                effects.products[0].after.name = Some(Note::parse("a name").unwrap());
            }
            if is_changed {
                execute(&mut sql, "UPDATE inventory SET on_hand = on_hand - 1 WHERE product_id = 1")
                    .await
                    .unwrap();
                assert_eq!(refused(&ledger, session.as_mut(), &effects).await, StoreErrorKind::Conflict);
                continue;
            }
            session.persist(&effects).await.unwrap();
            assert!(!is_free(&mut sql, 1).await, "nothing keeps it as it was presumed");
            session.commit().await.unwrap();
            if !is_empty {
                assert_eq!(ledger.product(1).await, effects.products[0].after);
            }
        }
    }
}

#[tokio::test]
async fn the_barriers_stand_behind_a_batch_that_presumes() {
    let ledger = stocked().await;
    let known = ledger.hold(new_order(), &[(2, 1)], TTL).await;
    let mut session = warm(&ledger).await;
    // I7: the order exists.
    let effects = begin_hold(session.as_mut(), known.order, &[(1, 1), (3, 1)], TTL).await;
    assert_eq!(refused(&ledger, session.as_mut(), &effects).await, StoreErrorKind::Conflict);
    assert_eq!(ledger.reservation(known.order).await, Some(known));
    // I1: more than there is.
    let effects = begin_hold(session.as_mut(), new_order(), &[(1, 60), (3, 1)], TTL).await;
    assert_eq!(refused(&ledger, session.as_mut(), &effects).await, StoreErrorKind::Data);
    // I9: another version than was told, or a product that was not.
    for edit in [
        |e: &mut Effects| e.products[1].version_before = Some(1),
        |e: &mut Effects| {
            e.products[1].after.id = ProductId::new(2);
        },
    ] {
        let mut effects = begin_hold(session.as_mut(), new_order(), &[(1, 1), (3, 1)], TTL).await;
        edit(&mut effects);
        assert_eq!(refused(&ledger, session.as_mut(), &effects).await, StoreErrorKind::Conflict);
    }
    // The batch's fence: it was resolved before it came.
    let effects = begin_hold(session.as_mut(), new_order(), &[(1, 1), (3, 1)], TTL).await;
    ledger.store.resolve(effects.journal.batch, session.backend()).await.unwrap();
    assert_eq!(refused(&ledger, session.as_mut(), &effects).await, StoreErrorKind::Conflict);
    // A row that somebody holds for longer than a batch waits.
    let effects = begin_hold(session.as_mut(), new_order(), &[(2, 1), (3, 1)], TTL).await;
    let mut other = ledger.sql().await;
    execute(&mut other, "BEGIN; SELECT FROM inventory WHERE product_id = 2 FOR UPDATE").await.unwrap();
    assert_eq!(refused(&ledger, session.as_mut(), &effects).await, StoreErrorKind::LockTimeout);
}

#[tokio::test]
async fn i6_what_was_given_up_before_it_was_sent_leaves_nothing_and_is_not_remembered() {
    let ledger = stocked().await;
    let mut session = warm(&ledger).await;
    let mut sql = ledger.sql().await;
    let before = (rows(&mut sql).await, ledger.product(1).await);
    for is_persisted in [false, true] {
        let effects = begin_hold(session.as_mut(), new_order(), &[(1, 1)], TTL).await;
        if is_persisted {
            session.persist(&effects).await.unwrap();
        }
        session.rollback().await.unwrap();
        assert!(matches!(session.commit().await, Err(CommitFailure::Definite(_))));
        assert_eq!((rows(&mut sql).await, ledger.product(1).await), before);
    }
    let (locked, _) = begin(session.as_mut(), &ids([1])).await;
    assert!(is_free(&mut sql, 1).await, "it has asked the server");
    assert_eq!(locked.products[&ProductId::new(1)], before.1);
}

//! Waiting for rows that others hold, and what is read afterwards.

use std::time::Duration;

use inventory_core::clock::Timestamp;
use inventory_core::ids::ProductId;
use inventory_core::store::postgres::PostgresOptions;
use inventory_core::store::{Effects, Footprint, Session, StoreErrorKind};
use sqlx::PgConnection;

use super::hand::{Ledger, begin, begin_hold, begin_with_orders, execute, ids, new_batch, new_order};

const TTL: Duration = Duration::from_secs(900);

/// Patient enough for a slow machine.
pub(super) fn patient() -> PostgresOptions {
    PostgresOptions {
        lock_timeout: Duration::from_secs(60),
        statement_timeout: Duration::from_secs(90),
        idle_in_transaction_timeout: Duration::from_secs(90),
        answer_timeout: Duration::from_secs(120),
        ..PostgresOptions::default()
    }
}

/// Waits until this backend waits for a lock; gives up, loudly, on one that never does.
pub(super) async fn waits(sql: &mut PgConnection, session: i32) {
    const WAITING: &str =
        "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1 AND wait_event_type = 'Lock')";
    let mut looks = 0;
    while !sqlx::query_scalar::<_, bool>(WAITING).bind(session).fetch_one(&mut *sql).await.unwrap() {
        looks += 1;
        assert!(looks < 2_000, "it does not wait");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_row_that_someone_holds_is_a_lock_timeout_and_can_be_skipped() {
    let ledger = Ledger::new().await;
    ledger.stock(&[(1, 5), (2, 5), (3, 5)]).await;
    let mut other = ledger.sql().await;
    execute(&mut other, "BEGIN; SELECT FROM inventory WHERE product_id = 2 FOR UPDATE").await.unwrap();
    let mut session = ledger.session().await;
    let mut footprint = Footprint { products: ids([1, 2, 3, 4]), ..Footprint::default() };
    let refused = session.begin(new_batch(), &footprint).await.unwrap_err();
    assert_eq!(refused.kind, StoreErrorKind::LockTimeout);
    footprint.skip_locked = true;
    let locked = session.begin(new_batch(), &footprint).await.unwrap();
    assert_eq!(locked.skipped, ids([2]), "4 does not exist, 1 and 3 are free");
    let mut got: Vec<ProductId> = locked.products.into_keys().collect();
    got.sort_unstable();
    assert_eq!(got, ids([1, 3]));
}

#[tokio::test]
async fn i9_i16_what_a_batch_waited_for_is_in_its_snapshot_and_its_clock_is_read_afterwards() {
    let ledger = Ledger::with(patient()).await;
    ledger.stock(&[(1, 5)]).await;
    // On all three ways of locking: with the fence, with orders, and many products at once.
    for (many, read_orders) in [(false, false), (false, true), (true, false)] {
        let mut first = ledger.session().await;
        let effects = begin_hold(first.as_mut(), new_order(), &[(1, 1)], TTL).await;
        first.persist(&effects).await.unwrap();
        let mut second = ledger.session().await;
        let waiting = second.backend().pid.unwrap();
        let footprint = Footprint {
            products: ids(1..=if many { 1_000 } else { 1 }),
            orders: if read_orders { vec![effects.created[0].order] } else { Vec::new() },
            ..Footprint::default()
        };
        let mut sql = ledger.sql().await;
        let release = async {
            waits(&mut sql, waiting).await;
            let now: chrono::DateTime<chrono::Utc> =
                sqlx::query_scalar("SELECT clock_timestamp()").fetch_one(&mut sql).await.unwrap();
            first.commit().await.unwrap();
            Timestamp::from_datetime(now)
        };
        let (locked, released_at) = tokio::join!(second.begin(new_batch(), &footprint), release);
        let locked = locked.unwrap();
        assert!(locked.now > released_at, "the clock was read before the lock was granted");
        assert_eq!(locked.products[&ProductId::new(1)], effects.products[0].after);
        if read_orders {
            assert_eq!(locked.reservations[&effects.created[0].order], effects.created[0]);
        }
    }
}

#[tokio::test]
async fn i9_a_batch_rests_on_no_hold_that_was_extended_while_it_waited() {
    let ledger = Ledger::with(patient()).await;
    ledger.stock(&[(1, 5)]).await;
    let hold = ledger.hold(new_order(), &[(1, 1)], TTL).await;
    let mut other = ledger.sql().await;
    execute(&mut other, "BEGIN; SELECT FROM inventory WHERE product_id = 1 FOR UPDATE").await.unwrap();
    let mut session = ledger.session().await;
    let waiting = session.backend().pid.unwrap();
    let footprint = Footprint { orders: vec![hold.order], ..Footprint::default() };
    let mut sql = ledger.sql().await;
    let extend = async {
        waits(&mut sql, waiting).await;
        const EXTEND: &str = "UPDATE reservations SET expires_at = expires_at + interval '1 minute'; COMMIT";
        execute(&mut other, EXTEND).await.unwrap();
    };
    let batch = new_batch();
    let (locked, ()) = tokio::join!(session.begin(batch, &footprint), extend);
    // It changes nothing: no row guards its answers.
    let answers = Effects::none(batch, locked.unwrap().now);
    assert_eq!(session.persist(&answers).await.unwrap_err().kind, StoreErrorKind::Conflict);
    let (locked, batch) = begin_with_orders(session.as_mut(), &[hold.order]).await;
    assert_eq!(locked.reservations[&hold.order].expires_at, hold.expires_at.plus(Duration::from_secs(60)));
    session.persist(&Effects::none(batch, locked.now)).await.unwrap();
    session.rollback().await.unwrap();
}

#[tokio::test]
async fn i9_an_order_that_appears_while_its_batch_waits_is_a_conflict_unless_its_products_are_locked() {
    let ledger = Ledger::with(patient()).await;
    ledger.stock(&[(1, 50), (2, 50)]).await;
    for (also_locked, conflict) in [(false, true), (true, false)] {
        let mut first = ledger.session().await;
        let order = new_order();
        let effects = begin_hold(first.as_mut(), order, &[(1, 1), (2, 1)], TTL).await;
        first.persist(&effects).await.unwrap();
        let mut second = ledger.session().await;
        let waiting = second.backend().pid.unwrap();
        let footprint = Footprint {
            products: if also_locked { ids([1, 2]) } else { ids([1]) },
            orders: vec![order],
            ..Footprint::default()
        };
        let mut sql = ledger.sql().await;
        let release = async {
            waits(&mut sql, waiting).await;
            first.commit().await.unwrap();
        };
        let (begun, ()) = tokio::join!(second.begin(new_batch(), &footprint), release);
        match begun {
            Err(error) => assert!(conflict && error.kind == StoreErrorKind::Conflict, "{error}"),
            Ok(locked) => assert!(!conflict && locked.reservations.contains_key(&order)),
        }
    }
}

#[tokio::test]
async fn products_are_locked_in_order_however_many_they_are() {
    let ledger = Ledger::new().await;
    let products: Vec<(i64, i64)> = (1..=1_000).map(|id| (id, id)).collect();
    ledger.stock(&products).await;
    let mut session: Box<dyn Session> = ledger.session().await;
    for many in [200, 1_000] {
        let (locked, _) = begin(session.as_mut(), &ids(1..=many)).await;
        assert_eq!(i64::try_from(locked.products.len()).unwrap(), many);
        assert!(locked.products.values().all(|product| product.on_hand.get() == product.id.get()));
        session.rollback().await.unwrap();
    }
    // Two batches over the same products in different requests never deadlock: both lock in product order.
    let mut sql = ledger.sql().await;
    let plan: Vec<String> = sqlx::query_scalar(
        "EXPLAIN SELECT product_id FROM inventory WHERE product_id = ANY ('{3,1,2}') ORDER BY product_id FOR UPDATE",
    )
    .fetch_all(&mut sql)
    .await
    .unwrap();
    assert!(plan[0].starts_with("LockRows"), "rows are sorted before they are locked: {plan:?}");
}

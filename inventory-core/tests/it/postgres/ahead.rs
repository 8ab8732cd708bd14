//! Orders that are read while the batch before theirs is written.

use std::time::Duration;

use inventory_core::store::{Effects, Footprint, StoreErrorKind};
use sqlx::PgConnection;

use super::hand::{Ledger, begin, begin_with_orders, execute, new_batch, new_order};

const TTL: Duration = Duration::from_secs(900);

/// Waits until a connection has read reservations and rests.
async fn was_read(sql: &mut PgConnection) {
    const READ: &str = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
         AND state = 'idle' AND query LIKE 'SELECT r.xmin%'";
    while sqlx::query_scalar::<_, i64>(READ).fetch_one(&mut *sql).await.unwrap() == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_batch_that_was_foreseen_begins_without_reading() {
    let ledger = Ledger::new().await;
    ledger.stock(&[(1, 50)]).await;
    let mut orders = [new_order(), new_order()];
    orders.sort_unstable();
    let mut held = Vec::new();
    for order in orders {
        held.push(ledger.hold(order, &[(1, 2)], TTL).await);
    }
    let mut sql = ledger.sql().await;
    for is_foreseen in [true, false] {
        let mut session = ledger.session().await;
        let (locked, batch) = begin(session.as_mut(), &[]).await;
        if is_foreseen {
            session.foresee(orders.to_vec());
        }
        session.persist(&Effects::none(batch, locked.now)).await.unwrap();
        session.commit().await.unwrap();
        if is_foreseen {
            was_read(&mut sql).await;
        }
        // From now on nobody reads a reservation.
        execute(&mut sql, "BEGIN; LOCK TABLE reservations IN ACCESS EXCLUSIVE MODE").await.unwrap();
        if is_foreseen {
            let (locked, _) = begin_with_orders(session.as_mut(), &orders).await;
            for held in &held {
                assert_eq!(locked.reservations.get(&held.order), Some(held));
            }
        } else {
            let footprint = Footprint { orders: orders.to_vec(), ..Footprint::default() };
            let error = session.begin(new_batch(), &footprint).await.unwrap_err();
            assert_eq!(error.kind, StoreErrorKind::LockTimeout);
        }
        execute(&mut sql, "ROLLBACK").await.unwrap();
    }
}

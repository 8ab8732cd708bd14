//! What is due, and the watermark below which nothing is looked for any more.

use std::time::Duration;

use inventory_core::clock::Timestamp;
use inventory_core::ids::OrderId;
use inventory_core::reservation::{Reservation, Status};
use inventory_core::store::{Effects, Session, Store as _};

use super::hand::{Ledger, begin, begin_with_orders, execute, held, ids, new_order};

/// Persists, in one open batch, holds that ended this many seconds ago.
async fn begin_overdue(session: &mut dyn Session, seconds_ago: &[u64]) -> Effects {
    let (locked, batch) = begin(session, &ids([1])).await;
    let mut effects = Effects::none(batch, locked.now);
    for ago in seconds_ago {
        let reserved_at = locked.now.minus(Duration::from_secs(900 + ago));
        effects.created.push(held(new_order(), &[(1, 1)], reserved_at, Duration::from_secs(900)));
    }
    session.persist(&effects).await.unwrap();
    effects
}

async fn overdue(ledger: &Ledger, seconds_ago: &[u64]) -> Vec<OrderId> {
    let mut session = ledger.session().await;
    let effects = begin_overdue(session.as_mut(), seconds_ago).await;
    session.commit().await.unwrap();
    effects.created.iter().map(|created| created.order).collect()
}

async fn due(ledger: &Ledger, limit: usize) -> Vec<OrderId> {
    ledger.store.due(Duration::ZERO, limit).await.unwrap().orders
}

async fn watermark(ledger: &Ledger) -> Option<Timestamp> {
    let at: Option<chrono::DateTime<chrono::Utc>> =
        sqlx::query_scalar("SELECT at FROM watermarks WHERE name = 'sweep'")
            .fetch_optional(&mut ledger.sql().await)
            .await
            .unwrap();
    at.map(Timestamp::from_datetime)
}

async fn expire(ledger: &Ledger, order: OrderId) {
    let mut session = ledger.session().await;
    let (locked, batch) = begin_with_orders(session.as_mut(), &[order]).await;
    let hold = &locked.reservations[&order];
    let ended = Reservation { status: Status::Expired, ended_at: Some(locked.now), ..hold.clone() };
    let mut effects = Effects::none(batch, locked.now);
    effects.changed = vec![(Status::Held, ended)];
    session.persist(&effects).await.unwrap();
    session.commit().await.unwrap();
}

#[tokio::test]
async fn i8_what_is_due_comes_earliest_first_up_to_the_limit_and_after_the_grace() {
    let ledger = Ledger::new().await;
    ledger.stock(&[(1, 50)]).await;
    let orders = overdue(&ledger, &[10, 600, 300]).await;
    ledger.hold(new_order(), &[(1, 1)], Duration::from_secs(60)).await;
    assert_eq!(due(&ledger, 10).await, [orders[1], orders[2], orders[0]]);
    assert_eq!(due(&ledger, 2).await, [orders[1], orders[2]]);
    let patient = ledger.store.due(Duration::from_secs(200), 10).await.unwrap().orders;
    assert_eq!(patient, [orders[1], orders[2]]);
    expire(&ledger, orders[1]).await;
    assert_eq!(due(&ledger, 10).await, [orders[2], orders[0]]);
}

#[tokio::test]
async fn i8_the_watermark_follows_but_never_passes_a_hold_that_is_still_open() {
    let ledger = Ledger::new().await;
    ledger.stock(&[(1, 50)]).await;
    let orders = overdue(&ledger, &[600, 300]).await;
    let first = ledger.reservation(orders[0]).await.unwrap().expires_at;
    // It waits for the transactions of everyone in this cluster, other tests included.
    while watermark(&ledger).await.is_none() {
        assert_eq!(due(&ledger, 10).await, orders);
    }
    for _ in 0..3 {
        assert_eq!(due(&ledger, 10).await, orders);
        assert_eq!(watermark(&ledger).await, Some(first));
    }
    for order in &orders {
        expire(&ledger, *order).await;
    }
    while watermark(&ledger).await == Some(first) {
        assert_eq!(due(&ledger, 10).await, []);
    }
    let moved = watermark(&ledger).await.unwrap();
    let now = ledger.store.due(Duration::ZERO, 1).await.unwrap().now;
    assert!(moved > first && moved <= now.minus(Duration::from_secs(10)), "{moved}");
}

#[tokio::test]
async fn i8_a_hold_that_becomes_visible_late_is_not_lost_below_the_watermark() {
    let ledger = Ledger::new().await;
    ledger.stock(&[(1, 50)]).await;
    let mut slow = ledger.session().await;
    let effects = begin_overdue(slow.as_mut(), &[600]).await;
    for _ in 0..4 {
        assert_eq!(due(&ledger, 10).await, []);
    }
    slow.commit().await.unwrap();
    for _ in 0..4 {
        assert_eq!(due(&ledger, 10).await, [effects.created[0].order]);
    }
}

#[tokio::test]
async fn the_sweep_summarizes_the_blocks_that_it_would_otherwise_read_every_time() {
    let ledger = Ledger::new().await;
    let mut sql = ledger.sql().await;
    execute(
        &mut sql,
        "INSERT INTO reservations (order_id, status, created_at, expires_at, expires_at_max, products, quantities) \
         SELECT gen_random_uuid(), 2, now(), now(), now(), '{1}', '{1}' FROM generate_series(1, 10000)",
    )
    .await
    .unwrap();
    const NEXT: &str = "SELECT brin_summarize_range('reservations_expires_at', block) FROM \
         generate_series(0, pg_relation_size('reservations') / 8192 - 64, 64) AS block";
    assert_eq!(due(&ledger, 10).await, []);
    let left: Vec<i32> = sqlx::query_scalar(NEXT).fetch_all(&mut sql).await.unwrap();
    assert!(left.len() > 1 && left.iter().all(|&summarized| summarized == 0), "{left:?}");
}

#[tokio::test]
async fn what_is_due_is_found_by_the_index_between_the_watermark_and_now() {
    let ledger = Ledger::new().await;
    let mut sql = ledger.sql().await;
    execute(&mut sql, "SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan").await.unwrap();
    execute(
        &mut sql,
        "PREPARE due (timestamptz, timestamptz) AS SELECT order_id FROM reservations WHERE status = 1 \
         AND expires_at >= $1 AND expires_at <= $2 ORDER BY expires_at LIMIT 10",
    )
    .await
    .unwrap();
    let plan: Vec<String> =
        sqlx::query_scalar("EXPLAIN EXECUTE due (now(), now())").fetch_all(&mut sql).await.unwrap();
    assert!(
        plan.iter().any(|line| line.contains("Bitmap Index Scan on reservations_expires_at")),
        "{plan:?}"
    );
}

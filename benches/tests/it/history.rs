use std::time::Duration;

use anyhow::Result;
use benches::arena::Arena;
use benches::history::{Ledger, Plan, Room, prune};
use benches::library;
use benches::peers::in_process::InProcess;
use benches::workload::{Ids, Shape, Workload};
use inventory_core::ids::OrderId;
use test_support::postgres::database;
use tokio::task::JoinSet;
use uuid::Uuid;

const DAY: Duration = Duration::from_secs(24 * 3_600);

async fn assert_clean(ledger: &Ledger) -> Result<()> {
    let peer = InProcess::over(ledger.url()).await?;
    let report = peer.engine().audit().await?;
    assert!(report.ok(), "{:?}", report.violations);
    peer.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_finds_a_history_clean_before_pruning_after_it_and_when_it_has_grown_again() -> Result<()> {
    for ids in [Ids::TimeOrdered, Ids::Random] {
        let ledger = Ledger::begin(&database().await.url, ids).await?;
        let now = ledger.now().await?;
        let (begin, middle) = (now.minus(40 * DAY), now.minus(4 * DAY));
        ledger.grow(3_000, begin, middle).await?;
        ledger.grow(1_000, middle, now).await?;
        assert_eq!(Room::of(&ledger).await?.reservations, 4_000);
        assert_clean(&ledger).await?;
        let pruned = prune(&ledger).await?;
        // Holds of 40, 28 and 16 days ago are older than a week, those of 4 days ago are not. Older than a month: the first holds, their
        // commits, and the stock.
        assert_eq!((pruned.reservations, pruned.journal, pruned.fences), (3_000, 3, 3), "{pruned:?}");
        assert_clean(&ledger).await?;
        ledger.grow(3_000, now.minus(DAY), now).await?;
        ledger.settle().await?;
        assert_eq!(Room::of(&ledger).await?.reservations, 4_000);
        assert_clean(&ledger).await?;
    }
    Ok(())
}

/// Holds and commits of the engine itself, vacuumed.
async fn made_by_the_engine(orders: u64) -> Result<Room> {
    let url = database().await.url;
    let peer = InProcess::prepare(&url, &Workload::new(Shape::Hot, Ids::TimeOrdered)?).await?;
    library::fill(peer.engine(), 1_000, orders, 1).await?;
    let mut conn = <sqlx::PgConnection as sqlx::Connection>::connect(&url).await?;
    let held: Vec<Uuid> = sqlx::query_scalar("SELECT order_id FROM inventory_service_schema.reservations")
        .fetch_all(&mut conn)
        .await?;
    let mut commits = JoinSet::new();
    for order in held {
        let engine = peer.engine().clone();
        commits.spawn(async move { engine.commit(OrderId::new(order), None, None).await });
    }
    while let Some(committed) = commits.join_next().await {
        committed??;
    }
    peer.stop().await;
    let ledger = Ledger::over(&url, Ids::TimeOrdered);
    ledger.settle().await?;
    Room::of(&ledger).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_history_takes_the_room_of_one_that_the_engine_has_made() -> Result<()> {
    let made = made_by_the_engine(10_000).await?;
    let ledger = Ledger::begin(&database().await.url, Ids::TimeOrdered).await?;
    let now = ledger.now().await?;
    ledger.grow(10_000, now.minus(DAY), now).await?;
    ledger.settle().await?;
    let written = Room::of(&ledger).await?;
    for (what, made, written) in [
        ("rows", made.rows, written.rows),
        ("keys", made.keys, written.keys),
        ("journal", made.journal, written.journal),
    ] {
        let ratio = written as f64 / made as f64;
        assert!((0.8..1.25).contains(&ratio), "{what}: {made} bytes made, {written} written");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_measures_each_size_beside_the_first_and_what_pruning_leaves() -> Result<()> {
    let arena = Arena::open(None).await?;
    let plan = Plan {
        sizes: vec![1_000, 3_000],
        ids: Ids::TimeOrdered,
        rounds: 1,
        length: Duration::from_millis(200),
        warm_up: Duration::from_millis(50),
        callers: 8,
        prune: true,
    };
    let report = plan.run(&arena).await?;
    let sizes: Vec<i64> = report.points.iter().map(|point| point.room.reservations).collect();
    // Of three batches of holds, evenly over forty days, the first two and the third are older than a week.
    assert_eq!(sizes, [1_000, 3_000, 0, 3_000]);
    assert!(report.points[0].rate_of_first().is_none());
    assert!(report.points[1..].iter().all(|point| point.rate_of_first().is_some()));
    assert!(report.markdown().contains("| 3,000 with as many again |"));
    let descending = Plan { sizes: vec![3_000, 1_000], ..plan };
    assert!(descending.run(&arena).await.unwrap_err().to_string().contains("ascend"));
    Ok(())
}

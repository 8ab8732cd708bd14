//! What pruning leaves in the index of ends: nothing of what is gone.

use std::time::Duration;

use inventory_core::store::{Retention, Store as _};
use sqlx::PgConnection;

use super::hand::{Ledger, execute};

const WEEK: Retention = Retention {
    reservations: Duration::from_secs(7 * 24 * 3_600),
    journal: Duration::from_secs(30 * 24 * 3_600),
    fences: Duration::from_secs(30 * 24 * 3_600),
    deliveries: Duration::from_secs(30 * 24 * 3_600),
    rows_max: 2_000,
};
/// The server's own analysis of the table may see what is gone for a moment, and its vacuum hold the table.
const TRIES: usize = 300;
const PAUSE: Duration = Duration::from_millis(100);

/// Ended reservations, so many days ago: four ranges of the index and more.
async fn ended(sql: &mut PgConnection, reservations: u32, days_ago: u32) {
    let insert = format!(
        "INSERT INTO reservations (order_id, status, created_at, expires_at, expires_at_max, ended_at, products, quantities) \
         SELECT gen_random_uuid(), 2, at, at, at, at, ARRAY[1::bigint], ARRAY[1] \
         FROM (SELECT now() - interval '{days_ago} days' AS at) a, generate_series(1, {reservations})"
    );
    execute(sql, &insert).await.unwrap();
    execute(sql, "SELECT brin_summarize_new_values('reservations_expires_at')").await.unwrap();
}

/// Pages that a scan by the index reads for ends before this many days ago.
async fn pages_before(sql: &mut PgConnection, days_ago: u32) -> u64 {
    execute(sql, "SET enable_seqscan = off").await.unwrap();
    let explain = format!(
        "EXPLAIN (ANALYZE, TIMING off) SELECT FROM reservations WHERE expires_at < now() - interval '{days_ago} days'"
    );
    let plan: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(explain)).fetch_all(sql).await.unwrap();
    assert!(plan.iter().any(|line| line.contains("Bitmap Heap Scan")), "{plan:#?}");
    // Not told where there are none.
    let lossy = plan.iter().find_map(|line| line.trim().strip_prefix("Heap Blocks: lossy="));
    lossy.map_or(0, |pages| pages.parse().unwrap())
}

async fn prune_until_nothing_is_read(ledger: &Ledger, sql: &mut PgConnection) {
    for _ in 0..TRIES {
        ledger.store.prune(&WEEK).await.unwrap();
        if pages_before(sql, 10).await == 0 {
            return;
        }
        tokio::time::sleep(PAUSE).await;
    }
    panic!("{} pages are read for nothing", pages_before(sql, 10).await);
}

#[tokio::test]
async fn no_scan_reads_again_what_pruning_has_emptied_not_even_when_it_is_filled_anew() {
    let ledger = Ledger::new().await;
    let mut sql = ledger.sql().await;
    ended(&mut sql, 6_000, 20).await;
    assert!(pages_before(&mut sql, 10).await > 200);
    let mut pieces = 0;
    while ledger.store.prune(&WEEK).await.unwrap().more {
        pieces += 1;
    }
    assert_eq!(pieces, 3);
    // The last piece's ranges are left to the next turn.
    prune_until_nothing_is_read(&ledger, &mut sql).await;

    execute(&mut sql, "VACUUM reservations").await.unwrap();
    ended(&mut sql, 6_000, 1).await;
    assert_eq!(pages_before(&mut sql, 10).await, 0, "the room has been filled with younger ones");
    assert!(pages_before(&mut sql, 0).await > 200);
}

#[tokio::test]
async fn what_a_long_read_could_still_see_when_it_was_pruned_is_read_no_more_after_it_has_ended() {
    let ledger = Ledger::new().await;
    let mut sql = ledger.sql().await;
    ended(&mut sql, 6_000, 20).await;
    let mut reader = ledger.sql().await;
    execute(&mut reader, "BEGIN ISOLATION LEVEL REPEATABLE READ").await.unwrap();
    execute(&mut reader, "SELECT count(*) FROM reservations").await.unwrap();
    while ledger.store.prune(&WEEK).await.unwrap().more {}
    ledger.store.prune(&WEEK).await.unwrap();
    assert!(pages_before(&mut sql, 10).await > 200, "the read keeps what it sees in the summaries");
    execute(&mut reader, "COMMIT").await.unwrap();
    prune_until_nothing_is_read(&ledger, &mut sql).await;
}

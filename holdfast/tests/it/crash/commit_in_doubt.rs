//! Scenario F: the service dies between its decision and the answer of the database.

use futures::future::join_all;
use test_support::postgres::Cluster;
use uuid::Uuid;

use crate::shop::{Caller, Shop, StoreKind, launch, new_order};

/// Sends reserves that will get no answer, and does not wait for them.
fn send_without_waiting(shop: &Caller, orders: &[Uuid]) -> tokio::task::JoinSet<()> {
    let mut sent = tokio::task::JoinSet::new();
    for order in orders {
        let order = *order;
        let shop = shop.clone();
        sent.spawn(async move {
            let body = serde_json::json!({"orderId": order, "items": crate::shop::items(&[(1, 1)])});
            // Cut off or answered: both may happen.
            let _ = shop.try_post("/api/v1/inventory/reserve", &body).await;
        });
    }
    sent
}

/// Every order is asked for again: each holds once, whatever became of the first request.
async fn retry_and_check(shop: &Caller, orders: &[Uuid]) {
    for answer in join_all(orders.iter().map(|order| shop.reserve(*order, &[(1, 1)]))).await {
        assert!(matches!(answer.status, 200 | 201), "{answer:#?}");
    }
    for answer in join_all(orders.iter().map(|order| shop.reserve(*order, &[(1, 1)]))).await {
        assert_eq!(answer.is(200)["replayed"], true);
    }
    let count = i64::try_from(orders.len()).expect("few orders");
    assert_eq!(shop.counts(1).await, (1_000, count, 1_000 - count));
    shop.audit_is_ok().await;
}

/// While Postgres stands still, no batch can get past its COMMIT; the service is killed there.
#[tokio::test]
async fn f_i6_a_retry_after_a_kill_before_the_commit_on_postgres_leads_to_one_hold() {
    let cluster = Cluster::start().await.expect("a cluster");
    let url = cluster.database().await.expect("a database");
    let mut service = launch().env("DATABASE_URL", url).start().await.expect("the service starts");
    let shop = Caller::new(&service.url());
    shop.stock(1, 1_000).await;
    let orders: Vec<Uuid> = (0..50).map(|_| new_order()).collect();
    shop.reserve(new_order(), &[(1, 1_001)]).await.is_problem(409, "insufficient_stock");
    cluster.pause().expect("it pauses");
    let sent = send_without_waiting(&shop, &orders);
    // Liveness never touches the database: when it answers, the reserves before it have been read.
    assert_eq!(shop.get("/health/live").await.status, 200);
    service.kill9().await.expect("it dies");
    sent.join_all().await;
    cluster.resume().expect("it resumes");
    service.start_again().await.expect("it starts again");
    retry_and_check(&shop, &orders).await;
}

/// Where nothing can be paused the moment is left to chance, many times.
#[tokio::test]
async fn f_i6_a_retry_after_a_kill_at_any_moment_on_sqlite_leads_to_one_hold() {
    let mut shop = Shop::open(StoreKind::Sqlite, &[]).await;
    shop.stock(1, 1_000).await;
    let mut orders = Vec::new();
    for round in 0..10_u64 {
        let new: Vec<Uuid> = (0..20).map(|_| new_order()).collect();
        let sent = send_without_waiting(&shop.caller, &new);
        tokio::time::sleep(std::time::Duration::from_millis(round * 2)).await;
        shop.service.kill9().await.expect("it dies");
        sent.join_all().await;
        shop.service.start_again().await.expect("it starts again");
        orders.extend(new);
        retry_and_check(&shop.caller, &orders).await;
    }
}

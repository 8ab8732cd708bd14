//! Everything in one process: what a newcomer runs.

use serde_json::json;

use super::market::{Market, on_every_store, order_id};
use crate::shop::{StoreKind, eventually};

#[tokio::test]
async fn an_order_that_is_paid_becomes_confirmed_and_its_stock_is_committed() {
    on_every_store(async |market: Market| {
        market.inventory.stock(1, 10).await;
        let placed = market.orders.place("k-1", 3, "approve").await;
        assert!(placed.header("location").ends_with(&order_id(&placed.json()).to_string()), "{placed:#?}");
        let order = order_id(&placed.is(202));
        market.orders.becomes(order, "CONFIRMED", "PAID").await;
        assert_eq!(market.inventory.counts(1).await, (7, 0, 7));
        assert_eq!(market.inventory.status(order).await, "COMMITTED");
        let body = market.orders.order(order).await;
        assert_eq!((&body["totalAmount"], &body["userId"]), (&json!("4.50"), &json!("ada")));
        let items = json!([{"productId": 1, "quantity": 3, "unitPrice": "1.50"}]);
        assert_eq!(body["items"], items);
        // The same request again is the same order.
        assert_eq!(order_id(&market.orders.place("k-1", 3, "approve").await.is(202)), order);
        market.orders.place("k-1", 4, "approve").await.is_problem(422, "idempotency_conflict");
        assert_eq!(market.inventory.counts(1).await, (7, 0, 7));
        market.inventory.audit_is_ok().await;
    })
    .await;
}

#[tokio::test]
async fn an_order_that_is_declined_gives_its_stock_back() {
    on_every_store(async |market: Market| {
        market.inventory.stock(1, 10).await;
        let order = order_id(&market.orders.place("k-1", 3, "decline").await.is(202));
        market.orders.becomes(order, "PAYMENT_FAILED", "FAILED").await;
        eventually("the stock is back", async || market.inventory.counts(1).await == (10, 0, 10)).await;
        assert_eq!(market.inventory.status(order).await, "RELEASED");
    })
    .await;
}

#[tokio::test]
async fn an_order_beyond_the_stock_is_refused_and_kept_as_cancelled() {
    on_every_store(async |market: Market| {
        market.inventory.stock(1, 2).await;
        let refused = market.orders.place("k-1", 3, "approve").await.is_problem(409, "insufficient_stock");
        let order = market.orders.order(order_id(&refused)).await;
        assert_eq!((&order["status"], &order["paymentStatus"]), (&json!("CANCELLED"), &json!("NONE")));
        assert_eq!(market.inventory.counts(1).await, (2, 0, 2));
    })
    .await;
}

#[tokio::test]
async fn a_confirmed_order_that_is_cancelled_is_refunded_and_its_stock_given_back() {
    on_every_store(async |market: Market| {
        market.inventory.stock(1, 10).await;
        let order = order_id(&market.orders.place("k-1", 3, "approve").await.is(202));
        market.orders.becomes(order, "CONFIRMED", "PAID").await;
        market.orders.verb(order, "cancel", &json!({"reason": "changed my mind"})).await.is(200);
        market.orders.becomes(order, "CANCELLED", "REFUNDED").await;
        eventually("the stock is back", async || market.inventory.counts(1).await == (10, 0, 10)).await;
        market
            .orders
            .verb(order, "ship", &json!({"trackingNumber": "T1"}))
            .await
            .is_problem(409, "invalid_state");
        market.inventory.audit_is_ok().await;
    })
    .await;
}

#[tokio::test]
async fn a_confirmed_order_is_shipped_and_delivered_and_then_stays() {
    on_every_store(async |market: Market| {
        market.inventory.stock(1, 10).await;
        let order = order_id(&market.orders.place("k-1", 1, "approve").await.is(202));
        market.orders.becomes(order, "CONFIRMED", "PAID").await;
        market.orders.verb(order, "ship", &json!({"trackingNumber": "T1"})).await.is(200);
        market.orders.verb(order, "cancel", &json!({})).await.is_problem(409, "invalid_state");
        market.orders.verb(order, "deliver", &json!({})).await.is(200);
        market.orders.becomes(order, "DELIVERED", "PAID").await;
    })
    .await;
}

#[tokio::test]
async fn i13_however_the_provider_misbehaves_every_order_ends() {
    for kind in [StoreKind::Sqlite, StoreKind::Postgres] {
        println!("on {kind:?}");
        let market = Market::open(kind, &[("PAYMENT_DEADLINE_SECONDS", "3")]).await;
        market.inventory.stock(1, 1_000).await;
        let place = async |method: &str, n: usize| {
            order_id(&market.orders.place(&format!("{method}-{n}"), 1, method).await.is(202))
        };
        let silent = place("silent", 0).await;
        let twice = place("duplicate", 0).await;
        let late = place("late:200", 0).await;
        // After the deadline the order has failed, and the money that comes then goes back.
        let too_late = place("late:6000", 0).await;
        let mut flaky = Vec::new();
        for n in 0..10 {
            flaky.push(place("flaky:50", n).await);
        }
        market.orders.becomes(twice, "CONFIRMED", "PAID").await;
        market.orders.becomes(late, "CONFIRMED", "PAID").await;
        market.orders.becomes(silent, "PAYMENT_FAILED", "FAILED").await;
        market.orders.becomes(too_late, "PAYMENT_FAILED", "REFUNDED").await;
        for order in flaky {
            eventually("a flaky payment ends", async || {
                let body = market.orders.order(order).await;
                let (status, money) = (body["status"].as_str(), body["paymentStatus"].as_str());
                status == Some("CONFIRMED")
                    || (status == Some("PAYMENT_FAILED") && matches!(money, Some("FAILED" | "REFUNDED")))
            })
            .await;
        }
        market.inventory.audit_is_ok().await;
        market.checkout_agrees(14).await;
    }
}

#[tokio::test]
async fn race_38_the_trace_of_a_placement_is_in_every_event_it_leads_to() {
    const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let market = Market::open(StoreKind::Sqlite, &[]).await;
    market.inventory.stock(1, 10).await;
    let body = json!({"userId": "ada", "items": [{"productId": 1, "quantity": 1, "unitPrice": "1.50"}]});
    let traced = |request: reqwest::RequestBuilder| {
        request.header("idempotency-key", "k").header("traceparent", TRACE).json(&body)
    };
    let placed = market.orders.send(reqwest::Method::POST, "/api/v1/orders", traced).await;
    let order = order_id(&placed.is(202));
    market.orders.becomes(order, "CONFIRMED", "PAID").await;
    let log = market.process.data().join("events.db");
    let log = sqlx::SqlitePool::connect(&format!("sqlite:{}", log.display())).await.unwrap();
    for topic in ["order.created", "payment.successful", "order.confirmed"] {
        eventually(&format!("{topic} is in the log"), async || {
            let headers: Option<String> =
                sqlx::query_scalar("SELECT headers FROM records WHERE topic = $1 AND key = $2")
                    .bind(topic)
                    .bind(order.to_string())
                    .fetch_optional(&log)
                    .await
                    .unwrap();
            headers.is_some_and(|headers| {
                // The same trace; the span may be another.
                assert!(headers.contains("4bf92f3577b34da6a3ce929d0e0e4736"), "{topic}: {headers}");
                true
            })
        })
        .await;
    }
}

#[tokio::test]
async fn i5_i13_what_a_killed_process_left_half_way_is_finished_after_a_restart() {
    for kind in [StoreKind::Sqlite, StoreKind::Postgres] {
        println!("on {kind:?}");
        let mut market = Market::open(kind, &[]).await;
        market.inventory.stock(1, 1_000).await;
        let mut orders = Vec::new();
        for round in 0..3 {
            for n in 0..10 {
                let method = if n % 3 == 0 { "decline" } else { "slow:50" };
                let placed = market.orders.place(&format!("{round}-{n}"), 1, method).await;
                orders.push((order_id(&placed.is(202)), method));
            }
            market.process.kill9().await.unwrap();
            market.process.start_again().await.unwrap();
        }
        for (order, method) in &orders {
            let (status, payment) =
                if *method == "decline" { ("PAYMENT_FAILED", "FAILED") } else { ("CONFIRMED", "PAID") };
            market.orders.becomes(*order, status, payment).await;
        }
        let sold = orders.iter().filter(|(_, method)| *method != "decline").count();
        let left = 1_000 - i64::try_from(sold).unwrap();
        eventually("nothing is held", async || market.inventory.counts(1).await == (left, 0, left)).await;
        market.inventory.audit_is_ok().await;
        market.checkout_agrees(30).await;
    }
}

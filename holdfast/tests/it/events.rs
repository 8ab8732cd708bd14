//! What is announced: the rows of the outbox, written with the change they tell of.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::shop::{Shop, eventually, new_order, on_every_store};

fn check_envelope(message: &Value, event_type: &str) {
    assert_eq!(message["eventType"], event_type, "{message:#}");
    assert!(message["eventId"].as_str().is_some_and(|id| Uuid::parse_str(id).is_ok()), "{message:#}");
    assert!(message["version"].is_u64() && message["timestamp"].is_string(), "{message:#}");
    assert!(message["metadata"]["sourceService"].is_string(), "{message:#}");
    assert!(message["metadata"]["correlationId"].is_string(), "{message:#}");
}

#[tokio::test]
async fn h_i8_an_idle_products_expired_hold_is_released_and_announced_without_any_traffic() {
    on_every_store(async |shop: Shop| {
        const TOPIC: &str = "inventory.reservation.expired";
        shop.stock(1, 10).await;
        let order = new_order();
        shop.reserve_for(1, order, &[(1, 4)]).await.is(201);
        // From here on nobody speaks to the service: only the ledger is watched.
        let aggregate = order.to_string();
        eventually("the expiry is announced", async || !shop.announced(TOPIC, &aggregate).await.is_empty())
            .await;
        let messages = shop.announced(TOPIC, &aggregate).await;
        assert_eq!(messages.len(), 1, "announced once");
        check_envelope(&messages[0], TOPIC);
        assert_eq!(messages[0]["payload"]["orderId"], json!(order));
        assert_eq!(messages[0]["payload"]["items"], json!([{"productId": 1, "quantity": 4}]));
        assert_eq!(shop.counts(1).await, (10, 0, 10));
        assert_eq!(shop.status(order).await, "EXPIRED");
        shop.audit_is_ok().await;
    })
    .await;
}

#[tokio::test]
async fn i4_a_lost_order_is_announced_once_however_often_it_is_committed() {
    on_every_store(async |shop: Shop| {
        const TOPIC: &str = "inventory.commit.failed";
        shop.stock(1, 10).await;
        let order = shop.lost_order(&[(1, 4)]).await;
        for _ in 0..3 {
            shop.commit(order).await.is_problem(410, "reservation_expired");
        }
        let messages = shop.announced(TOPIC, &order.to_string()).await;
        assert_eq!(messages.len(), 1, "{messages:#?}");
        check_envelope(&messages[0], TOPIC);
        assert_eq!(messages[0]["payload"]["orderId"], json!(order));
    })
    .await;
}

#[tokio::test]
async fn low_and_depleted_are_announced_once_per_fall() {
    on_every_store(async |shop: Shop| {
        let count = async |topic: &str| shop.announced(topic, "1").await.len();
        let (low, depleted) = ("inventory.stock.low", "inventory.stock.depleted");
        shop.put(1, &json!({"onHand": 10, "lowStockThreshold": 5})).await.is(201);
        let first = shop.hold(&[(1, 4)]).await;
        assert_eq!((count(low).await, count(depleted).await), (0, 0), "6 left");
        let second = shop.hold(&[(1, 2)]).await;
        assert_eq!((count(low).await, count(depleted).await), (1, 0), "4 left");
        let third = shop.hold(&[(1, 4)]).await;
        assert_eq!((count(low).await, count(depleted).await), (1, 1), "none left");
        let messages = shop.announced(depleted, "1").await;
        check_envelope(&messages[0], depleted);
        assert_eq!(messages[0]["payload"]["productId"], 1);
        for order in [first, second, third] {
            shop.release(order).await.is(200);
        }
        shop.hold(&[(1, 6)]).await;
        assert_eq!((count(low).await, count(depleted).await), (2, 1), "a second fall");
    })
    .await;
}

#[tokio::test]
async fn i11_a_refused_request_announces_nothing() {
    on_every_store(async |shop: Shop| {
        shop.put(1, &json!({"onHand": 10, "lowStockThreshold": 5})).await.is(201);
        shop.reserve(new_order(), &[(1, 11)]).await.is_problem(409, "insufficient_stock");
        assert!(shop.announced("inventory.stock.low", "1").await.is_empty());
        assert!(shop.announced("inventory.stock.depleted", "1").await.is_empty());
    })
    .await;
}

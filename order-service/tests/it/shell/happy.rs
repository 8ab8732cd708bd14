//! The way that everybody hopes for.

use order_service::saga::{OrderStatus, PaymentStatus};
use serde_json::json;
use service_kit::events::{Handled, Handler};

use super::fakes::Hold;
use super::world::{cart, choreographed, incoming, on_both, on_both_with};

#[tokio::test]
async fn an_order_is_reserved_paid_committed_and_confirmed() {
    on_both(async |mut world| {
        world.work();
        let answer = world.place_with("k", &cart()).await;
        assert_eq!(answer.status, 202);
        let (body, id) = (answer.json(), answer.order_id());
        assert_eq!(body["status"], "AWAITING_PAYMENT");
        assert_eq!(body["totalAmount"], "24.60");
        assert_eq!(body["items"][0], json!({"productId": 1, "quantity": 2, "unitPrice": "12.30"}));
        assert_eq!(answer.headers["location"], format!("/api/v1/orders/{id}"));
        assert_eq!(world.inventory.hold(id), Some(Hold::Held));
        world.until(async || (world.payments.stage.calls("process", id) == 1).then_some(())).await;
        assert_eq!(world.paid(&world.order(id).await).await, Ok(Handled::Done));
        let order = world.rests(id, "CONFIRMED").await;
        assert_eq!(order.saga.payment, PaymentStatus::Paid);
        assert_eq!(world.inventory.hold(id), Some(Hold::Committed));
        assert_eq!(world.told(id).await, ["order.created", "order.confirmed"]);
        // Nothing is left to do, by call or by time.
        assert_eq!(world.number("SELECT count(*) FROM saga_actions").await, 0);
        assert_eq!(world.number("SELECT count(*) FROM saga_timers").await, 0);
        assert_eq!(world.number("SELECT count(*) FROM outbox").await, 2);
    })
    .await;
}

#[tokio::test]
async fn a_confirmed_order_is_shipped_and_delivered_each_once() {
    on_both(async |mut world| {
        world.work();
        let id = world.place().await;
        let path = |verb: &str| format!("/api/v1/orders/{id}/{verb}");
        let ship = json!({"trackingNumber": "T-1"});
        assert_eq!(world.post(&path("ship"), &ship).await.brief(), (409, "invalid_state".to_owned()));
        world.paid(&world.order(id).await).await.unwrap();
        world.rests(id, "CONFIRMED").await;
        let deliver = json!(null);
        assert_eq!(world.post(&path("deliver"), &deliver).await.brief(), (409, "invalid_state".to_owned()));
        for _ in 0..2 {
            let shipped = world.post(&path("ship"), &ship).await;
            assert_eq!((shipped.status.as_u16(), &shipped.json()["trackingNumber"]), (200, &json!("T-1")));
        }
        for _ in 0..2 {
            let delivered = world.post(&path("deliver"), &deliver).await;
            assert_eq!((delivered.status.as_u16(), &delivered.json()["status"]), (200, &json!("DELIVERED")));
        }
        assert_eq!(world.post(&path("cancel"), &json!({})).await.brief(), (409, "invalid_state".to_owned()));
        assert_eq!(world.told(id).await, ["order.created", "order.confirmed", "order.shipped"]);
    })
    .await;
}

#[tokio::test]
async fn in_choreography_everybody_reacts_to_the_event_and_only_the_commit_is_called() {
    use event_contracts::{inventory, topics};
    on_both_with(choreographed(), async |mut world| {
        world.work();
        let id = world.place().await;
        let order = world.order(id).await;
        assert_eq!(order.saga.status, OrderStatus::Pending);
        assert_eq!(world.paid(&order).await, Ok(Handled::Done));
        let expires_at = order.created_at;
        let reserved = inventory::StockReserved { order_id: id, items: order.stock_items(), expires_at };
        let event = incoming(topics::STOCK_RESERVED, uuid::Uuid::now_v7(), id, reserved);
        world.inventory.reserve_now(&order);
        assert_eq!(world.events.handle(&event).await, Ok(Handled::Done));
        world.rests(id, "CONFIRMED").await;
        assert_eq!(world.payments.stage.calls("process", id), 0);
        assert_eq!(world.inventory.hold(id), Some(Hold::Committed));
    })
    .await;
}

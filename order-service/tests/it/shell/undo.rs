//! Undoing: declined payments, cancels, refunds, restocks.

use order_service::saga::PaymentStatus;
use order_service::worker::PaymentState;
use serde_json::json;
use service_kit::events::Handled;
use uuid::Uuid;

use super::fakes::{Act, Hold};
use super::world::{World, on_both};

async fn cancel(world: &World, id: Uuid) -> u16 {
    let body = json!({"reason": "changed my mind"});
    world.post(&format!("/api/v1/orders/{id}/cancel"), &body).await.status.as_u16()
}

#[tokio::test]
async fn a_declined_payment_gives_the_stock_back() {
    on_both(async |mut world| {
        world.work();
        let id = world.place().await;
        assert_eq!(world.declined(&world.order(id).await).await, Ok(Handled::Done));
        let order = world.rests(id, "PAYMENT_FAILED").await;
        assert_eq!(order.saga.reason.as_deref(), Some("card declined"));
        assert_eq!(world.inventory.hold(id), Some(Hold::Released));
        assert_eq!(world.told(id).await, ["order.created", "order.failed"]);
        let body = world.get(&format!("/api/v1/orders/{id}")).await.json();
        assert_eq!((&body["paymentStatus"], &body["reason"]), (&json!("FAILED"), &json!("card declined")));
    })
    .await;
}

#[tokio::test]
async fn race_02_cancel_before_the_payment_gives_back_stock_and_whatever_money_still_comes() {
    on_both(async |mut world| {
        world.work();
        let id = world.place().await;
        world.until(async || (world.payments.stage.calls("process", id) == 1).then_some(())).await;
        let before = world.order(id).await;
        assert_eq!(cancel(&world, id).await, 200);
        assert_eq!(cancel(&world, id).await, 200);
        world.rests(id, "CANCELLED").await;
        assert_eq!(world.inventory.hold(id), Some(Hold::Released));
        // The provider had it already, and its success comes now.
        world.payments.set(before.payment_id, PaymentState::Succeeded);
        assert_eq!(world.paid(&before).await, Ok(Handled::Done));
        let order = world
            .until(async || {
                let order = world.order(id).await;
                (order.saga.payment == PaymentStatus::Refunded).then_some(order)
            })
            .await;
        assert_eq!(json!(order.saga.status), json!("CANCELLED"));
        assert_eq!(world.payments.state(order.payment_id), PaymentState::Refunded);
    })
    .await;
}

#[tokio::test]
async fn race_02_cancel_after_the_payment_refunds_and_restocks_once() {
    on_both(async |mut world| {
        world.work();
        let id = world.place().await;
        world.paid(&world.order(id).await).await.unwrap();
        world.rests(id, "CONFIRMED").await;
        // Both undoings lose an answer first.
        world.inventory.stage.next("restock", [Act::DoAndFail]);
        world.payments.stage.next("refund", [Act::DoAndFail, Act::Fail]);
        assert_eq!(cancel(&world, id).await, 200);
        let order = world.rests(id, "CANCELLED").await;
        assert_eq!(order.saga.payment, PaymentStatus::Refunded);
        assert_eq!(world.inventory.hold(id), Some(Hold::Restocked));
        assert_eq!(world.inventory.stage.calls("restock", id), 2);
        assert_eq!(world.payments.stage.calls("refund", id), 3);
        assert_eq!(world.told(id).await, ["order.created", "order.confirmed", "order.cancelled"]);
    })
    .await;
}

#[tokio::test]
async fn race_01_a_payment_that_comes_when_the_stock_is_gone_is_given_back() {
    on_both(async |mut world| {
        world.work();
        let id = world.place().await;
        world.inventory.lose(id);
        world.paid(&world.order(id).await).await.unwrap();
        let order = world.rests(id, "CANCELLED").await;
        assert_eq!(order.saga.payment, PaymentStatus::Refunded);
        assert!(world.inventory.stage.calls("commit", id) == 1);
    })
    .await;
}

#[tokio::test]
async fn race_17_an_undoing_that_keeps_failing_is_stuck_tells_and_is_still_tried() {
    on_both(async |mut world| {
        world.work();
        let id = world.place().await;
        world.inventory.stage.always("release", Act::Fail);
        world.declined(&world.order(id).await).await.unwrap();
        world.until(async || world.order(id).await.saga.is_stuck.then_some(())).await;
        let alarms = world.timeline(id).await;
        assert!(alarms.iter().any(|entry| entry.name == "ALARM"), "an alarm stands in the history");
        let metrics = world.get("/metrics").await;
        let text = std::str::from_utf8(&metrics.body).unwrap();
        let alarms = text.lines().find(|line| line.starts_with("saga_alarms_total")).unwrap();
        assert!(!alarms.ends_with(" 0"), "{alarms}");
        let tries = world.inventory.stage.calls("release", id);
        world.until(async || (world.inventory.stage.calls("release", id) > tries).then_some(())).await;
        world.inventory.stage.always("release", Act::Well);
        let order = world.rests(id, "PAYMENT_FAILED").await;
        assert!(!order.saga.is_stuck);
        assert_eq!(world.inventory.hold(id), Some(Hold::Released));
    })
    .await;
}

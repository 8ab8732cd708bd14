//! Payment on `order.created`.

use serde_json::{Value, json};
use service_kit::events::{HandleError, Handled, Handler, Incoming};
use uuid::Uuid;

use crate::support::{Stub, both, id, kinds};

const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

fn created(order: Uuid, payment: Uuid, method: &str) -> Incoming {
    let event = id();
    let envelope = json!({
        "eventId": event, "eventType": "order.created", "version": 1, "timestamp": "2026-11-22T10:00:00.123456Z",
        "payload": {
            "orderId": order, "userId": "u-1", "items": [{"productId": 7, "quantity": 2, "unitPrice": "4.00"}],
            "totalAmount": "8.00", "paymentId": payment, "paymentMethod": method,
        },
        "metadata": {"sourceService": "order-service", "correlationId": order, "traceparent": TRACE},
        "aggregateId": order, "aggregateVersion": 1,
    });
    Incoming {
        id: event,
        event_type: "order.created".to_owned(),
        version: 1,
        key: order.to_string(),
        aggregate_version: 1,
        traceparent: Some(TRACE.to_owned()),
        payload: serde_json::to_vec(&envelope).unwrap(),
    }
}

#[tokio::test]
async fn an_order_that_is_created_is_paid_once_and_the_event_says_what_led_to_it() {
    for books in both().await {
        let stub = Stub::start(&books).await;
        let (order, payment) = (id(), id());
        let event = created(order, payment, "approve");
        assert_eq!(stub.handler.handle(&event).await, Ok(Handled::Done));
        assert_eq!(stub.handler.handle(&event).await, Ok(Handled::Duplicate));
        // The same order in another event: the payment's id is the guard.
        assert_eq!(stub.handler.handle(&created(order, payment, "approve")).await, Ok(Handled::Done));
        stub.until(payment, "SUCCESSFUL").await;
        assert_eq!(stub.find(payment).await.body["amount"], "8.00");
        stub.until_all_due_is_settled().await;
        let events = stub.events(order).await;
        assert_eq!(kinds(&events), ["payment.successful"]);
        assert_eq!(events[0].envelope["metadata"]["causationId"], Value::from(event.id.to_string()));
        assert_eq!(events[0].headers["traceparent"], TRACE);
        stub.stop().await;
    }
}

#[tokio::test]
async fn two_deliveries_of_one_event_at_once_are_one() {
    for books in both().await {
        let stub = Stub::start(&books).await;
        let event = created(id(), id(), "approve");
        let mut handled = futures::future::join_all((0..8).map(|_| stub.handler.handle(&event))).await;
        handled.sort_by_key(|handled| *handled != Ok(Handled::Done));
        assert_eq!(handled[0], Ok(Handled::Done));
        assert!(handled[1..].iter().all(|handled| *handled == Ok(Handled::Duplicate)), "{handled:?}");
        stub.stop().await;
    }
}

#[tokio::test]
async fn a_method_that_the_provider_does_not_know_fails_the_payment_and_not_the_consumer() {
    for books in both().await {
        let stub = Stub::start(&books).await;
        let (order, payment) = (id(), id());
        assert_eq!(stub.handler.handle(&created(order, payment, "visa")).await, Ok(Handled::Done));
        stub.until(payment, "FAILED").await;
        let events = stub.events(order).await;
        assert_eq!(kinds(&events), ["payment.failed"]);
        let reason = events[0].envelope["payload"]["reason"].as_str().unwrap();
        assert!(reason.contains("visa") && reason.contains("approve"), "{reason}");
        stub.stop().await;
    }
}

#[tokio::test]
async fn what_can_never_be_handled_is_told_as_permanent_and_leaves_nothing() {
    for books in both().await {
        let stub = Stub::start(&books).await;
        let (order, payment) = (id(), id());
        stub.handler.handle(&created(order, payment, "approve")).await.unwrap();
        let conflict = created(id(), payment, "approve");
        let newer = Incoming { version: 2, ..created(id(), id(), "approve") };
        let broken = Incoming { payload: b"{".to_vec(), ..created(id(), id(), "approve") };
        for event in [conflict, newer, broken] {
            let refused = stub.handler.handle(&event).await;
            assert!(matches!(refused, Err(HandleError::Permanent(_))), "{refused:?}");
            // Nothing was noted: a redrive is looked at anew.
            assert_eq!(stub.handler.handle(&event).await, refused);
        }
        let other = Incoming { event_type: "order.shipped".to_owned(), ..created(id(), id(), "approve") };
        assert_eq!(stub.handler.handle(&other).await, Ok(Handled::Ignored));
        stub.stop().await;
    }
}

#[tokio::test]
async fn a_database_that_is_away_is_a_transient_failure() {
    for books in both().await {
        let stub = Stub::start(&books).await;
        stub.database.close().await;
        let refused = stub.handler.handle(&created(id(), id(), "approve")).await;
        assert!(matches!(refused, Err(HandleError::Transient(_))), "{refused:?}");
        stub.stop().await;
    }
}

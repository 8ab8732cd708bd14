//! How payments behave, by their method.

use payment_stub::flaky::{Fate, Operation, fate};
use payment_stub::{ServiceOptions, Stopped};
use serde_json::json;
use uuid::Uuid;

use crate::support::{Stub, both, eventually, id, kinds, make_due, options, payment};

#[tokio::test]
async fn an_approved_payment_is_accepted_and_then_told_as_successful_exactly_so() {
    for books in both().await {
        let stub = Stub::start(&books).await;
        let (payment_id, order) = (id(), id());
        let answer = stub.process(&payment(payment_id, order, "approve")).await;
        assert_eq!(answer.brief(), (202, "ACCEPTED"));
        assert_eq!(answer.headers["location"], format!("/api/v1/payments/{payment_id}"));
        stub.until(payment_id, "SUCCESSFUL").await;

        let known = stub.find(payment_id).await.body;
        let expected = json!({
            "paymentId": payment_id, "orderId": order, "amount": "12.30", "method": "approve", "status": "SUCCESSFUL",
            "createdAt": answer.body["createdAt"], "updatedAt": known["updatedAt"],
        });
        assert_eq!(known, expected);

        let events = stub.events(order).await;
        assert_eq!(kinds(&events), ["payment.successful"]);
        let event = &events[0];
        assert_eq!(event.aggregate, ("order".to_owned(), order.to_string(), 0));
        let event_id = Uuid::parse_str(&event.id).unwrap();
        let request_id = answer.headers["x-request-id"].to_str().unwrap();
        let at = &event.envelope["timestamp"];
        assert_eq!(
            event.envelope,
            json!({
                "eventId": event_id, "eventType": "payment.successful", "version": 1, "timestamp": at,
                "payload": {"paymentId": payment_id, "orderId": order, "amount": "12.30"},
                "metadata": {
                    "sourceService": "payment-stub", "correlationId": order.to_string(), "causationId": request_id,
                },
                "aggregateId": order.to_string(), "aggregateVersion": 0,
            })
        );
        assert_eq!(event.headers["eventId"], event_id.to_string());
        assert_eq!(event.headers["ce_source"], "/payment-stub");
        assert_eq!(stub.stop().await, Stopped::Cleanly);
    }
}

#[tokio::test]
async fn a_declined_payment_is_told_as_failed_with_the_providers_reason() {
    for books in both().await {
        let stub = Stub::start(&books).await;
        let (payment_id, order) = (id(), id());
        assert_eq!(stub.process(&payment(payment_id, order, "decline")).await.brief(), (202, "ACCEPTED"));
        stub.until(payment_id, "FAILED").await;
        assert_eq!(stub.find(payment_id).await.body["reason"], "declined");
        let events = stub.events(order).await;
        assert_eq!(kinds(&events), ["payment.failed"]);
        let told =
            json!({"paymentId": payment_id, "orderId": order, "amount": "12.30", "reason": "declined"});
        assert_eq!(events[0].envelope["payload"], told);
        stub.stop().await;
    }
}

#[tokio::test]
async fn the_outcome_of_a_slow_payment_overtakes_its_answer() {
    for books in both().await {
        let stub = Stub::start(&books).await;
        let (payment_id, order) = (id(), id());
        let call = stub.posting("/api/v1/payments/process", &payment(payment_id, order, "slow:60000"));
        stub.until(payment_id, "SUCCESSFUL").await;
        assert_eq!(kinds(&stub.events(order).await), ["payment.successful"]);
        assert!(!call.is_finished());
        // A stop does not wait for it.
        assert_eq!(stub.stop().await, Stopped::Cleanly);
        assert_eq!(call.await.unwrap().status, 202);
    }
}

#[tokio::test]
async fn a_slow_payment_whose_caller_hangs_up_is_accepted_all_the_same() {
    for books in both().await {
        let stub = Stub::start(&books).await;
        let payment_id = id();
        let call = stub.posting("/api/v1/payments/process", &payment(payment_id, id(), "slow:60000"));
        eventually("accepted", async || stub.find(payment_id).await.status == 200).await;
        call.abort();
        stub.until(payment_id, "SUCCESSFUL").await;
        stub.stop().await;
    }
}

#[tokio::test]
async fn nothing_is_ever_heard_of_a_silent_payment_but_it_can_be_asked_for() {
    for books in both().await {
        let stub = Stub::start(&books).await;
        let (payment_id, order) = (id(), id());
        assert_eq!(stub.process(&payment(payment_id, order, "silent")).await.brief(), (202, "ACCEPTED"));
        stub.until_all_due_is_settled().await;
        assert_eq!(stub.find(payment_id).await.brief(), (200, "ACCEPTED"));
        assert!(stub.events(order).await.is_empty());
        stub.stop().await;
    }
}

#[tokio::test]
async fn a_duplicate_payment_is_told_twice_with_different_event_ids() {
    for books in both().await {
        let stub = Stub::start(&books).await;
        let (payment_id, order) = (id(), id());
        stub.process(&payment(payment_id, order, "duplicate")).await;
        stub.until(payment_id, "SUCCESSFUL").await;
        let events = stub.events(order).await;
        assert_eq!(kinds(&events), ["payment.successful", "payment.successful"]);
        assert_ne!(events[0].id, events[1].id);
        assert_eq!(events[0].envelope["payload"], events[1].envelope["payload"]);
        stub.stop().await;
    }
}

#[tokio::test]
async fn a_late_payment_is_settled_when_it_is_due_by_the_databases_clock_and_not_before() {
    for books in both().await {
        let stub = Stub::start(&books).await;
        let (payment_id, order, soon) = (id(), id(), id());
        let late = payment(payment_id, order, "late:86400000");
        assert_eq!(stub.process(&late).await.brief(), (202, "ACCEPTED"));
        stub.process(&payment(soon, id(), "late:1")).await;
        stub.until(soon, "SUCCESSFUL").await;
        stub.until_all_due_is_settled().await;
        assert_eq!(stub.find(payment_id).await.brief(), (200, "ACCEPTED"));
        assert!(stub.events(order).await.is_empty());
        make_due(&stub).await;
        stub.until(payment_id, "SUCCESSFUL").await;
        assert_eq!(kinds(&stub.events(order).await), ["payment.successful"]);
        stub.stop().await;
    }
}

/// An id whose first try has this fate.
fn with_fate(percent: u8, wanted: Fate, operation: Operation) -> Uuid {
    (1_u128..)
        .map(|n| Uuid::from_u128(n << 64))
        .find(|id| fate(percent, *id, operation, 1) == wanted)
        .unwrap()
}

#[tokio::test]
async fn a_flaky_payment_fails_before_or_after_it_was_accepted_or_hangs_as_its_fate_says() {
    for books in both().await {
        let stub = Stub::start(&books).await;
        let process = |fate| payment(with_fate(50, fate, Operation::Process), id(), "flaky:50");
        let before = process(Fate::FailsBefore);
        assert_eq!(stub.process(&before).await.brief(), (503, "provider_failed"));
        let before_id: Uuid = before["paymentId"].as_str().unwrap().parse().unwrap();
        assert_eq!(stub.find(before_id).await.brief(), (404, "payment_not_found"));

        let after = process(Fate::FailsAfter);
        assert_eq!(stub.process(&after).await.brief(), (503, "provider_failed"));
        stub.until(after["paymentId"].as_str().unwrap().parse().unwrap(), "SUCCESSFUL").await;

        let hanging = process(Fate::Hangs);
        let call = stub.posting("/api/v1/payments/process", &hanging);
        stub.until(hanging["paymentId"].as_str().unwrap().parse().unwrap(), "SUCCESSFUL").await;
        assert!(!call.is_finished());

        let answered = process(Fate::Answered);
        assert_eq!(stub.process(&answered).await.brief(), (202, "ACCEPTED"));

        // Trying again is enough in the end, and pays once.
        eventually("answered", async || stub.process(&before).await.status == 202).await;
        stub.until(before_id, "SUCCESSFUL").await;
        let order: Uuid = before["orderId"].as_str().unwrap().parse().unwrap();
        assert_eq!(kinds(&stub.events(order).await), ["payment.successful"]);
        stub.stop().await;
        assert_eq!(call.await.unwrap().status, 503);
    }
}

#[tokio::test]
async fn a_call_that_hangs_fails_after_all() {
    let [_, books] = both().await;
    let stub =
        Stub::start_with(&books, ServiceOptions { hang: std::time::Duration::ZERO, ..options() }).await;
    let hanging = payment(with_fate(100, Fate::Hangs, Operation::Process), id(), "flaky:100");
    assert_eq!(stub.process(&hanging).await.brief(), (503, "provider_failed"));
    stub.stop().await;
}

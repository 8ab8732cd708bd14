//! What is refused at the door.

use serde_json::{Value, json};

use crate::support::{Stub, both, id, payment};

fn fields(body: &Value) -> Vec<&str> {
    body["errors"].as_array().unwrap().iter().map(|error| error["field"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_method_that_is_not_known_is_refused_with_the_list() {
    let [_, books] = both().await;
    let stub = Stub::start(&books).await;
    for method in ["visa", "slow", "flaky:101", "approve/decline"] {
        let answer = stub.process(&payment(id(), id(), method)).await;
        assert_eq!(answer.brief(), (422, "invalid_request"));
        assert_eq!(fields(&answer.body), ["method"]);
        let message = answer.body["errors"][0]["message"].as_str().unwrap();
        for name in ["approve", "decline", "slow:", "silent", "duplicate", "late:", "flaky:"] {
            assert!(message.contains(name), "{message}");
        }
    }
    stub.stop().await;
}

#[tokio::test]
async fn everything_wrong_with_a_body_is_told_at_once() {
    let [_, books] = both().await;
    let stub = Stub::start(&books).await;
    let good = payment(id(), id(), "approve");
    for (field, wrong) in [
        ("paymentId", json!("x")),
        ("orderId", json!(1)),
        ("amount", json!(12.3)),
        ("amount", json!("12.345")),
        ("amount", json!("-1.00")),
        ("amount", json!("1".repeat(33))),
        ("method", json!("")),
        ("method", Value::Null),
        ("colour", json!("red")),
    ] {
        let mut body = good.clone();
        body[field] = wrong;
        let answer = stub.process(&body).await;
        assert_eq!((answer.brief(), fields(&answer.body)), ((422, "invalid_request"), vec![field]));
    }
    let answer = stub.process(&json!({})).await;
    assert_eq!(fields(&answer.body), ["paymentId", "orderId", "amount", "method"]);
    assert_eq!(stub.process(&json!([])).await.brief(), (422, "invalid_request"));
    stub.stop().await;
}

#[tokio::test]
async fn addresses_and_refund_bodies_are_checked_too() {
    let [_, books] = both().await;
    let stub = Stub::start(&books).await;
    assert_eq!(fields(&stub.get("/api/v1/payments/7").await.body), ["paymentId"]);
    assert_eq!(stub.get("/api/v1/nothing").await.brief(), (404, "not_found"));
    let refund = format!("/api/v1/payments/{}/refund", id());
    for (body, named) in [(json!({"amount": "1.00"}), "amount"), (json!({"reason": ""}), "reason")] {
        let answer = stub.post(&refund, &body).await;
        assert_eq!((answer.brief(), fields(&answer.body)), ((422, "invalid_request"), vec![named]));
    }
    assert_eq!(stub.post(&refund, &json!({})).await.brief(), (404, "payment_not_found"));
    assert_eq!(stub.get(&refund).await.status, 405);
    stub.stop().await;
}

#[tokio::test]
async fn the_smallest_and_the_largest_amount_are_taken_and_come_back_as_they_were() {
    for books in both().await {
        let stub = Stub::start(&books).await;
        for amount in ["0.00", "0.01", "99999999.99"] {
            let (payment_id, order) = (id(), id());
            let mut body = payment(payment_id, order, "approve");
            body["amount"] = amount.into();
            assert_eq!(stub.process(&body).await.status, 202);
            stub.until(payment_id, "SUCCESSFUL").await;
            assert_eq!(stub.find(payment_id).await.body["amount"], amount);
            assert_eq!(stub.events(order).await[0].envelope["payload"]["amount"], amount);
        }
        stub.stop().await;
    }
}

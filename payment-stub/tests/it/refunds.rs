//! Giving money back.

use futures::future::join_all;
use serde_json::json;
use uuid::Uuid;

use crate::support::{Stub, both, id, kinds, make_due, payment};

async fn paid(stub: &Stub, method: &str) -> (Uuid, Uuid) {
    let (payment_id, order) = (id(), id());
    assert_eq!(stub.process(&payment(payment_id, order, method)).await.status, 202);
    stub.until(payment_id, "SUCCESSFUL").await;
    (payment_id, order)
}

#[tokio::test]
async fn a_successful_payment_is_given_back_once_however_often_it_is_asked_for() {
    for books in both().await {
        let stub = Stub::start(&books).await;
        let (payment_id, order) = paid(&stub, "approve").await;
        let answers = join_all((0..10).map(|_| stub.refund(payment_id))).await;
        assert!(answers.iter().all(|answer| answer.status == 202), "{answers:?}");
        stub.until(payment_id, "REFUNDED").await;
        assert_eq!(stub.refund(payment_id).await.brief(), (202, "REFUNDED"));
        stub.until_all_due_is_settled().await;
        let events = stub.events(order).await;
        assert_eq!(kinds(&events), ["payment.successful", "payment.refunded"]);
        let told = json!({"paymentId": payment_id, "orderId": order, "amount": "12.30"});
        assert_eq!(events[1].envelope["payload"], told);
        // Asking for the money again does not take it again.
        let again = stub.process(&payment(payment_id, order, "approve")).await;
        assert_eq!(again.brief(), (202, "REFUNDED"));
        stub.stop().await;
    }
}

#[tokio::test]
async fn what_was_not_paid_is_not_given_back_and_the_answer_says_why() {
    for books in both().await {
        let stub = Stub::start(&books).await;
        assert_eq!(stub.refund(id()).await.brief(), (404, "payment_not_found"));
        let (silent, declined) = (id(), id());
        stub.process(&payment(silent, id(), "silent")).await;
        assert_eq!(stub.refund(silent).await.brief(), (409, "payment_not_settled"));
        stub.process(&payment(declined, id(), "decline")).await;
        stub.until(declined, "FAILED").await;
        assert_eq!(stub.refund(declined).await.brief(), (409, "payment_failed"));
        assert_eq!(stub.find(declined).await.brief(), (200, "FAILED"));
        stub.stop().await;
    }
}

#[tokio::test]
async fn refunds_misbehave_as_the_second_half_of_the_method_says() {
    for books in both().await {
        let stub = Stub::start(&books).await;
        for (method, told) in
            [("duplicate", 2), ("approve/duplicate", 2), ("approve/silent", 0), ("approve/late:1", 1)]
        {
            let (payment_id, order) = paid(&stub, method).await;
            let before = stub.events(order).await.len();
            assert_eq!(stub.refund(payment_id).await.status, 202);
            stub.until(payment_id, "REFUNDED").await;
            let events = stub.events(order).await;
            assert_eq!(kinds(&events[before..]), vec!["payment.refunded"; told], "{method}");
        }

        let (late, order) = paid(&stub, "approve/late:86400000").await;
        assert_eq!(stub.refund(late).await.brief(), (202, "REFUNDING"));
        stub.until_all_due_is_settled().await;
        assert_eq!(stub.find(late).await.brief(), (200, "REFUNDING"));
        make_due(&stub).await;
        stub.until(late, "REFUNDED").await;
        assert_eq!(kinds(&stub.events(order).await), ["payment.successful", "payment.refunded"]);

        let (slow, _) = paid(&stub, "approve/slow:60000").await;
        let call = stub.posting(&format!("/api/v1/payments/{slow}/refund"), &json!({"reason": "cancelled"}));
        stub.until(slow, "REFUNDED").await;
        assert!(!call.is_finished());
        stub.stop().await;
        assert_eq!(call.await.unwrap().status, 202);
    }
}

#[tokio::test]
async fn a_flaky_refund_is_done_in_the_end_and_once() {
    for books in both().await {
        let stub = Stub::start(&books).await;
        let mut failed = 0;
        for _ in 0..8 {
            let (payment_id, order) = paid(&stub, "approve/flaky:60").await;
            loop {
                // The caller's patience with one that hangs.
                let short = std::time::Duration::from_millis(300);
                match tokio::time::timeout(short, stub.refund(payment_id)).await {
                    Ok(answer) if answer.status == 202 => break,
                    Ok(_) | Err(_) => failed += 1,
                }
            }
            stub.until(payment_id, "REFUNDED").await;
            stub.until_all_due_is_settled().await;
            assert_eq!(kinds(&stub.events(order).await), ["payment.successful", "payment.refunded"]);
        }
        assert!(failed > 0, "none of eight failed at all");
        stub.stop().await;
    }
}

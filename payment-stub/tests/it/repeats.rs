//! A payment id is charged once.

use futures::future::join_all;

use crate::support::{Stub, both, id, kinds, payment};

#[tokio::test]
async fn the_same_payment_asked_for_many_times_at_once_is_charged_once() {
    for books in both().await {
        let stub = Stub::start(&books).await;
        let (payment_id, order) = (id(), id());
        let body = payment(payment_id, order, "approve");
        let answers = join_all((0..20).map(|_| stub.process(&body))).await;
        assert!(answers.iter().all(|answer| answer.status == 202), "{answers:?}");
        stub.until(payment_id, "SUCCESSFUL").await;
        assert_eq!(stub.process(&body).await.brief(), (202, "SUCCESSFUL"));
        stub.until_all_due_is_settled().await;
        assert_eq!(kinds(&stub.events(order).await), ["payment.successful"]);
        stub.stop().await;
    }
}

#[tokio::test]
async fn the_same_id_with_another_body_is_refused_and_the_difference_named() {
    for books in both().await {
        let stub = Stub::start(&books).await;
        let body = payment(id(), id(), "approve");
        stub.process(&body).await;
        for (field, value) in
            [("orderId", id().to_string()), ("amount", "12.31".to_owned()), ("method", "decline".to_owned())]
        {
            let mut other = body.clone();
            other[field] = value.clone().into();
            let answer = stub.process(&other).await;
            assert_eq!(answer.brief(), (422, "payment_conflict"));
            let detail = answer.body["detail"].as_str().unwrap();
            assert!(detail.contains(field) && detail.contains(&value), "{detail}");
        }
        // The same amount, written otherwise, is the same.
        let mut same = body.clone();
        same["amount"] = "12.3".into();
        assert_eq!(stub.process(&same).await.status, 202);
        stub.stop().await;
    }
}

#[tokio::test]
async fn two_instances_over_the_same_books_settle_each_payment_once() {
    let [books, _] = both().await;
    let (one, other) = (Stub::start(&books).await, Stub::start(&books).await);
    let payments: Vec<_> = (0..150).map(|_| (id(), id())).collect();
    let calls = payments.iter().enumerate().map(|(index, (payment_id, order))| {
        let stub = if index % 2 == 0 { &one } else { &other };
        async move { stub.process(&payment(*payment_id, *order, "approve")).await.status }
    });
    assert!(join_all(calls).await.iter().all(|status| *status == 202));
    for (payment_id, order) in &payments {
        one.until(*payment_id, "SUCCESSFUL").await;
        assert_eq!(kinds(&one.events(*order).await), ["payment.successful"]);
    }
    one.stop().await;
    other.stop().await;
}

//! The service as a whole.

use payment_stub::{Service, Stopped};
use service_kit::Metrics;

use crate::support::{PATIENCE, Stub, both, id, options, payment};

#[tokio::test]
async fn it_is_ready_while_its_database_answers_and_live_in_any_case() {
    for books in both().await {
        let stub = Stub::start(&books).await;
        assert_eq!(stub.get("/health/live").await.brief(), (200, "live"));
        assert_eq!(stub.get("/health/ready").await.brief(), (200, "ready"));
        let answer = stub.process(&payment(id(), id(), "approve")).await;
        assert_eq!(answer.status, 202);
        let metrics = stub.get("/metrics").await.body;
        assert!(metrics.as_str().unwrap().contains("payment_accepted_calls_total{service=\"payments\"} 1"));
        stub.database.close().await;
        assert_eq!(stub.get("/health/ready").await.brief(), (503, "not_ready"));
        assert_eq!(stub.get("/health/live").await.brief(), (200, "live"));
        let refused = stub.process(&payment(id(), id(), "approve")).await;
        assert_eq!(refused.brief(), (503, "unavailable"));
        assert_eq!(refused.headers["retry-after"], "1");
        assert_eq!(stub.stop().await, Stopped::Cleanly);
    }
}

#[tokio::test]
async fn whoever_waits_for_the_outbox_is_told_when_something_was_written() {
    for books in both().await {
        let stub = Stub::start(&books).await;
        stub.process(&payment(id(), id(), "approve")).await;
        tokio::time::timeout(PATIENCE, stub.outbox_written.notified()).await.unwrap();
        stub.stop().await;
    }
}

#[tokio::test]
async fn a_taken_address_is_told_before_anything_starts() {
    let [_, books] = both().await;
    let database = payment_stub::open(&books.url).await.unwrap();
    let first = Service::bind(database.clone(), options(), Metrics::new("payments")).await.unwrap();
    let taken = payment_stub::ServiceOptions { addr: first.local_addr().unwrap(), ..options() };
    assert!(Service::bind(database, taken, Metrics::new("payments")).await.is_err());
}

#[tokio::test]
async fn opening_the_books_twice_changes_nothing() {
    for books in both().await {
        let stub = Stub::start(&books).await;
        let payment_id = id();
        stub.process(&payment(payment_id, id(), "silent")).await;
        stub.stop().await;
        let again = Stub::start(&books).await;
        assert_eq!(again.find(payment_id).await.brief(), (200, "ACCEPTED"));
        again.stop().await;
    }
}

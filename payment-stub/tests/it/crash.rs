//! "Accepted" survives whatever happens after it was said.

use payment_stub::{App, AppOptions};
use service_kit::{Edge, HttpOptions, Metrics, Server};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::support::{Stub, both, events, eventually, id, kinds, payment};

#[tokio::test]
async fn a_payment_accepted_right_before_a_crash_is_settled_by_the_next_process() {
    for books in both().await {
        // The router without a worker: accepted, and then nothing more.
        let database = payment_stub::open(&books.url).await.unwrap();
        let metrics = Metrics::new("payments");
        let app =
            App::new(database.clone(), AppOptions::default(), metrics.clone(), CancellationToken::new());
        let server = Server::bind(([127, 0, 0, 1], 0).into(), HttpOptions::default()).await.unwrap();
        let base_url = format!("http://{}", server.local_addr().unwrap());
        let edge = Edge::new(payment_stub::router(app), &metrics);
        let serving = TaskTracker::new().spawn(server.run(edge, CancellationToken::new()));
        let (payment_id, order) = (id(), id());
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let call = http.post(format!("{base_url}/api/v1/payments/process"));
        let answer = call.json(&payment(payment_id, order, "approve")).send().await.unwrap();
        assert_eq!(answer.status(), 202);
        assert!(events(&database, order).await.is_empty());
        serving.abort();
        database.close().await;

        let next = Stub::start(&books).await;
        next.until(payment_id, "SUCCESSFUL").await;
        next.until_all_due_is_settled().await;
        assert_eq!(kinds(&next.events(order).await), ["payment.successful"]);
        next.stop().await;
    }
}

#[tokio::test]
async fn a_crash_at_any_moment_of_a_burst_loses_and_doubles_nothing() {
    for books in both().await {
        let stub = Stub::start(&books).await;
        let payments: Vec<_> = (0..40).map(|_| (id(), id())).collect();
        for (payment_id, order) in &payments {
            assert_eq!(stub.process(&payment(*payment_id, *order, "approve")).await.status, 202);
        }
        stub.crash().await;
        let next = Stub::start(&books).await;
        for (payment_id, order) in &payments {
            next.until(*payment_id, "SUCCESSFUL").await;
            assert_eq!(kinds(&next.events(*order).await), ["payment.successful"]);
        }
        next.stop().await;
    }
}

#[tokio::test]
async fn a_payment_whose_event_cannot_be_written_is_not_settled_until_it_can() {
    for books in both().await {
        let stub = Stub::start(&books).await;
        stub.execute("ALTER TABLE outbox RENAME TO elsewhere").await;
        let (payment_id, order) = (id(), id());
        stub.process(&payment(payment_id, order, "approve")).await;
        // The worker says when it has failed.
        let failures = "payment_worker_errors_total{service=\"payments\"} ";
        eventually("the worker has failed", async || {
            let metrics = stub.get("/metrics").await.body;
            metrics.as_str().unwrap().contains(&format!("{failures}1"))
        })
        .await;
        assert_eq!(stub.find(payment_id).await.brief(), (200, "ACCEPTED"));
        stub.execute("ALTER TABLE elsewhere RENAME TO outbox").await;
        stub.until(payment_id, "SUCCESSFUL").await;
        assert_eq!(kinds(&stub.events(order).await), ["payment.successful"]);
        stub.stop().await;
    }
}

#[tokio::test]
async fn a_payment_that_cannot_be_read_does_not_hold_up_the_rest() {
    for books in both().await {
        let stub = Stub::start(&books).await;
        let broken = id();
        stub.process(&payment(broken, id(), "late:86400000")).await;
        stub.execute("UPDATE payments SET amount = 'NaN'").await;
        crate::support::make_due(&stub).await;
        let fine = id();
        stub.process(&payment(fine, id(), "approve")).await;
        stub.until(fine, "SUCCESSFUL").await;
        assert_eq!(stub.find(broken).await.brief(), (500, "internal_error"));
        stub.stop().await;
    }
}

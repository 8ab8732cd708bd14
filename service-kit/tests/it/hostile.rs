//! Slow, greedy and silent clients (I15).

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use futures::stream;
use service_kit::http::{BodyLimits, Chunks, body};
use service_kit::{Drained, HttpOptions, RateLimit};

use crate::support::{PATIENCE, Running};

const SHORT: Duration = Duration::from_millis(100);

/// `POST /size` answers how long the body was; `POST /stream` the same, streamed.
fn sizes(limits: BodyLimits) -> Router {
    Router::new()
        .route(
            "/size",
            post(async move |request: Request| -> Response {
                let (head, body) = request.into_parts();
                match body::read(&head.headers, body, &limits).await {
                    Ok(bytes) => bytes.len().to_string().into_response(),
                    Err(problem) => problem.into_response(),
                }
            }),
        )
        .route(
            "/stream",
            post(async move |request: Request| -> Response {
                let mut chunks = Chunks::new(request.into_body(), &limits);
                let mut size = 0;
                loop {
                    match chunks.next().await {
                        Ok(Some(chunk)) => size += chunk.len(),
                        Ok(None) => return size.to_string().into_response(),
                        Err(problem) => return problem.into_response(),
                    }
                }
            }),
        )
}

#[tokio::test]
async fn i15_a_client_that_never_finishes_its_head_is_cut_off() {
    let options = HttpOptions { header_read_deadline: SHORT, ..HttpOptions::default() };
    let server = Running::start(sizes(BodyLimits::default()), options).await;
    let mut client = server.client().await;
    client.send("POST /size HTTP/1.1\r\nhost: x\r\nx-slow: ").await;
    assert!(client.until_hung_up().await.is_empty(), "no answer is owed to half a head");
}

#[tokio::test]
async fn i15_a_body_that_does_not_arrive_is_answered_408_and_the_connection_ends() {
    let limits = BodyLimits { read_deadline: SHORT, ..BodyLimits::default() };
    let server = Running::start(sizes(limits), HttpOptions::default()).await;
    for path in ["/size", "/stream"] {
        let mut client = server.client().await;
        client.send(&format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nhalf")).await;
        let answer = client.answer().await;
        assert_eq!((answer.status, answer.json()["code"].as_str()), (408, Some("body_timeout")), "{path}");
        assert!(client.until_hung_up().await.is_empty());
    }
}

#[tokio::test]
async fn i15_a_streamed_body_may_not_trickle_for_ever() {
    // Pauses may be long; the whole may not.
    let limits = BodyLimits { stream_deadline: SHORT, read_deadline: 10 * PATIENCE, ..BodyLimits::default() };
    let server = Running::start(sizes(limits), HttpOptions::default()).await;
    let mut client = server.client().await;
    client.send("POST /stream HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nhalf").await;
    assert_eq!(client.answer().await.status, 408);
}

#[tokio::test]
async fn i15_a_body_beyond_the_limit_is_answered_413_and_one_at_the_limit_is_read() {
    let limits = BodyLimits { bytes_max: 1_000, ..BodyLimits::default() };
    let server = Running::start(sizes(limits), HttpOptions::default()).await;
    let mut client = server.client().await;
    let answer = client.post("/size", "text/plain", &"x".repeat(1_000)).await;
    assert_eq!((answer.status, answer.body), (200, b"1000".to_vec()));
    for size in [1_001, 400_000] {
        let answer = client.post("/size", "text/plain", &"x".repeat(size)).await;
        assert_eq!((answer.status, answer.json()["code"].as_str()), (413, Some("body_too_large")));
    }
    // The body was read to its end, so the connection still serves.
    assert_eq!(client.post("/size", "text/plain", "x").await.body, b"1");
}

#[tokio::test]
async fn i15_a_body_without_a_declared_length_is_limited_too() {
    let limits = BodyLimits { bytes_max: 1_000, ..BodyLimits::default() };
    let server = Running::start(sizes(limits), HttpOptions::default()).await;
    let mut client = server.client().await;
    client.send("POST /size HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n").await;
    for _ in 0..3 {
        client.send(&format!("190\r\n{}\r\n", "x".repeat(400))).await;
    }
    client.send("0\r\n\r\n").await;
    assert_eq!(client.answer().await.status, 413);
}

#[tokio::test]
async fn i15_a_huge_declared_body_is_refused_although_nothing_of_it_arrives() {
    let server = Running::start(sizes(BodyLimits::default()), HttpOptions::default()).await;
    for expect in ["", "expect: 100-continue\r\n"] {
        let mut client = server.client().await;
        client
            .send(&format!("POST /size HTTP/1.1\r\nhost: x\r\n{expect}content-length: 1000000000000\r\n\r\n"))
            .await;
        assert_eq!(client.answer().await.status, 413);
    }
}

#[tokio::test]
async fn i15_who_asks_too_often_is_told_when_to_come_back_on_every_connection() {
    let router = Router::new().fallback(async || "well");
    let limit = RateLimit { per_second: 2.try_into().unwrap(), exempt: Vec::new() };
    let options = HttpOptions { rate_limit: Some(limit), ..HttpOptions::default() };
    let server = Running::start(router.clone(), options).await;
    // However slow this machine is: a hundred requests take less than fifty seconds.
    let mut refused = 0;
    for _ in 0..10 {
        let mut client = server.client().await;
        for _ in 0..10 {
            let answer = client.get("/a").await;
            if answer.status == 200 {
                continue;
            }
            refused += 1;
            assert_eq!((answer.status, answer.json()["code"].as_str()), (429, Some("rate_limited")));
            assert!(answer.head.contains("retry-after: 1") && answer.head.contains("x-request-id: "));
        }
    }
    assert!(refused > 0);
    // Who looks after the service is not kept out.
    let mut watcher = server.client().await;
    for path in ["/health/live", "/health/ready", "/metrics"] {
        for _ in 0..10 {
            assert_eq!(watcher.get(path).await.status, 200, "{path}");
        }
    }
    let counted = format!("route=\"refused\",status=\"4xx\"}} {refused}\n");
    assert!(server.metrics.render().contains(&counted), "{counted}");

    // Who is exempt may ask for anything.
    let exempt = vec!["127.0.0.0/8".parse().unwrap()];
    let limit = RateLimit { per_second: 1.try_into().unwrap(), exempt };
    let options = HttpOptions { rate_limit: Some(limit), ..HttpOptions::default() };
    let server = Running::start(router, options).await;
    let mut client = server.client().await;
    for _ in 0..100 {
        assert_eq!(client.get("/a").await.status, 200);
    }
}

#[tokio::test]
async fn i15_connections_beyond_the_cap_wait_until_one_ends() {
    let arrivals = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&arrivals);
    let router = Router::new().fallback(async move |request: Request| {
        seen.lock().unwrap().push(request.uri().path().to_owned());
    });
    let options = HttpOptions { connections_max: 1, ..HttpOptions::default() };
    let server = Running::start(router, options).await;
    let mut first = server.client().await;
    first.get("/a").await;
    let mut second = server.client().await;
    second.send("GET /b HTTP/1.1\r\nhost: x\r\n\r\n").await;
    // Plenty of chances for /b to overtake, were it served.
    for _ in 0..20 {
        first.get("/c").await;
    }
    assert!(!arrivals.lock().unwrap().contains(&"/b".to_owned()));
    drop(first);
    assert_eq!(second.answer().await.status, 200);
    assert_eq!(arrivals.lock().unwrap().last().map(String::as_str), Some("/b"));
}

#[tokio::test]
async fn i15_a_client_that_reads_nothing_loses_its_connection() {
    let (dropped, was_dropped) = tokio::sync::oneshot::channel::<Infallible>();
    let dropped = Arc::new(Mutex::new(Some(dropped)));
    let router = Router::new().route(
        "/endless",
        get(async move || {
            // Lives as long as the answer's body; when it is dropped the channel closes.
            let guard = dropped.lock().unwrap().take();
            let chunk = Bytes::from(vec![b'x'; 65_536]);
            Body::from_stream(stream::repeat_with(move || {
                let _ = &guard;
                Ok::<_, Infallible>(chunk.clone())
            }))
        }),
    );
    let options = HttpOptions { write_stall_deadline: SHORT, ..HttpOptions::default() };
    let server = Running::start(router, options).await;
    let mut client = server.client().await;
    client.send("GET /endless HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(tokio::time::timeout(PATIENCE, was_dropped).await.expect("given up").is_err());
    server.stop.cancel();
    assert_eq!(server.drained().await, Drained::Cleanly);
    drop(client);
}

//! SIGTERM's half of the server: stop accepting, finish what was begun.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use service_kit::{Drained, HttpOptions};
use tokio::net::TcpStream;
use tokio::sync::Notify;

use crate::support::Running;

struct Gate {
    entered: Arc<Notify>,
    open: Arc<Notify>,
    router: Router,
}

/// `GET /wait` says that it was entered and answers when the gate opens.
fn gate() -> Gate {
    let (entered, open) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (enter, wait) = (Arc::clone(&entered), Arc::clone(&open));
    let router = Router::new().route("/", get(async || "here")).route(
        "/wait",
        get(async move || {
            enter.notify_one();
            wait.notified().await;
            "done"
        }),
    );
    Gate { entered, open, router }
}

#[tokio::test]
async fn a_request_in_flight_is_answered_while_new_connections_are_refused() {
    let gate = gate();
    let server = Running::start(gate.router, HttpOptions::default()).await;
    let mut client = server.client().await;
    client.send("GET /wait HTTP/1.1\r\nhost: x\r\n\r\n").await;
    gate.entered.notified().await;
    server.stop.cancel();
    while TcpStream::connect(server.addr).await.is_ok() {
        tokio::task::yield_now().await;
    }
    gate.open.notify_one();
    let answer = client.answer().await;
    assert_eq!((answer.status, answer.body.as_slice()), (200, b"done".as_slice()));
    assert!(client.until_hung_up().await.is_empty(), "the connection ends after its answer");
    assert_eq!(server.drained().await, Drained::Cleanly);
}

#[tokio::test]
async fn an_idle_connection_does_not_hold_up_the_drain() {
    let server = Running::start(gate().router, HttpOptions::default()).await;
    let mut idle = server.client().await;
    idle.get("/").await;
    server.stop.cancel();
    assert_eq!(server.drained().await, Drained::Cleanly);
    assert!(idle.until_hung_up().await.is_empty());
}

#[tokio::test]
async fn a_request_that_does_not_end_is_cut_at_the_deadline() {
    let gate = gate();
    let options = HttpOptions { drain_deadline: Duration::from_millis(100), ..HttpOptions::default() };
    let server = Running::start(gate.router, options).await;
    let mut client = server.client().await;
    client.send("GET /wait HTTP/1.1\r\nhost: x\r\n\r\n").await;
    gate.entered.notified().await;
    server.stop.cancel();
    assert_eq!(server.drained().await, Drained::Cut);
    assert!(client.until_hung_up().await.is_empty());
}

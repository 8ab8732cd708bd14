//! The whole service over a socket.

use inventory_service::{Service, ServiceOptions, Stopped};
use service_kit::Metrics;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::support::engine;

#[tokio::test]
async fn it_serves_until_it_is_told_to_stop_and_then_refuses_connections() {
    let options = ServiceOptions { addr: ([127, 0, 0, 1], 0).into(), ..ServiceOptions::default() };
    let service = Service::bind(engine().await, options, Metrics::new("inventory")).await.unwrap();
    let (addr, stop) = (service.local_addr().unwrap(), CancellationToken::new());
    let running = TaskTracker::new().spawn(service.run(stop.clone()));

    let mut stream = TcpStream::connect(addr).await.unwrap();
    stream.write_all(b"GET /health/live HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");

    stop.cancel();
    assert_eq!(running.await.unwrap(), Stopped::Cleanly);
    assert!(TcpStream::connect(addr).await.is_err());
}

#[tokio::test]
async fn a_taken_address_is_told_before_anything_starts() {
    let options = ServiceOptions { addr: ([127, 0, 0, 1], 0).into(), ..ServiceOptions::default() };
    let first = Service::bind(engine().await, options.clone(), Metrics::new("inventory")).await.unwrap();
    let taken = ServiceOptions { addr: first.local_addr().unwrap(), ..options };
    assert!(Service::bind(engine().await, taken, Metrics::new("inventory")).await.is_err());
}

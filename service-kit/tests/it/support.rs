//! A server on a free port and a client that writes raw bytes.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use serde_json::Value;
use service_kit::{Drained, Edge, HttpOptions, Metrics, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Far beyond any healthy run: turns a hang into a failure.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Running {
    pub(crate) addr: SocketAddr,
    pub(crate) stop: CancellationToken,
    pub(crate) metrics: Metrics,
    served: JoinHandle<Drained>,
}

impl Running {
    pub(crate) async fn start(router: Router, options: HttpOptions) -> Self {
        Self::start_edge(|metrics| Edge::new(router, metrics), options).await
    }

    pub(crate) async fn start_edge(edge: impl FnOnce(&Metrics) -> Edge, options: HttpOptions) -> Self {
        let server = Server::bind(([127, 0, 0, 1], 0).into(), options).await.unwrap();
        let (addr, stop, metrics) =
            (server.local_addr().unwrap(), CancellationToken::new(), Metrics::default());
        let edge = edge(&metrics);
        let served = TaskTracker::new().spawn(server.run(edge, stop.clone()));
        Self { addr, stop, metrics, served }
    }

    pub(crate) async fn client(&self) -> Client {
        Client { stream: TcpStream::connect(self.addr).await.unwrap(), unread: Vec::new() }
    }

    pub(crate) async fn drained(self) -> Drained {
        tokio::time::timeout(PATIENCE, self.served).await.expect("drains").unwrap()
    }
}

pub(crate) struct Client {
    stream: TcpStream,
    unread: Vec<u8>,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

impl Client {
    pub(crate) async fn send(&mut self, bytes: &str) {
        self.stream.write_all(bytes.as_bytes()).await.unwrap();
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.send(&format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n")).await;
        self.answer().await
    }

    pub(crate) async fn post(&mut self, path: &str, content_type: &str, body: &str) -> Answer {
        self.send(&format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        ))
        .await;
        self.answer().await
    }

    /// One answer that carries a `content-length`.
    pub(crate) async fn answer(&mut self) -> Answer {
        let end = loop {
            if let Some(at) = self.unread.windows(4).position(|four| four == b"\r\n\r\n") {
                break at;
            }
            assert!(self.read_more().await > 0, "the server hung up");
        };
        let head = String::from_utf8(self.unread[..end].to_vec()).unwrap();
        let mut answer = Answer { status: head[9..12].parse().unwrap(), head, body: Vec::new() };
        let length: usize = answer.header("content-length").expect("content-length").parse().unwrap();
        while self.unread.len() < end + 4 + length {
            assert!(self.read_more().await > 0, "the server hung up");
        }
        answer.body = self.unread[end + 4..end + 4 + length].to_vec();
        self.unread.drain(..end + 4 + length);
        answer
    }

    /// What arrives until the server hangs up.
    pub(crate) async fn until_hung_up(mut self) -> Vec<u8> {
        while self.read_more().await > 0 {}
        self.unread
    }

    async fn read_more(&mut self) -> usize {
        let mut buffer = [0; 4_096];
        let read = tokio::time::timeout(PATIENCE, self.stream.read(&mut buffer)).await.expect("an answer");
        // A reset counts as hanging up.
        let count = read.unwrap_or(0);
        self.unread.extend_from_slice(&buffer[..count]);
        count
    }
}

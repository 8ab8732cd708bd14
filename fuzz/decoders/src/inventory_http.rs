//! Whole requests to the inventory service, over a ledger in memory: addresses, queries, headers, bodies of every content type, in pieces of any
//! size.

use std::cell::RefCell;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::{Method, Request, header};
use futures::stream;
use http_body_util::BodyExt as _;
use inventory_core::command::SetStock;
use inventory_core::engine::Engine;
use inventory_core::ids::ProductId;
use inventory_core::options::EngineOptions;
use inventory_core::quantity::Units;
use inventory_core::store::memory::MemoryStore;
use inventory_service::{App, AppOptions, InventoryEvents, OrderEvents};
use serde_json::Value;
use service_kit::{Edge, Metrics};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::promises;

/// After so many requests the ledger is thrown away: a fuzzer sends millions.
const REQUESTS_MAX: u32 = 5_000;
/// What one answer may come to for a request of these sizes.
const ANSWER_BYTES_MAX: usize = 4 * 1_024 * 1_024;

/// Reads `bytes` as a request: `METHOD address piece-size`, then headers as `name: value`, then an empty line and the body.
pub fn run(bytes: &[u8]) {
    let Some(request) = request_of(bytes) else { return };
    let is_head = request.method() == Method::HEAD;
    with_service(|service| {
        let (head, body) = service.block_on(async {
            let (head, body) = service.edge.answer(request).await.into_parts();
            (head, body.collect().await.expect("an answer's body").to_bytes())
        });
        let status = head.status.as_u16();
        let text = String::from_utf8_lossy(&body);
        assert!(status < 500, "{status} {text}");
        assert!(head.headers.contains_key("x-request-id"), "no request id");
        assert!(body.len() < ANSWER_BYTES_MAX, "an answer of {} bytes", body.len());
        let kind =
            head.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        match kind {
            _ if is_head => assert!(body.is_empty(), "an answer to HEAD with a body"),
            "application/problem+json" => problem(&serde_json::from_slice(&body).expect("a problem is JSON")),
            "application/json" => drop(serde_json::from_slice::<Value>(&body).expect("an answer is JSON")),
            "application/x-ndjson" => text.lines().for_each(line),
            _ => assert!(status < 400, "{status} without a problem"),
        }
    });
}

fn problem(problem: &Value) {
    assert!(problem["code"].as_str().is_some_and(|code| !code.is_empty()), "{problem}");
    promises::advice(problem["detail"].as_str().unwrap_or_default());
}

fn line(line: &str) {
    let answer: Value = serde_json::from_str(line).expect("a line is JSON");
    let status = answer["status"].as_u64().expect("a status");
    assert!(status < 500, "{line}");
    if status >= 400 {
        problem(&answer["body"]);
    }
}

fn request_of(bytes: &[u8]) -> Option<Request<Body>> {
    let (head, body) = match bytes.windows(2).position(|window| window == b"\n\n") {
        Some(at) => (&bytes[..at], &bytes[at + 2..]),
        None => (bytes, &[][..]),
    };
    let mut lines = head.split(|byte| *byte == b'\n');
    let mut first = std::str::from_utf8(lines.next()?).ok()?.split(' ');
    let (method, address, size) = (first.next()?, first.next()?, first.next()?);
    let size: usize = size.parse().ok().filter(|size| *size > 0)?;
    let mut request = Request::builder().method(method).uri(address);
    for header in lines {
        let colon = header.windows(2).position(|window| window == b": ")?;
        request = request.header(&header[..colon], &header[colon + 2..]);
    }
    let pieces: Vec<_> =
        body.chunks(size).map(|piece| Ok::<_, std::io::Error>(Bytes::copy_from_slice(piece))).collect();
    request.body(Body::from_stream(stream::iter(pieces))).ok()
}

/// A service on a runtime of its own.
pub(crate) struct Service {
    runtime: Runtime,
    engine: Engine,
    edge: Edge,
    requests: u32,
}

impl Service {
    fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let engine = runtime.block_on(async {
            let options = EngineOptions { housekeeping: false, ..EngineOptions::default() };
            let events = Arc::new(InventoryEvents::default());
            let engine =
                Engine::open(Arc::new(MemoryStore::default()), events, options).await.expect("an engine");
            for product in 1..=5 {
                let set = SetStock::level(ProductId::new(product), Units::level(1_000).expect("a level"));
                engine.set(set).await.expect("a product");
            }
            engine
        });
        let app = App::new(
            engine.clone(),
            AppOptions::default(),
            Metrics::new("inventory"),
            CancellationToken::new(),
        );
        let edge = inventory_service::edge(app);
        Self { runtime, engine, edge, requests: 0 }
    }

    pub(crate) fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    pub(crate) fn order_events(&self) -> OrderEvents {
        OrderEvents::for_choreography(self.engine.clone())
    }
}

/// Lends this thread's service.
pub(crate) fn with_service(work: impl FnOnce(&Service)) {
    thread_local! {
        static SERVICE: RefCell<Option<Service>> = const { RefCell::new(None) };
    }
    SERVICE.with_borrow_mut(|place| {
        let service = place.get_or_insert_with(Service::start);
        service.requests += 1;
        work(service);
        if service.requests >= REQUESTS_MAX {
            service.block_on(service.engine.shutdown());
            *place = None;
        }
    });
}

//! A router over an engine that was shut down: whatever gets past the edge answers 503 `unavailable`, so a test sees
//! what the edge lets through and what it refuses itself.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt;
use inventory_core::clock::Timestamp;
use inventory_core::engine::Engine;
use inventory_core::ids::{BatchId, OrderId, ProductId};
use inventory_core::journal::ProductVersion;
use inventory_core::options::EngineOptions;
use inventory_core::reservation::Reservation;
use inventory_core::store::audit_rows::Snapshot;
use inventory_core::store::{
    Backend, Due, HoldOn, OrdersPage, Pruned, Read, Resolution, Retention, Session, Sharing, Store,
    StoreError, StoreErrorKind,
};
use inventory_service::{App, AppOptions, InventoryEvents};
use serde_json::Value;
use service_kit::{Edge, Metrics};
use tokio_util::sync::CancellationToken;

pub(crate) const ORDER: &str = "0197a000-0000-7000-8000-0000000000aa";

pub(crate) async fn engine() -> Engine {
    let options = EngineOptions { housekeeping: false, ..EngineOptions::default() };
    Engine::open(Arc::new(EmptyStore), Arc::new(InventoryEvents::default()), options).await.unwrap()
}

pub(crate) struct Fixture {
    pub(crate) edge: Edge,
}

pub(crate) async fn fixture() -> Fixture {
    let engine = engine().await;
    engine.shutdown().await;
    let metrics = Metrics::new("inventory");
    let app = App::new(engine, AppOptions::default(), metrics, CancellationToken::new());
    let edge = inventory_service::edge(app);
    Fixture { edge }
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Status and code, and for `invalid_request` the fields named.
    pub(crate) fn brief(&self) -> (u16, String, Vec<String>) {
        let body = self.json();
        let fields = body["errors"].as_array().map_or(Vec::new(), |errors| {
            errors.iter().map(|error| error["field"].as_str().unwrap().to_owned()).collect()
        });
        (self.status.as_u16(), body["code"].as_str().unwrap_or_default().to_owned(), fields)
    }

    pub(crate) fn lines(&self) -> Vec<Value> {
        let text = std::str::from_utf8(&self.body).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl Fixture {
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let (head, body) = self.edge.answer(request).await.into_parts();
        Answer { status: head.status, headers: head.headers, body: body.collect().await.unwrap().to_bytes() }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn json(&self, method: Method, path: &str, body: impl Into<String>) -> Answer {
        self.send_as(method, path, "application/json", body.into()).await
    }

    pub(crate) async fn send_as(
        &self,
        method: Method,
        path: &str,
        content_type: &str,
        body: impl Into<Body>,
    ) -> Answer {
        let request = Request::builder().method(method).uri(path).header("content-type", content_type);
        self.send(request.body(body.into()).unwrap()).await
    }
}

/// Nothing in it, and no session to be had.
struct EmptyStore;

fn away<T>() -> Result<T, StoreError> {
    Err(StoreError::new(StoreErrorKind::Unavailable, "no sessions here"))
}

#[async_trait]
impl Store for EmptyStore {
    fn sharing(&self) -> Sharing {
        Sharing::Exclusive
    }

    async fn open_session(&self) -> Result<Box<dyn Session>, StoreError> {
        away()
    }

    async fn resolve(&self, _: BatchId, _: Backend) -> Result<Resolution, StoreError> {
        away()
    }

    async fn read(&self, _: &[ProductId], _: &[OrderId]) -> Result<Read, StoreError> {
        Ok(Read::default())
    }

    async fn reservation(&self, _: OrderId) -> Result<(Timestamp, Option<Reservation>), StoreError> {
        Ok((Timestamp::EPOCH, None))
    }

    async fn orders_after(&self, _: Option<OrderId>, _: usize) -> Result<OrdersPage, StoreError> {
        Ok(OrdersPage { now: Timestamp::EPOCH, orders: Vec::new() })
    }

    async fn due(&self, _: Duration, _: usize) -> Result<Due, StoreError> {
        Ok(Due { now: Timestamp::EPOCH, orders: Vec::new() })
    }

    async fn holds_on(&self, _: ProductId, _: usize) -> Result<Vec<HoldOn>, StoreError> {
        Ok(Vec::new())
    }

    async fn history(&self, _: ProductId, _: u64, _: usize) -> Result<Vec<ProductVersion>, StoreError> {
        Ok(Vec::new())
    }

    async fn prune(&self, _: &Retention) -> Result<Pruned, StoreError> {
        Ok(Pruned::default())
    }

    async fn snapshot(&self) -> Result<Box<dyn Snapshot>, StoreError> {
        away()
    }
}

//! One order service with its edge and its worker, in a database of its own.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use event_contracts::{Money, payments, topics};
use http_body_util::BodyExt;
use order_service::saga::Mode;
use order_service::store::{Entry, EntryKind, Order, SCHEMA};
use order_service::{App, Executor, OrderEvents, Store, StoreOptions, WorkerOptions};
use serde::Serialize;
use serde_json::{Value, json};
use service_kit::events::{HandleError, Handled, Handler, Incoming, Outgoing};
use service_kit::sql::{Database, Dialect};
use service_kit::{BodyLimits, Edge, Metrics};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::fakes::{FakeInventory, FakePayments};

/// More than enough on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);
const POLL_PERIOD: Duration = Duration::from_millis(5);

pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) app: App,
    pub(crate) edge: Edge,
    pub(crate) events: OrderEvents,
    pub(crate) inventory: Arc<FakeInventory>,
    pub(crate) payments: Arc<FakePayments>,
    options: WorkerOptions,
    worker: Option<(CancellationToken, JoinSet<()>)>,
    home: Arc<Home>,
}

struct Home {
    url: String,
    _folder: tempfile::TempDir,
    _server: Option<test_support::postgres::TestDatabase>,
}

/// Short pauses; a lease that no test outlives unless it says so.
pub(crate) fn quick() -> (StoreOptions, WorkerOptions) {
    let worker = WorkerOptions {
        poll_period: Duration::from_millis(20),
        pause_min: Duration::from_millis(1),
        pause_max: Duration::from_millis(5),
        pause_max_stuck: Duration::from_millis(5),
        call_deadline: Duration::from_secs(60),
        ..WorkerOptions::default()
    };
    (StoreOptions { lease: Duration::from_secs(600), ..StoreOptions::default() }, worker)
}

pub(crate) fn choreographed() -> (StoreOptions, WorkerOptions) {
    let (store, worker) = quick();
    (StoreOptions { mode: Mode::Choreography, ..store }, worker)
}

/// Runs the same test on both databases.
pub(crate) async fn on_both(test: impl AsyncFn(World)) {
    on_both_with(quick(), test).await;
}

pub(crate) async fn on_both_with(options: (StoreOptions, WorkerOptions), test: impl AsyncFn(World)) {
    for dialect in [Dialect::Sqlite, Dialect::Postgres] {
        test(World::new(dialect, options).await).await;
    }
}

/// For what does not depend on the database.
pub(crate) async fn sqlite() -> World {
    World::new(Dialect::Sqlite, quick()).await
}

async fn migrated(url: String) -> Result<(), sqlx::Error> {
    let database = Database::connect(&url, SCHEMA).await?;
    Store::new(database.clone(), StoreOptions::default()).migrate().await?;
    database.close().await;
    Ok(())
}

impl World {
    pub(crate) async fn new(dialect: Dialect, options: (StoreOptions, WorkerOptions)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (url, server) = match dialect {
            Dialect::Sqlite => (format!("sqlite:{}", folder.path().join("orders.db").display()), None),
            Dialect::Postgres => {
                let server =
                    test_support::postgres::database_from("orders", async |url| Ok(migrated(url).await?))
                        .await;
                (server.url.clone(), Some(server))
            }
        };
        let home = Arc::new(Home { url: url.clone(), _folder: folder, _server: server });
        let store = Store::connect(&url, options.0).await.unwrap();
        store.migrate().await.unwrap();
        let (inventory, payments) = (Arc::default(), Arc::default());
        Self::around(store, inventory, payments, options.1, home)
    }

    fn around(
        store: Store,
        inventory: Arc<FakeInventory>,
        payments: Arc<FakePayments>,
        options: WorkerOptions,
        home: Arc<Home>,
    ) -> Self {
        let metrics = Metrics::new("orders");
        let executor = Executor::new(
            store.clone(),
            Arc::clone(&inventory) as _,
            Arc::clone(&payments) as _,
            options,
            &metrics,
        );
        let app = App::new(executor, BodyLimits::default(), metrics, CancellationToken::new());
        let edge = Edge::new(order_service::router(app.clone()), app.metrics());
        let events = OrderEvents::new(store.clone());
        Self { store, app, edge, events, inventory, payments, options, worker: None, home }
    }

    /// Another instance on the same database, inventory and provider.
    pub(crate) fn twin(&self, options: StoreOptions) -> Self {
        self.over(Store::new(self.store.database().clone(), options))
    }

    /// Where the database is.
    pub(crate) fn url(&self) -> &str {
        &self.home.url
    }

    /// The same with other connections.
    pub(crate) fn over(&self, store: Store) -> Self {
        let (inventory, payments) = (Arc::clone(&self.inventory), Arc::clone(&self.payments));
        Self::around(store, inventory, payments, self.options, Arc::clone(&self.home))
    }

    /// Starts the loop.
    pub(crate) fn work(&mut self) {
        let stop = CancellationToken::new();
        let (worker, stopped) = (self.app.worker().clone(), stop.clone());
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { worker.run(stopped).await });
        self.worker = Some((stop, tasks));
    }

    /// Ends the loop as a crash does: calls under way are dropped.
    pub(crate) async fn crash(&mut self) {
        let (_stop, mut tasks) = self.worker.take().unwrap();
        tasks.shutdown().await;
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let (head, body) = self.edge.answer(request).await.into_parts();
        Answer { status: head.status, headers: head.headers, body: body.collect().await.unwrap().to_bytes() }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(post(path, body).unwrap()).await
    }

    pub(crate) async fn place_with(&self, key: &str, body: &Value) -> Answer {
        let mut request = post("/api/v1/orders", body).unwrap();
        request.headers_mut().insert("idempotency-key", key.parse().unwrap());
        self.send(request).await
    }

    /// Places the cart and gives the order's id.
    pub(crate) async fn place(&self) -> Uuid {
        let answer = self.place_with(&Uuid::new_v4().to_string(), &cart()).await;
        assert_eq!(answer.status, 202, "{:?}", answer.body);
        answer.order_id()
    }

    pub(crate) async fn order(&self, id: Uuid) -> Order {
        self.store.read(id).await.unwrap().unwrap()
    }

    /// Waits until the order has this status and nothing is outstanding.
    pub(crate) async fn rests(&self, id: Uuid, status: &str) -> Order {
        self.until(async || {
            let order = self.order(id).await;
            let is_there = json!(order.saga.status) == json!(status) && order.saga.outstanding.is_empty();
            is_there.then_some(order)
        })
        .await
    }

    /// Waits, within a generous bound, until there is something.
    pub(crate) async fn until<T>(&self, look: impl AsyncFn() -> Option<T>) -> T {
        until(look).await
    }

    pub(crate) async fn timeline(&self, id: Uuid) -> Vec<Entry> {
        self.store.timeline(id).await.unwrap()
    }

    /// Names of the events that went out, in order.
    pub(crate) async fn told(&self, id: Uuid) -> Vec<String> {
        let entries = self.timeline(id).await;
        entries.into_iter().filter(|entry| entry.kind == EntryKind::Event).map(|entry| entry.name).collect()
    }

    pub(crate) async fn paid(&self, order: &Order) -> Result<Handled, HandleError> {
        self.events.handle(&success(order, Uuid::now_v7())).await
    }

    pub(crate) async fn declined(&self, order: &Order) -> Result<Handled, HandleError> {
        self.events.handle(&decline(order, Uuid::now_v7())).await
    }

    /// The one order there is.
    pub(crate) async fn only_order(&self) -> Uuid {
        let id: String = sqlx::query_scalar("SELECT CAST(order_id AS text) FROM orders")
            .fetch_one(self.store.database().pool())
            .await
            .unwrap();
        id.parse().unwrap()
    }

    /// As if their time were over.
    pub(crate) async fn expire_leases(&self) {
        match self.store.database().dialect() {
            Dialect::Postgres => self.sql("UPDATE saga_actions SET due_at = 'epoch'").await,
            Dialect::Sqlite => self.sql("UPDATE saga_actions SET due_at = 0").await,
        }
    }

    /// Writes what no code of this version writes.
    pub(crate) async fn set_saga(&self, id: Uuid, saga: &str, definition: i64) {
        let cast = match self.store.database().dialect() {
            Dialect::Postgres => "::jsonb",
            Dialect::Sqlite => "",
        };
        let text = format!(
            "UPDATE orders SET saga = {saga}{cast}, saga_definition = {definition} WHERE CAST(order_id AS text) = '{id}'"
        );
        sqlx::query(sqlx::AssertSqlSafe(text)).execute(self.store.database().pool()).await.unwrap();
    }

    /// Runs one statement, written for both databases.
    pub(crate) async fn sql(&self, text: &'static str) {
        sqlx::query(text).execute(self.store.database().pool()).await.unwrap();
    }

    /// Asks for one number.
    pub(crate) async fn number(&self, text: &'static str) -> i64 {
        sqlx::query_scalar(text).fetch_one(self.store.database().pool()).await.unwrap()
    }
}

pub(crate) async fn until<T>(look: impl AsyncFn() -> Option<T>) -> T {
    let looking = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(POLL_PERIOD).await;
        }
    };
    tokio::time::timeout(PATIENCE, looking).await.unwrap_or_else(|_| panic!("waited {PATIENCE:?} in vain"))
}

pub(crate) fn cart() -> Value {
    json!({"userId": "ada", "items": [{"productId": 1, "quantity": 2, "unitPrice": "12.30"},
        {"productId": 2, "quantity": 1, "unitPrice": "0.00"}]})
}

fn post(path: &str, body: &Value) -> Result<Request<Body>, axum::http::Error> {
    let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
    Request::builder().method(Method::POST).uri(path).header("content-type", "application/json").body(body)
}

pub(crate) fn success(order: &Order, id: Uuid) -> Incoming {
    let (payment_id, order_id, amount) = (order.payment_id, order.id, order.total);
    incoming(
        topics::PAYMENT_SUCCESSFUL,
        id,
        order.id,
        payments::PaymentSuccessful { payment_id, order_id, amount },
    )
}

pub(crate) fn decline(order: &Order, id: Uuid) -> Incoming {
    let (payment_id, order_id, amount) = (order.payment_id, order.id, order.total);
    let reason = "card declined".to_owned();
    incoming(
        topics::PAYMENT_FAILED,
        id,
        order.id,
        payments::PaymentFailed { payment_id, order_id, amount, reason },
    )
}

pub(crate) fn refund(order: &Order, id: Uuid) -> Incoming {
    let (payment_id, order_id, amount) = (order.payment_id, order.id, order.total);
    incoming(
        topics::PAYMENT_REFUNDED,
        id,
        order.id,
        payments::PaymentRefunded { payment_id, order_id, amount },
    )
}

/// An event as the consumer hands it over.
pub(crate) fn incoming<P: Serialize>(topic: &'static str, id: Uuid, key: Uuid, payload: P) -> Incoming {
    let event = Outgoing {
        id,
        topic,
        version: 1,
        at: "2026-01-02T03:04:05Z".parse().unwrap(),
        source: "test",
        aggregate_type: "order",
        aggregate_id: key.to_string(),
        aggregate_version: 0,
        correlation_id: key.to_string(),
        causation_id: None,
        traceparent: None,
        payload,
    };
    let (payload, _headers) = event.encode().unwrap();
    let event_type = topic.to_owned();
    Incoming {
        id,
        event_type,
        version: 1,
        key: key.to_string(),
        aggregate_version: 0,
        traceparent: None,
        payload,
    }
}

pub(crate) fn money(text: &str) -> Money {
    text.parse().unwrap()
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

    pub(crate) fn order_id(&self) -> Uuid {
        self.json()["orderId"].as_str().unwrap().parse().unwrap()
    }

    /// Status and code.
    pub(crate) fn brief(&self) -> (u16, String) {
        (self.status.as_u16(), self.json()["code"].as_str().unwrap_or_default().to_owned())
    }
}

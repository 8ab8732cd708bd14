//! Books of both kinds, a stub over them, and what stands in its outbox.

use std::time::Duration;

use payment_stub::{PaymentHandler, Service, ServiceOptions, Stopped};
use serde_json::{Value, json};
use service_kit::Metrics;
use service_kit::sql::{Database, Dialect, Sql};
use sqlx::Row;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

/// Far beyond any healthy run: turns a hang into a failure.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Where books are; kept as long as a test needs them.
pub(crate) struct Books {
    pub(crate) url: String,
    _folder: Option<tempfile::TempDir>,
    _server: Option<test_support::postgres::TestDatabase>,
}

/// One of each kind, empty.
pub(crate) async fn both() -> [Books; 2] {
    let server = test_support::postgres::database().await;
    let folder = tempfile::tempdir().unwrap();
    let file = format!("sqlite:{}", folder.path().join("payments.db").display());
    [
        Books { url: server.url.clone(), _folder: None, _server: Some(server) },
        Books { url: file, _folder: Some(folder), _server: None },
    ]
}

/// A stub at work.
pub(crate) struct Stub {
    pub(crate) base_url: String,
    pub(crate) database: Database,
    pub(crate) handler: PaymentHandler,
    pub(crate) outbox_written: std::sync::Arc<tokio::sync::Notify>,
    http: reqwest::Client,
    stop: CancellationToken,
    running: JoinHandle<Stopped>,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    /// Status, and the payment's status or the problem's code.
    pub(crate) fn brief(&self) -> (u16, &str) {
        (self.status, self.body["code"].as_str().or(self.body["status"].as_str()).unwrap_or_default())
    }
}

pub(crate) fn id() -> Uuid {
    Uuid::new_v4()
}

pub(crate) fn payment(id: Uuid, order: Uuid, method: &str) -> Value {
    json!({"paymentId": id, "orderId": order, "amount": "12.30", "method": method})
}

pub(crate) fn options() -> ServiceOptions {
    ServiceOptions { addr: ([127, 0, 0, 1], 0).into(), ..ServiceOptions::default() }
}

impl Stub {
    pub(crate) async fn start(books: &Books) -> Self {
        Self::start_with(books, options()).await
    }

    pub(crate) async fn start_with(books: &Books, options: ServiceOptions) -> Self {
        let database = payment_stub::open(&books.url).await.unwrap();
        let service = Service::bind(database.clone(), options, Metrics::new("payments")).await.unwrap();
        let base_url = format!("http://{}", service.local_addr().unwrap());
        let (handler, outbox_written) = (service.handler(), service.outbox_written());
        let stop = CancellationToken::new();
        let running = TaskTracker::new().spawn(service.run(stop.clone()));
        let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
        Self { base_url, database, handler, outbox_written, http, stop, running }
    }

    pub(crate) async fn stop(self) -> Stopped {
        self.stop.cancel();
        let stopped = tokio::time::timeout(PATIENCE, self.running).await.expect("drains").unwrap();
        self.database.close().await;
        stopped
    }

    /// Ends it without a word, as a crash would.
    pub(crate) async fn crash(self) {
        self.running.abort();
        assert!(self.running.await.unwrap_err().is_cancelled());
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        answer(self.http.get(format!("{}{path}", self.base_url))).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        answer(self.http.post(format!("{}{path}", self.base_url)).json(body)).await
    }

    /// A call on its way.
    pub(crate) fn posting(&self, path: &str, body: &Value) -> JoinHandle<Answer> {
        let request = self.http.post(format!("{}{path}", self.base_url)).json(body);
        TaskTracker::new().spawn(answer(request))
    }

    pub(crate) async fn process(&self, body: &Value) -> Answer {
        self.post("/api/v1/payments/process", body).await
    }

    pub(crate) async fn find(&self, id: Uuid) -> Answer {
        self.get(&format!("/api/v1/payments/{id}")).await
    }

    pub(crate) async fn refund(&self, id: Uuid) -> Answer {
        answer(self.http.post(format!("{}/api/v1/payments/{id}/refund", self.base_url))).await
    }

    /// Asks until the payment stands there.
    pub(crate) async fn until(&self, id: Uuid, status: &str) {
        eventually(status, async || self.find(id).await.body["status"] == status).await;
    }

    /// A payment that was accepted after all else, and is settled: whatever was due before it has been looked at.
    pub(crate) async fn until_all_due_is_settled(&self) {
        let last = id();
        assert_eq!(self.process(&payment(last, id(), "approve")).await.status, 202);
        self.until(last, "SUCCESSFUL").await;
    }

    pub(crate) async fn execute(&self, statement: &'static str) {
        sqlx::query(statement).execute(self.database.pool()).await.unwrap();
    }

    /// The outbox's rows about an order, in the order of writing.
    pub(crate) async fn events(&self, order: Uuid) -> Vec<Event> {
        events(&self.database, order).await
    }
}

async fn answer(request: reqwest::RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let bytes = response.bytes().await.unwrap();
    let text = || Value::from(String::from_utf8_lossy(&bytes).into_owned());
    Answer { status, headers, body: serde_json::from_slice(&bytes).unwrap_or_else(|_| text()) }
}

/// Asks until it is so.
pub(crate) async fn eventually(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let asking = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, asking).await.unwrap_or_else(|_| panic!("it never was so: {what}"));
}

/// A row of the outbox.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) aggregate: (String, String, i64),
    pub(crate) envelope: Value,
    pub(crate) headers: Value,
}

const EVENTS: Sql = Sql::each(
    "SELECT replace(id::text, '-', '') AS id, aggregatetype, aggregateid, aggregate_version, type, payload, headers::text AS headers \
     FROM outbox WHERE aggregateid = $1 AND type = topic ORDER BY seq",
    "SELECT lower(hex(id)) AS id, aggregatetype, aggregateid, aggregate_version, type, payload, headers \
     FROM outbox WHERE aggregateid = $1 AND type = topic ORDER BY seq",
);

pub(crate) async fn events(database: &Database, order: Uuid) -> Vec<Event> {
    let rows =
        sqlx::query(database.sql(EVENTS)).bind(order.to_string()).fetch_all(database.pool()).await.unwrap();
    rows.iter()
        .map(|row| Event {
            id: row.get("id"),
            kind: row.get("type"),
            aggregate: (row.get("aggregatetype"), row.get("aggregateid"), row.get("aggregate_version")),
            envelope: serde_json::from_slice(row.get("payload")).unwrap(),
            headers: serde_json::from_str(row.get("headers")).unwrap(),
        })
        .collect()
}

pub(crate) fn kinds(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| event.kind.as_str()).collect()
}

/// Moves what is due into the past.
pub(crate) async fn make_due(stub: &Stub) {
    stub.execute(match stub.database.dialect() {
        Dialect::Postgres => {
            "UPDATE payments SET due_at = due_at - interval '2 days' WHERE due_at > clock_timestamp()"
        }
        Dialect::Sqlite => "UPDATE payments SET due_at = due_at - 172800000000",
    })
    .await;
}

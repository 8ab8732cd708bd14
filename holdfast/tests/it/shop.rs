//! A running service, its client, and the words in which tests speak to them.

use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use test_support::postgres::TestDatabase;
use test_support::service::{Holdfast, Launch};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::answers::Answer;

/// How long anything that must happen by itself is waited for. Generous: it bounds a failure, it measures nothing.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
pub(crate) const POLL_PERIOD: Duration = Duration::from_millis(10);

/// Where the ledger lives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum StoreKind {
    Sqlite,
    Postgres,
}

/// A service with an empty ledger.
pub(crate) struct Shop {
    pub(crate) service: Holdfast,
    pub(crate) caller: Caller,
    pub(crate) database: Option<TestDatabase>,
}

/// Speaks to one service. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    client: reqwest::Client,
    url: String,
}

/// Runs a test on every store, one after the other.
pub(crate) async fn on_every_store(test: impl AsyncFn(Shop)) {
    on_every_store_with(&[], test).await;
}

/// The same, with settings.
pub(crate) async fn on_every_store_with(settings: &[(&str, &str)], test: impl AsyncFn(Shop)) {
    for kind in [StoreKind::Sqlite, StoreKind::Postgres] {
        // Shown if the test fails: the last line names the store.
        println!("on {kind:?}");
        test(Shop::open(kind, settings).await).await;
    }
}

/// The command line of the inventory role alone, without a broker.
pub(crate) fn launch() -> Launch {
    Launch::new(env!("CARGO_BIN_EXE_holdfast"))
        .prepare(["migrate", "inventory"])
        .arguments(["inventory", "--no-events"])
        .env("RUST_LOG", "info")
}

/// A time-ordered order id.
pub(crate) fn new_order() -> Uuid {
    Uuid::now_v7()
}

/// `items` of a request.
pub(crate) fn items(lines: &[(i64, u32)]) -> Value {
    lines.iter().map(|(product, quantity)| json!({"productId": product, "quantity": quantity})).collect()
}

/// A time of the contract: RFC 3339, UTC.
#[track_caller]
pub(crate) fn time(value: &Value) -> DateTime<Utc> {
    let text = value.as_str().unwrap_or_else(|| panic!("{value} is not a time"));
    assert!(text.ends_with('Z'), "{text} is not written as UTC");
    DateTime::parse_from_rfc3339(text).unwrap_or_else(|error| panic!("{text}: {error}")).to_utc()
}

/// Waits until `holds` says so, and fails after [`PATIENCE`].
pub(crate) async fn eventually(what: &str, holds: impl AsyncFn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds().await {
        assert!(Instant::now() < deadline, "not within {PATIENCE:?}: {what}");
        sleep(POLL_PERIOD).await;
    }
}

impl Shop {
    pub(crate) async fn open(kind: StoreKind, settings: &[(&str, &str)]) -> Self {
        let database = match kind {
            StoreKind::Sqlite => None,
            StoreKind::Postgres => Some(test_support::postgres::database().await),
        };
        let mut launch = launch();
        if let Some(database) = &database {
            launch = launch.env("DATABASE_URL", &database.url);
        }
        for (name, value) in settings {
            launch = launch.env(name, *value);
        }
        let service = launch.start().await.expect("the service starts");
        let caller = Caller::new(&service.url());
        Self { service, caller, database }
    }

    /// Where the embedded ledger lies.
    pub(crate) fn sqlite_file(&self) -> PathBuf {
        self.service.data().join("inventory.db")
    }
}

impl std::ops::Deref for Shop {
    type Target = Caller;

    fn deref(&self) -> &Caller {
        &self.caller
    }
}

impl Caller {
    pub(crate) fn new(url: &str) -> Self {
        let client = reqwest::Client::builder().timeout(PATIENCE).build().expect("a client");
        Self { client, url: url.to_owned() }
    }

    /// Connects anew for every request.
    pub(crate) fn without_keep_alive(url: &str) -> Self {
        let client = reqwest::Client::builder().timeout(PATIENCE).pool_max_idle_per_host(0);
        Self { client: client.build().expect("a client"), url: url.to_owned() }
    }

    /// Sends a request that nothing else here can; fails if there is no answer.
    pub(crate) async fn send(
        &self,
        method: reqwest::Method,
        path: &str,
        prepare: impl FnOnce(reqwest::RequestBuilder) -> reqwest::RequestBuilder,
    ) -> Answer {
        self.try_send(method, path, prepare).await.unwrap_or_else(|error| panic!("no answer: {error:?}"))
    }

    /// The same, where no answer is a possibility.
    pub(crate) async fn try_send(
        &self,
        method: reqwest::Method,
        path: &str,
        prepare: impl FnOnce(reqwest::RequestBuilder) -> reqwest::RequestBuilder,
    ) -> reqwest::Result<Answer> {
        let asked = format!("{method} {path}");
        let request = self.client.request(method, format!("{}{path}", self.url));
        Answer::read(asked, prepare(request).send().await?).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(reqwest::Method::GET, path, |request| request).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(reqwest::Method::POST, path, |request| request.json(body)).await
    }

    pub(crate) async fn try_post(&self, path: &str, body: &Value) -> reqwest::Result<Answer> {
        self.try_send(reqwest::Method::POST, path, |request| request.json(body)).await
    }

    pub(crate) async fn post_text(&self, path: &str, content_type: &str, body: impl Into<String>) -> Answer {
        let body = body.into();
        let prepare =
            |request: reqwest::RequestBuilder| request.header("content-type", content_type).body(body);
        self.send(reqwest::Method::POST, path, prepare).await
    }

    pub(crate) async fn put(&self, product: i64, body: &Value) -> Answer {
        let path = format!("/api/v1/inventory/{product}");
        self.send(reqwest::Method::PUT, &path, |request| request.json(body)).await
    }

    pub(crate) async fn put_if_match(&self, product: i64, etag: &str, body: &Value) -> Answer {
        let path = format!("/api/v1/inventory/{product}");
        self.send(reqwest::Method::PUT, &path, |request| request.header("if-match", etag).json(body)).await
    }

    /// Sets a product's stock.
    pub(crate) async fn stock(&self, product: i64, on_hand: i64) {
        let answer = self.put(product, &json!({"onHand": on_hand})).await;
        assert!(matches!(answer.status, 200 | 201), "{answer:#?}");
    }

    pub(crate) async fn reserve(&self, order: Uuid, lines: &[(i64, u32)]) -> Answer {
        self.post("/api/v1/inventory/reserve", &json!({"orderId": order, "items": items(lines)})).await
    }

    pub(crate) async fn reserve_as(&self, customer: &str, order: Uuid, lines: &[(i64, u32)]) -> Answer {
        let body = json!({"orderId": order, "items": items(lines), "customerId": customer});
        self.post("/api/v1/inventory/reserve", &body).await
    }

    pub(crate) async fn reserve_for(&self, ttl_seconds: u32, order: Uuid, lines: &[(i64, u32)]) -> Answer {
        let body = json!({"orderId": order, "items": items(lines), "ttlSeconds": ttl_seconds});
        self.post("/api/v1/inventory/reserve", &body).await
    }

    /// A new order that holds these lines.
    pub(crate) async fn hold(&self, lines: &[(i64, u32)]) -> Uuid {
        let order = new_order();
        self.reserve(order, lines).await.is(201);
        order
    }

    pub(crate) async fn commit(&self, order: Uuid) -> Answer {
        self.post("/api/v1/inventory/commit", &json!({"orderId": order})).await
    }

    pub(crate) async fn commit_items(&self, order: Uuid, lines: &[(i64, u32)]) -> Answer {
        self.post("/api/v1/inventory/commit", &json!({"orderId": order, "items": items(lines)})).await
    }

    pub(crate) async fn release(&self, order: Uuid) -> Answer {
        self.post("/api/v1/inventory/release", &json!({"orderId": order})).await
    }

    pub(crate) async fn release_items(&self, order: Uuid, lines: &[(i64, u32)]) -> Answer {
        self.post("/api/v1/inventory/release", &json!({"orderId": order, "items": items(lines)})).await
    }

    pub(crate) async fn extend(&self, order: Uuid, ttl_seconds: u32) -> Answer {
        self.post("/api/v1/inventory/extend", &json!({"orderId": order, "ttlSeconds": ttl_seconds})).await
    }

    pub(crate) async fn adjust(&self, product: i64, adjustment: &str, delta: i64) -> Answer {
        let body = json!({"adjustmentId": adjustment, "delta": delta, "reason": "counted"});
        self.post(&format!("/api/v1/inventory/{product}/adjust"), &body).await
    }

    pub(crate) async fn reservation(&self, order: Uuid) -> Answer {
        self.get(&format!("/api/v1/inventory/reservations/{order}")).await
    }

    /// An order's status as its reservation tells it.
    pub(crate) async fn status(&self, order: Uuid) -> String {
        let body = self.reservation(order).await.is(200);
        body["status"].as_str().unwrap_or_else(|| panic!("no status in {body}")).to_owned()
    }

    pub(crate) async fn product(&self, product: i64) -> Value {
        self.get(&format!("/api/v1/inventory/{product}")).await.is(200)
    }

    /// (on hand, held, available) of a product.
    pub(crate) async fn counts(&self, product: i64) -> (i64, i64, i64) {
        let body = self.product(product).await;
        let number = |name: &str| body[name].as_i64().unwrap_or_else(|| panic!("no {name} in {body}"));
        (number("onHand"), number("held"), number("available"))
    }

    /// Insists that the ledger agrees with itself.
    pub(crate) async fn audit_is_ok(&self) {
        let body = self.get("/api/v1/inventory/audit").await.is(200);
        assert_eq!(body["ok"], true, "{body:#}");
        assert_eq!(body["violations"], json!([]), "{body:#}");
        assert!(body["checked"].is_object(), "{body:#}");
    }

    /// A new order whose hold on these lines has just run out; whether it has been swept is anybody's guess.
    pub(crate) async fn overdue_hold(&self, lines: &[(i64, u32)]) -> Uuid {
        let order = new_order();
        self.reserve_for(1, order, lines).await.is(201);
        eventually("the hold runs out", async || self.status(order).await == "EXPIRED").await;
        order
    }

    /// A new order whose hold has run out and been swept: the stock is back. Nothing else may hold these products.
    pub(crate) async fn swept_hold(&self, lines: &[(i64, u32)]) -> Uuid {
        let order = self.overdue_hold(lines).await;
        for (product, _) in lines {
            eventually("the stock goes back", async || self.counts(*product).await.1 == 0).await;
        }
        order
    }

    /// A new order that was committed after its hold had run out and its stock was gone. The products are used up.
    pub(crate) async fn lost_order(&self, lines: &[(i64, u32)]) -> Uuid {
        let order = self.swept_hold(lines).await;
        for (product, _) in lines {
            self.stock(*product, 0).await;
        }
        self.commit(order).await.is_problem(410, "reservation_expired");
        order
    }
}

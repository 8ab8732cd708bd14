//! A shop that sells: inventory, orders and payments, and the words in which tests speak of orders.

use serde_json::{Value, json};
use test_support::postgres::TestDatabase;
use test_support::service::{Holdfast, Launch, Port};
use uuid::Uuid;

use crate::answers::Answer;
use crate::shop::{Caller, StoreKind, eventually};

/// All three services in one process, on the local log.
pub(crate) struct Market {
    pub(crate) process: Holdfast,
    pub(crate) inventory: Caller,
    pub(crate) orders: Caller,
    _database: Option<TestDatabase>,
}

/// Runs a test on every store, one after the other.
pub(crate) async fn on_every_store(test: impl AsyncFn(Market)) {
    for kind in [StoreKind::Sqlite, StoreKind::Postgres] {
        // Shown if the test fails: the last line names the store.
        println!("on {kind:?}");
        test(Market::open(kind, &[]).await).await;
    }
}

impl Market {
    pub(crate) async fn open(kind: StoreKind, settings: &[(&str, &str)]) -> Self {
        let mut launch = Launch::new(env!("CARGO_BIN_EXE_holdfast")).env("RUST_LOG", "info");
        let database = match kind {
            StoreKind::Sqlite => None,
            StoreKind::Postgres => Some(test_support::postgres::database().await),
        };
        if let Some(database) = &database {
            launch = launch.env("DATABASE_URL", &database.url);
        }
        for (name, value) in settings {
            launch = launch.env(name, *value);
        }
        let process = launch.start().await.expect("the process starts");
        Self {
            inventory: Caller::new(&process.url_of(Port::Inventory)),
            orders: Caller::new(&process.url_of(Port::Orders)),
            process,
            _database: database,
        }
    }
}

impl Market {
    /// Insists that orders, stock and money agree, that so many orders were looked at and none is still under way.
    pub(crate) async fn checkout_agrees(&self, orders: u64) {
        let (inventory, order, payment) = (
            self.process.url_of(Port::Inventory),
            self.process.url_of(Port::Orders),
            self.process.url_of(Port::Payments),
        );
        audit_agrees(&inventory, &order, &payment, orders).await;
    }
}

/// Runs the auditor as an operator would, until nothing is under way any more.
pub(crate) async fn audit_agrees(inventory: &str, orders: &str, payments: &str, count: u64) {
    let audit = || {
        Launch::new(env!("CARGO_BIN_EXE_holdfast"))
            .arguments(["audit", "--checkout", "--order-url", orders])
            .env("INVENTORY_URL", inventory)
            .env("PAYMENT_URL", payments)
    };
    let (mut status, mut said) = audit().run_to_end().await.expect("the auditor runs");
    let deadline = tokio::time::Instant::now() + crate::shop::PATIENCE;
    while said.contains("under way") && tokio::time::Instant::now() < deadline {
        (status, said) = audit().run_to_end().await.expect("the auditor runs");
    }
    assert!(status.success(), "{said}");
    assert!(said.contains(&format!("{count} orders")) && !said.contains("under way"), "{said}");
}

impl Caller {
    /// Places an order of so many pieces of product 1 at 1.50.
    pub(crate) async fn place(&self, key: &str, quantity: u32, method: &str) -> Answer {
        let body = json!({
            "userId": "ada",
            "items": [{"productId": 1, "quantity": quantity, "unitPrice": "1.50"}],
            "paymentMethod": method,
        });
        self.place_body(key, &body).await
    }

    pub(crate) async fn place_body(&self, key: &str, body: &Value) -> Answer {
        let prepare = |request: reqwest::RequestBuilder| request.header("idempotency-key", key).json(body);
        self.send(reqwest::Method::POST, "/api/v1/orders", prepare).await
    }

    pub(crate) async fn order(&self, order: Uuid) -> Value {
        self.get(&format!("/api/v1/orders/{order}")).await.is(200)
    }

    pub(crate) async fn verb(&self, order: Uuid, verb: &str, body: &Value) -> Answer {
        self.post(&format!("/api/v1/orders/{order}/{verb}"), body).await
    }

    /// Waits until the order has this status and payment status.
    pub(crate) async fn becomes(&self, order: Uuid, status: &str, payment: &str) {
        let what = format!("order {order} becomes {status} and {payment}");
        eventually(&what, async || {
            let body = self.order(order).await;
            body["status"] == status && body["paymentStatus"] == payment
        })
        .await;
    }
}

/// The id in the answer to a placement.
pub(crate) fn order_id(placed: &Value) -> Uuid {
    placed["orderId"]
        .as_str()
        .and_then(|id| id.parse().ok())
        .unwrap_or_else(|| panic!("no order id in {placed}"))
}

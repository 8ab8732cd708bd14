//! Three processes on Postgres and Kafka: the mock cluster always, a real broker where one can be had.

use std::time::Duration;

use serde_json::json;
use service_kit::events::kafka::mock::MockKafka;
use test_support::kafka;
use test_support::postgres::TestDatabase;
use test_support::service::{Holdfast, Launch, Port};
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::market::{audit_agrees, order_id};
use crate::shop::{Caller, eventually};

/// The three services, each in a process of its own.
pub(super) struct Fleet {
    inventory: Holdfast,
    orders: Holdfast,
    payments: Holdfast,
    database: TestDatabase,
}

impl Fleet {
    pub(super) async fn start(brokers: &str) -> Self {
        Self::with(brokers, &[]).await
    }

    /// The same with settings for all three.
    pub(super) async fn with(brokers: &str, settings: &[(&str, &str)]) -> Self {
        let database = test_support::postgres::database().await;
        let role = |role: &str| {
            let launch = Launch::new(env!("CARGO_BIN_EXE_holdfast"))
                .prepare(["migrate", role])
                .arguments([role])
                .env("DATABASE_URL", &database.url)
                .env("KAFKA_BROKERS", brokers)
                .env("RUST_LOG", "info");
            settings.iter().fold(launch, |launch, (name, value)| launch.env(name, *value))
        };
        let inventory = role("inventory").start().await.expect("inventory starts");
        let payments = role("payments").asking(Port::Payments).start().await.expect("payments starts");
        let orders = role("orders")
            .asking(Port::Orders)
            .env("INVENTORY_URL", inventory.url())
            .env("PAYMENT_URL", payments.url())
            .start()
            .await
            .expect("orders starts");
        Self { inventory, orders, payments, database }
    }

    pub(super) fn inventory(&self) -> Caller {
        Caller::new(&self.inventory.url())
    }

    pub(super) fn orders(&self) -> Caller {
        Caller::new(&self.orders.url())
    }

    /// Events that wait in the three outboxes.
    async fn unsent(&self) -> i64 {
        let pool = sqlx::PgPool::connect(&self.database.url).await.expect("the database");
        sqlx::query_scalar(
            "SELECT (SELECT count(*) FROM inventory_service_schema.outbox) \
             + (SELECT count(*) FROM order_service_schema.outbox) \
             + (SELECT count(*) FROM payment_service_schema.outbox)",
        )
        .fetch_one(&pool)
        .await
        .expect("a count")
    }

    pub(super) fn log_of_orders(&self) -> String {
        self.orders.log()
    }

    pub(super) async fn checkout_agrees(&self, orders: u64) {
        audit_agrees(&self.inventory.url(), &self.orders.url(), &self.payments.url(), orders).await;
    }
}

/// One fleet on a real broker at a time: two of them on one machine only measure its patience.
pub(super) static REAL: Mutex<()> = Mutex::const_new(());

/// Runs a test on the mock cluster, and then on a real broker of its own unless `KAFKA=mock` was asked for.
pub(super) async fn on_every_kafka(what: &str, test: impl AsyncFn(&str)) {
    println!("on the mock cluster");
    let mock = MockKafka::start().expect("a mock cluster");
    test(mock.brokers()).await;
    let _one_at_a_time = REAL.lock().await;
    if let Some(broker) = kafka::own(what).await {
        println!("on a real broker");
        test(&broker.address()).await;
    }
}

#[tokio::test]
async fn orders_end_as_they_do_in_one_process() {
    on_every_kafka("orders end as they do in one process", async |brokers| {
        let fleet = Fleet::start(brokers).await;
        let (inventory, orders) = (fleet.inventory(), fleet.orders());
        inventory.stock(1, 10).await;
        let paid = order_id(&orders.place("k-1", 3, "approve").await.is(202));
        let declined = order_id(&orders.place("k-2", 2, "decline").await.is(202));
        orders.place("k-3", 9, "approve").await.is_problem(409, "insufficient_stock");
        orders.becomes(paid, "CONFIRMED", "PAID").await;
        orders.becomes(declined, "PAYMENT_FAILED", "FAILED").await;
        eventually("the stock agrees", async || inventory.counts(1).await == (7, 0, 7)).await;
        orders.verb(paid, "cancel", &json!({})).await.is(200);
        orders.becomes(paid, "CANCELLED", "REFUNDED").await;
        eventually("the stock is back", async || inventory.counts(1).await == (10, 0, 10)).await;
        fleet.checkout_agrees(3).await;
        inventory.audit_is_ok().await;
    })
    .await;
}

#[tokio::test]
async fn while_inventory_is_away_orders_are_refused_and_none_is_half_made() {
    let mock = MockKafka::start().expect("a mock cluster");
    let mut fleet = Fleet::start(mock.brokers()).await;
    let orders = fleet.orders();
    fleet.inventory().stock(1, 10).await;
    fleet.inventory.kill9().await.unwrap();
    let mut refused = Vec::new();
    for n in 0..12 {
        let answer = orders.place(&format!("k-{n}"), 1, "approve").await;
        answer.is_problem(503, "inventory_unavailable");
        refused.push(answer);
    }
    fleet.inventory.start_again().await.unwrap();
    for answer in &refused {
        orders.becomes(order_id(&answer.json()), "CANCELLED", "NONE").await;
    }
    assert_eq!(fleet.inventory().counts(1).await, (10, 0, 10));
    // The key of an order that never was may be used again, once the breaker lets a call through.
    let mut tries = 1;
    while orders.place("k-0", 1, "approve").await.status != 202 {
        tries += 1;
        assert!(tries < 100, "the breaker does not close");
        sleep(Duration::from_millis(300)).await;
    }
    fleet.checkout_agrees(12 + tries).await;
}

#[tokio::test]
async fn i11_while_kafka_is_away_holds_and_orders_are_taken_and_afterwards_every_event_is_sent() {
    // A chaos run waits for half a minute, an ordinary one for as long as it takes to see that work goes on.
    let silence = if test_support::is_long_run() { Duration::from_secs(30) } else { Duration::from_secs(5) };
    let _one_at_a_time = REAL.lock().await;
    let mut real = kafka::own("orders while the broker is stopped").await;
    let mock = MockKafka::start().expect("a mock cluster");
    let brokers = real.as_ref().map_or_else(|| mock.brokers().to_owned(), |broker| broker.address());
    let fleet = Fleet::start(&brokers).await;
    let (inventory, orders) = (fleet.inventory(), fleet.orders());
    inventory.stock(1, 100).await;
    let before = order_id(&orders.place("before", 1, "approve").await.is(202));
    orders.becomes(before, "CONFIRMED", "PAID").await;

    match &mut real {
        Some(broker) => broker.stop().await.unwrap(),
        None => mock.down().unwrap(),
    }
    let mut placed = Vec::new();
    for n in 0..10 {
        placed.push(order_id(&orders.place(&format!("k-{n}"), 1, "approve").await.is(202)));
    }
    inventory.hold(&[(1, 5)]).await;
    sleep(silence).await;
    for order in &placed {
        assert_eq!(
            orders.order(*order).await["status"],
            "AWAITING_PAYMENT",
            "nobody can have heard of the payment"
        );
    }
    assert!(fleet.unsent().await >= 20, "an order and a payment each wait in the outboxes");

    match &mut real {
        Some(broker) => broker.start_again().await.unwrap(),
        None => mock.up().unwrap(),
    }
    for order in &placed {
        orders.becomes(*order, "CONFIRMED", "PAID").await;
    }
    eventually("the outboxes are empty", async || fleet.unsent().await == 0).await;
    fleet.checkout_agrees(11).await;
}

#[tokio::test]
async fn i5_i11_i13_killed_one_after_the_other_during_a_thousand_real_baskets_everything_agrees_in_the_end() {
    let _one_at_a_time = REAL.lock().await;
    let real = kafka::own("services killed over a real broker").await;
    let mock = MockKafka::start().expect("a mock cluster");
    let brokers = real.as_ref().map_or_else(|| mock.brokers().to_owned(), |broker| broker.address());
    let mut fleet = Fleet::start(&brokers).await;
    let data = concat!(env!("CARGO_MANIFEST_DIR"), "/../data/retail");
    let (stock, baskets) = (format!("{data}/stock.csv"), format!("{data}/baskets.csv.gz"));
    let arguments = [
        "replay",
        &baskets,
        "--stock",
        &stock,
        "--as-orders",
        "--limit",
        "1000",
        "--concurrency",
        "16",
        "--commit-percent",
        "70",
        "--release-percent",
        "20",
    ];
    let replay = Launch::new(env!("CARGO_BIN_EXE_holdfast"))
        .arguments(arguments)
        .env("ORDER_URL", fleet.orders.url())
        .env("INVENTORY_URL", fleet.inventory.url())
        .env("PAYMENT_URL", fleet.payments.url());
    let mut replaying = JoinSet::new();
    replaying.spawn(replay.run_to_end_within(Duration::from_secs(400)));
    // Until the stock is there and the first baskets are orders.
    let orders = fleet.orders();
    eventually("orders come in", async || {
        let page = orders.get("/api/v1/orders?limit=100").await;
        page.status == 200 && page.json()["items"].as_array().is_some_and(|items| items.len() > 20)
    })
    .await;
    for round in 0_u64..6 {
        let victim = match round % 3 {
            0 => &mut fleet.orders,
            1 => &mut fleet.inventory,
            _ => &mut fleet.payments,
        };
        victim.kill9().await.unwrap();
        victim.start_again().await.unwrap();
        // Some work between two crashes; how much differs with every run.
        sleep(Duration::from_millis(300 * (round + 1))).await;
    }
    let (status, said) = replaying.join_next().await.unwrap().unwrap().unwrap();
    assert!(status.success(), "{said}");
    assert!(said.contains("everything agrees"), "{said}");
    fleet.inventory().audit_is_ok().await;
}

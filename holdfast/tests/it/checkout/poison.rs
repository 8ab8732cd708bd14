//! Events that cannot be handled, and what an operator does about them: in one process over the local log on SQLite, in one process over a
//! mock Kafka on Postgres, and in three processes over a real broker.

use std::time::Duration;

use serde_json::{Value, json};
use service_kit::events::kafka::mock::MockKafka;
use service_kit::events::kafka::{KafkaOptions, KafkaTransport};
use service_kit::events::{LocalLog, LocalOptions, Record, Transport};
use test_support::kafka;
use test_support::service::Launch;
use uuid::Uuid;

use super::apart::{self, Fleet};
use super::market::{Market, order_id};
use crate::shop::{Caller, StoreKind, eventually};

const PAID: &str = "payment.successful";
const CREATED: &str = "order.created";

/// The services, a way to put events beside their own, and what an operator has to set to find them.
struct Poisoned {
    services: Services,
    transport: Box<dyn Transport>,
    found_by: (&'static str, String),
}

enum Services {
    Together(Box<Market>),
    Apart(Box<Fleet>),
}

async fn over_every_transport(settings: &[(&str, &str)], test: impl AsyncFn(&Poisoned)) {
    println!("over the local log");
    let market = Market::open(StoreKind::Sqlite, settings).await;
    let data = market.process.data();
    let log = LocalLog::open_beside(&data, LocalOptions::default()).await.expect("the log");
    test(&Poisoned {
        services: Services::Together(Box::new(market)),
        transport: Box::new(log),
        found_by: ("DATA_DIR", data.display().to_string()),
    })
    .await;

    println!("over a mock Kafka");
    let mock = MockKafka::start().expect("a mock cluster");
    let with_brokers = [settings, &[("KAFKA_BROKERS", mock.brokers())]].concat();
    let market = Market::open(StoreKind::Postgres, &with_brokers).await;
    test(&Poisoned::over_kafka(Services::Together(Box::new(market)), mock.brokers())).await;

    let _one_at_a_time = apart::REAL.lock().await;
    if let Some(broker) = kafka::own("dead letters of three processes").await {
        println!("over a real broker");
        let fleet = Fleet::with(&broker.address(), settings).await;
        test(&Poisoned::over_kafka(Services::Apart(Box::new(fleet)), &broker.address())).await;
    }
}

impl Poisoned {
    fn over_kafka(services: Services, brokers: &str) -> Self {
        let transport = KafkaTransport::new(KafkaOptions::new(brokers, "test")).expect("options that work");
        Self { services, transport: Box::new(transport), found_by: ("KAFKA_BROKERS", brokers.to_owned()) }
    }

    fn inventory(&self) -> Caller {
        match &self.services {
            Services::Together(market) => market.inventory.clone(),
            Services::Apart(fleet) => fleet.inventory(),
        }
    }

    fn orders(&self) -> Caller {
        match &self.services {
            Services::Together(market) => market.orders.clone(),
            Services::Apart(fleet) => fleet.orders(),
        }
    }

    /// Of the process that serves orders.
    fn log(&self) -> String {
        match &self.services {
            Services::Together(market) => market.process.log(),
            Services::Apart(fleet) => fleet.log_of_orders(),
        }
    }

    async fn checkout_agrees(&self, orders: u64) {
        match &self.services {
            Services::Together(market) => market.checkout_agrees(orders).await,
            Services::Apart(fleet) => fleet.checkout_agrees(orders).await,
        }
    }

    /// Publishes an event of this version.
    async fn publish(&self, topic: &str, key: Uuid, version: u32, payload: Value) {
        let envelope = json!({
            "eventId": Uuid::new_v4(), "eventType": topic, "version": version, "timestamp": "2026-01-02T03:04:05Z",
            "payload": payload, "metadata": {"sourceService": "a test", "correlationId": key},
            "aggregateId": key, "aggregateVersion": 0,
        });
        let record = Record {
            topic: topic.to_owned(),
            key: key.to_string(),
            payload: envelope.to_string().into_bytes(),
            headers: vec![("origin".to_owned(), "a test".to_owned())],
        };
        assert_eq!(self.transport.publisher().publish(&[record]).await, [Ok(())]);
    }

    /// Runs `holdfast dlq …` as an operator would, beside the services. Answers whether it found nothing wrong, and what it said.
    async fn run(&self, line: &str) -> (bool, String) {
        let (name, value) = &self.found_by;
        let launch = Launch::new(env!("CARGO_BIN_EXE_holdfast"))
            .arguments(["dlq"])
            .arguments(line.split_whitespace())
            .env(name, value);
        let (status, said) = launch.run_to_end().await.expect("dlq runs");
        (status.success(), said)
    }

    async fn dlq(&self, line: &str) -> String {
        let (is_well, said) = self.run(line).await;
        assert!(is_well, "{said}");
        said
    }

    /// What `dlq list` says; its exit code tells whether any letter waits.
    async fn list(&self, line: &str) -> String {
        let (is_well, said) = self.run(&format!("list {line}")).await;
        assert_eq!(is_well, said.contains("no dead letters wait"), "{said}");
        said
    }

    /// Waits until `dlq list` says all of these.
    async fn lists(&self, line: &str, all: &[&str]) -> String {
        eventually(&format!("dlq list {line} says {all:?}"), async || {
            let said = self.list(line).await;
            all.iter().all(|words| said.contains(words))
        })
        .await;
        self.list(line).await
    }

    async fn status(&self, order: Uuid) -> String {
        self.orders().order(order).await["status"].as_str().unwrap_or_default().to_owned()
    }
}

#[tokio::test]
async fn race_26_race_27_poison_parks_its_order_and_no_other_and_settling_it_lets_the_order_go_on() {
    over_every_transport(&[], async |poisoned: &Poisoned| {
        let (inventory, orders) = (poisoned.inventory(), poisoned.orders());
        inventory.stock(1, 10).await;
        // Its money comes long after the poison, so it finds its key parked.
        let order = order_id(&orders.place("k-1", 3, "late:5000").await.is(202));
        poisoned.publish(PAID, order, 1, json!({"orderId": "broken"})).await;
        let key = order.to_string();
        let listed = poisoned.lists("", &[&key, "cannot be read as payment.successful"]).await;
        assert!(listed.contains("payment.successful for order-service"), "{listed}");
        let other = order_id(&orders.place("k-2", 2, "approve").await.is(202));
        orders.becomes(other, "CONFIRMED", "PAID").await;
        let listed = poisoned.lists("", &["2 letters", "an earlier event of its key is a dead letter"]).await;
        assert!(!listed.contains(&other.to_string()), "{listed}");
        assert_eq!(poisoned.status(order).await, "AWAITING_PAYMENT");

        let shown = poisoned.dlq(&format!("show --key {key} --max 1")).await;
        for words in ["origin", "a test", "\"orderId\": \"broken\"", "__connect.errors.topic"] {
            assert!(shown.contains(words), "{words} is not in {shown}");
        }
        // Asking what would happen changes nothing.
        let would = poisoned.dlq("redrive --dry-run").await;
        assert!(would.contains("2 letters, would be sent back") && would.contains("would go on"), "{would}");
        let would = poisoned.dlq("discard --dry-run --max 1").await;
        assert!(would.contains("1 letter, would be discarded") && !would.contains("go on"), "{would}");
        assert_eq!(poisoned.list("").await, listed);
        assert_eq!(poisoned.status(order).await, "AWAITING_PAYMENT");

        let did = poisoned.dlq(&format!("discard --key {key} --max 1")).await;
        assert!(did.contains("1 letter, discarded") && did.contains("cannot be read"), "{did}");
        assert!(!did.contains("goes on"), "another letter of the key waits: {did}");
        assert_eq!(poisoned.status(order).await, "AWAITING_PAYMENT");
        let did = poisoned.dlq(&format!("redrive --key {key}")).await;
        assert!(did.contains("1 letter, sent back") && did.contains("goes on"), "{did}");
        orders.becomes(order, "CONFIRMED", "PAID").await;
        poisoned.lists("", &["no dead letters wait"]).await;
        eventually("the stock is sold", async || inventory.counts(1).await == (5, 0, 5)).await;
        poisoned.checkout_agrees(2).await;
        // Of inventory the engine prunes the inbox.
        let inboxes = match poisoned.services {
            Services::Together(_) => r#"what=["inbox", "idempotency keys", "inbox"]"#,
            Services::Apart(_) => r#"what=["inbox", "idempotency keys"]"#,
        };
        let log = poisoned.log();
        let mut lines = log.lines().filter(|line| line.contains("what is old is pruned on the calendar"));
        assert!(lines.any(|line| line.contains(inboxes)), "{inboxes} in {log}");
    })
    .await;
}

#[tokio::test]
async fn race_30_an_event_of_a_newer_version_may_be_sent_back_but_not_for_ever() {
    over_every_transport(&[], async |poisoned: &Poisoned| {
        let (inventory, orders) = (poisoned.inventory(), poisoned.orders());
        inventory.stock(1, 10).await;
        let order = order_id(&orders.place("k-1", 3, "approve").await.is(202));
        orders.becomes(order, "CONFIRMED", "PAID").await;
        poisoned.publish(PAID, order, 2, json!({"orderId": order})).await;
        let listed = poisoned.lists("--topic payment.successful", &["tried once"]).await;
        assert!(listed.contains("has version 2, this code knows up to 1"), "{listed}");
        for time in ["once", "2 times", "3 times", "4 times", "5 times"] {
            poisoned.dlq("redrive").await;
            poisoned.lists("", &[&format!("sent back {time}")]).await;
        }
        let (is_well, said) = poisoned.run("redrive").await;
        assert!(!is_well && said.contains("only `holdfast dlq discard` helps"), "{said}");
        let (is_well, said) = poisoned.run("discard").await;
        assert!(!is_well && said.contains("--all"), "{said}");
        let did = poisoned.dlq("discard --all").await;
        assert!(did.contains("1 letter, discarded") && did.contains(&format!("{order} goes on")), "{did}");
        assert!(poisoned.list("").await.contains("no dead letters wait"));
        poisoned.checkout_agrees(1).await;
    })
    .await;
}

#[tokio::test]
async fn race_29_what_is_sent_back_reaches_the_group_that_gave_it_up_and_no_other() {
    over_every_transport(&[("SAGA_MODE", "choreography")], async |poisoned: &Poisoned| {
        let key = Uuid::new_v4();
        poisoned.publish(CREATED, key, 1, json!({"orderId": key})).await;
        let inventory = "--topic order.created --group inventory-service";
        let listed = poisoned.lists(inventory, &[&key.to_string(), "tried once"]).await;
        poisoned.lists("--group payment-stub", &[&key.to_string(), "tried once"]).await;
        poisoned.dlq("redrive --group payment-stub").await;
        poisoned.lists("--group payment-stub", &["sent back once"]).await;
        // The event and the mark behind it.
        eventually("inventory has seen both, and left them alone", async || {
            let metrics = poisoned.inventory().get("/metrics").await.text;
            let mut lines = metrics.lines().filter(|line| line.starts_with("events_consumed_total"));
            lines.any(|line| line.contains("\"for_another_group\"") && line.ends_with(" 2"))
        })
        .await;
        assert_eq!(poisoned.list(inventory).await, listed);
    })
    .await;
}

#[tokio::test]
async fn a_key_whose_letters_nobody_settled_in_time_goes_on_when_an_operator_says_so() {
    let market = Market::open(StoreKind::Sqlite, &[]).await;
    let data = market.process.data();
    let log = LocalLog::open_beside(&data, LocalOptions::default()).await.expect("the log");
    let poisoned = Poisoned {
        services: Services::Together(Box::new(market)),
        transport: Box::new(log.clone()),
        found_by: ("DATA_DIR", data.display().to_string()),
    };
    let orders = poisoned.orders();
    poisoned.inventory().stock(1, 10).await;
    // Nobody hears of its payment but by us.
    let order = order_id(&orders.place("k-1", 3, "silent").await.is(202));
    orders.becomes(order, "AWAITING_PAYMENT", "REQUESTED").await;
    poisoned.publish(PAID, order, 1, json!({"orderId": "broken"})).await;
    poisoned.lists("", &["1 letter"]).await;
    let unpark = format!("unpark --topic {PAID} --group order-service --key {order}");
    let (is_well, said) = poisoned.run(&unpark).await;
    assert!(!is_well && said.contains("1 letter: redrive or discard"), "{said}");
    let for_ever = Duration::from_secs(1 << 32);
    eventually("the letter is too old to be kept", async || {
        log.prune(for_ever, Duration::ZERO).await.expect("the log is pruned");
        poisoned.list("").await.contains("no dead letters wait")
    })
    .await;
    let said = poisoned.dlq(&unpark).await;
    assert!(said.contains(&format!("order-service lets {order} go on")), "{said}");
    let placed = orders.order(order).await;
    let paid = json!({"paymentId": placed["paymentId"], "orderId": order, "amount": placed["totalAmount"]});
    poisoned.publish(PAID, order, 1, paid).await;
    orders.becomes(order, "CONFIRMED", "PAID").await;
    assert!(poisoned.list("").await.contains("no dead letters wait"));
}

#[tokio::test]
async fn what_cannot_be_done_says_what_to_change() {
    let run = async |line: &str| {
        let launch = Launch::new(env!("CARGO_BIN_EXE_holdfast")).arguments(line.split_whitespace());
        let (status, said) = launch.run_to_end().await.expect("dlq runs");
        assert!(!status.success(), "{said}");
        said
    };
    let said = run("dlq list").await;
    assert!(said.contains("DATA_DIR") && said.contains("KAFKA_BROKERS"), "{said}");
    assert!(run("dlq list --topic no.such").await.contains("payment.successful"));
    let unpark = "dlq unpark --topic payment.successful --group payment-stub --key k";
    assert!(run(unpark).await.contains("--group is one of order-service"));
    assert!(run("dlq show --at nowhere").await.contains("0:17"));
}

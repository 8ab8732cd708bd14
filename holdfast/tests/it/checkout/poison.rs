//! Events that a service can never take: set aside with the reason, their key parked, everything else flowing; and healed by an operator.

use serde_json::{Value, json};
use service_kit::events::kafka::mock::MockKafka;
use service_kit::events::kafka::{KafkaOptions, KafkaTransport};
use service_kit::events::{LocalLog, LocalOptions, Record, Transport};
use test_support::service::Launch;
use uuid::Uuid;

use super::apart::Fleet;
use super::market::{Market, order_id};
use crate::shop::{Caller, StoreKind, eventually};

const TOPIC: &str = "payment.successful";

/// Runs `holdfast dlq …` where the events are; whether it found nothing to complain of, and what it said.
type Operator<'a> = &'a dyn Fn(&[&str]) -> Launch;

async fn say(operator: Operator<'_>, arguments: &[&str]) -> (bool, String) {
    let (status, said) = operator(arguments).run_to_end().await.expect("the operator's verb runs");
    (status.success(), said)
}

/// What the provider would tell of the order's payment.
fn paid(order: &Value) -> Record {
    let id = Uuid::now_v7();
    let key = order["orderId"].as_str().unwrap_or_default().to_owned();
    let payload = json!({
        "eventId": id, "eventType": TOPIC, "version": 1, "timestamp": "2026-11-23T04:00:00Z",
        "payload": {"paymentId": order["paymentId"], "orderId": key, "amount": order["totalAmount"]},
        "metadata": {"sourceService": "payment-stub", "correlationId": key},
        "aggregateId": key, "aggregateVersion": 0,
    });
    Record {
        topic: TOPIC.to_owned(),
        headers: vec![
            ("eventId".to_owned(), id.to_string()),
            ("eventType".to_owned(), TOPIC.to_owned()),
            ("version".to_owned(), "1".to_owned()),
        ],
        key,
        payload: payload.to_string().into_bytes(),
    }
}

async fn is_set_aside_and_healed(orders: &Caller, transport: &dyn Transport, operator: Operator<'_>) {
    // It is never told that its payment came, but by us.
    let stuck = order_id(&orders.place("stuck", 1, "silent").await.is(202));
    orders.becomes(stuck, "AWAITING_PAYMENT", "REQUESTED").await;
    let good = paid(&orders.order(stuck).await);
    let poison = Record { payload: b"{\"no\": \"envelope\"".to_vec(), ..paid(&orders.order(stuck).await) };
    for record in [poison, good] {
        let sent = transport.publisher().publish(&[record]).await;
        assert_eq!(sent, [Ok(())]);
    }
    // Other keys flow.
    let other = order_id(&orders.place("other", 1, "approve").await.is(202));
    orders.becomes(other, "CONFIRMED", "PAID").await;

    let key = stuck.to_string();
    let chosen = ["--topic", TOPIC, "--key", key.as_str()];
    let with = |verb: &'static str, more: &[&'static str]| {
        let mut all: Vec<String> = vec!["dlq".into(), verb.into()];
        all.extend(chosen.iter().chain(more).map(|argument| (*argument).to_owned()));
        all
    };
    let run = async |arguments: Vec<String>| {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        say(operator, &arguments).await
    };
    eventually("the poison and what follows it are set aside", async || {
        let (nothing_waits, said) = run(with("list", &[])).await;
        !nothing_waits && said.contains("2 dead letters wait")
    })
    .await;
    let (_, said) = run(with("list", &[])).await;
    assert!(said.contains("cannot be read as payment.successful"), "{said}");
    assert_eq!(
        orders.order(stuck).await["status"],
        "AWAITING_PAYMENT",
        "what follows a poison waits with it"
    );

    let (done, said) = run(with("redrive", &["--dry-run"])).await;
    assert!(done && said.contains("2 would be sent back"), "{said}");
    assert!(run(with("list", &[])).await.1.contains("2 dead letters wait"));

    let (done, said) = run(with("discard", &["--max", "1"])).await;
    assert!(done && said.contains("1 discarded"), "{said}");
    let (done, said) = run(with("redrive", &[])).await;
    assert!(done && said.contains("1 sent back") && said.contains("goes on behind them"), "{said}");
    orders.becomes(stuck, "CONFIRMED", "PAID").await;
    let (done, said) = run(with("list", &[])).await;
    assert!(done && said.contains("no dead letters"), "{said}");
}

#[tokio::test]
async fn race_26_race_27_a_poison_is_set_aside_and_healed_in_one_process() {
    let market = Market::open(StoreKind::Sqlite, &[]).await;
    market.inventory.stock(1, 10).await;
    let data = market.process.data();
    let log = LocalLog::open_beside(&data, LocalOptions::default()).await.unwrap();
    let operator = |arguments: &[&str]| {
        Launch::new(env!("CARGO_BIN_EXE_holdfast"))
            .arguments(arguments.iter().copied())
            .env("DATA_DIR", data.display().to_string())
    };
    is_set_aside_and_healed(&market.orders, &log, &operator).await;
}

#[tokio::test]
async fn race_26_race_27_a_poison_is_set_aside_and_healed_over_kafka() {
    let mock = MockKafka::start().expect("a mock cluster");
    let fleet = Fleet::start(mock.brokers()).await;
    fleet.inventory().stock(1, 10).await;
    let kafka = KafkaTransport::new(KafkaOptions::new(mock.brokers(), "test")).unwrap();
    let operator = |arguments: &[&str]| {
        Launch::new(env!("CARGO_BIN_EXE_holdfast"))
            .arguments(arguments.iter().copied())
            .env("KAFKA_BROKERS", mock.brokers())
    };
    is_set_aside_and_healed(&fleet.orders(), &kafka, &operator).await;
}

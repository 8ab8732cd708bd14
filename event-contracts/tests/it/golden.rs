//! Every event type and version has a golden file, and today's types read and write exactly it.

use event_contracts::inventory::{
    CommitFailed, ReservationExpired, StockCommitted, StockDepleted, StockLevel, StockLow,
    StockReservationFailed, StockReserved,
};
use event_contracts::orders::{OrderCancelled, OrderConfirmed, OrderCreated, OrderFailed, OrderShipped};
use event_contracts::payments::{PaymentFailed, PaymentRefunded, PaymentSuccessful};
use event_contracts::{EVENTS, Envelope, catalogue, topics, upcast};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::files;

/// Reads a golden file into the typed envelope, writes it back and compares; then adds an unknown field,
/// which must not hurt.
fn survives<P: Serialize + DeserializeOwned + std::fmt::Debug>(topic: &str) {
    let event = catalogue::find(topic).unwrap();
    let mut golden = files::golden(event);
    let envelope: Envelope<P> = serde_json::from_value(golden.clone()).unwrap();
    assert_eq!(envelope.event_type, topic);
    assert_eq!(envelope.version, event.version);
    assert_eq!(serde_json::to_value(&envelope).unwrap(), golden);
    let name = std::any::type_name::<P>().rsplit("::").next().unwrap();
    assert_eq!(name, event.payload, "the catalogue names another payload");

    golden["payload"]["addedLater"] = Value::from(1);
    golden["metadata"]["addedLater"] = Value::from(1);
    golden["addedLater"] = Value::from(1);
    serde_json::from_value::<Envelope<P>>(golden).unwrap();
}

#[test]
fn what_inventory_tells_reads_and_writes_its_golden_files() {
    survives::<StockLow>(topics::STOCK_LOW);
    survives::<StockDepleted>(topics::STOCK_DEPLETED);
    survives::<StockLevel>(topics::STOCK_LEVEL);
    survives::<ReservationExpired>(topics::RESERVATION_EXPIRED);
    survives::<CommitFailed>(topics::COMMIT_FAILED);
    survives::<StockReserved>(topics::STOCK_RESERVED);
    survives::<StockReservationFailed>(topics::STOCK_RESERVATION_FAILED);
    survives::<StockCommitted>(topics::STOCK_COMMITTED);
}

#[test]
fn what_orders_tell_reads_and_writes_its_golden_files() {
    survives::<OrderCreated>(topics::ORDER_CREATED);
    survives::<OrderConfirmed>(topics::ORDER_CONFIRMED);
    survives::<OrderFailed>(topics::ORDER_FAILED);
    survives::<OrderCancelled>(topics::ORDER_CANCELLED);
    survives::<OrderShipped>(topics::ORDER_SHIPPED);
}

#[test]
fn what_payments_tell_reads_and_writes_its_golden_files() {
    survives::<PaymentSuccessful>(topics::PAYMENT_SUCCESSFUL);
    survives::<PaymentFailed>(topics::PAYMENT_FAILED);
    survives::<PaymentRefunded>(topics::PAYMENT_REFUNDED);
}

#[test]
fn every_golden_file_belongs_to_a_known_type_and_can_be_brought_to_todays_version() {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(files::path("event-contracts/golden")).unwrap() {
        let file = entry.unwrap().path();
        let golden: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        let (topic, version) = (golden["eventType"].as_str().unwrap(), golden["version"].as_u64().unwrap());
        let name = format!("{topic}.v{version}");
        assert_eq!(file.file_stem().unwrap().to_str().unwrap(), name);
        upcast(topic, u32::try_from(version).unwrap(), golden["payload"].clone()).unwrap();
        names.push(name);
    }
    for event in EVENTS {
        assert!(names.contains(&event.versioned_name()), "{} has no golden file", event.versioned_name());
    }
}

//! Every event type and version has a golden file, and today's types read and write exactly it.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use event_contracts::inventory::{CommitFailed, ReservationExpired, StockDepleted, StockLow, VERSION};
use event_contracts::{Envelope, topics};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Reads a golden file into the typed envelope, writes it back and compares; then adds an unknown field,
/// which must not hurt.
fn survives<P: Serialize + DeserializeOwned + std::fmt::Debug>(topic: &str) {
    let file = format!("{}/golden/{topic}.v{VERSION}.json", env!("CARGO_MANIFEST_DIR"));
    let mut golden: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let envelope: Envelope<P> = serde_json::from_value(golden.clone()).unwrap();
    assert_eq!(envelope.event_type, topic);
    assert_eq!(envelope.version, VERSION);
    assert_eq!(serde_json::to_value(&envelope).unwrap(), golden);

    golden["payload"]["addedLater"] = Value::from(1);
    golden["addedLater"] = Value::from(1);
    serde_json::from_value::<Envelope<P>>(golden).unwrap();
}

#[test]
fn stock_low_reads_and_writes_its_golden_file() {
    survives::<StockLow>(topics::STOCK_LOW);
}

#[test]
fn stock_depleted_reads_and_writes_its_golden_file() {
    survives::<StockDepleted>(topics::STOCK_DEPLETED);
}

#[test]
fn reservation_expired_reads_and_writes_its_golden_file() {
    survives::<ReservationExpired>(topics::RESERVATION_EXPIRED);
}

#[test]
fn commit_failed_reads_and_writes_its_golden_file() {
    survives::<CommitFailed>(topics::COMMIT_FAILED);
}

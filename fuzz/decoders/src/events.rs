//! Events: records of the transport, their headers, their envelopes, and what handlers make of them.

use event_contracts::{Envelope, inventory, orders, payments, topics, upcast};
use serde::Serialize;
use serde::de::DeserializeOwned;
use service_kit::events::{HandleError, Handler as _, Incoming, Record};

use crate::inventory_http::with_service;
use crate::promises;

/// Reads `bytes` as a record: `topic key`, then headers as `name: value`, then an empty line and the payload.
pub fn run(bytes: &[u8]) {
    let Some(record) = record_of(bytes) else { return };
    let event = match Incoming::read(&record) {
        Ok(event) => event,
        Err(poison) => return promises::advice(&poison),
    };
    assert_eq!(event.payload, record.payload);
    envelope_of(&record.topic, &event);
    understood(order_service::consume::understand(&event).map(drop));
    with_service(|service| {
        let handled = service.block_on(service.order_events().handle(&event));
        understood(handled.map(drop));
    });
}

fn record_of(bytes: &[u8]) -> Option<Record> {
    let (head, payload) = match bytes.windows(2).position(|window| window == b"\n\n") {
        Some(at) => (&bytes[..at], &bytes[at + 2..]),
        None => (bytes, &[][..]),
    };
    let mut lines = std::str::from_utf8(head).ok()?.lines();
    let (topic, key) = lines.next()?.split_once(' ')?;
    let headers = lines.filter_map(|line| line.split_once(": "));
    Some(Record {
        topic: topic.to_owned(),
        key: key.to_owned(),
        payload: payload.to_vec(),
        headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
    })
}

fn understood(result: Result<(), HandleError>) {
    if let Err(HandleError::Transient(why) | HandleError::Permanent(why)) = result {
        promises::advice(&why);
    }
}

/// The payload as its topic has it, there and back.
fn envelope_of(topic: &str, event: &Incoming) {
    match topic {
        topics::ORDER_CREATED => there_and_back::<orders::OrderCreated>(event),
        topics::ORDER_CONFIRMED => there_and_back::<orders::OrderConfirmed>(event),
        topics::ORDER_FAILED => there_and_back::<orders::OrderFailed>(event),
        topics::ORDER_CANCELLED => there_and_back::<orders::OrderCancelled>(event),
        topics::ORDER_SHIPPED => there_and_back::<orders::OrderShipped>(event),
        topics::PAYMENT_SUCCESSFUL => there_and_back::<payments::PaymentSuccessful>(event),
        topics::PAYMENT_FAILED => there_and_back::<payments::PaymentFailed>(event),
        topics::PAYMENT_REFUNDED => there_and_back::<payments::PaymentRefunded>(event),
        topics::STOCK_LOW => there_and_back::<inventory::StockLow>(event),
        topics::STOCK_DEPLETED => there_and_back::<inventory::StockDepleted>(event),
        topics::STOCK_LEVEL => there_and_back::<inventory::StockLevel>(event),
        topics::RESERVATION_EXPIRED => there_and_back::<inventory::ReservationExpired>(event),
        topics::COMMIT_FAILED => there_and_back::<inventory::CommitFailed>(event),
        topics::STOCK_RESERVED => there_and_back::<inventory::StockReserved>(event),
        topics::STOCK_RESERVATION_FAILED => there_and_back::<inventory::StockReservationFailed>(event),
        topics::STOCK_COMMITTED => there_and_back::<inventory::StockCommitted>(event),
        _ => {}
    }
}

fn there_and_back<P: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(event: &Incoming) {
    let envelope: Envelope<P> = match event.parse() {
        Ok(envelope) => envelope,
        Err(HandleError::Transient(why) | HandleError::Permanent(why)) => return promises::advice(&why),
    };
    let written = serde_json::to_vec(&envelope).expect("an event can be written");
    let read: Envelope<P> = serde_json::from_slice(&written).expect("what is written is read");
    assert_eq!(read, envelope);
    let payload = serde_json::to_value(&envelope.payload).expect("a payload can be written");
    if let Err(unknown) = upcast(&envelope.event_type, envelope.version, payload) {
        promises::advice(&unknown.to_string());
    }
}

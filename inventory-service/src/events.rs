//! Facts become outbox rows: the envelope, and the same in headers so that routing needs no parsing.

use event_contracts::inventory::{CommitFailed, Item, ReservationExpired, StockDepleted, StockLow, VERSION};
use event_contracts::{Envelope, Metadata, topics};
use inventory_core::clock::Timestamp;
use inventory_core::event::{EventEncoder, Fact, OutboxRow};
use inventory_core::product::Product;
use inventory_core::reservation::Reservation;
use serde::Serialize;
use uuid::{NoContext, Uuid};

/// Who writes these events.
const SOURCE: &str = "inventory-service";

/// The encoder to open an engine with.
#[derive(Clone, Copy, Debug, Default)]
pub struct InventoryEvents;

impl EventEncoder for InventoryEvents {
    fn encode(&self, fact: &Fact, at: Timestamp) -> Option<OutboxRow> {
        let id = event_id(at);
        match fact {
            Fact::StockLow(product) => {
                row(id, at, topics::STOCK_LOW, &of_product(product), stock_low(product))
            }
            Fact::StockDepleted(product) => {
                row(id, at, topics::STOCK_DEPLETED, &of_product(product), stock_depleted(product))
            }
            Fact::ReservationExpired(reservation) => row(
                id,
                at,
                topics::RESERVATION_EXPIRED,
                &of_reservation(reservation),
                reservation_expired(reservation),
            ),
            Fact::CommitFailed(reservation) => {
                row(id, at, topics::COMMIT_FAILED, &of_reservation(reservation), commit_failed(reservation))
            }
        }
    }
}

/// Time-ordered by the store's clock, so that the outbox's index grows at its end.
fn event_id(at: Timestamp) -> Uuid {
    let micros = u64::try_from(at.micros()).unwrap_or(0);
    let nanos = u32::try_from(micros % 1_000_000 * 1_000).unwrap_or(0);
    Uuid::new_v7(uuid::Timestamp::from_unix(NoContext, micros / 1_000_000, nanos))
}

/// What an event is about.
struct Aggregate {
    kind: &'static str,
    id: String,
    version: u64,
    /// None for an event that begins its own conversation.
    correlation_id: Option<String>,
}

fn of_product(product: &Product) -> Aggregate {
    Aggregate { kind: "product", id: product.id.to_string(), version: product.version, correlation_id: None }
}

/// Reservations have no version; their key is the order's id, which is also what everything about an order
/// correlates by.
fn of_reservation(reservation: &Reservation) -> Aggregate {
    let id = reservation.order.to_string();
    Aggregate { kind: "reservation", correlation_id: Some(id.clone()), id, version: 0 }
}

fn row<P: Serialize>(
    id: Uuid,
    at: Timestamp,
    topic: &'static str,
    aggregate: &Aggregate,
    payload: P,
) -> Option<OutboxRow> {
    let timestamp = at.to_datetime();
    let correlation_id = aggregate.correlation_id.clone().unwrap_or_else(|| id.to_string());
    let envelope = Envelope {
        event_id: id,
        event_type: topic.to_owned(),
        version: VERSION,
        timestamp,
        payload,
        metadata: Metadata {
            source_service: SOURCE.to_owned(),
            correlation_id: correlation_id.clone(),
            causation_id: None,
            traceparent: None,
        },
        aggregate_id: aggregate.id.clone(),
        aggregate_version: aggregate.version,
    };
    let payload = match serde_json::to_vec(&envelope) {
        Ok(payload) => payload,
        // Cannot happen for plain data; were it to, the log says so and the batch stands.
        Err(error) => {
            tracing::error!(%error, topic, "an event could not be written as JSON");
            return None;
        }
    };
    let header = |name: &str, value: String| (name.to_owned(), value);
    let headers = vec![
        header("eventId", id.to_string()),
        header("eventType", topic.to_owned()),
        header("version", VERSION.to_string()),
        header("sourceService", SOURCE.to_owned()),
        header("correlationId", correlation_id),
        header("aggregateVersion", aggregate.version.to_string()),
        header("content-type", "application/json".to_owned()),
        header("ce_specversion", "1.0".to_owned()),
        header("ce_id", id.to_string()),
        header("ce_source", format!("/{SOURCE}")),
        header("ce_type", topic.to_owned()),
        header("ce_subject", aggregate.id.clone()),
        header("ce_time", at.to_string()),
    ];
    Some(OutboxRow {
        id,
        topic: topic.to_owned(),
        aggregate_type: aggregate.kind.to_owned(),
        aggregate_id: aggregate.id.clone(),
        aggregate_version: aggregate.version,
        event_type: topic.to_owned(),
        payload,
        headers,
    })
}

fn stock_low(product: &Product) -> StockLow {
    StockLow {
        product_id: product.id.get(),
        name: product.name.as_ref().map(|name| name.as_str().to_owned()),
        on_hand: product.on_hand.get(),
        held: product.held.get(),
        available: product.available().get(),
        low_stock_threshold: product.low_stock_threshold.map(|units| units.get()),
    }
}

fn stock_depleted(product: &Product) -> StockDepleted {
    StockDepleted {
        product_id: product.id.get(),
        name: product.name.as_ref().map(|name| name.as_str().to_owned()),
        on_hand: product.on_hand.get(),
        held: product.held.get(),
        available: product.available().get(),
    }
}

fn reservation_expired(reservation: &Reservation) -> ReservationExpired {
    ReservationExpired {
        order_id: reservation.order.get(),
        customer_id: reservation.customer.as_ref().map(|customer| customer.as_str().to_owned()),
        items: items(reservation),
        created_at: reservation.created_at.to_datetime(),
        expires_at: reservation.expires_at.to_datetime(),
    }
}

fn commit_failed(reservation: &Reservation) -> CommitFailed {
    CommitFailed {
        order_id: reservation.order.get(),
        customer_id: reservation.customer.as_ref().map(|customer| customer.as_str().to_owned()),
        items: items(reservation),
        reason: "reservation_expired".to_owned(),
        created_at: reservation.created_at.to_datetime(),
        expires_at: reservation.expires_at.to_datetime(),
    }
}

fn items(reservation: &Reservation) -> Vec<Item> {
    reservation
        .lines
        .iter()
        .map(|line| Item { product_id: line.product.get(), quantity: line.quantity.get() })
        .collect()
}

#[cfg(test)]
#[path = "events_tests.rs"]
mod tests;

//! Facts become outbox rows: the envelope, and the same in headers so that routing needs no parsing.

use event_contracts::inventory::{
    CommitFailed, Item, ReservationExpired, StockCommitted, StockDepleted, StockLevel, StockLow,
    StockReservationFailed, StockReserved, VERSION,
};
use event_contracts::topics;
use inventory_core::clock::Timestamp;
use inventory_core::event::{EventEncoder, Fact, OutboxRow};
use inventory_core::product::Product;
use inventory_core::reservation::Reservation;
use serde::Serialize;
use service_kit::events::Outgoing;
use uuid::{NoContext, Uuid};

/// Who writes these events.
const SOURCE: &str = "inventory-service";

/// The encoder to open an engine with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InventoryEvents {
    levels: bool,
    choreography: bool,
}

impl Default for InventoryEvents {
    /// The order service leads, and somebody follows the levels.
    fn default() -> Self {
        Self { levels: true, choreography: false }
    }
}

impl InventoryEvents {
    /// Nobody leads: every hold, commit and refused order is told, because others act on it.
    pub fn for_choreography() -> Self {
        Self { choreography: true, ..Self::default() }
    }

    /// Nothing is sent for now: levels, of which only the last one counts, would pile up.
    #[must_use]
    pub fn without_levels(self) -> Self {
        Self { levels: false, ..self }
    }
}

impl EventEncoder for InventoryEvents {
    fn encode(&self, fact: &Fact, at: Timestamp) -> Option<OutboxRow> {
        match fact {
            Fact::StockLow(product) => row(at, topics::STOCK_LOW, of_product(product), stock_low(product)),
            Fact::StockDepleted(product) => {
                row(at, topics::STOCK_DEPLETED, of_product(product), stock_depleted(product))
            }
            Fact::StockLevel(product) => {
                row(at, topics::STOCK_LEVEL, of_product(product), stock_level(product))
            }
            Fact::ReservationExpired(held) => {
                row(at, topics::RESERVATION_EXPIRED, of_reservation(held), reservation_expired(held))
            }
            Fact::CommitFailed(lost) => {
                row(at, topics::COMMIT_FAILED, of_reservation(lost), commit_failed(lost))
            }
            Fact::Reserved(held) => {
                row(at, topics::STOCK_RESERVED, of_reservation(held), stock_reserved(held))
            }
            Fact::Committed(sold) => {
                row(at, topics::STOCK_COMMITTED, of_reservation(sold), stock_committed(sold))
            }
            Fact::Tombstoned(refused, reason) => {
                let reason = reason.as_ref().map_or("released", |reason| reason.as_str()).to_owned();
                let failed = StockReservationFailed { order_id: refused.order.get(), reason };
                row(at, topics::STOCK_RESERVATION_FAILED, of_reservation(refused), failed)
            }
        }
    }

    fn tells_of_levels(&self) -> bool {
        self.levels
    }

    fn tells_of_holds(&self) -> bool {
        self.choreography
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
    at: Timestamp,
    topic: &'static str,
    aggregate: Aggregate,
    payload: P,
) -> Option<OutboxRow> {
    let id = event_id(at);
    let event = Outgoing {
        id,
        topic,
        version: VERSION,
        at: at.to_datetime(),
        source: SOURCE,
        aggregate_type: aggregate.kind,
        aggregate_id: aggregate.id,
        aggregate_version: aggregate.version,
        correlation_id: aggregate.correlation_id.unwrap_or_else(|| id.to_string()),
        causation_id: None,
        traceparent: None,
        payload,
    };
    let (payload, headers) = match event.encode() {
        Ok(encoded) => encoded,
        // Cannot happen for plain data; were it to, the log says so and the batch stands.
        Err(error) => {
            tracing::error!(%error, topic, "an event could not be written as JSON");
            return None;
        }
    };
    Some(OutboxRow {
        id,
        topic: topic.to_owned(),
        aggregate_type: aggregate.kind.to_owned(),
        aggregate_id: event.aggregate_id,
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

fn stock_level(product: &Product) -> StockLevel {
    StockLevel {
        product_id: product.id.get(),
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

fn stock_reserved(reservation: &Reservation) -> StockReserved {
    StockReserved {
        order_id: reservation.order.get(),
        items: items(reservation),
        expires_at: reservation.expires_at.to_datetime(),
    }
}

fn stock_committed(reservation: &Reservation) -> StockCommitted {
    StockCommitted { order_id: reservation.order.get(), items: items(reservation) }
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

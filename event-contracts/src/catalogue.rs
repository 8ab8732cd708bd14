//! Every event type, as data: who writes it, who listens, by which key. Topics, schemas, the AsyncAPI document and `docs/EVENTS.md` are
//! made from this table.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Value, json};

use crate::{Envelope, inventory, orders, payments, topics};

/// The service that keeps stock.
pub const INVENTORY: &str = "inventory-service";
/// The service that keeps orders.
pub const ORDERS: &str = "order-service";
/// The service that takes money.
pub const PAYMENTS: &str = "payment-stub";

/// By what the events of a topic are ordered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Key {
    /// The order's id.
    Order,
    /// The product's id, in decimal digits.
    Product,
}

impl Key {
    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Order => "order id",
            Self::Product => "product id",
        }
    }
}

/// One type of event. Its topic bears its name.
#[derive(Clone, Copy, Debug)]
pub struct EventType {
    /// Its name, and its topic's.
    pub topic: &'static str,
    /// The present version of its payload.
    pub version: u32,
    /// The payload's name.
    pub payload: &'static str,
    /// What happened.
    pub summary: &'static str,
    /// By what it is ordered.
    pub key: Key,
    /// Whether the last event of a key stays for ever, and earlier ones go.
    pub is_compacted: bool,
    /// Whether it is only sent in choreography.
    pub is_choreography_only: bool,
    /// Who writes it.
    pub producer: &'static str,
    /// Who listens always.
    pub consumers: &'static [&'static str],
    /// Who else listens in choreography.
    pub choreography_consumers: &'static [&'static str],
    envelope: fn(&mut SchemaGenerator) -> Schema,
}

impl EventType {
    const fn new<P: JsonSchema>(topic: &'static str, payload: &'static str, summary: &'static str) -> Self {
        Self {
            topic,
            version: 1,
            payload,
            summary,
            key: Key::Order,
            is_compacted: false,
            is_choreography_only: false,
            producer: ORDERS,
            consumers: &[],
            choreography_consumers: &[],
            envelope: |generator| generator.subschema_for::<Envelope<P>>(),
        }
    }

    const fn at_version(self, version: u32) -> Self {
        Self { version, ..self }
    }

    const fn keyed_by(self, key: Key) -> Self {
        Self { key, ..self }
    }

    const fn compacted(self) -> Self {
        Self { is_compacted: true, ..self }
    }

    const fn from(self, producer: &'static str) -> Self {
        Self { producer, ..self }
    }

    const fn to(self, consumers: &'static [&'static str]) -> Self {
        Self { consumers, ..self }
    }

    /// Also heard by these in choreography.
    const fn and_in_choreography_to(self, choreography_consumers: &'static [&'static str]) -> Self {
        Self { choreography_consumers, ..self }
    }

    /// Neither sent nor heard elsewhere.
    const fn only_in_choreography(self) -> Self {
        Self { is_choreography_only: true, ..self }
    }

    /// The name under which golden files and schemas stand: `order.created.v1`.
    pub fn versioned_name(&self) -> String {
        format!("{}.v{}", self.topic, self.version)
    }

    /// The schema of the whole event, with the definitions it needs left in the generator.
    pub(crate) fn schema_in(&self, generator: &mut SchemaGenerator) -> Value {
        let envelope = (self.envelope)(generator);
        json!({
            "allOf": [envelope],
            "properties": {"eventType": {"const": self.topic}, "version": {"const": self.version}},
        })
    }

    /// The schema of the whole event on its own (JSON Schema 2020-12).
    pub fn schema(&self) -> Value {
        let mut generator = SchemaSettings::draft2020_12().into_generator();
        let mut schema = self.schema_in(&mut generator);
        schema["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
        schema["$id"] = format!("urn:holdfast:event:{}", self.versioned_name()).into();
        schema["title"] = self.versioned_name().into();
        schema["description"] = self.summary.into();
        schema["$defs"] = generator.take_definitions(true).into();
        schema
    }
}

/// All types, in the order in which they are documented.
pub const EVENTS: [EventType; 16] = [
    EventType::new::<orders::OrderCreated>(topics::ORDER_CREATED, "OrderCreated", "An order was placed.")
        .at_version(orders::VERSION)
        .and_in_choreography_to(&[INVENTORY, PAYMENTS]),
    EventType::new::<orders::OrderConfirmed>(
        topics::ORDER_CONFIRMED,
        "OrderConfirmed",
        "An order is paid and its stock committed. Consumers commit the stock if it is not yet.",
    )
    .at_version(orders::VERSION)
    .to(&[INVENTORY]),
    EventType::new::<orders::OrderFailed>(
        topics::ORDER_FAILED,
        "OrderFailed",
        "An order's money did not come. Consumers release the hold.",
    )
    .at_version(orders::VERSION)
    .to(&[INVENTORY]),
    EventType::new::<orders::OrderCancelled>(
        topics::ORDER_CANCELLED,
        "OrderCancelled",
        "An order ended without a sale. Consumers release the hold.",
    )
    .at_version(orders::VERSION)
    .to(&[INVENTORY]),
    EventType::new::<orders::OrderShipped>(topics::ORDER_SHIPPED, "OrderShipped", "An order is on its way.")
        .at_version(orders::VERSION),
    EventType::new::<payments::PaymentSuccessful>(
        topics::PAYMENT_SUCCESSFUL,
        "PaymentSuccessful",
        "The provider has the money.",
    )
    .at_version(payments::VERSION)
    .from(PAYMENTS)
    .to(&[ORDERS]),
    EventType::new::<payments::PaymentFailed>(
        topics::PAYMENT_FAILED,
        "PaymentFailed",
        "The provider said no. No money was taken.",
    )
    .at_version(payments::VERSION)
    .from(PAYMENTS)
    .to(&[ORDERS]),
    EventType::new::<payments::PaymentRefunded>(
        topics::PAYMENT_REFUNDED,
        "PaymentRefunded",
        "The money was given back.",
    )
    .at_version(payments::VERSION)
    .from(PAYMENTS)
    .to(&[ORDERS]),
    EventType::new::<inventory::StockLow>(
        topics::STOCK_LOW,
        "StockLow",
        "A product's availability fell below its threshold. Sent once per fall.",
    )
    .at_version(inventory::VERSION)
    .keyed_by(Key::Product)
    .from(INVENTORY),
    EventType::new::<inventory::StockDepleted>(
        topics::STOCK_DEPLETED,
        "StockDepleted",
        "A product's availability fell to zero. Sent once per fall.",
    )
    .at_version(inventory::VERSION)
    .keyed_by(Key::Product)
    .from(INVENTORY),
    EventType::new::<inventory::StockLevel>(
        topics::STOCK_LEVEL,
        "StockLevel",
        "A product's level as it is now. Coalesced: the last one of a product is true, and not every step is told.",
    )
    .at_version(inventory::VERSION)
    .keyed_by(Key::Product)
    .compacted()
    .from(INVENTORY),
    EventType::new::<inventory::ReservationExpired>(
        topics::RESERVATION_EXPIRED,
        "ReservationExpired",
        "A hold ran out and its stock went back.",
    )
    .at_version(inventory::VERSION)
    .from(INVENTORY)
    .to(&[ORDERS]),
    EventType::new::<inventory::CommitFailed>(
        topics::COMMIT_FAILED,
        "CommitFailed",
        "A commit came after the hold had run out, and the stock was gone. Consumers refund the order.",
    )
    .at_version(inventory::VERSION)
    .from(INVENTORY)
    .to(&[ORDERS]),
    EventType::new::<inventory::StockReserved>(
        topics::STOCK_RESERVED,
        "StockReserved",
        "An order's stock is held.",
    )
    .at_version(inventory::VERSION)
    .from(INVENTORY)
    .and_in_choreography_to(&[ORDERS])
    .only_in_choreography(),
    EventType::new::<inventory::StockReservationFailed>(
        topics::STOCK_RESERVATION_FAILED,
        "StockReservationFailed",
        "An order's stock cannot be had.",
    )
    .at_version(inventory::VERSION)
    .from(INVENTORY)
    .and_in_choreography_to(&[ORDERS])
    .only_in_choreography(),
    EventType::new::<inventory::StockCommitted>(
        topics::STOCK_COMMITTED,
        "StockCommitted",
        "An order's stock is sold for good.",
    )
    .at_version(inventory::VERSION)
    .from(INVENTORY)
    .and_in_choreography_to(&[ORDERS])
    .only_in_choreography(),
];

/// The type of this name.
pub fn find(event_type: &str) -> Option<&'static EventType> {
    static ALL: [EventType; 16] = EVENTS;
    ALL.iter().find(|event| event.topic == event_type)
}

//! What an audit answers.

use std::fmt;

use uuid::Uuid;

use crate::ids::{BatchId, OrderId, ProductId};

/// Violations kept in a report; further ones are only counted.
pub const VIOLATIONS_KEPT_MAX: usize = 1_000;

/// What was checked and what was found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AuditReport {
    /// How much was read.
    pub checked: Checked,
    /// The first [`VIOLATIONS_KEPT_MAX`] violations, in the order found.
    pub violations: Vec<Violation>,
    /// How many there are in all.
    pub violations_total: u64,
}

impl AuditReport {
    /// Whether nothing was found.
    pub fn ok(&self) -> bool {
        self.violations_total == 0
    }

    pub(super) fn add(&mut self, check: Check, subject: Subject, detail: impl Into<String>) {
        self.violations_total += 1;
        if self.violations.len() < VIOLATIONS_KEPT_MAX {
            self.violations.push(Violation { check, subject, detail: detail.into() });
        }
    }
}

/// Rows read, by what they are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Checked {
    /// Products.
    pub products: u64,
    /// Versions of products in the journal.
    pub versions: u64,
    /// What customers have of limited products.
    pub customer_units: u64,
    /// Reservations.
    pub reservations: u64,
    /// Journal commands on orders.
    pub commands: u64,
    /// Journal entries.
    pub journal_entries: u64,
    /// Fences.
    pub fences: u64,
    /// Outbox rows.
    pub events: u64,
    /// Adjustments.
    pub adjustments: u64,
    /// Inbox rows.
    pub deliveries: u64,
}

impl Checked {
    /// Every count with its name, for reports.
    pub fn counts(&self) -> [(&'static str, u64); 10] {
        [
            ("products", self.products),
            ("versions", self.versions),
            ("customer_units", self.customer_units),
            ("reservations", self.reservations),
            ("commands", self.commands),
            ("journal_entries", self.journal_entries),
            ("fences", self.fences),
            ("events", self.events),
            ("adjustments", self.adjustments),
            ("deliveries", self.deliveries),
        ]
    }
}

/// One thing that is not as it must be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violation {
    /// Which rule.
    pub check: Check,
    /// Of what.
    pub subject: Subject,
    /// In words, with the numbers.
    pub detail: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.check.code(), self.subject, self.detail)
    }
}

/// The rules. Codes are stable.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Check {
    /// `0 ≤ held ≤ on_hand` (I1), now and in every version.
    StockBounds,
    /// `held` is the sum of HELD lines (I2).
    HeldSum,
    /// A product is what its last version says.
    ProductHead,
    /// A product's settings agree with each other and with the journal.
    ProductSettings,
    /// Versions follow one another, each naming the batch before.
    VersionChain,
    /// Each version is the one before and the effect of the batch's commands.
    VersionEffect,
    /// The parts of a journal entry fit together.
    JournalShape,
    /// Commands on an order follow the life cycle; a hold ends once (I4).
    OrderLife,
    /// A reservation has its journal, and the journal its reservation.
    OrderMissing,
    /// A reservation's status, lines, customer and times are what its commands made.
    OrderState,
    /// A reservation's row makes sense by itself.
    OrderShape,
    /// Adjustments and the journal's adjusting commands are the same.
    Adjustment,
    /// What customers have of limited products is the sum of their lines.
    CustomerUnits,
    /// Every journal entry has a committed fence, and every committed fence its entry.
    BatchFence,
    /// A delivery that a command carried is in the inbox.
    Delivery,
    /// An event belongs to a committed batch and an aggregate that can exist.
    EventOrigin,
    /// An event is as it was written.
    EventDigest,
}

impl Check {
    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::StockBounds,
        Self::HeldSum,
        Self::ProductHead,
        Self::ProductSettings,
        Self::VersionChain,
        Self::VersionEffect,
        Self::JournalShape,
        Self::OrderLife,
        Self::OrderMissing,
        Self::OrderState,
        Self::OrderShape,
        Self::Adjustment,
        Self::CustomerUnits,
        Self::BatchFence,
        Self::Delivery,
        Self::EventOrigin,
        Self::EventDigest,
    ];

    /// The stable name.
    pub const fn code(self) -> &'static str {
        match self {
            Self::StockBounds => "stock_bounds",
            Self::HeldSum => "held_sum",
            Self::ProductHead => "product_head",
            Self::ProductSettings => "product_settings",
            Self::VersionChain => "version_chain",
            Self::VersionEffect => "version_effect",
            Self::JournalShape => "journal_shape",
            Self::OrderLife => "order_life",
            Self::OrderMissing => "order_missing",
            Self::OrderState => "order_state",
            Self::OrderShape => "order_shape",
            Self::Adjustment => "adjustment",
            Self::CustomerUnits => "customer_units",
            Self::BatchFence => "batch_fence",
            Self::Delivery => "delivery",
            Self::EventOrigin => "event_origin",
            Self::EventDigest => "event_digest",
        }
    }
}

/// What a violation is about.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Subject {
    /// A product.
    Product(ProductId),
    /// An order.
    Order(OrderId),
    /// A batch.
    Batch(BatchId),
    /// An adjustment, by its id.
    Adjustment(String),
    /// A customer.
    Customer(String),
    /// A message.
    Delivery(String),
    /// An event, by its id.
    Event(Uuid),
}

impl Subject {
    /// What kind of thing, for reports.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Product(_) => "product",
            Self::Order(_) => "order",
            Self::Batch(_) => "batch",
            Self::Adjustment(_) => "adjustment",
            Self::Customer(_) => "customer",
            Self::Delivery(_) => "delivery",
            Self::Event(_) => "event",
        }
    }

    /// Its key, for reports.
    pub fn key(&self) -> String {
        match self {
            Self::Product(id) => id.to_string(),
            Self::Order(id) => id.to_string(),
            Self::Batch(id) => id.to_string(),
            Self::Adjustment(id) | Self::Customer(id) | Self::Delivery(id) => id.clone(),
            Self::Event(id) => id.to_string(),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind(), self.key())
    }
}

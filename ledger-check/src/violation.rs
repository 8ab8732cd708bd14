//! What may be found, each with what to look at.

use std::fmt;

use serde::Serialize;
use uuid::Uuid;

/// An operation by its record's name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
pub struct Operation {
    /// Who asked.
    pub client: String,
    /// Which of that caller's tries.
    pub sequence: u64,
    /// What: `reserve`, `commit`, ….
    pub asked: &'static str,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} #{} ({})", self.client, self.sequence, self.asked)
    }
}

/// One thing that is not as it must be. The names are stable.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Violation {
    /// `0 ≤ held ≤ on hand` does not hold after a batch.
    StockBounds {
        /// Of which product.
        product: i64,
        /// At which version.
        version: u64,
        /// Made by which batch.
        batch: Uuid,
        /// As the journal has it.
        on_hand: i64,
        /// As the journal has it.
        held: i64,
    },
    /// A version is not the one before it plus what its batch did.
    StockEffect {
        /// Of which product.
        product: i64,
        /// Which version.
        version: u64,
        /// Made by which batch.
        batch: Uuid,
        /// On hand, as the journal has it.
        on_hand: i64,
        /// On hand, as its commands make it.
        on_hand_expected: i64,
        /// Held, as the journal has it.
        held: i64,
        /// Held, as its commands make it.
        held_expected: i64,
    },
    /// A product's held units are not those of the orders that hold it.
    HeldSum {
        /// Which product.
        product: i64,
        /// As its last version has it.
        held: i64,
        /// As the orders have it.
        by_orders: i64,
    },
    /// A number left its range.
    Overflow {
        /// Of which product.
        product: i64,
        /// In which batch.
        batch: Uuid,
    },
    /// Two batches made the same version of a product: one of them did not hold its lock.
    VersionTwice {
        /// Of which product.
        product: i64,
        /// Which version.
        version: u64,
        /// One batch.
        batch: Uuid,
        /// The other.
        other: Uuid,
    },
    /// A product's versions are not all there.
    VersionGap {
        /// Of which product.
        product: i64,
        /// The version before the gap; 0 if the first is missing.
        after: u64,
        /// The version after it.
        version: u64,
        /// Made by which batch.
        batch: Uuid,
    },
    /// A version names another batch as the one before than the one that was.
    VersionLink {
        /// Of which product.
        product: i64,
        /// Which version.
        version: u64,
        /// Made by which batch.
        batch: Uuid,
        /// What it names.
        named: Option<Uuid>,
        /// What came before.
        before: Option<Uuid>,
    },
    /// Two batches each came before the other, by different products: carts were not serial.
    Cycle {
        /// The batches, each before the next and the last before the first.
        batches: Vec<Uuid>,
        /// By which products.
        products: Vec<i64>,
    },
    /// What was over before it was begun: a batch contains, or follows, what was asked only after it had been answered.
    TimeOrder {
        /// The batch whose effect was answered too early.
        batch: Uuid,
        /// Whose answer shows that it was done.
        answered: Operation,
        /// When.
        answered_at: i64,
        /// What came before it in the ledger's order, or with it.
        invoked: Operation,
        /// When it was asked.
        invoked_at: i64,
    },
    /// An entry does not fit together.
    EntryShape {
        /// Whose.
        batch: Uuid,
        /// Why.
        why: String,
    },
    /// A command that the order's state does not allow.
    HoldLife {
        /// Which order.
        order: Uuid,
        /// In which batch.
        batch: Uuid,
        /// What was done.
        did: &'static str,
        /// To an order that was what.
        was: &'static str,
    },
    /// A hold ended with, or gave back, other units than it held.
    HoldLines {
        /// Which order.
        order: Uuid,
        /// In which batch.
        batch: Uuid,
        /// What was done.
        did: &'static str,
        /// Of which product.
        product: i64,
        /// Units held.
        held: i64,
        /// Units moved.
        moved: i64,
    },
    /// A cart was not taken as a whole, or not as asked for.
    CartLines {
        /// Which order.
        order: Uuid,
        /// In which batch.
        batch: Uuid,
        /// Who asked.
        operation: Operation,
        /// Of which product.
        product: i64,
        /// Units asked for.
        asked: i64,
        /// Units taken.
        taken: i64,
    },
    /// An acknowledged change is not in the journal.
    AcknowledgedLost {
        /// Whose.
        operation: Operation,
        /// The order, the adjustment or the product.
        of: String,
        /// What was acknowledged.
        answer: String,
    },
    /// An acknowledged change is in the journal, but it says something else.
    AcknowledgedOtherwise {
        /// Whose.
        operation: Operation,
        /// The order, the adjustment or the product.
        of: String,
        /// In which batch.
        batch: Uuid,
        /// What differs.
        why: String,
    },
    /// The journal has a change of an order that nobody asked for.
    FromNowhere {
        /// Which order.
        order: Uuid,
        /// In which batch.
        batch: Uuid,
        /// What was done.
        did: &'static str,
    },
    /// A change happened, but everyone who asked for it was told that nothing had.
    FailedButHappened {
        /// One who asked.
        operation: Operation,
        /// What it was told.
        answer: String,
        /// The order or the adjustment.
        of: String,
        /// In which batch.
        batch: Uuid,
    },
    /// More than one effect of one request, or more effects than requests.
    MoreThanOnce {
        /// The order or the adjustment.
        of: String,
        /// What was done.
        did: &'static str,
        /// How often it may have been done.
        asked: u64,
        /// How often it was.
        done: u64,
        /// One of the batches.
        batch: Uuid,
    },
    /// The repeat of a request that held was refused as if it were new.
    ReplayRefused {
        /// The repeat.
        operation: Operation,
        /// Which order.
        order: Uuid,
        /// The batch that had held it.
        batch: Uuid,
        /// What the repeat was told.
        answer: String,
    },
    /// The same request was answered one thing, then another.
    ReplayChanged {
        /// The repeat.
        operation: Operation,
        /// Which order or adjustment.
        of: String,
        /// What differs.
        why: String,
    },
    /// An answer says of an order what was not so at any moment of the request.
    Unfounded {
        /// Whose.
        operation: Operation,
        /// Which order.
        order: Uuid,
        /// What it was told.
        answer: String,
        /// What the order was meanwhile.
        was: String,
    },
    /// A "sold out" that nothing justified: there was enough all the time.
    SoldOutUnjustified {
        /// Whose.
        operation: Operation,
        /// Which product.
        product: i64,
        /// Units asked for.
        requested: i64,
        /// The least there may have been, takes under way counted as gone.
        least: i64,
        /// Version at the beginning of the window.
        from_version: u64,
        /// Version at its end.
        through_version: u64,
    },
    /// A "sold out" with a figure that was never so.
    SoldOutFigure {
        /// Whose.
        operation: Operation,
        /// Which product.
        product: i64,
        /// Units asked for.
        requested: i64,
        /// Units there were, as told.
        told: i64,
        /// The least there may have been.
        least: i64,
        /// The most.
        most: i64,
    },
    /// A hold was ended before its time, or called late or in time when it was not.
    ExpiredEarly {
        /// Which order.
        order: Uuid,
        /// In which batch.
        batch: Uuid,
        /// When, in microseconds of the ledger's clock.
        at: i64,
        /// Its earliest end.
        not_before: i64,
    },
    /// A hold has outlived its time beyond the sweep's bound.
    HeldTooLong {
        /// Which order.
        order: Uuid,
        /// In which batch it began.
        batch: Uuid,
        /// Its latest end, in microseconds of the ledger's clock.
        ended: i64,
        /// When it was still there.
        at: i64,
    },
    /// A record that cannot be used.
    HistoryRecord {
        /// Which.
        operation: Operation,
        /// Why.
        why: String,
    },
}

impl Violation {
    /// The invariant's id, as the design calls it; `-` for records that cannot be used.
    pub const fn invariant(&self) -> &'static str {
        match self {
            Self::StockBounds { .. } => "I1",
            Self::StockEffect { .. } | Self::HeldSum { .. } => "I2",
            Self::HoldLife { .. } => "I4",
            Self::AcknowledgedLost { .. } | Self::AcknowledgedOtherwise { .. } => "I5",
            Self::FromNowhere { .. } | Self::FailedButHappened { .. } => "I6",
            Self::MoreThanOnce { .. }
            | Self::ReplayRefused { .. }
            | Self::ReplayChanged { .. }
            | Self::Unfounded { .. } => "I7",
            Self::ExpiredEarly { .. } | Self::HeldTooLong { .. } => "I8",
            Self::VersionTwice { .. }
            | Self::VersionGap { .. }
            | Self::VersionLink { .. }
            | Self::Cycle { .. }
            | Self::TimeOrder { .. } => "I9",
            Self::EntryShape { .. } | Self::HoldLines { .. } | Self::CartLines { .. } => "I10",
            Self::SoldOutUnjustified { .. } | Self::SoldOutFigure { .. } => "I14",
            Self::Overflow { .. } => "I18",
            Self::HistoryRecord { .. } => "-",
        }
    }

    /// Every field, the invariant and the words.
    pub fn to_json(&self) -> serde_json::Value {
        let mut value = serde_json::to_value(self).unwrap_or_default();
        value["invariant"] = self.invariant().into();
        value["detail"] = self.to_string().into();
        value
    }
}

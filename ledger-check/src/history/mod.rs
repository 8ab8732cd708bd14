//! What callers saw: one record per try of one operation, on one clock.
//!
//! Written as NDJSON, a record a line, by [`HistoryLog`]; read by [`read`]. A line looks like
//!
//! ```json
//! {"v":1,"client":"buyer-3","sequence":7,"asked":{"reserve":{"order":"0192…","lines":[{"product":1,"quantity":2}],"ttlMicros":900000000}},
//!  "invokedAt":1250,"answered":{"at":4711,"answer":{"held":{"replayed":false}}}}
//! ```
//!
//! - `v` is [`FORMAT`].
//! - `client` and `sequence` name the record; no two records of all histories that are checked together may have the same name,
//!   but for one case: a record without `answered` followed by the same with it. So a caller that may be killed writes the
//!   record before it asks, and again when it was answered.
//! - Times are microseconds of one monotonic clock, the same for every caller of all histories. It need not be the ledger's.
//! - **One record per try**: a caller that repeats a request writes a record for each try, also where a library repeats for it.
//! - `answered` is absent when no answer came: the caller or the process died, the connection broke, the caller gave up.

mod convert;
mod log;
mod reader;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use log::HistoryLog;
pub use reader::{BadLine, LINE_BYTES_MAX, read};

/// The version of the line format.
pub const FORMAT: u32 = 1;

/// One try of one operation, as its caller saw it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Record {
    /// Who asked.
    pub client: String,
    /// Which of that caller's tries; with `client` the record's name.
    pub sequence: u64,
    /// What was asked.
    pub asked: Asked,
    /// When it was asked: microseconds of the histories' clock, taken before the request left.
    pub invoked_at: i64,
    /// The answer; none if none came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered: Option<Answered>,
}

/// An answer and when it came.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Answered {
    /// Microseconds of the histories' clock, taken after the answer came.
    pub at: i64,
    /// What it was.
    pub answer: Answer,
}

/// Units of one product in an order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// What.
    pub product: i64,
    /// How many.
    pub quantity: u32,
}

/// An operation as it was asked.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Asked {
    /// Hold stock for an order.
    Reserve {
        /// The order.
        order: Uuid,
        /// What to hold; a product that appears twice is summed.
        lines: Vec<Line>,
        /// Who buys.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        customer: Option<String>,
        /// How long the hold is to last, in microseconds; none: as the ledger likes, which leaves its end unchecked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ttl_micros: Option<u64>,
    },
    /// Turn a hold into a deduction.
    Commit {
        /// The order.
        order: Uuid,
        /// These quantities only; none: all that is held.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        items: Option<Vec<Line>>,
        /// What makes a repeat of the request recognisable.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<String>,
    },
    /// Give stock back.
    Release {
        /// The order.
        order: Uuid,
        /// These quantities only; none: all that is held.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        items: Option<Vec<Line>>,
        /// What makes a repeat of the request recognisable.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<String>,
    },
    /// Move a hold's end.
    Extend {
        /// The order.
        order: Uuid,
        /// How long it is to last from now, in microseconds.
        ttl_micros: u64,
    },
    /// Change a product's stock by a keyed amount.
    Adjust {
        /// The product.
        product: i64,
        /// The key.
        adjustment: String,
        /// The change.
        delta: i64,
    },
    /// Set a product's stock, by hand or by import.
    Set {
        /// The product.
        product: i64,
        /// Units in the warehouse.
        on_hand: i64,
    },
}

/// What a caller was told.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Answer {
    /// Reserve: the order holds its lines (it may have been committed since, if replayed).
    Held {
        /// It had been held before this request.
        replayed: bool,
        /// When the hold ends, in microseconds of the ledger's clock, if told.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_at: Option<i64>,
    },
    /// Commit: done, now or before.
    Committed {
        /// At or after the hold's end.
        late: bool,
    },
    /// Release: given back, now or before; of some items: they are given back. Also of an order that is lost.
    Released,
    /// Extend: done, or not needed.
    Extended {
        /// When the hold ends, in microseconds of the ledger's clock, if told.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_at: Option<i64>,
    },
    /// Adjust: done.
    Adjusted {
        /// It had been made before this request.
        replayed: bool,
    },
    /// Set: done.
    Stored {
        /// Something differed from what was asked for.
        changed: bool,
    },
    /// Reserve: sold out. Nothing happened.
    Insufficient {
        /// Every product that was short.
        short: Vec<Short>,
    },
    /// No such reservation, no such product. Nothing happened.
    NotFound,
    /// The order was released. Nothing happened.
    AlreadyReleased,
    /// The order was committed. Nothing happened.
    AlreadyCommitted,
    /// The hold has ended. To a commit: its stock is gone, the order is lost.
    Expired,
    /// The same order or adjustment with other content. Nothing happened.
    Conflict,
    /// Refused for good for another reason (a limit, more than held, below held, a stale version). Nothing happened.
    Refused {
        /// The reason's code.
        code: String,
    },
    /// Too busy. Nothing happened.
    Overloaded,
    /// The store is away. Nothing happened.
    Unavailable,
    /// It happened once or not at all.
    OutcomeUnknown,
}

/// A product of which there was not enough.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Short {
    /// Which.
    pub product: i64,
    /// How many were asked for, duplicates summed.
    pub requested: u32,
    /// How many could still be reserved, as told.
    pub available: i64,
}

impl Record {
    /// When the operation was over for its caller; never, if no answer came.
    pub fn answered_at(&self) -> i64 {
        self.answered.as_ref().map_or(i64::MAX, |answered| answered.at)
    }

    /// What the caller was told, if anything.
    pub fn answer(&self) -> Option<&Answer> {
        self.answered.as_ref().map(|answered| &answered.answer)
    }
}

impl Asked {
    /// The order concerned, if any.
    pub fn order(&self) -> Option<Uuid> {
        match self {
            Self::Reserve { order, .. }
            | Self::Commit { order, .. }
            | Self::Release { order, .. }
            | Self::Extend { order, .. } => Some(*order),
            Self::Adjust { .. } | Self::Set { .. } => None,
        }
    }

    /// The operation's name, for reports.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Reserve { .. } => "reserve",
            Self::Commit { .. } => "commit",
            Self::Release { .. } => "release",
            Self::Extend { .. } => "extend",
            Self::Adjust { .. } => "adjust",
            Self::Set { .. } => "set",
        }
    }
}

/// (product, units), each product once, in product order: as the ledger keeps them.
pub(crate) type Lines = Vec<(i64, i64)>;

/// Lines as the ledger keeps them.
pub(crate) fn summed(lines: &[Line]) -> Lines {
    let mut sorted: Lines = lines.iter().map(|line| (line.product, i64::from(line.quantity))).collect();
    sorted.sort_unstable();
    sorted.dedup_by(|later, first| {
        let same = later.0 == first.0;
        if same {
            first.1 += later.1;
        }
        same
    });
    sorted
}

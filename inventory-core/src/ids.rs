//! Names of things: products, orders, customers, adjustments, batches.

use std::fmt;
use std::sync::Arc;

use uuid::Uuid;

use crate::limits::TEXT_BYTES_MAX;

/// A product, as the shop numbers it. Any 64-bit integer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ProductId(i64);

impl ProductId {
    /// Every 64-bit integer names a product.
    pub const fn new(id: i64) -> Self {
        Self(id)
    }

    /// The number as stored and sent.
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl fmt::Display for ProductId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An order: the key of its reservation and the idempotency key of every action on it.
/// Time-ordered ids (UUIDv7) make the store's index faster; any UUID is correct.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct OrderId(Uuid);

impl OrderId {
    /// Every UUID names an order.
    pub const fn new(id: Uuid) -> Self {
        Self(id)
    }

    /// The UUID as stored and sent.
    pub const fn get(self) -> Uuid {
        self.0
    }
}

impl fmt::Display for OrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One try at committing a batch; every retry and every split has a fresh one (UUIDv7).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct BatchId(Uuid);

impl BatchId {
    /// Wraps a UUID; the writer mints them time-ordered.
    pub const fn new(id: Uuid) -> Self {
        Self(id)
    }

    /// The UUID as stored.
    pub const fn get(self) -> Uuid {
        self.0
    }
}

impl fmt::Display for BatchId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Why a text was not accepted as an id. The message says what to change.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InvalidText {
    /// Nothing in it.
    #[error("must not be empty")]
    Empty,
    /// Longer than [`TEXT_BYTES_MAX`].
    #[error("must be at most 255 bytes long, is {0}")]
    TooLong(usize),
    /// Contains a NUL, which no store can keep.
    #[error("must not contain a NUL character")]
    Nul,
}

/// Checks a caller's text: 1 to 255 bytes, no NUL.
fn parse_text(text: &str) -> Result<Arc<str>, InvalidText> {
    if text.is_empty() {
        return Err(InvalidText::Empty);
    }
    if text.len() > TEXT_BYTES_MAX {
        return Err(InvalidText::TooLong(text.len()));
    }
    if text.contains('\0') {
        return Err(InvalidText::Nul);
    }
    Ok(Arc::from(text))
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Accepts 1 to 255 bytes without NUL.
            pub fn parse(text: &str) -> Result<Self, InvalidText> {
                parse_text(text).map(Self)
            }

            /// The text as stored and sent.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id! {
    /// Who buys; counted against per-customer limits.
    CustomerId
}
text_id! {
    /// The key that makes an adjustment safely repeatable.
    AdjustmentId
}
text_id! {
    /// A short free text that travels with a change: a reason, a reference, a product's name.
    Note
}

/// One delivery of a message or keyed request to one consumer. Recorded in the transaction of the command that carries it,
/// so that a second delivery is without effect (the inbox).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Delivery {
    /// Who consumes; a fixed name such as `"order.confirmed"` or `"release"`.
    pub consumer: Note,
    /// The message's id, or the caller's idempotency key.
    pub message: Note,
}

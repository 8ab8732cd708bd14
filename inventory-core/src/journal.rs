//! The journal: one entry per batch, what it did to which order and product. Append-only.
//! Audit, explain, the checker and `GET …/journal` read it.

use smallvec::SmallVec;

use crate::clock::Timestamp;
use crate::ids::{AdjustmentId, BatchId, CustomerId, Delivery, Note, OrderId, ProductId};
use crate::quantity::Units;

/// What a command did. The numbers are what the stores keep.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum ChangeKind {
    /// held + units.
    Reserve = 1,
    /// held − units, on hand − units.
    Commit = 2,
    /// Committed from EXPIRED: on hand − units.
    CommitLate = 3,
    /// The whole hold given back: held − units.
    Release = 4,
    /// Part of a hold given back (partial release, or the rest of a partial commit): held − units.
    ReleasePart = 5,
    /// EXPIRED → RELEASED: nothing moves; no lines.
    ReleaseExpired = 6,
    /// Release of an unknown order: nothing moves; no lines.
    Tombstone = 7,
    /// held − units.
    Expire = 8,
    /// EXPIRED → LOST: nothing moves; no lines.
    Lose = 9,
    /// A hold's end moved: nothing moves; no lines.
    Extend = 10,
    /// on hand + units (signed).
    Adjust = 11,
    /// A product created or set: on hand + units (signed, may be zero when only settings changed).
    Set = 12,
    /// The same by import.
    Import = 13,
}

impl ChangeKind {
    /// All of them, for tables and tests.
    pub const ALL: [Self; 13] = [
        Self::Reserve,
        Self::Commit,
        Self::CommitLate,
        Self::Release,
        Self::ReleasePart,
        Self::ReleaseExpired,
        Self::Tombstone,
        Self::Expire,
        Self::Lose,
        Self::Extend,
        Self::Adjust,
        Self::Set,
        Self::Import,
    ];

    /// As the stores keep it.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// From what a store kept.
    pub fn from_code(code: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| i64::from(kind.code()) == code)
    }

    /// The name on the wire and in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reserve => "reserve",
            Self::Commit => "commit",
            Self::CommitLate => "commit_late",
            Self::Release => "release",
            Self::ReleasePart => "release_part",
            Self::ReleaseExpired => "release_expired",
            Self::Tombstone => "tombstone",
            Self::Expire => "expire",
            Self::Lose => "lose",
            Self::Extend => "extend",
            Self::Adjust => "adjust",
            Self::Set => "set",
            Self::Import => "import",
        }
    }

    /// What `units` of this kind do: (change of on hand, change of held).
    pub fn effect(self, units: Units) -> (Units, Units) {
        match self {
            Self::Reserve => (Units::ZERO, units),
            Self::Commit => (-units, -units),
            Self::CommitLate => (-units, Units::ZERO),
            Self::Release | Self::ReleasePart | Self::Expire => (Units::ZERO, -units),
            Self::ReleaseExpired | Self::Tombstone | Self::Lose | Self::Extend => (Units::ZERO, Units::ZERO),
            Self::Adjust | Self::Set | Self::Import => (units, Units::ZERO),
        }
    }
}

/// One batch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JournalEntry {
    /// The key; also the key of the batch's fence.
    pub batch: BatchId,
    /// By the store's clock, under the locks.
    pub at: Timestamp,
    /// What changed something, in the order decided. Refusals and replays leave no trace here.
    pub commands: Vec<JournalCommand>,
    /// Every product the batch changed, in product order.
    pub products: Vec<JournalProduct>,
}

/// One command's change.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JournalCommand {
    /// What it did.
    pub kind: ChangeKind,
    /// To which order; none for administration.
    pub order: Option<OrderId>,
    /// How many units of which products, in product order.
    pub lines: SmallVec<[JournalLine; 2]>,
    /// What few commands carry.
    pub remark: Option<Box<Remark>>,
}

/// Units of one product in a change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct JournalLine {
    /// The product.
    pub product: ProductId,
    /// Positive for orders; signed for administration.
    pub units: Units,
}

/// What few commands carry.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Remark {
    /// An adjustment's key.
    pub adjustment: Option<AdjustmentId>,
    /// Why.
    pub reason: Option<Note>,
    /// A delivery note, a ticket.
    pub reference: Option<Note>,
    /// Who reserved.
    pub customer: Option<CustomerId>,
    /// The message that asked for it.
    pub delivery: Option<Delivery>,
}

/// A product after a batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct JournalProduct {
    /// The product.
    pub product: ProductId,
    /// Its version after the batch: the one before plus one.
    pub version: u64,
    /// Units on hand after the batch.
    pub on_hand: Units,
    /// Units held after the batch.
    pub held: Units,
    /// The batch that changed it before; none for its first.
    pub previous: Option<BatchId>,
}

/// One version of one product, read back: the batch's entry cut down to this product.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProductVersion {
    /// Which batch.
    pub batch: BatchId,
    /// When.
    pub at: Timestamp,
    /// The product after it.
    pub after: JournalProduct,
    /// The changes of this product, in the order decided. Empty for a checkpoint that pruning left.
    pub changes: Vec<ProductChange>,
}

/// One change of one product.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProductChange {
    /// What happened.
    pub kind: ChangeKind,
    /// For which order.
    pub order: Option<OrderId>,
    /// How many units.
    pub units: Units,
    /// Why.
    pub reason: Option<Note>,
}

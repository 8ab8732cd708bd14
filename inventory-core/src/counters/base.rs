//! What the database had, and which of two such statements is the newer.

use crate::limits::UNITS_MAX;
use crate::quantity::Units;

/// Beyond this, up or down, a number is nonsense and counts as this much, so that no counter can overflow (I18).
const COUNTED_MAX: Units = Units::stored(i64::MAX / 4);
const _: () = assert!(UNITS_MAX < COUNTED_MAX.get());

/// An amount as the counters count it.
pub(super) fn counted(units: Units) -> Units {
    units.clamp(-COUNTED_MAX, COUNTED_MAX)
}

/// What the database had, as a read or a commit of ours told.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Base {
    /// on hand − held.
    pub available: Units,
    /// The product's version at that moment.
    pub version: u64,
    /// Which timeline the version belongs to: raised when the connection was lost (failover).
    pub epoch: u32,
    /// Whether the product has a per-customer limit (then a refusal must ask the rules first).
    pub limited: bool,
}

impl Base {
    /// Whether this is newer than `known`: a later epoch, or a later version of the same one.
    pub(super) fn supersedes(&self, known: &Self) -> bool {
        (self.epoch, self.version) > (known.epoch, known.version)
    }
}

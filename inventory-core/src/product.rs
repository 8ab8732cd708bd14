//! A product's stock as the store keeps it.

use crate::clock::Timestamp;
use crate::ids::{BatchId, Note, ProductId};
use crate::quantity::{Quantity, Units};

/// One product. `0 ≤ held ≤ on_hand` in every committed state (I1).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Product {
    /// The key.
    pub id: ProductId,
    /// Units in the warehouse, held ones included; a commit lowers it.
    pub on_hand: Units,
    /// Units set aside by holds.
    pub held: Units,
    /// Raised by one by every batch that changes the product: the serial order that the database hands out.
    pub version: u64,
    /// Raised by administration only (set, adjust, import); the ETag.
    pub admin_version: u64,
    /// Falling below it announces `low`.
    pub low_stock_threshold: Option<Units>,
    /// How many one customer may hold and have bought.
    pub per_customer_limit: Option<Quantity>,
    /// Reservations created from this moment on count against the limit.
    pub limited_since: Option<Timestamp>,
    /// For people.
    pub name: Option<Note>,
    /// What was announced last; see [`Alert::next`] for when it is re-armed.
    pub alert: Alert,
    /// The batch that changed it last: the head of the product's journal chain.
    pub last_batch: BatchId,
}

impl Product {
    /// What can still be reserved.
    pub fn available(&self) -> Units {
        self.on_hand - self.held
    }

    /// Whether there can be such stock: every store refuses any other.
    pub fn is_possible(&self) -> bool {
        Units::ZERO <= self.held && self.held <= self.on_hand
    }
}

/// The level that was announced last.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
#[repr(u8)]
pub enum Alert {
    /// At or above the threshold.
    #[default]
    None = 0,
    /// Below the threshold.
    Low = 1,
    /// Nothing left.
    Depleted = 2,
}

impl Alert {
    /// What is to be announced of a product with so much left, if nothing was announced before.
    pub fn of(available: Units, low_stock_threshold: Option<Units>) -> Self {
        if available <= Units::ZERO {
            Self::Depleted
        } else if low_stock_threshold.is_some_and(|threshold| available < threshold) {
            Self::Low
        } else {
            Self::None
        }
    }

    /// The level after this one. Falling counts at once; rising only past a margin (a tenth of the threshold, at least one
    /// unit), so that a product that hovers at its threshold does not announce it with every sale.
    #[must_use]
    pub fn next(self, available: Units, low_stock_threshold: Option<Units>) -> Self {
        let plain = Self::of(available, low_stock_threshold);
        if plain >= self {
            return plain;
        }
        let threshold = low_stock_threshold.unwrap_or(Units::ZERO);
        let margin = Units::stored((threshold.get() / 10).max(1));
        let still_depleted = self == Self::Depleted && available <= margin;
        let still_low = low_stock_threshold.is_some() && available < threshold + margin;
        match (still_depleted, still_low) {
            (true, _) => Self::Depleted,
            (false, true) => Self::Low,
            (false, false) => Self::None,
        }
    }

    /// As the stores keep it.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// From what a store kept; unknown codes count as none.
    pub fn from_code(code: i64) -> Self {
        match code {
            1 => Self::Low,
            2 => Self::Depleted,
            _ => Self::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Alert::{self, Depleted, Low, None};
    use crate::quantity::Units;

    fn next(before: Alert, available: i64, threshold: i64) -> Alert {
        before.next(Units::stored(available), Some(Units::stored(threshold)))
    }

    #[test]
    fn a_fall_counts_at_once() {
        for before in [None, Low] {
            assert_eq!((next(before, 99, 100), next(before, 0, 100)), (Low, Depleted));
        }
        assert_eq!(next(None, 100, 100), None);
    }

    #[test]
    fn a_rise_counts_past_a_tenth_of_the_threshold() {
        assert_eq!((next(Low, 109, 100), next(Low, 110, 100)), (Low, None));
        assert_eq!((next(Depleted, 10, 100), next(Depleted, 11, 100)), (Depleted, Low));
        assert_eq!((next(Depleted, 109, 100), next(Depleted, 110, 100)), (Low, None));
    }

    #[test]
    fn without_a_threshold_one_unit_is_no_rise() {
        let next = |available| Depleted.next(Units::stored(available), Option::None);
        assert_eq!((next(1), next(2)), (Depleted, None));
    }
}

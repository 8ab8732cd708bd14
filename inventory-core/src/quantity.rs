//! Amounts: what one line asks for, and what a product has.

use std::fmt;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};

use crate::limits::{QUANTITY_MAX, UNITS_MAX};

/// Units asked for by one line: 1 to 2,147,483,647.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Quantity(u32);

/// Why a number is no quantity.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("must be a whole number from 1 to {QUANTITY_MAX}, is {0}")]
pub struct InvalidQuantity(pub i64);

impl Quantity {
    /// One unit.
    pub const ONE: Self = Self(1);

    /// Accepts 1 to 2,147,483,647.
    pub fn new(quantity: i64) -> Result<Self, InvalidQuantity> {
        match u32::try_from(quantity) {
            Ok(q) if (1..=QUANTITY_MAX).contains(&q) => Ok(Self(q)),
            _ => Err(InvalidQuantity(quantity)),
        }
    }

    /// The number as sent.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The sum, unless it exceeds what a quantity may be.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        Self::new(i64::from(self.0) + i64::from(other.0)).ok()
    }

    /// What is left when `other` is taken away; `None` when nothing or less is left.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        Self::new(i64::from(self.0) - i64::from(other.0)).ok()
    }

    /// The same amount as stock.
    pub const fn units(self) -> Units {
        Units(self.0 as i64)
    }

    /// The number as the stores keep it (a 32-bit column).
    #[expect(clippy::cast_possible_wrap, reason = "at most i32::MAX by construction")]
    pub const fn to_i32(self) -> i32 {
        self.0 as i32
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An amount of stock, or a change of it: signed. What a caller may set is bounded by [`UNITS_MAX`];
/// sums within a batch stay far below the range of `i64`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Units(i64);

/// Why a number is no stock.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("must be a whole number from {min} to {UNITS_MAX}, is {value}")]
pub struct InvalidUnits {
    /// The smallest accepted number.
    pub min: i64,
    /// What was given.
    pub value: i64,
}

impl Units {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// A stock level that a caller sets: 0 to [`UNITS_MAX`].
    pub fn level(units: i64) -> Result<Self, InvalidUnits> {
        if (0..=UNITS_MAX).contains(&units) {
            Ok(Self(units))
        } else {
            Err(InvalidUnits { min: 0, value: units })
        }
    }

    /// A change that a caller asks for: −[`UNITS_MAX`] to [`UNITS_MAX`].
    pub fn delta(units: i64) -> Result<Self, InvalidUnits> {
        if (-UNITS_MAX..=UNITS_MAX).contains(&units) {
            Ok(Self(units))
        } else {
            Err(InvalidUnits { min: -UNITS_MAX, value: units })
        }
    }

    /// What a store holds, taken as it is.
    pub const fn stored(units: i64) -> Self {
        Self(units)
    }

    /// The number as stored and sent.
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl Add for Units {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Units {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl AddAssign for Units {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl SubAssign for Units {
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

impl Neg for Units {
    type Output = Self;
    fn neg(self) -> Self {
        Self(self.0.saturating_neg())
    }
}

impl fmt::Display for Units {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

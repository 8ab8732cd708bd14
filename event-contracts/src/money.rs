//! Amounts of money: a decimal with two places, never a float.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The largest amount: NUMERIC(10,2).
const CENTS_MAX: i64 = 9_999_999_999;

/// An amount from 0.00 to 99999999.99, on the wire a string such as `"12.30"`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Money {
    cents: i64,
}

/// What is no amount. The message says what to change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MoneyError {
    /// Not a decimal number of at most two places.
    Form,
    /// Below zero or above the largest.
    Range,
}

impl fmt::Display for MoneyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Form => "must be an amount with at most two decimal places in a string, such as \"12.30\"",
            Self::Range => "must be from 0.00 to 99999999.99",
        })
    }
}

impl std::error::Error for MoneyError {}

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self { cents: 0 };

    /// From hundredths.
    pub fn from_cents(cents: i64) -> Result<Self, MoneyError> {
        if (0..=CENTS_MAX).contains(&cents) { Ok(Self { cents }) } else { Err(MoneyError::Range) }
    }

    /// In hundredths.
    pub fn cents(self) -> i64 {
        self.cents
    }

    /// So many times this.
    pub fn times(self, quantity: u32) -> Result<Self, MoneyError> {
        let cents = self.cents.checked_mul(i64::from(quantity)).ok_or(MoneyError::Range)?;
        Self::from_cents(cents)
    }

    /// This and that.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        Self::from_cents(self.cents + other.cents)
    }
}

impl FromStr for Money {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, MoneyError> {
        let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.' || byte == b'-');
        let amount = Decimal::from_str_exact(text).map_err(|_| MoneyError::Form)?;
        if !plain || amount.normalize().scale() > 2 {
            return Err(MoneyError::Form);
        }
        let cents = amount.checked_mul(Decimal::ONE_HUNDRED).ok_or(MoneyError::Range)?;
        Self::from_cents(i64::try_from(cents).map_err(|_| MoneyError::Range)?)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}", self.cents / 100, self.cents % 100)
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Money {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Money".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^[0-9]{1,8}\\.[0-9]{2}$", "examples": ["12.30"]})
    }
}

#[cfg(test)]
mod tests {
    use super::{Money, MoneyError};

    #[test]
    fn amounts_are_read_and_written_with_two_places() {
        for (text, written) in [
            ("0", "0.00"),
            ("0.00", "0.00"),
            ("12.3", "12.30"),
            ("12.300", "12.30"),
            ("99999999.99", "99999999.99"),
        ] {
            assert_eq!(text.parse::<Money>().map(|money| money.to_string()), Ok(written.to_owned()));
        }
    }

    #[test]
    fn what_is_no_amount_is_told_why() {
        for text in ["", "x", "1,50", "1.234", "1e3", "+1", " 1", "0x1"] {
            assert_eq!(text.parse::<Money>(), Err(MoneyError::Form), "{text}");
        }
        for text in ["-0.01", "100000000.00", "99999999999999999999999"] {
            assert_eq!(text.parse::<Money>(), Err(MoneyError::Range), "{text}");
        }
    }

    #[test]
    fn sums_and_products_beyond_the_largest_are_refused() {
        let most: Money = "99999999.99".parse().unwrap_or_default();
        assert_eq!(most.times(2), Err(MoneyError::Range));
        assert_eq!(most.plus(Money { cents: 1 }), Err(MoneyError::Range));
        assert_eq!(Money { cents: 150 }.times(3), Ok(Money { cents: 450 }));
    }
}

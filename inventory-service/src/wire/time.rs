//! Times as RFC 3339 in UTC, with microseconds. Written by hand: three of them stand in every answer to a reserve.

use std::fmt;

use inventory_core::clock::Timestamp;
use serde::{Serialize, Serializer};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{KnownFormat, RefOr, Schema, SchemaFormat};
use utoipa::{PartialSchema, ToSchema};

/// A point in time on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WireTime(pub Timestamp);

const MICROS_PER_SECOND: i64 = 1_000_000;
const SECONDS_PER_DAY: i64 = 86_400;
/// 9999-12-31T23:59:59.999999Z, the last time that RFC 3339 can write.
const LAST_MICROS: i64 = 253_402_300_799_999_999;

impl WireTime {
    /// The 27 bytes, or none outside the years 1970 to 9999.
    fn text(self) -> Option<[u8; 27]> {
        let micros = self.0.micros();
        if !(0..=LAST_MICROS).contains(&micros) {
            return None;
        }
        let seconds = micros / MICROS_PER_SECOND;
        // What is left of a division is small: 32 bits do, and divide in half the time.
        let (day, second_of_day) = (small(seconds / SECONDS_PER_DAY), small(seconds % SECONDS_PER_DAY));
        let micros = small(micros % MICROS_PER_SECOND);
        let (year, month, day) = civil(day);
        let mut text = *b"0000-00-00T00:00:00.000000Z";
        let mut pair =
            |at: usize, number: u32| text[at..at + 2].copy_from_slice(&PAIRS[(number % 100) as usize]);
        pair(0, year / 100);
        pair(2, year);
        pair(5, month);
        pair(8, day);
        pair(11, second_of_day / 3_600);
        pair(14, second_of_day / 60 % 60);
        pair(17, second_of_day % 60);
        pair(20, micros / 10_000);
        pair(22, micros / 100);
        pair(24, micros);
        Some(text)
    }

    /// Appends it, without quotes.
    pub(super) fn write(self, to: &mut Vec<u8>) {
        match self.text() {
            Some(text) => to.extend_from_slice(&text),
            None => to.extend_from_slice(self.0.to_string().as_bytes()),
        }
    }
}

/// The numbers 00 to 99 in digits.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [*b"00"; 100];
    let mut tens = 0;
    while tens < 10 {
        let mut ones = 0;
        while ones < 10 {
            pairs[(10 * tens + ones) as usize] = [b'0' + tens, b'0' + ones];
            ones += 1;
        }
        tens += 1;
    }
    pairs
};

/// A number that fits.
fn small(number: i64) -> u32 {
    u32::try_from(number).unwrap_or(0)
}

/// Year, month and day of a day since 1970: days are counted from 1 March of year 0 in eras of 400 years
/// (Howard Hinnant, "chrono-compatible low-level date algorithms").
fn civil(days_since_1970: u32) -> (u32, u32, u32) {
    let days = days_since_1970 + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year_of_era + era * 400 + u32::from(month <= 2), month, day)
}

impl fmt::Display for WireTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.text().as_ref().map(|text| std::str::from_utf8(text)) {
            Some(Ok(text)) => f.write_str(text),
            _ => self.0.fmt(f),
        }
    }
}

impl Serialize for WireTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.text().as_ref().map(|text| std::str::from_utf8(text)) {
            Some(Ok(text)) => serializer.serialize_str(text),
            _ => serializer.collect_str(&self.0),
        }
    }
}

impl PartialSchema for WireTime {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .into()
    }
}

impl ToSchema for WireTime {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_as_chrono_writes_them() {
        // A prime stride over all of 1970–9999 meets every month, leap years and odd microseconds.
        for micros in (0..=LAST_MICROS).step_by(86_399_999_873_333) {
            let at = Timestamp::from_micros(micros);
            assert_eq!(WireTime(at).to_string(), at.to_string());
        }
        for date in
            ["2000-02-29T23:59:59.999999Z", "2100-03-01T00:00:00.000000Z", "1970-01-01T00:00:00.000000Z"]
        {
            let at = Timestamp::from_datetime(date.parse().unwrap());
            assert_eq!(WireTime(at).to_string(), date);
        }
        assert_eq!(WireTime(Timestamp::from_micros(LAST_MICROS)).to_string(), "9999-12-31T23:59:59.999999Z");
    }

    #[test]
    fn times_outside_of_the_four_digit_years_do_not_panic() {
        for micros in [-1, LAST_MICROS + 1, i64::MIN, i64::MAX] {
            let at = Timestamp::from_micros(micros);
            assert_eq!(WireTime(at).to_string(), at.to_string());
        }
    }
}

//! Pages of orders: where they begin, and how many they have.

use service_kit::http::params::QueryParams;
use service_kit::{FieldError, Problem};
use uuid::Uuid;

use crate::limits::{PAGE_DEFAULT, PAGE_MAX};
use crate::store::Order;
use crate::store::read::After;

/// Where the page begins, and how many orders it has.
pub fn page_of(query: &QueryParams) -> Result<(Option<After>, usize), Problem> {
    let limit = match query.get("limit").map(str::parse::<usize>) {
        None => Ok(PAGE_DEFAULT),
        Some(Ok(limit)) if (1..=PAGE_MAX).contains(&limit) => Ok(limit),
        Some(_) => Err(FieldError::new("limit", format!("must be a whole number from 1 to {PAGE_MAX}"))),
    };
    let after = query.get("cursor").map(parse_cursor).transpose();
    match (after, limit) {
        (Ok(after), Ok(limit)) => Ok((after, limit)),
        (after, limit) => {
            let errors: Vec<_> = [after.err(), limit.err()].into_iter().flatten().collect();
            Err(Problem::invalid_request(&errors))
        }
    }
}

/// Times that every database can compare with: fifteen hexadecimal digits, some 36,000 years. Postgres knows none before 4713 BC.
const CURSOR_MICROS: std::ops::Range<i64> = 0..1 << 60;

/// The cursor of the page behind this order.
pub fn cursor_of(order: &Order) -> String {
    write_cursor(&After { created_at: order.created_at, id: order.id })
}

/// As it stands in an address; to the microsecond.
pub fn write_cursor(after: &After) -> String {
    format!("{:x}.{}", after.created_at.timestamp_micros(), after.id.simple())
}

/// The reverse of [`write_cursor`].
pub fn parse_cursor(text: &str) -> Result<After, FieldError> {
    let wrong = || FieldError::new("cursor", "must be the nextCursor of the page before");
    let (micros, id) = text.split_once('.').ok_or_else(wrong)?;
    let micros = i64::from_str_radix(micros, 16).ok().filter(|micros| CURSOR_MICROS.contains(micros));
    let created_at = micros.and_then(chrono::DateTime::from_timestamp_micros).ok_or_else(wrong)?;
    Ok(After { created_at, id: Uuid::try_parse(id).map_err(|_| wrong())? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_that_nobody_gave_is_refused() {
        const ID: &str = "0197a3b01c0070008000000000000001";
        let (early, late) = (format!("-1.{ID}"), format!("{:x}.{ID}", 1_i64 << 60));
        for wrong in ["", ".", "x.y", "1", "1.z", "zz.00000000000000000000000000000000", &early, &late] {
            assert!(parse_cursor(wrong).is_err(), "{wrong:?}");
        }
        assert!(parse_cursor("5f.0197a3b01c0070008000000000000001").is_ok());
    }
}

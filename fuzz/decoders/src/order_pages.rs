//! Queries: where a page of orders begins.

use axum::http::Request;
use order_service::wire::page::{page_of, parse_cursor, write_cursor};
use service_kit::http::params::QueryParams;

use crate::promises;

/// Reads `bytes` as a cursor, and as a whole query.
pub fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match parse_cursor(text) {
        Ok(after) => {
            // What Postgres can compare with.
            assert!((1970..40_000).contains(&year(after.created_at.timestamp())), "{after:?}");
            assert_eq!(
                parse_cursor(&write_cursor(&after)).expect("what is written is read"),
                after,
                "{text:?}"
            );
        }
        Err(error) => promises::advice(&error.message),
    }
    let Ok(request) = Request::get(format!("/api/v1/orders?{text}")).body(()) else { return };
    let (parts, ()) = request.into_parts();
    match QueryParams::of(&parts, &["cursor", "limit"]).and_then(|query| page_of(&query)) {
        Ok((_, limit)) => assert!((1..=100).contains(&limit), "{limit}"),
        Err(problem) => promises::refusal(problem),
    }
}

fn year(seconds: i64) -> i64 {
    1970 + seconds.div_euclid(31_556_952)
}

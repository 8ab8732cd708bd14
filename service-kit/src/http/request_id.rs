//! One id per request, in the `x-request-id` header, in every problem and in every log line about a failure.

use std::cell::RefCell;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::{HeaderMap, HeaderName, HeaderValue};

use crate::metrics::RouteMetrics;

/// The header.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Longest id taken over from a caller.
const ID_BYTES_MAX: usize = 128;

/// What a request in flight knows about itself.
pub(super) struct Context {
    pub(super) id: HeaderValue,
    /// Set by the matched route, read when the answer is there.
    pub(super) route: RefCell<Option<RouteMetrics>>,
}

tokio::task_local! {
    pub(super) static CONTEXT: Context;
}

/// The id of the request being handled, if this is called from its handler.
pub fn current() -> Option<String> {
    CONTEXT.try_with(|context| context.id.to_str().ok().map(str::to_owned)).ok().flatten()
}

/// Tells the request in flight which route it met.
pub(crate) fn set_route(route: &RouteMetrics) {
    // Outside an edge (a router called directly) there is nobody to tell.
    let _ = CONTEXT.try_with(|context| context.route.replace(Some(route.clone())));
}

/// The caller's id if it is a sane one, else a fresh one.
pub(super) fn accept_or_mint(headers: &HeaderMap) -> HeaderValue {
    match headers.get(&X_REQUEST_ID) {
        Some(id) if is_sane(id.as_bytes()) => id.clone(),
        _ => mint(),
    }
}

/// Short, and nothing in it that a log or a shell could trip over.
fn is_sane(id: &[u8]) -> bool {
    (1..=ID_BYTES_MAX).contains(&id.len())
        && id.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:+/=".contains(byte))
}

/// A prefix that no other process has, and a counter: unique without a random number per request.
fn mint() -> HeaderValue {
    static FIRST: OnceLock<[u8; 33]> = OnceLock::new();
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let mut text = *FIRST.get_or_init(|| {
        let mut text = [b'-'; 33];
        hex(&mut text[..16], uuid::Uuid::new_v4().as_u64_pair().0);
        text
    });
    // Relaxed: only uniqueness matters.
    hex(&mut text[17..], COUNT.fetch_add(1, Ordering::Relaxed));
    HeaderValue::from_bytes(&text).unwrap_or(HeaderValue::from_static("unknown"))
}

/// Fills 16 places with the number, by hand: every request has an id.
fn hex(place: &mut [u8], number: u64) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (two, byte) in place.chunks_exact_mut(2).zip(number.to_be_bytes()) {
        two.copy_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_id(id: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(X_REQUEST_ID, HeaderValue::from_static(id))])
    }

    #[test]
    fn a_sane_id_is_kept() {
        assert_eq!(accept_or_mint(&with_id("trace-7:a.b_c")), "trace-7:a.b_c");
    }

    #[test]
    fn an_id_that_could_break_a_log_line_is_replaced() {
        for bad in ["", "a b", "a\"b", "{}"] {
            assert_ne!(accept_or_mint(&with_id(bad)), bad);
        }
        let long = HeaderValue::from_str(&"x".repeat(ID_BYTES_MAX + 1)).unwrap();
        assert_ne!(accept_or_mint(&HeaderMap::from_iter([(X_REQUEST_ID, long.clone())])), long);
    }

    #[test]
    fn hex_is_written_as_the_standard_library_writes_it() {
        for number in [0, 9, 0xabcd_ef01_2345_6789, u64::MAX] {
            let mut text = [0; 16];
            hex(&mut text, number);
            assert_eq!(text, format!("{number:016x}").as_bytes());
        }
    }

    #[test]
    fn minted_ids_differ_and_are_sane() {
        let (one, two) = (mint(), mint());
        assert_ne!(one, two);
        assert!(is_sane(one.as_bytes()));
        assert_eq!(one.len(), 33);
    }
}

//! Where something new is found.

use axum::body::Bytes;
use axum::http::HeaderValue;
use uuid::Uuid;

/// The value of `Location`: `path`, a slash and the id. None if the path cannot stand in a header.
pub fn location(path: &str, id: Uuid) -> Option<HeaderValue> {
    let mut text = Vec::with_capacity(path.len() + 37);
    text.extend_from_slice(path.as_bytes());
    text.push(b'/');
    text.extend_from_slice(id.hyphenated().encode_lower(&mut Uuid::encode_buffer()).as_bytes());
    HeaderValue::from_maybe_shared(Bytes::from(text)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_path_and_the_id() {
        let id = Uuid::from_u128(0xa1);
        assert_eq!(location("/orders", id).unwrap(), "/orders/00000000-0000-0000-0000-0000000000a1");
        assert_eq!(location("/\n", id), None);
    }
}

//! What addresses and headers say.

use axum::extract::{FromRequestParts, Path, Query};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use service_kit::{FieldError, Problem};
use uuid::Uuid;

/// `{orderId}` of the address.
pub(crate) struct OrderParam(pub(super) Uuid);

impl<S: Send + Sync> FromRequestParts<S> for OrderParam {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let text = path_text(parts, state, "orderId").await?;
        Uuid::try_parse(&text).map(Self).map_err(|_| Problem::invalid_field("orderId", "must be a UUID"))
    }
}

/// `{userId}` of the address.
pub(crate) struct UserParam(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for UserParam {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let text = path_text(parts, state, "userId").await?;
        let text = crate::wire::requests::text("userId", text);
        text.map(Self).map_err(|error| Problem::invalid_request(&[error]))
    }
}

async fn path_text<S: Send + Sync>(
    parts: &mut Parts,
    state: &S,
    name: &'static str,
) -> Result<String, Problem> {
    let Path(text) = Path::<String>::from_request_parts(parts, state)
        .await
        .map_err(|error| Problem::invalid_field(name, error.body_text()))?;
    Ok(text)
}

/// The query's names and values. Names that are not in `known` are refused, and so are repeated ones.
pub(super) struct QueryParams(Vec<(String, String)>);

impl QueryParams {
    pub(super) fn of(parts: &Parts, known: &[&str]) -> Result<Self, Problem> {
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri)
            .map_err(|error| Problem::invalid_field("query", error.body_text()))?;
        let mut errors = Vec::new();
        for (index, (name, _)) in pairs.iter().enumerate() {
            if !known.contains(&name.as_str()) {
                let message = format!("is not known here; known are {}", known.join(", "));
                errors.push(FieldError::new(name.as_str(), message));
            } else if pairs[..index].iter().any(|(earlier, _)| earlier == name) {
                errors.push(FieldError::new(name.as_str(), "stands here twice"));
            }
        }
        if errors.is_empty() { Ok(Self(pairs)) } else { Err(Problem::invalid_request(&errors)) }
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// A header's text, if it is there and is text.
pub(super) fn header_text<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Problem> {
    match headers.get(name).map(|value| std::str::from_utf8(value.as_bytes())) {
        None => Ok(None),
        Some(Ok(text)) => Ok(Some(text)),
        Some(Err(_)) => Err(Problem::invalid_field(name, "must be UTF-8 text")),
    }
}

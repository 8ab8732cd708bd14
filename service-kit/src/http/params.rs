//! What addresses, queries and headers say, for a service's own extractors.

use axum::extract::{FromRequestParts, Path, Query};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use uuid::Uuid;

use crate::problem::{FieldError, Problem};

/// Errors listed in one answer, at most. Nothing is looked at beyond them.
const ERRORS_MAX: usize = 100;

/// The one parameter of the address; 422 names it where it cannot be read.
pub async fn path_text<S: Send + Sync>(
    parts: &mut Parts,
    state: &S,
    name: &'static str,
) -> Result<String, Problem> {
    let Path(text) = Path::<String>::from_request_parts(parts, state)
        .await
        .map_err(|error| Problem::invalid_field(name, error.body_text()))?;
    Ok(text)
}

/// The one parameter of the address, a UUID.
pub async fn path_uuid<S: Send + Sync>(
    parts: &mut Parts,
    state: &S,
    name: &'static str,
) -> Result<Uuid, Problem> {
    let text = path_text(parts, state, name).await?;
    Uuid::try_parse(&text).map_err(|_| Problem::invalid_field(name, "must be a UUID"))
}

/// The query's names and values. Names that are not in `known` are refused, and so are repeated ones.
pub struct QueryParams(Vec<(String, String)>);

impl QueryParams {
    /// Reads the query; what is wrong with it is told at once.
    pub fn of(parts: &Parts, known: &[&str]) -> Result<Self, Problem> {
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri)
            .map_err(|error| Problem::invalid_field("query", error.body_text()))?;
        let mut errors = Vec::new();
        for (index, (name, _)) in pairs.iter().enumerate() {
            if errors.len() == ERRORS_MAX {
                break;
            }
            if !known.contains(&name.as_str()) {
                let message = format!("is not known here; known are {}", known.join(", "));
                errors.push(FieldError::new(name.as_str(), message));
            } else if pairs[..index].iter().any(|(earlier, _)| earlier == name) {
                errors.push(FieldError::new(name.as_str(), "stands here twice"));
            }
        }
        if errors.is_empty() { Ok(Self(pairs)) } else { Err(Problem::invalid_request(&errors)) }
    }

    /// A value, if it was given.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A whole number between two bounds.
    pub fn number(&self, name: &str, min: u64, max: u64) -> Result<Option<u64>, FieldError> {
        let Some(text) = self.get(name) else { return Ok(None) };
        match text.parse() {
            Ok(number) if (min..=max).contains(&number) => Ok(Some(number)),
            Ok(_) | Err(_) => {
                Err(FieldError::new(name, format!("must be a whole number from {min} to {max}, is {text:?}")))
            }
        }
    }
}

/// A header's text, if it is there and is text.
pub fn header_text<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Problem> {
    match headers.get(name).map(|value| std::str::from_utf8(value.as_bytes())) {
        None => Ok(None),
        Some(Ok(text)) => Ok(Some(text)),
        Some(Err(_)) => Err(Problem::invalid_field(name, "must be UTF-8 text")),
    }
}

//! Strict JSON. The happy path parses once, straight into the typed body; only a refusal is looked at again, to tell
//! broken JSON (400) from wrong fields (422) and to name every wrong field.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::http::{BodyLimits, body};
use crate::object::Object;
use crate::problem::{FieldError, Problem};
use crate::shape::{self, Field};

/// A body as it crosses the wire, and what it means.
pub trait Wire: DeserializeOwned {
    /// What the handler works with.
    type Parsed;

    /// The same fields as data, for telling what is wrong.
    const FIELDS: &'static [Field];

    /// Parse, don't validate.
    fn parse(self) -> Result<Self::Parsed, FieldError>;
}

/// Reads a request's body as `T`: 415, 413, 408, 400 `invalid_json`, 422 `invalid_request`.
pub async fn read<T: Wire>(request: Request<Body>, limits: &BodyLimits) -> Result<T::Parsed, Problem> {
    let (head, body) = request.into_parts();
    require_content_type(&head.headers, &["application/json"])?;
    from_slice::<T>(&body::read(&head.headers, body, limits).await?)
}

/// As [`read`], for bodies that may be left out: none, whatever its `Content-Type`, is no body, and neither is `null`.
pub async fn read_optional<T: Wire>(
    request: Request<Body>,
    limits: &BodyLimits,
) -> Result<Option<T::Parsed>, Problem> {
    let (head, body) = request.into_parts();
    let bytes = body::read(&head.headers, body, limits).await?;
    if bytes.is_empty() {
        return Ok(None);
    }
    require_content_type(&head.headers, &["application/json"])?;
    if bytes.trim_ascii() == b"null" {
        return Ok(None);
    }
    from_slice::<T>(&bytes).map(Some)
}

/// Parses bytes as `T`.
pub fn from_slice<T: Wire>(bytes: &[u8]) -> Result<T::Parsed, Problem> {
    // Looked at as a whole it is text for a fraction of what every string in it would cost.
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Err(explain(bytes, T::FIELDS, FieldError::new("", "must be UTF-8")));
    };
    let refusal = match serde_json::from_str::<Object<T>>(text) {
        Ok(Object(wire)) => match wire.parse() {
            Ok(parsed) => return Ok(parsed),
            Err(error) => error,
        },
        Err(error) => unexplained(&error),
    };
    Err(explain(bytes, T::FIELDS, refusal))
}

/// Refuses requests whose `Content-Type` is not one of these; parameters such as `charset` do not matter. Says which
/// one it is.
pub fn require_content_type(headers: &HeaderMap, accepted: &[&'static str]) -> Result<&'static str, Problem> {
    let given = headers.get(header::CONTENT_TYPE);
    // As nearly everyone writes it; the rest takes its time.
    if let Some(name) = accepted.iter().find(|name| given.is_some_and(|given| given == **name)) {
        return Ok(name);
    }
    let given = given.and_then(|value| value.to_str().ok()).unwrap_or("");
    let essence = given.split(';').next().unwrap_or("").trim();
    accepted.iter().copied().find(|name| essence.eq_ignore_ascii_case(name)).ok_or_else(|| {
        Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            "Unsupported media type",
            format!("Send Content-Type: {} instead of {essence:?}.", accepted.join(" or ")),
        )
    })
}

/// Room for a usual answer: a hold of a few lines, an order.
const ANSWER_BYTES: usize = 512;

/// An answer with a JSON body.
pub fn answer(status: StatusCode, body: &impl Serialize) -> Response {
    let mut bytes = Vec::with_capacity(ANSWER_BYTES);
    match serde_json::to_writer(&mut bytes, body) {
        Ok(()) => written(status, bytes),
        Err(error) => {
            tracing::error!(%error, "an answer could not be written as JSON");
            Problem::internal().into_response()
        }
    }
}

/// An answer whose body is JSON already.
pub fn written(status: StatusCode, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

#[cold]
fn explain(bytes: &[u8], fields: &[Field], refusal: FieldError) -> Problem {
    match serde_json::from_slice::<Value>(bytes) {
        Err(error) => Problem::new(
            StatusCode::BAD_REQUEST,
            "invalid_json",
            "Invalid JSON",
            format!("The body is not JSON: {error}."),
        ),
        Ok(value) => {
            let mut errors = shape::check(&value, fields);
            if errors.is_empty() {
                errors.push(refusal);
            }
            Problem::invalid_request(&errors)
        }
    }
}

/// What serde says of mistakes that shapes do not know, such as a field that stands there twice.
fn unexplained(error: &serde_json::Error) -> FieldError {
    let message = error.to_string();
    let field = message.split('`').nth(1).unwrap_or("").to_owned();
    FieldError { field, message: format!("is not acceptable: {message}") }
}

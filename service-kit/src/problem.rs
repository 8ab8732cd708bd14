//! Errors on the wire: `application/problem+json` (RFC 9457) with a stable code and the request's id.

use std::borrow::Cow;

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::http::request_id;

/// An answer that is not the one hoped for.
#[derive(Clone, PartialEq, Debug)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    title: &'static str,
    detail: Cow<'static, str>,
    members: Map<String, Value>,
    retry_after_seconds: Option<u64>,
}

/// A problem as it is sent.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// `urn:holdfast:problem:` and the code.
    #[serde(rename = "type")]
    pub kind: String,
    /// The code in words; the same for every occurrence.
    pub title: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// What programs branch on. Stable.
    pub code: &'static str,
    /// What happened this time, and what to change.
    pub detail: Cow<'static, str>,
    /// The request's id, as in the `x-request-id` header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// What the code promises beyond this: `errors`, `items`, `holds` and the like.
    #[serde(flatten)]
    pub members: Map<String, Value>,
}

/// What is wrong with one field.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct FieldError {
    /// Its path, such as `items[3].quantity`; empty for the body as a whole.
    pub field: String,
    /// What to change.
    pub message: String,
}

impl FieldError {
    /// An error of one field.
    pub fn new(field: impl Into<String>, message: impl ToString) -> Self {
        Self { field: field.into(), message: message.to_string() }
    }
}

impl Problem {
    /// A problem; `title` must not vary between occurrences of the code.
    pub fn new(
        status: StatusCode,
        code: &'static str,
        title: &'static str,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { status, code, title, detail: detail.into(), members: Map::new(), retry_after_seconds: None }
    }

    /// 422 `invalid_request`: the request was understood and cannot be right. At least one error.
    pub fn invalid_request(errors: &[FieldError]) -> Self {
        let detail = match errors {
            [one] if one.field.is_empty() => format!("The body {}.", one.message),
            [one] => format!("{} {}.", one.field, one.message),
            many => format!("{} fields must be changed; see errors.", many.len()),
        };
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_request", "Invalid request", detail)
            .with("errors", errors)
    }

    /// 422 `invalid_request` for one field.
    pub fn invalid_field(field: impl Into<String>, message: impl ToString) -> Self {
        Self::invalid_request(&[FieldError::new(field, message)])
    }

    /// 500 `internal_error`; what happened is in the log under the request's id, not in the answer.
    pub fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal_error",
            "Internal error",
            "The service failed. Repeat the same request; if it fails again, report the request id.",
        )
    }

    /// Adds a member. A value that cannot be JSON is left out.
    #[must_use]
    pub fn with(mut self, member: &'static str, value: impl Serialize) -> Self {
        if let Ok(value) = serde_json::to_value(value) {
            self.members.insert(member.to_owned(), value);
        }
        self
    }

    /// Says more precisely what happened.
    #[must_use]
    pub fn with_detail(self, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { detail: detail.into(), ..self }
    }

    /// Says when to come back.
    #[must_use]
    pub fn with_retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_seconds = Some(seconds);
        self
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// What happened and what to change.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// As it is sent to the request with this id.
    pub fn into_body(self, request_id: Option<String>) -> ProblemBody {
        ProblemBody {
            kind: format!("urn:holdfast:problem:{}", self.code),
            title: self.title,
            status: self.status.as_u16(),
            code: self.code,
            detail: self.detail,
            request_id,
            members: self.members,
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, retry_after_seconds) = (self.status, self.retry_after_seconds);
        let body = serde_json::to_vec(&self.into_body(request_id::current())).unwrap_or_default();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = retry_after_seconds {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

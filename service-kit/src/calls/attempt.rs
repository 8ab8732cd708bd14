//! One try: a request, its answer, and what either means.

use std::time::Duration;

use chrono::DateTime;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use reqwest::{Response, StatusCode};
use serde_json::Value;

use super::{Answer, Call, CallErrorKind};
use crate::http::request_id::{self, X_REQUEST_ID};

/// Why a try brought no answer.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) kind: CallErrorKind,
    pub(super) may_have_arrived: bool,
    pub(super) detail: String,
}

impl Failed {
    pub(super) fn before_sending(kind: CallErrorKind, detail: impl Into<String>) -> Self {
        Self { kind, may_have_arrived: false, detail: detail.into() }
    }

    pub(super) fn after_sending(kind: CallErrorKind, detail: impl Into<String>) -> Self {
        Self { kind, may_have_arrived: true, detail: detail.into() }
    }
}

/// Sends the call once and reads the whole answer. Has no time limit of its own.
pub(super) async fn send(
    http: &reqwest::Client,
    base_url: &str,
    call: &Call,
    answer_bytes_max: usize,
) -> Result<Answer, Failed> {
    let mut request = http.request(call.method.clone(), format!("{base_url}{}", call.path));
    for (name, value) in &call.headers {
        request = request.header(name, value);
    }
    if !call.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(X_REQUEST_ID.as_str()))
        && let Some(id) = request_id::current()
    {
        request = request.header(X_REQUEST_ID, id);
    }
    if let Some(body) = &call.body {
        request = request.json(body);
    }
    let response = request.send().await.map_err(|error| {
        let detail = chain(&error);
        if error.is_connect() {
            Failed::before_sending(CallErrorKind::Connect, detail)
        } else if error.is_builder() {
            Failed::before_sending(CallErrorKind::Protocol, detail)
        } else {
            Failed::after_sending(CallErrorKind::Protocol, detail)
        }
    })?;
    read(response, answer_bytes_max).await
}

async fn read(response: Response, answer_bytes_max: usize) -> Result<Answer, Failed> {
    let (status, retry_after) = (response.status(), retry_after(response.headers()));
    let bytes = read_body(response, answer_bytes_max).await;
    if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
        // Its body is for people, and may as well be missing.
        let detail = bytes.map(|bytes| excerpt(&bytes)).unwrap_or_default();
        let kind = CallErrorKind::Status { status: status.as_u16(), retry_after };
        // "Too many requests" is said before anything is done.
        let may_have_arrived = status != StatusCode::TOO_MANY_REQUESTS;
        return Err(Failed { kind, may_have_arrived, detail });
    }
    if !(status.is_success() || status.is_client_error()) {
        let detail = format!("it answered {status}, which is not followed; correct its base URL");
        return Err(Failed::after_sending(CallErrorKind::Protocol, detail));
    }
    let bytes = bytes.map_err(|detail| Failed::after_sending(CallErrorKind::Protocol, detail))?;
    let body = if bytes.is_empty() {
        Value::Null
    } else {
        serde_json::from_slice(&bytes).map_err(|error| {
            let detail = format!("{status} with a body that is not JSON ({error}): {}", excerpt(&bytes));
            Failed::after_sending(CallErrorKind::Protocol, detail)
        })?
    };
    Ok(Answer { status: status.as_u16(), body, retry_after })
}

async fn read_body(mut response: Response, bytes_max: usize) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| chain(&error))? {
        if bytes.len() + chunk.len() > bytes_max {
            return Err(format!("its answer is longer than {bytes_max} bytes"));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// Seconds, or a date, which is measured against the answer's own `Date`: no clock is needed, and none can be wrong.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = DateTime::parse_from_rfc2822(text).ok()?;
    let now = DateTime::parse_from_rfc2822(headers.get(DATE)?.to_str().ok()?).ok()?;
    Some((at - now).to_std().unwrap_or_default())
}

/// An error with its causes; without the URL, which may carry what is not for logs.
fn chain(error: &reqwest::Error) -> String {
    let mut texts: Vec<String> = Vec::new();
    let mut next: Option<&dyn std::error::Error> = std::error::Error::source(error);
    while let Some(cause) = next {
        texts.push(cause.to_string());
        next = cause.source();
    }
    if texts.is_empty() { "the request could not be made".to_owned() } else { texts.join(": ") }
}

/// The beginning of a body.
fn excerpt(bytes: &[u8]) -> String {
    const CHARS_MAX: usize = 300;
    String::from_utf8_lossy(bytes).chars().take(CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retry_after_of(headers: &[(&'static str, &'static str)]) -> Option<Duration> {
        let header =
            |(name, value): &(&'static str, &'static str)| Some((name.parse().ok()?, value.parse().ok()?));
        retry_after(&headers.iter().filter_map(header).collect())
    }

    #[test]
    fn when_to_come_back_is_read_as_seconds_or_as_a_date() {
        assert_eq!(retry_after_of(&[("retry-after", "7")]), Some(Duration::from_secs(7)));
        let (date, later) = ("Sun, 22 Nov 2026 10:00:00 GMT", "Sun, 22 Nov 2026 10:01:30 GMT");
        assert_eq!(retry_after_of(&[("date", date), ("retry-after", later)]), Some(Duration::from_secs(90)));
        assert_eq!(retry_after_of(&[("date", later), ("retry-after", date)]), Some(Duration::ZERO));
        for nonsense in ["", "-1", "soon", "1.5"] {
            assert_eq!(retry_after_of(&[("date", date), ("retry-after", nonsense)]), None);
        }
        assert_eq!(retry_after_of(&[("retry-after", later)]), None);
    }
}

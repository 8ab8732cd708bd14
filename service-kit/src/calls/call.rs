//! What is asked, and what comes of it.

use std::fmt;
use std::time::Duration;

use reqwest::Method;
use serde_json::Value;

/// One call.
#[derive(Clone, PartialEq, Debug)]
pub struct Call {
    /// The method.
    pub method: Method,
    /// The path with its query, starting with `/`; parts that come from outside are percent-encoded by the caller.
    pub path: String,
    /// The body, sent as JSON.
    pub body: Option<Value>,
    /// Further headers, such as `traceparent`, `x-request-id` and `idempotency-key`. Without an `x-request-id` the id of the request
    /// being handled is passed on.
    pub headers: Vec<(String, String)>,
    /// Whether sending it twice does what sending it once does: it carries a key, or only reads. Only such calls are tried again.
    pub idempotent: bool,
}

impl Call {
    /// Reads.
    pub fn get(path: impl Into<String>) -> Self {
        Self { method: Method::GET, path: path.into(), body: None, headers: Vec::new(), idempotent: true }
    }

    /// Asks for a change that is keyed, so that a repeat is safe.
    pub fn keyed_post(path: impl Into<String>, body: Value) -> Self {
        Self {
            method: Method::POST,
            path: path.into(),
            body: Some(body),
            headers: Vec::new(),
            idempotent: true,
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
}

/// The callee's word: 2xx, or a 4xx other than 429.
#[derive(Clone, PartialEq, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body; null if there is none.
    pub body: Value,
    /// When to come back, if it says so.
    pub retry_after: Option<Duration>,
}

impl Answer {
    /// Whether it is a 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The stable code of a problem.
    pub fn code(&self) -> Option<&str> {
        self.body["code"].as_str()
    }
}

/// Why there is no answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CallError {
    /// What stood in the way at the end.
    pub kind: CallErrorKind,
    /// Whether any try may have reached the callee and had its effect. If not, nothing was asked of it.
    pub may_have_arrived: bool,
    /// Tries that were sent.
    pub attempts: u32,
    /// What was seen last, for people.
    pub detail: String,
}

/// What stood in the way of an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CallErrorKind {
    /// The callee failed too often of late, and was not asked.
    Open {
        /// How long until it is asked again.
        retry_after: Duration,
    },
    /// It did not answer in a try's time.
    Timeout,
    /// No connection.
    Connect,
    /// Too many calls are under way from here.
    BulkheadFull,
    /// The whole call's time is over.
    Deadline,
    /// It answered 5xx or 429.
    Status {
        /// Which.
        status: u16,
        /// When to come back, if it said so.
        retry_after: Option<Duration>,
    },
    /// The connection broke before the whole answer, or the answer was none that is understood here.
    Protocol,
}

impl CallError {
    /// How long the callee, or the breaker in front of it, asks to be left alone.
    pub fn retry_after(&self) -> Option<Duration> {
        match self.kind {
            CallErrorKind::Open { retry_after } => Some(retry_after),
            CallErrorKind::Status { retry_after, .. } => retry_after,
            CallErrorKind::Timeout
            | CallErrorKind::Connect
            | CallErrorKind::BulkheadFull
            | CallErrorKind::Deadline
            | CallErrorKind::Protocol => None,
        }
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            CallErrorKind::Open { retry_after } => {
                write!(f, "not asked, it failed too often; the next try is let through in {retry_after:?}")?;
            }
            CallErrorKind::Timeout => f.write_str("no answer in time")?,
            CallErrorKind::Connect => f.write_str("no connection")?,
            CallErrorKind::BulkheadFull => f.write_str("too many calls to it are under way")?,
            CallErrorKind::Deadline => f.write_str("the call's time is over")?,
            CallErrorKind::Status { status, .. } => write!(f, "it answered {status}")?,
            CallErrorKind::Protocol => f.write_str("no answer that is understood")?,
        }
        write!(f, " ({} tries)", self.attempts)?;
        if self.detail.is_empty() { Ok(()) } else { write!(f, ": {}", self.detail) }
    }
}

impl std::error::Error for CallError {}

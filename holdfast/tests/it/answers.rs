//! What a service answered, and what it must have been.

use reqwest::header::HeaderMap;
use serde_json::Value;

/// One answer, read whole.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    /// What was asked, for messages.
    pub(crate) asked: String,
}

impl Answer {
    pub(crate) async fn read(asked: String, response: reqwest::Response) -> reqwest::Result<Self> {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Self { status, headers, text: response.text().await?, asked })
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{self:#?} is not JSON: {error}"))
    }

    /// The body as lines of JSON.
    pub(crate) fn lines(&self) -> Vec<Value> {
        let parse = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line:?}: {error}"));
        self.text.lines().map(parse).collect()
    }

    /// Insists on a success of this status; gives its body.
    #[track_caller]
    pub(crate) fn is(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}: {self:#?}", self.asked);
        assert_eq!(self.header("content-type"), "application/json", "{self:#?}");
        self.json()
    }

    /// Insists on a problem as RFC 9457 and the contract have it; gives its body.
    #[track_caller]
    pub(crate) fn is_problem(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status, status, "{}: {self:#?}", self.asked);
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:#?}");
        let body = self.json();
        assert_eq!(body["code"], code, "{self:#?}");
        assert_eq!(body["status"], status, "{self:#?}");
        for member in ["type", "title", "detail"] {
            assert!(body[member].as_str().is_some_and(|text| !text.is_empty()), "no {member} in {self:#?}");
        }
        let request_id = body["requestId"].as_str().unwrap_or("");
        assert!(!request_id.is_empty(), "no request id in {self:#?}");
        assert_eq!(self.header("x-request-id"), request_id, "{self:#?}");
        if status == 503 {
            let seconds = self.header("retry-after").parse::<u32>();
            assert!(seconds.is_ok_and(|seconds| seconds >= 1), "no Retry-After in seconds in {self:#?}");
        }
        body
    }

    /// Insists on a problem of this status, whatever its code; gives its body.
    #[track_caller]
    pub(crate) fn is_some_problem(&self, status: u16) -> Value {
        self.is_problem(status, &self.code())
    }

    /// The code of a problem, or the empty text for a success.
    pub(crate) fn code(&self) -> String {
        if self.status < 400 {
            return String::new();
        }
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }
}

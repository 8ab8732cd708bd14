//! Asking a service, where no answer is an answer.

use std::time::Duration;

use anyhow::Result;
use serde_json::Value;

/// How long a client waits. Longer than a service may take, so that what is cut off was cut off by a fault.
const PATIENCE: Duration = Duration::from_secs(12);

/// A client of any service.
#[derive(Clone, Debug)]
pub(crate) struct Asker {
    client: reqwest::Client,
}

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// Beginning with a slash.
    pub(crate) path: String,
    /// Posted if there is one.
    pub(crate) body: Option<Value>,
    /// `Idempotency-Key`.
    pub(crate) key: Option<String>,
}

/// What came of it.
#[derive(Clone, Debug)]
pub(crate) enum Told {
    /// An answer, read whole.
    Answer {
        /// The status.
        status: u16,
        /// The code of a problem, or nothing.
        code: String,
        /// The body.
        body: Value,
    },
    /// None: refused, cut off, too late.
    Nothing(String),
}

impl Request {
    /// A read.
    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self { path: path.into(), body: None, key: None }
    }

    /// A change.
    pub(crate) fn post(path: impl Into<String>, body: Value) -> Self {
        Self { path: path.into(), body: Some(body), key: None }
    }
}

impl Told {
    /// The status; 0 without an answer.
    pub(crate) fn status(&self) -> u16 {
        match self {
            Self::Answer { status, .. } => *status,
            Self::Nothing(_) => 0,
        }
    }

    /// The body of an answer.
    pub(crate) fn body(&self) -> Option<&Value> {
        match self {
            Self::Answer { body, .. } => Some(body),
            Self::Nothing(_) => None,
        }
    }
}

impl Asker {
    /// A client with its own pool of connections.
    pub(crate) fn new() -> Result<Self> {
        Self::who_waits(PATIENCE)
    }

    /// The same, for questions that take longer.
    pub(crate) fn who_waits(longest: Duration) -> Result<Self> {
        Ok(Self { client: reqwest::Client::builder().timeout(longest).build()? })
    }

    /// Asks once.
    pub(crate) async fn ask(&self, url: &str, request: &Request) -> Told {
        let address = format!("{url}{}", request.path);
        let builder = match &request.body {
            Some(body) => self.client.post(address).json(body),
            None => self.client.get(address),
        };
        let builder = match &request.key {
            Some(key) => builder.header("idempotency-key", key),
            None => builder,
        };
        told(builder).await
    }

    /// Sets something.
    pub(crate) async fn put(&self, url: &str, path: &str, body: &Value) -> Told {
        told(self.client.put(format!("{url}{path}")).json(body)).await
    }

    /// The wall clock of a service, as it stamps its answers: seconds since 1970.
    pub(crate) async fn clock(&self, url: &str) -> Option<i64> {
        let answer = self.client.get(format!("{url}/health/live")).send().await.ok()?;
        let date = answer.headers().get("date")?.to_str().ok()?;
        chrono::DateTime::parse_from_rfc2822(date).ok().map(|date| date.timestamp())
    }
}

async fn told(builder: reqwest::RequestBuilder) -> Told {
    match read(builder).await {
        Ok(told) => told,
        Err(why) => Told::Nothing(format!("{:#}", anyhow::Error::from(why))),
    }
}

async fn read(builder: reqwest::RequestBuilder) -> reqwest::Result<Told> {
    let response = builder.send().await?;
    let status = response.status().as_u16();
    let text = response.text().await?;
    let body: Value = serde_json::from_str(&text).unwrap_or(Value::String(text));
    let code = body["code"].as_str().unwrap_or_default().to_owned();
    Ok(Told::Answer { status, code, body })
}

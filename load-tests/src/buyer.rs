//! What a buyer of goose says to the service, and how the answers are counted.

use std::time::{Duration, Instant};

use goose::goose::{GooseMethod, GooseRequest, GooseUser, TransactionError};
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{RequestBuilder, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::tally::{Answer, Meaning, Tally, meaning};

/// Why a transaction of goose ends early.
pub(crate) type Broken = Box<TransactionError>;

/// Where a buyer speaks, what it may be told, and who counts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counter<'a> {
    pub(crate) base: &'a str,
    /// Codes of refusals that this scenario is about.
    pub(crate) expected: &'a [&'a str],
    pub(crate) tally: &'a Tally,
}

/// What a buyer was told.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Reply {
    /// 2xx, and its body.
    Yes { status: u16, body: Value },
    /// Refused for good, or a fault, which is counted already: nothing was changed.
    No,
    /// Not now: nothing was changed.
    NotNow,
    /// It may have happened or not.
    Unknown,
}

impl Reply {
    /// Whether it was a yes.
    pub(crate) fn is_yes(&self) -> bool {
        matches!(self, Self::Yes { .. })
    }
}

#[derive(Deserialize)]
struct Coded {
    code: String,
}

/// Codes of failures after which nobody knows what happened.
const UNKNOWN: &str = "outcome_unknown";

impl Counter<'_> {
    /// Holds lines for an order. `more` is merged into the body.
    pub(crate) async fn reserve(
        &self,
        user: &mut GooseUser,
        order: Uuid,
        items: &Value,
        more: Value,
    ) -> Result<Reply, Broken> {
        let mut body = json!({ "orderId": order, "items": items });
        if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
            body.extend(more);
        }
        self.post(user, "/api/v1/inventory/reserve", "reserve", &body, None).await
    }

    /// `commit` or `release` of an order.
    pub(crate) async fn end(&self, user: &mut GooseUser, verb: &str, order: Uuid) -> Result<Reply, Broken> {
        let path = format!("/api/v1/inventory/{verb}");
        self.post(user, &path, verb, &json!({ "orderId": order }), None).await
    }

    /// Any POST.
    pub(crate) async fn post(
        &self,
        user: &mut GooseUser,
        path: &str,
        name: &str,
        body: &Value,
        idempotency_key: Option<Uuid>,
    ) -> Result<Reply, Broken> {
        let url = format!("{}{path}", self.base);
        let mut request = user.get_request_builder(&GooseMethod::Post, &url)?;
        request = request.header(CONTENT_TYPE, "application/json").body(body.to_string());
        if let Some(key) = idempotency_key {
            request = request.header("idempotency-key", key.to_string());
        }
        let request = GooseRequest::builder()
            .method(GooseMethod::Post)
            .path(path)
            .name(name)
            .set_request_builder(request)
            .build();
        self.judge(user, request).await
    }

    /// Any GET.
    pub(crate) async fn get(&self, user: &mut GooseUser, path: &str, name: &str) -> Result<Reply, Broken> {
        let url = format!("{}{path}", self.base);
        let request = user.get_request_builder(&GooseMethod::Get, &url)?;
        let request = GooseRequest::builder().path(path).name(name).set_request_builder(request).build();
        self.judge(user, request).await
    }

    async fn judge(&self, user: &mut GooseUser, request: GooseRequest<'_>) -> Result<Reply, Broken> {
        let asked = Instant::now();
        let mut told = user.request(request).await?;
        let (reply, is_fault) = self.read(asked, told.response).await;
        // To goose every status but 2xx is a failure; here a refusal that is expected is none.
        if !is_fault && !reply.is_yes() {
            user.set_success(&mut told.request)?;
        }
        Ok(reply)
    }

    /// Reads, judges and counts an answer; the reply, and whether it is a fault.
    async fn read(&self, asked: Instant, response: reqwest::Result<Response>) -> (Reply, bool) {
        let Ok(response) = response else {
            self.tally.unanswered(false);
            return (Reply::Unknown, true);
        };
        let status = response.status().as_u16();
        let has_retry_after = response.headers().contains_key(RETRY_AFTER);
        let Ok(body) = response.bytes().await else {
            self.tally.unanswered(false);
            return (Reply::Unknown, true);
        };
        let code = if status < 400 { None } else { serde_json::from_slice::<Coded>(&body).ok() };
        let code = code.map(|coded| coded.code);
        let answer = Answer { status, code, has_retry_after, elapsed: asked.elapsed() };
        let meaning = meaning(&answer, self.expected);
        self.tally.note(&answer, &meaning);
        match meaning {
            Meaning::Accepted => {
                (Reply::Yes { status, body: serde_json::from_slice(&body).unwrap_or_default() }, false)
            }
            Meaning::Refused(_) => (Reply::No, false),
            Meaning::Shed(code) if code == UNKNOWN => (Reply::Unknown, false),
            Meaning::Shed(_) => (Reply::NotNow, false),
            Meaning::Fault(_) if status >= 500 => (Reply::Unknown, true),
            Meaning::Fault(_) => (Reply::No, true),
        }
    }

    /// Sends the same reserve several times at once. Beside goose, which sends one request of a buyer at a time.
    pub(crate) async fn at_once(
        &self,
        user: &GooseUser,
        order: Uuid,
        items: &Value,
        times: usize,
    ) -> Vec<Reply> {
        let sends = (0..times).map(|_| async {
            let asked = Instant::now();
            let response = self.raw_reserve(user, order, items).send().await;
            self.read(asked, response).await.0
        });
        futures::future::join_all(sends).await
    }

    fn raw_reserve(&self, user: &GooseUser, order: Uuid, items: &Value) -> RequestBuilder {
        let body = json!({ "orderId": order, "items": items });
        let url = format!("{}/api/v1/inventory/reserve", self.base);
        user.client.post(url).header(CONTENT_TYPE, "application/json").body(body.to_string())
    }

    /// Sends a reserve and hangs up after `patience`, as a client does whose own time is up. Whether it was seen is anybody's guess.
    pub(crate) async fn hang_up(&self, user: &GooseUser, order: Uuid, items: &Value, patience: Duration) {
        let request = self.raw_reserve(user, order, items);
        // Whatever came of it, the buyer does not look.
        let _ = tokio::time::timeout(patience, request.send()).await;
        self.tally.unanswered(true);
    }
}

/// A time-ordered order id.
pub(crate) fn new_order() -> Uuid {
    Uuid::now_v7()
}

/// `items` of a body.
pub(crate) fn items(lines: &[(i64, u32)]) -> Value {
    lines.iter().map(|(product, quantity)| json!({ "productId": product, "quantity": quantity })).collect()
}

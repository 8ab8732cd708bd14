//! The payment provider over HTTP.

use async_trait::async_trait;
use serde_json::json;
use service_kit::calls::{Answer, Call, CallError, Client};

use super::ports::{NoAnswer, PaymentState, Payments};
use crate::store::Order;

const PATH: &str = "/api/v1/payments";

/// The provider, behind the resilient client.
#[derive(Clone)]
pub struct HttpPayments {
    client: Client,
}

impl HttpPayments {
    /// With a client for the provider's address.
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    async fn call(&self, order: &Order, call: Call) -> Result<Answer, NoAnswer> {
        let call = match &order.traceparent {
            Some(traceparent) => call.with_header("traceparent", traceparent.as_str()),
            None => call,
        };
        self.client.call(call).await.map_err(|error| no_answer(&error))
    }
}

#[async_trait]
impl Payments for HttpPayments {
    async fn process(&self, order: &Order) -> Result<PaymentState, NoAnswer> {
        let body = json!({"paymentId": order.payment_id, "orderId": order.id, "amount": order.total,
            "method": order.payment_method});
        let answer = self.call(order, Call::keyed_post(format!("{PATH}/process"), body)).await?;
        match (answer.status, answer.code()) {
            // Taken note of, now or before.
            (200..=202, _) => state_of(&answer),
            // The provider will not have it, such as a method that it does not know.
            (400 | 422, Some(code @ ("invalid_request" | "invalid_json"))) => {
                Ok(PaymentState::Declined(format!("{code}: {}", detail(&answer))))
            }
            _ => Err(unexpected("process", &answer)),
        }
    }

    async fn ask(&self, order: &Order) -> Result<PaymentState, NoAnswer> {
        let answer = self.call(order, Call::get(format!("{PATH}/{}", order.payment_id))).await?;
        match (answer.status, answer.code()) {
            (200, _) => state_of(&answer),
            // Any other 404 says that this is not the provider.
            (404, Some("payment_not_found")) => Ok(PaymentState::Unknown),
            _ => Err(unexpected("get", &answer)),
        }
    }

    async fn refund(&self, order: &Order) -> Result<PaymentState, NoAnswer> {
        let path = format!("{PATH}/{}/refund", order.payment_id);
        let answer = self.call(order, Call::keyed_post(path, json!({}))).await?;
        match (answer.status, answer.code()) {
            // Money that is on its way back is not back yet: its status says so.
            (200..=202, _) => state_of(&answer),
            (409, Some("payment_not_settled")) => Ok(PaymentState::Pending),
            _ => Err(unexpected("refund", &answer)),
        }
    }
}

fn state_of(answer: &Answer) -> Result<PaymentState, NoAnswer> {
    let status = answer.body["status"].as_str().unwrap_or_default();
    match status {
        "ACCEPTED" => Ok(PaymentState::Pending),
        // Until a refund is done, the provider has the money.
        "SUCCESSFUL" | "REFUNDING" => Ok(PaymentState::Succeeded),
        "FAILED" => {
            let reason = answer.body["reason"].as_str().unwrap_or("declined");
            Ok(PaymentState::Declined(reason.to_owned()))
        }
        "REFUNDED" => Ok(PaymentState::Refunded),
        _ => Err(NoAnswer::new(format!("the provider's status {status:?} is not known here"))),
    }
}

fn detail(answer: &Answer) -> &str {
    answer.body["detail"].as_str().unwrap_or_default()
}

fn unexpected(call: &str, answer: &Answer) -> NoAnswer {
    NoAnswer::new(format!("{call} was answered {} {}", answer.status, answer.code().unwrap_or_default()))
}

/// Without an answer, with what the client knows of why.
pub(super) fn no_answer(error: &CallError) -> NoAnswer {
    let seconds = error.retry_after().map(|after| after.as_secs() + u64::from(after.subsec_nanos() > 0));
    NoAnswer { reason: error.to_string(), retry_after_seconds: seconds }
}

//! Inventory over HTTP.

use async_trait::async_trait;
use serde_json::{Value, json};
use service_kit::calls::{Answer, Call, Client};

use super::http_payments::no_answer;
use super::ports::{CommitAnswer, Inventory, NoAnswer, Refusal, ReleaseAnswer, ReserveAnswer};
use crate::store::Order;

const PATH: &str = "/api/v1/inventory";

/// Inventory, behind the resilient client.
#[derive(Clone)]
pub struct HttpInventory {
    client: Client,
}

impl HttpInventory {
    /// With a client for inventory's address.
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    async fn post(&self, order: &Order, path: String, body: Value) -> Result<Answer, NoAnswer> {
        let mut call = Call::keyed_post(path, body);
        if let Some(traceparent) = &order.traceparent {
            call = call.with_header("traceparent", traceparent.as_str());
        }
        self.client.call(call).await.map_err(|error| no_answer(&error))
    }
}

#[async_trait]
impl Inventory for HttpInventory {
    async fn reserve(&self, order: &Order) -> Result<ReserveAnswer, NoAnswer> {
        let body = json!({"orderId": order.id, "items": order.stock_items(), "customerId": order.user_id});
        let answer = self.post(order, format!("{PATH}/reserve"), body).await?;
        match answer.status {
            200 | 201 => Ok(ReserveAnswer::Held),
            404 | 409 | 410 | 422 => Ok(ReserveAnswer::Refused(refusal(answer))),
            _ => Err(unexpected("reserve", &answer)),
        }
    }

    async fn commit(&self, order: &Order) -> Result<CommitAnswer, NoAnswer> {
        let answer = self.post(order, format!("{PATH}/commit"), json!({"orderId": order.id})).await?;
        match (answer.status, answer.code()) {
            (200, _) => Ok(CommitAnswer::Committed),
            (404, Some("reservation_not_found")) | (409, Some("already_released")) | (410, _) => {
                Ok(CommitAnswer::Lost)
            }
            _ => Err(unexpected("commit", &answer)),
        }
    }

    async fn release(&self, order: &Order) -> Result<ReleaseAnswer, NoAnswer> {
        let body = json!({"orderId": order.id, "reason": "order"});
        let answer = self.post(order, format!("{PATH}/release"), body).await?;
        match (answer.status, answer.code()) {
            (200, _) => Ok(ReleaseAnswer::Released),
            (409, Some("already_committed")) => Ok(ReleaseAnswer::Committed),
            _ => Err(unexpected("release", &answer)),
        }
    }

    async fn restock(&self, order: &Order) -> Result<(), NoAnswer> {
        for item in order.stock_items() {
            let (id, product) = (order.id, item.product_id);
            let body = json!({"adjustmentId": format!("restock:{id}:{product}"), "delta": item.quantity,
                "reason": "order cancelled", "reference": id.to_string()});
            let answer = self.post(order, format!("{PATH}/{product}/adjust"), body).await?;
            if answer.status != 200 {
                return Err(unexpected("adjust", &answer));
            }
        }
        Ok(())
    }
}

fn refusal(answer: Answer) -> Refusal {
    let code = answer.code().unwrap_or("refused").to_owned();
    let detail = answer.body["detail"].as_str().unwrap_or_default().to_owned();
    let mut members = match answer.body {
        Value::Object(members) => members,
        _ => serde_json::Map::new(),
    };
    for own in ["type", "title", "status", "code", "detail", "requestId"] {
        members.remove(own);
    }
    Refusal { code, detail, members }
}

fn unexpected(call: &str, answer: &Answer) -> NoAnswer {
    NoAnswer::new(format!("{call} was answered {} {}", answer.status, answer.code().unwrap_or_default()))
}

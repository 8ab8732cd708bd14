//! The HTTP contract as a caller sees it: what is sent, and what an answer means. Pure.

use inventory_core::engine::ReserveRequest;
use reqwest::StatusCode;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Admission, Ending, Unanswered};

/// Refusals of one order that concern nobody else: the codes that end an order and not the run.
const ORDER_REFUSALS: [&str; 8] = [
    "insufficient_stock",
    "product_not_found",
    "customer_limit",
    "order_conflict",
    "already_released",
    "already_committed",
    "reservation_expired",
    "reservation_not_found",
];

/// What a refusal is called that names `customerId` as missing.
pub(super) const CUSTOMER_REQUIRED: &str = "customer_required";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReserveBody<'a> {
    order_id: Uuid,
    items: Vec<ItemBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl_seconds: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer_id: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ItemBody {
    product_id: i64,
    quantity: u32,
}

impl<'a> ReserveBody<'a> {
    pub(super) fn new(request: &'a ReserveRequest) -> Self {
        let items = request.lines.iter();
        Self {
            order_id: request.order.get(),
            items: items
                .map(|line| ItemBody { product_id: line.product.get(), quantity: line.quantity.get() })
                .collect(),
            ttl_seconds: request.ttl.map(|ttl| ttl.as_secs()),
            customer_id: request.customer.as_ref().map(|customer| customer.as_str()),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrderBody {
    pub(super) order_id: Uuid,
}

#[derive(Deserialize)]
struct ReservedBody {
    replayed: bool,
}

#[derive(Deserialize, Default)]
struct Problem {
    #[serde(default)]
    code: String,
    #[serde(default)]
    detail: String,
    #[serde(default)]
    errors: Vec<FieldProblem>,
}

#[derive(Deserialize)]
struct FieldProblem {
    field: String,
    message: String,
}

pub(super) fn admission(status: StatusCode, body: &[u8]) -> Result<Admission, Unanswered> {
    if status.is_success() {
        let reserved: ReservedBody = parse(body)?;
        return Ok(if reserved.replayed { Admission::Replayed } else { Admission::Admitted });
    }
    order_refusal(status, body).map(Admission::Refused)
}

pub(super) fn ending(status: StatusCode, body: &[u8]) -> Result<Ending, Unanswered> {
    if status.is_success() {
        return Ok(Ending::Done);
    }
    order_refusal(status, body).map(Ending::Refused)
}

fn order_refusal(status: StatusCode, body: &[u8]) -> Result<String, Unanswered> {
    let problem: Problem = serde_json::from_slice(body).unwrap_or_default();
    if ORDER_REFUSALS.contains(&problem.code.as_str()) {
        return Ok(problem.code);
    }
    // A limited product wants to know who buys: the contract has no code of its own for it.
    if problem.errors.iter().any(|error| error.field == "customerId") {
        return Ok(CUSTOMER_REQUIRED.to_owned());
    }
    Err(failure(status, body))
}

/// A body that was promised to be of a shape.
pub(super) fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Unanswered> {
    serde_json::from_slice(body).map_err(|why| Unanswered {
        is_transient: false,
        message:
            "the service answered in a way that this version does not understand; is it a Holdfast service?"
                .to_owned(),
        source: Some(Box::new(why)),
    })
}

/// An answer that is none: overload and outage pass, anything else stays.
pub(super) fn failure(status: StatusCode, body: &[u8]) -> Unanswered {
    let problem: Problem = serde_json::from_slice(body).unwrap_or_default();
    let mut message = format!("the service answered {}", status.as_u16());
    for part in [&problem.code, &problem.detail] {
        if !part.is_empty() {
            message.push_str(if message.contains(':') { " — " } else { ": " });
            message.push_str(part);
        }
    }
    for error in &problem.errors {
        message.push_str(&format!("; {} {}", error.field, error.message));
    }
    let is_transient = matches!(
        status,
        StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::GATEWAY_TIMEOUT
    );
    Unanswered { is_transient, message, source: None }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use inventory_core::ids::{CustomerId, OrderId, ProductId};
    use inventory_core::lines::Lines;
    use inventory_core::quantity::Quantity;

    use super::*;

    #[test]
    fn a_reserve_is_sent_as_the_contract_says() {
        let request = ReserveRequest {
            order: OrderId::new(Uuid::nil()),
            lines: Lines::one(ProductId::new(7), Quantity::ONE),
            customer: Some(CustomerId::parse("c1").unwrap()),
            ttl: Some(Duration::from_secs(60)),
        };
        let sent = serde_json::to_value(ReserveBody::new(&request)).unwrap();
        let expected = serde_json::json!({
            "orderId": "00000000-0000-0000-0000-000000000000",
            "items": [{"productId": 7, "quantity": 1}],
            "ttlSeconds": 60,
            "customerId": "c1",
        });
        assert_eq!(sent, expected);
    }

    #[test]
    fn a_yes_tells_a_new_hold_from_a_replay() {
        let read =
            |replayed: &str| admission(StatusCode::OK, format!("{{\"replayed\":{replayed}}}").as_bytes());
        assert_eq!(read("true").unwrap(), Admission::Replayed);
        assert_eq!(read("false").unwrap(), Admission::Admitted);
        assert!(!admission(StatusCode::OK, b"<html>").unwrap_err().is_transient);
    }

    #[test]
    fn an_orders_refusal_is_an_answer_and_its_code_is_kept() {
        let body = br#"{"code":"insufficient_stock","detail":"x"}"#;
        let refused = admission(StatusCode::CONFLICT, body).unwrap();
        assert_eq!(refused, Admission::Refused("insufficient_stock".to_owned()));
        let ended = ending(StatusCode::GONE, br#"{"code":"reservation_expired"}"#).unwrap();
        assert_eq!(ended, Ending::Refused("reservation_expired".to_owned()));
    }

    #[test]
    fn a_mistake_of_ours_is_no_refusal_and_names_the_field() {
        let body = br#"{"code":"invalid_request","detail":"fix it","errors":[{"field":"ttlSeconds","message":"too long"}]}"#;
        let why = admission(StatusCode::UNPROCESSABLE_ENTITY, body).unwrap_err();
        assert!(!why.is_transient);
        assert_eq!(
            why.to_string(),
            "the service answered 422: invalid_request — fix it; ttlSeconds too long"
        );
    }

    #[test]
    fn a_limited_product_without_a_customer_refuses_that_order_alone() {
        let body = br#"{"code":"invalid_request","errors":[{"field":"customerId","message":"is required"}]}"#;
        let refused = admission(StatusCode::UNPROCESSABLE_ENTITY, body).unwrap();
        assert_eq!(refused, Admission::Refused(CUSTOMER_REQUIRED.to_owned()));
    }

    #[test]
    fn overload_and_outage_are_worth_another_try() {
        for status in [503, 429, 502, 504] {
            assert!(failure(StatusCode::from_u16(status).unwrap(), b"").is_transient, "{status}");
        }
        for status in [400, 401, 403, 404, 500] {
            assert!(!failure(StatusCode::from_u16(status).unwrap(), b"").is_transient, "{status}");
        }
    }
}

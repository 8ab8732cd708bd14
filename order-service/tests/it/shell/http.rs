//! The two others over HTTP: what is sent, and what each answer means.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use order_service::store::Order;
use order_service::worker::{
    CommitAnswer, HttpInventory, HttpPayments, Inventory, PaymentState, Payments, ReleaseAnswer,
    ReserveAnswer,
};
use serde_json::{Value, json};
use service_kit::Metrics;
use service_kit::calls::{CallOptions, Client, RetryOptions};
use tokio::task::JoinSet;

use super::world::sqlite;

/// Answers every call the same way and remembers them.
#[derive(Clone, Default)]
struct Script {
    answer: Arc<Mutex<(u16, Value)>>,
    seen: Arc<Mutex<Vec<(String, Value)>>>,
}

struct Others {
    script: Script,
    inventory: HttpInventory,
    payments: HttpPayments,
    order: Order,
    _server: JoinSet<()>,
}

async fn answer(State(script): State<Script>, request: Request) -> impl IntoResponse {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 100_000).await.unwrap();
    let line = format!("{} {}", head.method, head.uri.path());
    script.seen.lock().unwrap().push((line, serde_json::from_slice(&body).unwrap_or_default()));
    let (status, body) = script.answer.lock().unwrap().clone();
    (StatusCode::from_u16(status).unwrap(), axum::Json(body))
}

async fn others() -> Others {
    let script = Script::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(answer).with_state(script.clone());
    let mut server = JoinSet::new();
    server.spawn(async move { axum::serve(listener, router).await.unwrap() });
    let retry = RetryOptions { attempts_max: 1, ..RetryOptions::default() };
    let client =
        Client::new(&url, CallOptions { retry, ..CallOptions::default() }, &Metrics::new("x"), "x").unwrap();
    let world = sqlite().await;
    let order = world.order(world.place().await).await;
    let (inventory, payments) = (HttpInventory::new(client.clone()), HttpPayments::new(client));
    Others { script, inventory, payments, order, _server: server }
}

impl Others {
    fn will(&self, status: u16, body: Value) {
        *self.script.answer.lock().unwrap() = (status, body);
    }

    fn code(&self, status: u16, code: &str) {
        self.will(status, json!({"code": code, "detail": "Because.", "items": [7]}));
    }

    fn seen(&self) -> Vec<(String, Value)> {
        std::mem::take(&mut *self.script.seen.lock().unwrap())
    }
}

#[tokio::test]
async fn a_reserve_says_who_wants_what_and_understands_every_answer() {
    let others = others().await;
    let (inventory, order) = (&others.inventory, &others.order);
    for status in [200, 201] {
        others.will(status, json!({}));
        assert_eq!(inventory.reserve(order).await, Ok(ReserveAnswer::Held), "{status}");
    }
    let items = json!([{"productId": 1, "quantity": 2}, {"productId": 2, "quantity": 1}]);
    let body = json!({"orderId": order.id, "customerId": "ada", "items": items});
    assert_eq!(others.seen()[0], ("POST /api/v1/inventory/reserve".to_owned(), body));
    for (status, code) in [
        (404, "product_not_found"),
        (409, "insufficient_stock"),
        (409, "already_released"),
        (410, "reservation_expired"),
        (422, "order_conflict"),
    ] {
        others.code(status, code);
        let Ok(ReserveAnswer::Refused(refusal)) = inventory.reserve(order).await else {
            panic!("{status} {code}")
        };
        assert_eq!((refusal.code.as_str(), refusal.detail.as_str()), (code, "Because."));
        assert_eq!(refusal.members, *json!({"items": [7]}).as_object().unwrap());
    }
    for status in [400, 401, 500, 503] {
        others.code(status, "overloaded");
        assert!(inventory.reserve(order).await.is_err(), "{status}");
    }
}

#[tokio::test]
async fn a_commit_and_a_release_understand_every_answer() {
    let others = others().await;
    let (inventory, order) = (&others.inventory, &others.order);
    others.will(200, json!({}));
    assert_eq!(inventory.commit(order).await, Ok(CommitAnswer::Committed));
    assert_eq!(inventory.release(order).await, Ok(ReleaseAnswer::Released));
    assert_eq!(others.seen()[0], ("POST /api/v1/inventory/commit".to_owned(), json!({"orderId": order.id})));
    for (status, code) in
        [(404, "reservation_not_found"), (409, "already_released"), (410, "reservation_expired")]
    {
        others.code(status, code);
        assert_eq!(inventory.commit(order).await, Ok(CommitAnswer::Lost), "{code}");
    }
    others.code(409, "already_committed");
    assert_eq!(inventory.release(order).await, Ok(ReleaseAnswer::Committed));
    // An address that serves something else says nothing about the stock.
    for (status, code) in [(404, "not_found"), (503, "unavailable"), (422, "invalid_request")] {
        others.code(status, code);
        assert!(inventory.commit(order).await.is_err(), "{code}");
        assert!(inventory.release(order).await.is_err(), "{code}");
    }
}

#[tokio::test]
async fn race_18_a_restock_is_keyed_line_by_line() {
    let others = others().await;
    others.will(200, json!({}));
    others.inventory.restock(&others.order).await.unwrap();
    let seen = others.seen();
    for (call, product, quantity) in [(&seen[0], 1, 2), (&seen[1], 2, 1)] {
        assert_eq!(call.0, format!("POST /api/v1/inventory/{product}/adjust"));
        assert_eq!(call.1["adjustmentId"], format!("restock:{}:{product}", others.order.id));
        assert_eq!(call.1["delta"], quantity);
    }
    others.code(404, "product_not_found");
    assert!(others.inventory.restock(&others.order).await.is_err());
}

#[tokio::test]
async fn the_provider_is_told_the_payments_id_and_every_status_is_understood() {
    let others = others().await;
    let (payments, order) = (&others.payments, &others.order);
    for (status, meaning) in [
        ("ACCEPTED", PaymentState::Pending),
        ("SUCCESSFUL", PaymentState::Succeeded),
        ("REFUNDING", PaymentState::Succeeded),
        ("REFUNDED", PaymentState::Refunded),
        ("FAILED", PaymentState::Declined("poor".to_owned())),
    ] {
        others.will(202, json!({"status": status, "reason": "poor"}));
        assert_eq!(payments.process(order).await, Ok(meaning.clone()), "{status}");
        assert_eq!(payments.refund(order).await, Ok(meaning.clone()), "{status}");
        others.will(200, json!({"status": status, "reason": "poor"}));
        assert_eq!(payments.ask(order).await, Ok(meaning), "{status}");
    }
    let body =
        json!({"paymentId": order.payment_id, "orderId": order.id, "amount": "24.60", "method": "approve"});
    let seen = others.seen();
    assert_eq!(seen[0], ("POST /api/v1/payments/process".to_owned(), body));
    assert_eq!(seen[1].0, format!("POST /api/v1/payments/{}/refund", order.payment_id));
    assert_eq!(seen[2].0, format!("GET /api/v1/payments/{}", order.payment_id));
    others.code(422, "invalid_request");
    assert!(matches!(payments.process(order).await, Ok(PaymentState::Declined(_))));
    others.code(404, "payment_not_found");
    assert_eq!(payments.ask(order).await, Ok(PaymentState::Unknown));
    assert!(payments.refund(order).await.is_err());
    others.code(409, "payment_not_settled");
    assert_eq!(payments.refund(order).await, Ok(PaymentState::Pending));
    for (status, code) in
        [(422, "payment_conflict"), (404, "not_found"), (503, "provider_failed"), (409, "x")]
    {
        others.code(status, code);
        assert!(payments.process(order).await.is_err(), "{code}");
        assert!(payments.ask(order).await.is_err(), "{code}");
        assert!(payments.refund(order).await.is_err(), "{code}");
    }
    others.will(200, json!({"status": "DANCING"}));
    assert!(payments.ask(order).await.is_err());
}

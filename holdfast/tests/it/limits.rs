//! What a request may look like, and what is said to one that does not.

use reqwest::Method;
use serde_json::json;

use crate::shop::{Shop, items, new_order, on_every_store};

const RESERVE: &str = "/api/v1/inventory/reserve";

#[tokio::test]
async fn a_body_over_64_kib_is_too_large_whether_announced_or_not() {
    on_every_store(async |shop: Shop| {
        let large = json!({"orderId": new_order(), "padding": "x".repeat(64 * 1_024)}).to_string();
        shop.post_text(RESERVE, "application/json", large.clone()).await.is_some_problem(413);
        // Chunked: no Content-Length tells in advance.
        let pieces: Vec<_> =
            large.as_bytes().chunks(4_096).map(|piece| Ok::<_, std::io::Error>(piece.to_vec())).collect();
        let body = reqwest::Body::wrap_stream(futures::stream::iter(pieces));
        let chunked =
            |request: reqwest::RequestBuilder| request.header("content-type", "application/json").body(body);
        shop.send(Method::POST, RESERVE, chunked).await.is_some_problem(413);
    })
    .await;
}

#[tokio::test]
async fn an_order_may_have_256_lines_and_no_more() {
    on_every_store(async |shop: Shop| {
        for product in 1..=256 {
            shop.stock(product, 1).await;
        }
        let lines: Vec<(i64, u32)> = (1..=257).map(|product| (product, 1)).collect();
        let problem = shop.reserve(new_order(), &lines).await.is_problem(422, "invalid_request");
        assert_eq!(problem["errors"][0]["field"], "items", "{problem:#}");
        shop.reserve(new_order(), &lines[..256]).await.is(201);
        shop.audit_is_ok().await;
    })
    .await;
}

#[tokio::test]
async fn broken_json_is_told_apart_from_wrong_fields() {
    on_every_store(async |shop: Shop| {
        for broken in ["", "{", "{\"orderId\":}", "nonsense", "{} {}"] {
            shop.post_text(RESERVE, "application/json", broken).await.is_problem(400, "invalid_json");
        }
        for wrong in ["[]", "7", "{}", "null", "\"text\""] {
            shop.post_text(RESERVE, "application/json", wrong).await.is_problem(422, "invalid_request");
        }
    })
    .await;
}

#[tokio::test]
async fn every_wrong_field_is_named() {
    on_every_store(async |shop: Shop| {
        shop.stock(1, 10).await;
        let cases = [
            ("orderId", json!({"items": items(&[(1, 1)])})),
            ("orderId", json!({"orderId": "seven", "items": items(&[(1, 1)])})),
            ("items", json!({"orderId": new_order()})),
            ("items", json!({"orderId": new_order(), "items": []})),
            (
                "items[0].quantity",
                json!({"orderId": new_order(), "items": [{"productId": 1, "quantity": 0}]}),
            ),
            (
                "items[0].quantity",
                json!({"orderId": new_order(), "items": [{"productId": 1, "quantity": -1}]}),
            ),
            (
                "items[0].quantity",
                json!({"orderId": new_order(), "items": [{"productId": 1, "quantity": 1.5}]}),
            ),
            (
                "items[0].quantity",
                json!({"orderId": new_order(), "items": [{"productId": 1, "quantity": 2_147_483_648_u32}]}),
            ),
            (
                "items[0].productId",
                json!({"orderId": new_order(), "items": [{"productId": "1", "quantity": 1}]}),
            ),
            ("customerId", json!({"orderId": new_order(), "items": items(&[(1, 1)]), "customerId": ""})),
            (
                "customerId",
                json!({"orderId": new_order(), "items": items(&[(1, 1)]), "customerId": "x".repeat(256)}),
            ),
            ("surprise", json!({"orderId": new_order(), "items": items(&[(1, 1)]), "surprise": 1})),
        ];
        for (field, body) in cases {
            let problem = shop.post(RESERVE, &body).await.is_problem(422, "invalid_request");
            let errors = problem["errors"].as_array().cloned().unwrap_or_default();
            let named = errors.iter().find(|error| error["field"] == field);
            let named = named.unwrap_or_else(|| panic!("{field} is not named in {problem:#}"));
            assert!(named["message"].as_str().is_some_and(|message| !message.is_empty()), "{problem:#}");
        }
        assert_eq!(shop.counts(1).await, (10, 0, 10));
    })
    .await;
}

#[tokio::test]
async fn quantities_whose_sum_no_line_can_have_are_refused_and_nothing_overflows() {
    on_every_store(async |shop: Shop| {
        shop.stock(1, 10).await;
        let answer = shop.reserve(new_order(), &[(1, 2_147_483_647), (1, 2_147_483_647)]).await;
        assert!(matches!(answer.status, 409 | 422), "{answer:#?}");
        answer.is_some_problem(answer.status);
        let short = shop.reserve(new_order(), &[(1, 2_147_483_647)]).await;
        short.is_problem(409, "insufficient_stock");
    })
    .await;
}

#[tokio::test]
async fn another_content_type_is_refused() {
    on_every_store(async |shop: Shop| {
        shop.stock(1, 10).await;
        let body = json!({"orderId": new_order(), "items": items(&[(1, 1)])}).to_string();
        for content_type in ["text/plain", "application/xml", "multipart/form-data; boundary=x"] {
            shop.post_text(RESERVE, content_type, body.clone()).await.is_some_problem(415);
        }
        shop.post_text(RESERVE, "application/json; charset=utf-8", body).await.is(201);
    })
    .await;
}

#[tokio::test]
async fn addresses_and_methods_that_are_not_served_are_told_in_the_same_form() {
    on_every_store(async |shop: Shop| {
        shop.get("/api/v1/inventory/reservations/not-a-uuid").await.is_some_problem(422);
        shop.get("/api/v1/inventory/lamp").await.is_some_problem(422);
        shop.get("/api/v1/nothing/here").await.is_some_problem(404);
        let answer = shop.send(Method::DELETE, "/api/v1/inventory/1", |request| request).await;
        answer.is_some_problem(405);
        assert!(answer.header("allow").contains("GET"), "{answer:#?}");
    })
    .await;
}

#[tokio::test]
async fn a_callers_request_id_comes_back() {
    on_every_store(async |shop: Shop| {
        let named = |request: reqwest::RequestBuilder| request.header("x-request-id", "till-7");
        let answer = shop.send(Method::GET, "/api/v1/inventory/404", named).await;
        let problem = answer.is_problem(404, "product_not_found");
        assert_eq!(problem["requestId"], "till-7");
    })
    .await;
}

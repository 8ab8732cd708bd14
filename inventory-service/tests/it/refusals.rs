//! What the edge refuses itself, and what it lets through to the engine.

use axum::body::Body;
use axum::http::{Method, Request};

use crate::support::{ORDER, fixture};

const RESERVE: &str = "/api/v1/inventory/reserve";

fn body_of(items: &str, more: &str) -> String {
    format!(r#"{{"orderId":"{ORDER}","items":{items}{more}}}"#)
}

#[tokio::test]
async fn every_sound_call_reaches_the_engine_and_its_stop_is_503_with_retry_after() {
    let fixture = fixture().await;
    let order = format!(r#"{{"orderId":"{ORDER}"}}"#);
    let set = r#"{"onHand":5,"lowStockThreshold":2,"perCustomerLimit":1,"name":"Lamp"}"#;
    let adjust = r#"{"adjustmentId":"a","delta":-5,"reason":"broken"}"#;
    for (method, path, body) in [
        (Method::POST, RESERVE, body_of(r#"[{"productId":1,"quantity":2}]"#, "")),
        (
            Method::POST,
            RESERVE,
            body_of(r#"[{"productId":-1,"quantity":2147483647}]"#, r#","ttlSeconds":3600,"customerId":"c""#),
        ),
        (
            Method::POST,
            RESERVE,
            body_of(r#"[{"productId":1,"quantity":2}]"#, r#","ttlSeconds":null,"customerId":null"#),
        ),
        (Method::POST, "/api/v1/inventory/commit", order.clone()),
        (Method::POST, "/api/v1/inventory/commit", body_of(r#"[{"productId":1,"quantity":2}]"#, "")),
        (Method::POST, "/api/v1/inventory/release", order.clone()),
        (
            Method::POST,
            "/api/v1/inventory/release",
            body_of(r#"[{"productId":1,"quantity":2}]"#, r#","reason":"r""#),
        ),
        (Method::POST, "/api/v1/inventory/extend", format!(r#"{{"orderId":"{ORDER}","ttlSeconds":60}}"#)),
        (Method::GET, "/api/v1/inventory/7", String::new()),
        (Method::GET, "/api/v1/inventory?productIds=1,2,3", String::new()),
        (Method::GET, &format!("/api/v1/inventory/reservations/{ORDER}"), String::new()),
        (Method::PUT, "/api/v1/inventory/7", set.to_owned()),
        (Method::PUT, "/api/v1/inventory/-9223372036854775808", r#"{"onHand":0}"#.to_owned()),
        (Method::POST, "/api/v1/inventory/7/adjust", adjust.to_owned()),
        (Method::GET, "/api/v1/inventory/7/journal?fromVersion=3&limit=10", String::new()),
        (Method::GET, "/api/v1/inventory/audit", String::new()),
    ] {
        let answer = fixture.json(method.clone(), path, body.clone()).await;
        assert_eq!(answer.brief(), (503, "unavailable".to_owned(), vec![]), "{method} {path} {body}");
        assert_eq!(answer.headers["retry-after"], "1", "{method} {path}");
        assert_eq!(answer.json()["requestId"], answer.headers["x-request-id"].to_str().unwrap());
    }
}

#[tokio::test]
async fn wrong_fields_of_a_reserve_are_all_named() {
    let fixture = fixture().await;
    let too_many = format!("[{}]", vec![r#"{"productId":1,"quantity":1}"#; 257].join(","));
    for (body, fields) in [
        (body_of("[]", ""), vec!["items"]),
        (body_of(&too_many, ""), vec!["items"]),
        (
            body_of(
                r#"[{"productId":1,"quantity":0},{"productId":2,"quantity":1},{"productId":3,"quantity":2147483648}]"#,
                "",
            ),
            vec!["items[0].quantity", "items[2].quantity"],
        ),
        (
            body_of(r#"[{"productId":"1","quantity":1.5,"price":1}]"#, ""),
            vec!["items[0].productId", "items[0].quantity", "items[0].price"],
        ),
        (
            body_of(r#"[{"productId":1,"quantity":1}]"#, r#","ttlSeconds":0,"customerId":"","note":1"#),
            vec!["ttlSeconds", "customerId", "note"],
        ),
        (
            body_of(r#"[{"productId":1,"quantity":1}]"#, &format!(r#","customerId":"{}""#, "c".repeat(256))),
            vec!["customerId"],
        ),
        (
            body_of(r#"[{"productId":1,"quantity":2147483647},{"productId":1,"quantity":1}]"#, ""),
            vec!["items"],
        ),
        (r#"{"orderId":"x"}"#.to_owned(), vec!["orderId", "items"]),
        ("[]".to_owned(), vec![""]),
    ] {
        let answer = fixture.json(Method::POST, RESERVE, body.clone()).await;
        let (status, code, named) = answer.brief();
        assert_eq!((status, code.as_str()), (422, "invalid_request"), "{body}");
        assert_eq!(named, fields, "{body}");
    }
}

#[tokio::test]
async fn wrong_fields_of_the_other_bodies_are_named() {
    let fixture = fixture().await;
    for (method, path, body, fields) in [
        (Method::POST, "/api/v1/inventory/commit", body_of("[]", ""), vec!["items"]),
        (Method::POST, "/api/v1/inventory/commit", r#"{"items":5}"#.to_owned(), vec!["orderId", "items"]),
        (
            Method::POST,
            "/api/v1/inventory/release",
            body_of(r#"[{"productId":1,"quantity":-1}]"#, r#","reason":"""#),
            vec!["items[0].quantity", "reason"],
        ),
        (Method::POST, "/api/v1/inventory/extend", format!(r#"{{"orderId":"{ORDER}"}}"#), vec!["ttlSeconds"]),
        (
            Method::PUT,
            "/api/v1/inventory/7",
            r#"{"onHand":-1,"lowStockThreshold":null,"perCustomerLimit":0,"name":null}"#.to_owned(),
            vec!["onHand", "lowStockThreshold", "perCustomerLimit", "name"],
        ),
        (Method::PUT, "/api/v1/inventory/7", r#"{"onHand":1000000000001}"#.to_owned(), vec!["onHand"]),
        (Method::PUT, "/api/v1/inventory/7", r#"{"onHand":1,"name":null}"#.to_owned(), vec!["name"]),
        (Method::PUT, "/api/v1/inventory/lamp", r#"{"onHand":1}"#.to_owned(), vec!["productId"]),
        (
            Method::POST,
            "/api/v1/inventory/7/adjust",
            r#"{"adjustmentId":"","delta":1.5}"#.to_owned(),
            vec!["adjustmentId", "delta", "reason"],
        ),
        (Method::GET, "/api/v1/inventory/9223372036854775808", String::new(), vec!["productId"]),
        (Method::GET, "/api/v1/inventory", String::new(), vec!["productIds"]),
        (Method::GET, "/api/v1/inventory?productIds=1,x", String::new(), vec!["productIds"]),
        (Method::GET, "/api/v1/inventory?productId=1", String::new(), vec!["productId"]),
        (Method::GET, "/api/v1/inventory/reservations/7", String::new(), vec!["orderId"]),
        (
            Method::GET,
            "/api/v1/inventory/7/journal?limit=0&fromVersion=-1",
            String::new(),
            vec!["fromVersion", "limit"],
        ),
        (
            Method::GET,
            "/api/v1/inventory/7/journal?limit=1&limit=2&page=1",
            String::new(),
            vec!["limit", "page"],
        ),
    ] {
        let answer = fixture.json(method.clone(), path, body.clone()).await;
        let (status, code, named) = answer.brief();
        assert_eq!((status, code.as_str()), (422, "invalid_request"), "{method} {path} {body}");
        assert_eq!(named, fields, "{method} {path} {body}");
    }
}

#[tokio::test]
async fn a_hold_beyond_the_ceiling_is_refused_with_the_ceiling() {
    let fixture = fixture().await;
    let reserve = body_of(r#"[{"productId":1,"quantity":1}]"#, r#","ttlSeconds":3601"#);
    let extend = format!(r#"{{"orderId":"{ORDER}","ttlSeconds":3601}}"#);
    for (path, body) in [(RESERVE, reserve), ("/api/v1/inventory/extend", extend)] {
        let answer = fixture.json(Method::POST, path, body).await;
        assert_eq!(answer.brief(), (422, "ttl_too_long".to_owned(), vec![]), "{path}");
        assert_eq!(answer.json()["maxSeconds"], 3_600);
    }
}

#[tokio::test]
async fn broken_json_other_media_and_large_bodies_have_their_own_codes() {
    let fixture = fixture().await;
    let answer = fixture.json(Method::POST, RESERVE, "{").await;
    assert_eq!(answer.brief(), (400, "invalid_json".to_owned(), vec![]));
    let answer = fixture.send_as(Method::POST, RESERVE, "text/plain", "{}").await;
    assert_eq!(answer.brief(), (415, "unsupported_media_type".to_owned(), vec![]));
    let answer = fixture.json(Method::POST, RESERVE, " ".repeat(64 * 1_024 + 1)).await;
    assert_eq!(answer.brief(), (413, "body_too_large".to_owned(), vec![]));
    let answer = fixture.json(Method::POST, RESERVE, " ".repeat(64 * 1_024)).await;
    assert_eq!(answer.brief(), (400, "invalid_json".to_owned(), vec![]));
}

#[tokio::test]
async fn unknown_addresses_and_methods_are_problems() {
    let fixture = fixture().await;
    assert_eq!(fixture.get("/api/v1/inventories").await.brief(), (404, "not_found".to_owned(), vec![]));
    let answer = fixture.json(Method::DELETE, "/api/v1/inventory/7", "").await;
    assert_eq!(answer.brief(), (405, "method_not_allowed".to_owned(), vec![]));
    let mut allowed: Vec<_> = answer.headers["allow"].to_str().unwrap().split(',').collect();
    allowed.sort_unstable();
    assert_eq!(allowed, ["GET", "HEAD", "PUT"]);
    assert_eq!(fixture.get(RESERVE).await.headers["allow"], "POST");
}

#[tokio::test]
async fn i12_a_wrong_idempotency_key_or_if_match_is_refused_before_anything_is_done() {
    let fixture = fixture().await;
    for (path, header, value, body) in [
        ("/api/v1/inventory/release", "Idempotency-Key", "", format!(r#"{{"orderId":"{ORDER}"}}"#)),
        (
            "/api/v1/inventory/release",
            "Idempotency-Key",
            &"k".repeat(256),
            format!(r#"{{"orderId":"{ORDER}"}}"#),
        ),
        ("/api/v1/inventory/7", "If-Match", "17", r#"{"onHand":1}"#.to_owned()),
    ] {
        let method = if header == "If-Match" { Method::PUT } else { Method::POST };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", "application/json")
            .header(header, value)
            .body(Body::from(body))
            .unwrap();
        let answer = fixture.send(request).await;
        assert_eq!(answer.brief(), (422, "invalid_request".to_owned(), vec![header.to_owned()]));
    }
}

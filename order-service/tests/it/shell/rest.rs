//! The edge: what is read, what is refused, what is told.

use serde_json::json;

use super::world::{cart, on_both};

#[tokio::test]
async fn an_order_that_cannot_be_right_is_refused_with_every_field() {
    on_both(async |world| {
        let mut body = cart();
        body["items"][0]["unitPrice"] = json!(12.3);
        body["items"][1]["quantity"] = json!(0);
        body["colour"] = json!("red");
        let answer = world.place_with("k", &body).await;
        assert_eq!(answer.status, 422);
        let errors = answer.json()["errors"].clone();
        let fields: Vec<_> =
            errors.as_array().unwrap().iter().map(|error| error["field"].as_str().unwrap().to_owned()).collect();
        assert_eq!(fields, ["items[0].unitPrice", "items[1].quantity", "colour"]);
        let line = |product: i64, quantity: i64, price: &str| {
            json!({"productId": product, "quantity": quantity, "unitPrice": price})
        };
        for items in [
            json!([]),
            json!([line(1, 2, "99999999.99")]),
            json!([line(1, 1, "99999999.99"), line(2, 1, "0.01")]),
            json!([line(1, 2_147_483_647, "0.00"), line(1, 1, "0.00")]),
            json!([line(1, 1, "1.001")]),
            json!([line(1, 1, "-1.00")]),
            json!(vec![line(1, 1, "1.00"); 257]),
        ] {
            let answer = world.place_with("k", &json!({"userId": "ada", "items": items})).await;
            assert_eq!(answer.brief(), (422, "invalid_request".to_owned()), "{items}");
        }
        let most = json!({"userId": "ada", "items": vec![line(1, 1, "1.00"); 256]});
        assert_eq!(world.place_with("k", &most).await.status, 202);
        let long = json!({"userId": "ada", "items": [line(1, 1, "1.00")], "paymentMethod": "x".repeat(70_000)});
        assert_eq!(world.place_with("k2", &long).await.status, 413);
        assert_eq!(world.number("SELECT count(*) FROM orders").await, 1);
    })
    .await;
}

#[tokio::test]
async fn free_goods_are_an_order_too() {
    on_both(async |world| {
        let body = json!({"userId": "ada", "items": [{"productId": 1, "quantity": 1, "unitPrice": "0.00"}]});
        let answer = world.place_with("k", &body).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["totalAmount"]), (202, &json!("0.00")));
    })
    .await;
}

#[tokio::test]
async fn a_users_orders_come_newest_first_page_by_page() {
    on_both(async |world| {
        let mut placed = Vec::new();
        for _ in 0..5 {
            placed.push(world.place().await.to_string());
        }
        placed.reverse();
        let mut path = "/api/v1/orders/user/ada?limit=2".to_owned();
        let mut seen = Vec::new();
        loop {
            let page = world.get(&path).await.json();
            let items = page["items"].as_array().unwrap();
            seen.extend(items.iter().map(|order| order["orderId"].as_str().unwrap().to_owned()));
            // What is placed meanwhile moves no page.
            world.place().await;
            match page["nextCursor"].as_str() {
                Some(cursor) => path = format!("/api/v1/orders/user/ada?limit=2&cursor={cursor}"),
                None => break,
            }
        }
        assert_eq!(seen, placed);
        assert_eq!(world.get("/api/v1/orders/user/nobody").await.json(), json!({"items": []}));
        for wrong in ["limit=0", "limit=101", "cursor=x", "colour=red", "limit=1&limit=2"] {
            let answer = world.get(&format!("/api/v1/orders/user/ada?{wrong}")).await;
            assert_eq!(answer.brief(), (422, "invalid_request".to_owned()), "{wrong}");
        }
    })
    .await;
}

#[tokio::test]
async fn unknown_orders_and_broken_ids_are_told() {
    on_both(async |world| {
        let id = "0197a3b0-1c00-7000-8000-000000000001";
        for path in ["", "/timeline"] {
            let answer = world.get(&format!("/api/v1/orders/{id}{path}")).await;
            assert_eq!(answer.brief(), (404, "order_not_found".to_owned()));
            let answer = world.get(&format!("/api/v1/orders/seven{path}")).await;
            assert_eq!(answer.brief(), (422, "invalid_request".to_owned()));
        }
        for (verb, body) in
            [("cancel", json!({})), ("ship", json!({"trackingNumber": "T"})), ("deliver", json!(null))]
        {
            let answer = world.post(&format!("/api/v1/orders/{id}/{verb}"), &body).await;
            assert_eq!(answer.brief(), (404, "order_not_found".to_owned()), "{verb}");
        }
        let wrong = json!({"trackingNumber": ""});
        let answer = world.post(&format!("/api/v1/orders/{id}/ship"), &wrong).await;
        assert_eq!(answer.brief(), (422, "invalid_request".to_owned()));
    })
    .await;
}

#[tokio::test]
async fn the_document_names_every_call() {
    let world = super::world::sqlite().await;
    let document = world.get("/openapi.json").await.json();
    for path in [
        "/api/v1/orders",
        "/api/v1/orders/{orderId}",
        "/api/v1/orders/{orderId}/timeline",
        "/api/v1/orders/user/{userId}",
        "/api/v1/orders/{orderId}/cancel",
        "/api/v1/orders/{orderId}/ship",
        "/api/v1/orders/{orderId}/deliver",
        "/api/v1/orders/{orderId}/operator/plan",
        "/api/v1/orders/{orderId}/operator/retry",
        "/api/v1/orders/{orderId}/operator/skip",
        "/api/v1/orders/{orderId}/operator/abandon",
        "/health/live",
        "/health/ready",
        "/metrics",
    ] {
        assert!(document["paths"][path].is_object(), "{path}");
    }
    assert!(world.get("/docs/").await.status.is_success());
    assert!(world.get("/nowhere").await.status == 404);
}

//! What operators do: set, adjust, look.

use serde_json::{Value, json};

use crate::shop::{Shop, new_order, on_every_store, time};

#[tokio::test]
async fn a_product_is_created_and_then_set_and_absent_fields_are_left_alone() {
    on_every_store(async |shop: Shop| {
        let created = json!({"onHand": 10, "lowStockThreshold": 3, "perCustomerLimit": 2, "name": "Lamp"});
        shop.put(1, &created).await.is(201);
        shop.put(1, &json!({"onHand": 12})).await.is(200);
        let product = shop.product(1).await;
        for (field, value) in [
            ("productId", json!(1)),
            ("onHand", json!(12)),
            ("held", json!(0)),
            ("available", json!(12)),
            ("lowStockThreshold", json!(3)),
            ("perCustomerLimit", json!(2)),
            ("name", json!("Lamp")),
        ] {
            assert_eq!(product[field], value, "{field} of {product:#}");
        }
        assert!(product["version"].is_u64(), "{product:#}");
        shop.put(1, &json!({"onHand": -1})).await.is_problem(422, "invalid_request");
    })
    .await;
}

#[tokio::test]
async fn a_product_that_was_never_created_is_unknown() {
    on_every_store(async |shop: Shop| {
        shop.get("/api/v1/inventory/404").await.is_problem(404, "product_not_found");
        shop.adjust(404, "a", 1).await.is_problem(404, "product_not_found");
        shop.reserve(new_order(), &[(404, 1)]).await.is_problem(404, "product_not_found");
        let path = "/api/v1/inventory/reservations/00000000-0000-7000-8000-000000000001";
        shop.get(path).await.is_problem(404, "reservation_not_found");
    })
    .await;
}

#[tokio::test]
async fn any_64_bit_integer_names_a_product() {
    on_every_store(async |shop: Shop| {
        for product in [i64::MIN, -1, 0, i64::MAX] {
            shop.put(product, &json!({"onHand": 1})).await.is(201);
            shop.hold(&[(product, 1)]).await;
            assert_eq!(shop.counts(product).await, (1, 1, 0));
        }
    })
    .await;
}

#[tokio::test]
async fn many_products_are_read_at_once_and_unknown_ones_are_listed() {
    on_every_store(async |shop: Shop| {
        for product in [1, 2, 3] {
            shop.stock(product, product * 10).await;
        }
        let body = shop.get("/api/v1/inventory?productIds=1,404,3").await.is(200);
        let on_hand = |id: i64| {
            let items = body["items"].as_array().cloned().unwrap_or_default();
            items.iter().find(|item| item["productId"] == id).and_then(|item| item["onHand"].as_i64())
        };
        assert_eq!((on_hand(1), on_hand(3), on_hand(2)), (Some(10), Some(30), None), "{body:#}");
        assert_eq!(body["missing"], json!([404]));
        shop.get("/api/v1/inventory?productIds=1,x").await.is_problem(422, "invalid_request");
    })
    .await;
}

#[tokio::test]
async fn the_etag_changes_with_administration_and_not_with_sales() {
    on_every_store(async |shop: Shop| {
        shop.stock(1, 10).await;
        let etag = async || shop.get("/api/v1/inventory/1").await.header("etag").to_owned();
        let first = etag().await;
        assert!(first.starts_with('"') || first.starts_with("W/\""), "an ETag is quoted: {first}");
        let order = shop.hold(&[(1, 2)]).await;
        shop.commit(order).await.is(200);
        assert_eq!(etag().await, first, "a sale");
        shop.put_if_match(1, &first, &json!({"onHand": 20})).await.is(200);
        assert_ne!(etag().await, first, "administration");
        shop.put_if_match(1, &first, &json!({"onHand": 30})).await.is_problem(412, "stale");
        assert_eq!(shop.counts(1).await.0, 20);
        shop.put_if_match(2, &first, &json!({"onHand": 30})).await.is_problem(412, "stale");
        shop.get("/api/v1/inventory/2").await.is_problem(404, "product_not_found");
    })
    .await;
}

#[tokio::test]
async fn i7_an_adjustment_counts_once_and_its_id_belongs_to_its_body() {
    on_every_store(async |shop: Shop| {
        shop.stock(1, 10).await;
        shop.stock(2, 10).await;
        for _ in 0..3 {
            let body = shop.adjust(1, "delivery-1", 5).await.is(200);
            assert_eq!(body["onHand"], 15, "{body:#}");
        }
        shop.adjust(1, "delivery-1", 6).await.is_problem(422, "adjustment_conflict");
        shop.adjust(2, "delivery-1", 5).await.is_problem(422, "adjustment_conflict");
        shop.adjust(1, "breakage", -2).await.is(200);
        assert_eq!((shop.counts(1).await, shop.counts(2).await), ((13, 0, 13), (10, 0, 10)));
        shop.adjust(1, "too-much", -14).await.is_problem(409, "below_held");
        shop.audit_is_ok().await;
    })
    .await;
}

#[tokio::test]
async fn a_reservation_shows_lines_status_and_times() {
    on_every_store(async |shop: Shop| {
        shop.stock(1, 10).await;
        let order = new_order();
        let answer = shop.reserve_for(60, order, &[(1, 2)]).await;
        let reserved = answer.is(201);
        assert!(answer.header("location").ends_with(&format!("/api/v1/inventory/reservations/{order}")));
        assert_eq!(reserved["orderId"], json!(order));
        assert_eq!(reserved["items"], json!([{"productId": 1, "quantity": 2}]));
        let created = time(&reserved["createdAt"]);
        let lasts = |member: &str| (time(&reserved[member]) - created).num_milliseconds();
        assert_eq!((lasts("expiresAt"), lasts("maxExpiresAt")), (60_000, 3_600_000));
        let shown = shop.reservation(order).await.is(200);
        for member in ["orderId", "status", "items", "createdAt", "expiresAt"] {
            assert_eq!(shown[member], reserved[member], "{member} of {shown:#}");
        }
    })
    .await;
}

#[tokio::test]
async fn an_extension_moves_the_end_forward_up_to_the_ceiling_and_never_back() {
    on_every_store(async |shop: Shop| {
        shop.stock(1, 10).await;
        let order = new_order();
        let reserved = shop.reserve_for(60, order, &[(1, 2)]).await.is(201);
        let end = |body: &Value| time(&body["expiresAt"]);
        let longer = shop.extend(order, 600).await.is(200);
        assert!(end(&longer) > end(&reserved), "{longer:#}");
        let shorter = shop.extend(order, 1).await.is(200);
        assert_eq!(end(&shorter), end(&longer), "the later of both");
        // Created plus the ceiling is earlier than now plus the ceiling.
        shop.extend(order, 3_600).await.is_problem(422, "ttl_too_long");
        assert_eq!(shop.reservation(order).await.is(200)["expiresAt"], longer["expiresAt"]);
    })
    .await;
}

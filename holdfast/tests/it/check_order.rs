//! When several things are wrong, which one is told: form, conflict, state, product, customer's limit, stock.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::shop::{Shop, items, new_order, on_every_store};

#[tokio::test]
async fn form_comes_before_conflict() {
    on_every_store(async |shop: Shop| {
        shop.stock(1, 10).await;
        let order = shop.hold(&[(1, 1)]).await;
        shop.reserve(order, &[(1, 0)]).await.is_problem(422, "invalid_request");
    })
    .await;
}

#[tokio::test]
async fn conflict_comes_before_state_and_its_detail_names_the_difference() {
    on_every_store(async |shop: Shop| {
        shop.stock(1, 10).await;
        shop.stock(7_777, 10).await;
        let released = shop.hold(&[(1, 1)]).await;
        shop.release(released).await.is(200);
        let problem = shop.reserve(released, &[(1, 1), (7_777, 2)]).await.is_problem(422, "order_conflict");
        assert!(detail(&problem).contains("7777"), "{problem:#}");
        let expired = shop.overdue_hold(&[(1, 1)]).await;
        shop.reserve(expired, &[(1, 2)]).await.is_problem(422, "order_conflict");
    })
    .await;
}

#[tokio::test]
async fn another_customer_is_a_conflict() {
    on_every_store(async |shop: Shop| {
        shop.stock(1, 10).await;
        let order = new_order();
        shop.reserve_as("ann", order, &[(1, 1)]).await.is(201);
        shop.reserve_as("ann", order, &[(1, 1)]).await.is(200);
        shop.reserve_as("bob", order, &[(1, 1)]).await.is_problem(422, "order_conflict");
        shop.reserve(order, &[(1, 1)]).await.is_problem(422, "order_conflict");
    })
    .await;
}

#[tokio::test]
async fn the_same_sums_in_other_words_are_no_conflict() {
    on_every_store(async |shop: Shop| {
        shop.stock(1, 10).await;
        shop.stock(2, 10).await;
        let order = shop.hold(&[(1, 3), (2, 1)]).await;
        let again = shop.reserve(order, &[(1, 1), (2, 1), (1, 2)]).await.is(200);
        assert_eq!(again["replayed"], true);
    })
    .await;
}

#[tokio::test]
async fn a_tombstone_knows_no_lines_and_so_no_conflict() {
    on_every_store(async |shop: Shop| {
        shop.stock(1, 10).await;
        let order = new_order();
        let tombstone = shop.release(order).await.is(200);
        assert_eq!((&tombstone["status"], &tombstone["items"]), (&"RELEASED".into(), &json!([])));
        shop.reserve(order, &[(1, 1)]).await.is_problem(409, "already_released");
        // State comes before the look-up of products.
        shop.reserve(order, &[(404, 1)]).await.is_problem(409, "already_released");
    })
    .await;
}

#[tokio::test]
async fn conflict_comes_before_an_unknown_product() {
    on_every_store(async |shop: Shop| {
        shop.stock(1, 10).await;
        let order = shop.hold(&[(1, 1)]).await;
        shop.reserve(order, &[(404, 1)]).await.is_problem(422, "order_conflict");
    })
    .await;
}

#[tokio::test]
async fn an_unknown_product_comes_before_the_customers_limit() {
    on_every_store(async |shop: Shop| {
        shop.put(1, &json!({"onHand": 10, "perCustomerLimit": 2})).await.is(201);
        let order = new_order();
        shop.reserve_as("ann", order, &[(1, 3), (404, 1)]).await.is_problem(404, "product_not_found");
        shop.reservation(order).await.is_problem(404, "reservation_not_found");
    })
    .await;
}

#[tokio::test]
async fn the_customers_limit_comes_before_the_stock() {
    on_every_store(async |shop: Shop| {
        shop.put(1, &json!({"onHand": 1, "perCustomerLimit": 2})).await.is(201);
        let order = new_order();
        let problem = shop.reserve_as("ann", order, &[(1, 3)]).await.is_problem(409, "customer_limit");
        assert_eq!(
            (&problem["productId"], &problem["limit"], &problem["taken"]),
            (&1.into(), &2.into(), &0.into())
        );
        shop.stock(2, 1).await;
        shop.reserve_as("ann", order, &[(1, 3), (2, 5)]).await.is_problem(409, "customer_limit");
        let short = shop.reserve_as("ann", order, &[(1, 2), (2, 5)]).await;
        short.is_problem(409, "insufficient_stock");
    })
    .await;
}

#[tokio::test]
async fn a_limited_product_asks_who_buys() {
    on_every_store(async |shop: Shop| {
        shop.put(1, &json!({"onHand": 10, "perCustomerLimit": 2})).await.is(201);
        let answer = shop.reserve(new_order(), &[(1, 1)]).await;
        assert!(matches!(answer.status, 409 | 422), "{answer:#?}");
        answer.is_some_problem(answer.status);
        assert_eq!(shop.counts(1).await, (10, 0, 10));
    })
    .await;
}

#[tokio::test]
async fn every_short_line_is_told_with_what_is_left() {
    on_every_store(async |shop: Shop| {
        for (product, on_hand) in [(1, 3), (2, 0), (3, 100)] {
            shop.stock(product, on_hand).await;
        }
        let holder = shop.hold(&[(1, 1)]).await;
        let expires_at = shop.reservation(holder).await.is(200)["expiresAt"].clone();
        let answer = shop.reserve(new_order(), &[(3, 1), (1, 2), (2, 1), (1, 1)]).await;
        let problem = answer.is_problem(409, "insufficient_stock");
        let mut short = problem["items"].as_array().cloned().unwrap_or_default();
        short.sort_by_key(|item| item["productId"].as_i64());
        assert_eq!(short.len(), 2, "{problem:#}");
        let told = |item: &Value| {
            (item["productId"].as_i64(), item["requested"].as_i64(), item["available"].as_i64())
        };
        assert_eq!(told(&short[0]), (Some(1), Some(3), Some(2)), "quantities are summed");
        assert_eq!(told(&short[1]), (Some(2), Some(1), Some(0)));
        // A hint, and only a hint: where it is given, it is the end of the hold in the way.
        if let Some(hint) = short[0].get("earliestExpiryAt") {
            assert_eq!(hint, &expires_at);
        }
        assert_eq!(shop.counts(3).await, (100, 0, 100), "nothing was taken");
    })
    .await;
}

#[tokio::test]
async fn i7_a_retry_of_the_order_that_took_the_last_unit_is_a_replay() {
    on_every_store(async |shop: Shop| {
        shop.stock(1, 1).await;
        let order = shop.hold(&[(1, 1)]).await;
        shop.reserve(new_order(), &[(1, 1)]).await.is_problem(409, "insufficient_stock");
        assert_eq!(shop.reserve(order, &[(1, 1)]).await.is(200)["replayed"], true);
    })
    .await;
}

#[tokio::test]
async fn a_hold_may_last_from_one_second_to_the_ceiling() {
    on_every_store(async |shop: Shop| {
        shop.stock(1, 10).await;
        let reserve = async |order: Uuid, ttl: i64| {
            let body = json!({"orderId": order, "items": items(&[(1, 1)]), "ttlSeconds": ttl});
            shop.post("/api/v1/inventory/reserve", &body).await
        };
        for ttl in [0, -1, 3_601] {
            let answer = reserve(new_order(), ttl).await;
            answer.is_some_problem(422);
        }
        for ttl in [1, 3_600] {
            reserve(new_order(), ttl).await.is(201);
        }
    })
    .await;
}

fn detail(problem: &Value) -> &str {
    problem["detail"].as_str().unwrap_or_default()
}

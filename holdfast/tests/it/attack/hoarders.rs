//! Customers who take all and buy nothing.

use futures::future::join_all;
use serde_json::json;

use super::honest::{meanwhile, shop};
use crate::shop::{eventually, items, new_order};

#[tokio::test]
async fn i15_one_customer_gets_no_more_than_the_limit_however_many_orders_it_tries() {
    let shop = shop(&[]).await;
    shop.put(2, &json!({"onHand": 1_000, "perCustomerLimit": 3})).await.is(201);
    meanwhile(&shop, async {
        let tries =
            (0..400).map(async |n: u32| shop.reserve_as("hoarder", new_order(), &[(2, 1 + n % 2)]).await);
        let answers = join_all(tries).await;
        for answer in &answers {
            match answer.status {
                201 => drop(answer.is(201)),
                _ => drop(answer.is_problem(409, "customer_limit")),
            }
        }
        let (_, held, _) = shop.counts(2).await;
        assert!((2..=3).contains(&held), "{held} held");
        // Whoever does not say who buys gets nothing of it.
        shop.reserve(new_order(), &[(2, 1)]).await.is_problem(422, "invalid_request");
        // And there is enough for others.
        let others =
            (0..100).map(async |n| shop.reserve_as(&format!("customer-{n}"), new_order(), &[(2, 3)]).await);
        join_all(others).await.iter().for_each(|answer| drop(answer.is(201)));
    })
    .await;
}

#[tokio::test]
async fn i8_whoever_extends_for_ever_loses_the_hold_at_its_ceiling_and_others_get_the_stock() {
    let shop = shop(&[("HOLD_MAX_SECONDS", "3"), ("RESERVATION_TTL_SECONDS", "2")]).await;
    shop.stock(2, 50).await;
    meanwhile(&shop, async {
        let greedy: Vec<_> = (0..50).map(|_| new_order()).collect();
        join_all(greedy.iter().map(async |order| shop.reserve_for(3, *order, &[(2, 1)]).await.is(201))).await;
        shop.reserve(new_order(), &[(2, 1)]).await.is_problem(409, "insufficient_stock");
        shop.post(
            "/api/v1/inventory/reserve",
            &json!({"orderId": new_order(), "items": items(&[(2, 1)]), "ttlSeconds": 4}),
        )
        .await
        .is_problem(422, "ttl_too_long");
        // Extends until it is refused.
        let clinging = greedy.iter().map(async |order| {
            let mut answer = shop.extend(*order, 3).await;
            while answer.status == 200 {
                answer = shop.extend(*order, 1).await;
            }
            answer.is_problem(
                answer.status,
                if answer.status == 410 { "reservation_expired" } else { "ttl_too_long" },
            );
        });
        join_all(clinging).await;
        eventually("the stock is free again", async || shop.counts(2).await == (50, 0, 50)).await;
        shop.hold(&[(2, 50)]).await;
    })
    .await;
}

#[tokio::test]
async fn i15_a_flood_of_batches_is_answered_line_by_line_and_keeps_nobody_out() {
    let shop = shop(&[]).await;
    shop.stock(2, 5_000).await;
    meanwhile(&shop, async {
        let floods = (0..4).map(async |_| {
            let line = |_| json!({"orderId": new_order(), "items": items(&[(2, 1)])}).to_string() + "\n";
            let body: String = (0..10_001).map(line).collect();
            let answer =
                shop.post_text("/api/v1/inventory/reserve/batch", "application/x-ndjson", body).await;
            let lines = answer.lines();
            assert_eq!(lines.len(), 10_001);
            assert_eq!(lines[10_000]["body"]["code"], "body_too_large", "one line too many");
            lines.iter().filter(|line| line["status"] == 201).count()
        });
        let held: usize = join_all(floods).await.into_iter().sum();
        assert_eq!(held, 5_000, "the stock, and no more");
    })
    .await;
}

//! Many reserves in one request.

use std::fmt::Write;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::shop::{Shop, items, new_order, on_every_store};

const PATH: &str = "/api/v1/inventory/reserve/batch";

fn line(order: Uuid, lines: &[(i64, u32)]) -> Value {
    json!({"orderId": order, "items": items(lines)})
}

async fn send(shop: &Shop, body: String) -> Vec<Value> {
    let answer = shop.post_text(PATH, "application/x-ndjson", body).await;
    assert_eq!(answer.status, 200, "{answer:#?}");
    answer.lines()
}

#[tokio::test]
async fn each_line_is_answered_in_order_with_what_the_single_call_would_have_said() {
    on_every_store(async |shop: Shop| {
        shop.stock(1, 3).await;
        let (first, second) = (new_order(), new_order());
        let body = [
            line(first, &[(1, 2)]).to_string(),
            line(first, &[(1, 2)]).to_string(),
            line(second, &[(404, 1)]).to_string(),
            "{not json".to_owned(),
            line(second, &[(1, 5)]).to_string(),
            line(second, &[(1, 1)]).to_string(),
        ]
        .join("\n");
        let answers = send(&shop, body).await;
        let told: Vec<_> = answers
            .iter()
            .map(|answer| (answer["status"].as_u64(), answer["body"]["code"].as_str().unwrap_or("")))
            .collect();
        assert_eq!(told.len(), 6, "{answers:#?}");
        // Both lines of one order may be under way together: one is new, the other a replay.
        let mut of_first = [told[0].0, told[1].0];
        of_first.sort();
        assert_eq!(of_first, [Some(200), Some(201)]);
        assert_eq!(told[2], (Some(404), "product_not_found"));
        assert_eq!(told[3], (Some(400), "invalid_json"));
        assert_eq!(told[4], (Some(409), "insufficient_stock"));
        assert_eq!(answers[0]["body"]["orderId"], json!(first));
        assert_eq!(shop.counts(1).await.1, if told[5].0 == Some(201) { 3 } else { 2 });
        shop.audit_is_ok().await;
    })
    .await;
}

#[tokio::test]
async fn ten_thousand_lines_are_one_request() {
    on_every_store(async |shop: Shop| {
        shop.stock(1, 9_000).await;
        let orders: Vec<Uuid> = (0..10_000).map(|_| new_order()).collect();
        let mut body = String::new();
        for order in &orders {
            writeln!(body, "{}", line(*order, &[(1, 1)])).expect("writing to a string");
        }
        let answers = send(&shop, body.clone()).await;
        assert_eq!(answers.len(), orders.len());
        for (answer, order) in answers.iter().zip(&orders) {
            match answer["status"].as_u64() {
                Some(201) => assert_eq!(answer["body"]["orderId"], json!(order)),
                Some(409) => assert_eq!(answer["body"]["code"], "insufficient_stock"),
                _ => panic!("{answer:#}"),
            }
        }
        assert_eq!(shop.counts(1).await, (9_000, 9_000, 0));
        // The whole batch again: what was held is a replay, also of the order that took the last unit.
        let again = send(&shop, body).await;
        for (answer, before) in again.iter().zip(&answers) {
            let expected = if before["status"] == 201 { 200 } else { 409 };
            assert_eq!(answer["status"], expected, "{answer:#}");
        }
        shop.audit_is_ok().await;
    })
    .await;
}

#[tokio::test]
async fn the_line_after_the_last_allowed_one_is_not_taken() {
    on_every_store(async |shop: Shop| {
        shop.stock(1, 20_000).await;
        let mut body = String::new();
        for _ in 0..10_001 {
            writeln!(body, "{}", line(new_order(), &[(1, 1)])).expect("writing to a string");
        }
        let answer = shop.post_text(PATH, "application/x-ndjson", body).await;
        // Refused as a whole, or, when the answer was under way already, told in its last line.
        if answer.status == 200 {
            let last = answer.lines().last().cloned().unwrap_or_default();
            assert!(last["status"].as_u64().is_some_and(|status| status >= 400), "{last:#}");
        } else {
            assert!(matches!(answer.status, 413 | 422), "{}", answer.status);
            answer.is_some_problem(answer.status);
        }
        assert!(shop.counts(1).await.1 <= 10_000);
    })
    .await;
}

//! A product's history, and the audit that rests on it.

use serde_json::{Value, json};

use crate::shop::{Shop, new_order, on_every_store, time};

async fn changes(shop: &Shop, query: &str) -> Vec<Value> {
    let body = shop.get(&format!("/api/v1/inventory/1/journal{query}")).await.is(200);
    body["items"].as_array().cloned().unwrap_or_else(|| panic!("no items in {body:#}"))
}

#[tokio::test]
async fn every_change_of_a_product_is_told_oldest_first() {
    on_every_store(async |shop: Shop| {
        shop.stock(1, 10).await;
        let order = shop.hold(&[(1, 3)]).await;
        shop.release_items(order, &[(1, 1)]).await.is(200);
        shop.commit(order).await.is(200);
        shop.adjust(1, "delivery", 5).await.is(200);
        let told = changes(&shop, "").await;
        let summary: Vec<_> = told
            .iter()
            .map(|change| {
                (change["kind"].as_str().unwrap_or(""), change["onHand"].as_i64(), change["held"].as_i64())
            })
            .collect();
        assert_eq!(
            summary,
            [
                ("set", Some(10), Some(0)),
                ("reserve", Some(10), Some(3)),
                ("release_part", Some(10), Some(2)),
                ("commit", Some(8), Some(0)),
                ("adjust", Some(13), Some(0)),
            ]
        );
        let versions: Vec<_> = told.iter().filter_map(|change| change["version"].as_u64()).collect();
        assert!(versions.is_sorted() && versions.len() == told.len(), "{versions:?}");
        assert!(told.iter().map(|change| time(&change["at"])).is_sorted());
        assert_eq!(told[1]["orderId"], json!(order));
        assert_eq!(told[4]["reason"], "counted");
        assert!(told.iter().all(|change| change["quantity"].is_i64()), "{told:#?}");
    })
    .await;
}

#[tokio::test]
async fn a_history_is_read_in_pages() {
    on_every_store(async |shop: Shop| {
        shop.stock(1, 100).await;
        for _ in 0..9 {
            shop.hold(&[(1, 1)]).await;
        }
        let whole = changes(&shop, "").await;
        assert_eq!(whole.len(), 10);
        let first = changes(&shop, "?limit=4").await;
        assert_eq!(first, whole[..4]);
        let next = first[3]["version"].as_u64().expect("a version") + 1;
        assert_eq!(changes(&shop, &format!("?fromVersion={next}&limit=4")).await, whole[4..8]);
    })
    .await;
}

#[tokio::test]
async fn the_audit_finds_a_figure_that_somebody_changed_by_hand() {
    on_every_store(async |shop: Shop| {
        shop.stock(1, 10).await;
        shop.stock(2, 10).await;
        shop.reserve(new_order(), &[(1, 3)]).await.is(201);
        shop.audit_is_ok().await;
        shop.execute_sql("UPDATE {schema}inventory SET held = held + 1 WHERE product_id = 1").await;
        let report = shop.get("/api/v1/inventory/audit").await.is(200);
        assert_eq!(report["ok"], false, "{report:#}");
        let violations = report["violations"].to_string();
        assert!(violations.contains('1') && violations != "[]", "{report:#}");
    })
    .await;
}

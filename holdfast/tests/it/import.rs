//! Bulk import: CSV and NDJSON, row by row, repeatable.

use serde_json::{Value, json};

use crate::shop::{Shop, on_every_store};

const PATH: &str = "/api/v1/inventory/import";

/// (rows, created, updated, unchanged) of a report.
fn counts(report: &Value) -> (u64, u64, u64, u64) {
    let number = |name: &str| report[name].as_u64().unwrap_or_else(|| panic!("no {name} in {report:#}"));
    (number("rows"), number("created"), number("updated"), number("unchanged"))
}

#[tokio::test]
async fn a_csv_sets_stock_and_a_repeat_changes_nothing() {
    on_every_store(async |shop: Shop| {
        let csv =
            "productId,onHand,lowStockThreshold,perCustomerLimit,name\n1,10,3,2,\"Lamp, red\"\n2,20,,,\n";
        let report = shop.post_text(PATH, "text/csv", csv).await.is(200);
        assert_eq!((counts(&report), &report["rejected"]), ((2, 2, 0, 0), &json!([])), "{report:#}");
        let lamp = shop.product(1).await;
        assert_eq!(
            (&lamp["onHand"], &lamp["lowStockThreshold"], &lamp["perCustomerLimit"], &lamp["name"]),
            (&10.into(), &3.into(), &2.into(), &"Lamp, red".into())
        );
        let version = lamp["version"].clone();
        let report = shop.post_text(PATH, "text/csv", csv).await.is(200);
        assert_eq!(counts(&report), (2, 0, 0, 2));
        assert_eq!(shop.product(1).await["version"], version);
        let report = shop.post_text(PATH, "text/csv", "productId,onHand\n1,11\n2,20\n3,1\n").await.is(200);
        assert_eq!(counts(&report), (3, 1, 1, 1));
        assert_eq!(shop.product(1).await["name"], "Lamp, red", "absent columns are left alone");
        shop.audit_is_ok().await;
    })
    .await;
}

#[tokio::test]
async fn ndjson_is_taken_too() {
    on_every_store(async |shop: Shop| {
        let rows = "{\"productId\":1,\"onHand\":5}\n{\"productId\":2,\"onHand\":6,\"name\":\"Cup\"}\n";
        let report = shop.post_text(PATH, "application/x-ndjson", rows).await.is(200);
        assert_eq!(counts(&report), (2, 2, 0, 0));
        assert_eq!((shop.counts(1).await.0, shop.counts(2).await.0), (5, 6));
        assert_eq!(shop.product(2).await["name"], "Cup");
    })
    .await;
}

#[tokio::test]
async fn bad_rows_are_reported_with_their_number_and_the_rest_is_stored() {
    on_every_store(async |shop: Shop| {
        shop.stock(3, 10).await;
        shop.hold(&[(3, 5)]).await;
        let csv = "productId,onHand\n1,10\nlamp,10\n2,-1\n3,4\n4,40\n";
        let report = shop.post_text(PATH, "text/csv", csv).await.is(200);
        assert_eq!(counts(&report), (5, 2, 0, 0), "{report:#}");
        let rejected = report["rejected"].as_array().cloned().unwrap_or_default();
        assert_eq!(rejected.len(), 3, "{report:#}");
        for row in &rejected {
            assert!(row["row"].is_u64() && row["code"].is_string() && row["detail"].is_string(), "{row:#}");
        }
        let of_three = rejected.iter().find(|row| row["productId"] == 3).expect("product 3 was rejected");
        assert_eq!(of_three["code"], "below_held");
        let mut numbers: Vec<_> = rejected.iter().filter_map(|row| row["row"].as_u64()).collect();
        numbers.sort_unstable();
        assert_eq!(numbers.windows(2).map(|pair| pair[1] - pair[0]).collect::<Vec<_>>(), [1, 1]);
        assert_eq!((shop.counts(1).await.0, shop.counts(3).await.0, shop.counts(4).await.0), (10, 10, 40));
    })
    .await;
}

#[tokio::test]
async fn an_import_may_be_larger_than_an_ordinary_body() {
    on_every_store(async |shop: Shop| {
        let mut csv = String::from("productId,onHand\n");
        for product in 1..=20_000 {
            csv.push_str(&format!("{product},{}\n", product % 100));
        }
        assert!(csv.len() > 64 * 1_024);
        let report = shop.post_text(PATH, "text/csv", csv).await.is(200);
        assert_eq!(counts(&report), (20_000, 20_000, 0, 0));
        assert_eq!(shop.counts(19_999).await, (99, 0, 99));
    })
    .await;
}

#[tokio::test]
async fn a_file_that_is_no_import_is_refused_with_what_to_change() {
    on_every_store(async |shop: Shop| {
        let no_header = shop.post_text(PATH, "text/csv", "1,10\n").await;
        assert!(matches!(no_header.status, 400 | 422), "{no_header:#?}");
        no_header.is_some_problem(no_header.status);
        shop.post_text(PATH, "application/pdf", "%PDF").await.is_some_problem(415);
    })
    .await;
}

//! Batches and imports: in order, bounded, told per line.

use axum::http::Method;

use crate::support::{ORDER, fixture};

const BATCH: &str = "/api/v1/inventory/reserve/batch";
const IMPORT: &str = "/api/v1/inventory/import";
const NDJSON: &str = "application/x-ndjson";

fn reserve(quantity: i64) -> String {
    format!(r#"{{"orderId":"{ORDER}","items":[{{"productId":1,"quantity":{quantity}}}]}}"#)
}

#[tokio::test]
async fn a_batch_answers_each_line_in_order_with_what_the_single_call_would_have_answered() {
    let fixture = fixture().await;
    let body = format!("{}\n\n{{\n{}\r\n{}", reserve(1), reserve(0), reserve(1));
    let answer = fixture.send_as(Method::POST, BATCH, NDJSON, body).await;
    assert_eq!(answer.headers["content-type"], "application/x-ndjson");
    let request_id = answer.headers["x-request-id"].to_str().unwrap();
    let lines = answer.lines();
    let codes: Vec<_> = lines
        .iter()
        .map(|line| (line["status"].as_u64().unwrap(), line["body"]["code"].as_str().unwrap()))
        .collect();
    assert_eq!(
        codes,
        [(503, "unavailable"), (400, "invalid_json"), (422, "invalid_request"), (503, "unavailable")]
    );
    assert!(lines.iter().all(|line| line["body"]["requestId"] == request_id));
    let single = fixture.json(Method::POST, "/api/v1/inventory/reserve", reserve(0)).await.json();
    assert_eq!(lines[2]["body"]["errors"], single["errors"]);
}

#[tokio::test]
async fn i15_a_batch_ends_at_ten_thousand_lines() {
    let fixture = fixture().await;
    let at_the_limit = "{}\n".repeat(10_000);
    let lines = fixture.send_as(Method::POST, BATCH, NDJSON, at_the_limit.clone()).await.lines();
    assert_eq!((lines.len(), &lines[9_999]["status"]), (10_000, &422.into()));
    let lines = fixture.send_as(Method::POST, BATCH, NDJSON, at_the_limit + "{}\n{}\n").await.lines();
    assert_eq!((lines.len(), &lines[10_000]["body"]["code"]), (10_001, &"body_too_large".into()));
}

#[tokio::test]
async fn i15_a_line_beyond_the_body_limit_is_refused_alone() {
    let fixture = fixture().await;
    let body = format!("{}\n{}", " x".repeat(40_000), reserve(1));
    let lines = fixture.send_as(Method::POST, BATCH, NDJSON, body).await.lines();
    let statuses: Vec<_> = lines.iter().map(|line| line["status"].as_u64().unwrap()).collect();
    assert_eq!(statuses, [413, 503]);
}

#[tokio::test]
async fn an_import_lists_rejected_rows_in_either_format_and_counts_those_it_does_not_list() {
    let fixture = fixture().await;
    let csv = "productId,onHand\nx,1\n2,-1\n".to_owned();
    let ndjson = "{\"productId\":\"x\",\"onHand\":1}\n\n{\"productId\":2,\"onHand\":-1}\n".to_owned();
    for (content_type, body) in [("text/csv; charset=utf-8", csv), (NDJSON, ndjson)] {
        let answer = fixture.send_as(Method::POST, IMPORT, content_type, body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let report = answer.json();
        assert_eq!((&report["rows"], &report["rejectedMore"]), (&2.into(), &0.into()));
        let rejected = report["rejected"].as_array().unwrap();
        assert_eq!((&rejected[0]["row"], &rejected[0]["code"]), (&1.into(), &"invalid_request".into()));
        assert!(rejected[0]["productId"].is_null());
        assert_eq!((&rejected[1]["row"], &rejected[1]["productId"]), (&2.into(), &2.into()));
        assert!(rejected[1]["detail"].as_str().unwrap().contains("onHand"));
    }
    let report = fixture.send_as(Method::POST, IMPORT, NDJSON, "{\n".repeat(1_500)).await.json();
    assert_eq!(report["rejected"].as_array().unwrap().len(), 1_000);
    assert_eq!((&report["rows"], &report["rejectedMore"]), (&1_500.into(), &500.into()));
    assert_eq!(report["rejected"][0]["code"], "invalid_json");
}

#[tokio::test]
async fn an_import_stops_with_503_when_the_engine_does() {
    let fixture = fixture().await;
    let answer = fixture.send_as(Method::POST, IMPORT, "text/csv", "productId,onHand\n1,1\n1,2\n2,1\n").await;
    assert_eq!(answer.brief(), (503, "unavailable".to_owned(), vec![]));
    assert_eq!(answer.headers["retry-after"], "1");
}

#[tokio::test]
async fn imports_and_batches_take_only_their_formats() {
    let fixture = fixture().await;
    for path in [IMPORT, BATCH] {
        let answer = fixture.send_as(Method::POST, path, "application/json", "{}").await;
        assert_eq!(answer.brief(), (415, "unsupported_media_type".to_owned(), vec![]));
    }
    let answer = fixture.send_as(Method::POST, IMPORT, "text/csv", "id,onHand\n1,1\n").await;
    let (status, code, fields) = answer.brief();
    assert_eq!((status, code.as_str()), (422, "invalid_request"));
    assert_eq!(fields, ["header.id", "header.productId"]);
}

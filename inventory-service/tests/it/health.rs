//! Health and metrics.

use axum::http::Method;

use crate::support::fixture;

#[tokio::test]
async fn live_is_200_while_ready_is_503_over_a_stopped_engine() {
    let fixture = fixture().await;
    let live = fixture.get("/health/live").await;
    assert_eq!((live.status.as_u16(), &live.json()["status"]), (200, &"live".into()));
    let ready = fixture.get("/health/ready").await;
    assert_eq!((ready.status.as_u16(), &ready.json()["status"]), (503, &"not_ready".into()));
}

#[tokio::test]
async fn metrics_count_requests_by_route_and_tell_the_engines_numbers() {
    let fixture = fixture().await;
    fixture.json(Method::POST, "/api/v1/inventory/reserve", "{}").await;
    fixture.get("/api/v1/inventory/7").await;
    let answer = fixture.get("/metrics").await;
    assert!(answer.headers["content-type"].to_str().unwrap().starts_with("text/plain"));
    let text = std::str::from_utf8(&answer.body).unwrap();
    for line in [
        r#"http_requests_total{service="inventory",route="reserve",status="4xx"} 1"#,
        r#"http_requests_total{service="inventory",route="get_product",status="5xx"} 1"#,
        r#"engine_ready{service="inventory"} 0"#,
        r#"engine_batches_total{service="inventory"} 0"#,
    ] {
        assert!(text.contains(line), "{line} is missing in\n{text}");
    }
}

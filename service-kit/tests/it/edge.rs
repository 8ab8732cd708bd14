//! Request ids, panics, unknown routes, measurements, documentation.

use std::sync::Arc;

use axum::Router;
use axum::http::{Method, StatusCode};
use axum::routing::{MethodRouter, get};
use service_kit::http::Straight;
use service_kit::http::fallback::{method_not_allowed, not_found};
use service_kit::{Edge, HttpOptions, Metrics, Problem, docs};
use tokio::sync::Notify;

use crate::support::Running;

async fn refuse() -> Problem {
    Problem::new(StatusCode::CONFLICT, "refused", "Refused", "Ask for less.")
        .with("left", 3)
        .with_retry_after(2)
}

async fn panics() -> &'static str {
    panic!("on purpose")
}

async fn start(router: Router) -> Running {
    let router = router
        .route("/", get(async || "here"))
        .route("/refuse", get(refuse))
        .route("/panic", get(panics))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed);
    Running::start(router, HttpOptions::default()).await
}

#[tokio::test]
async fn a_problem_carries_its_members_and_the_request_id_of_the_header() {
    let server = start(Router::new()).await;
    let mut client = server.client().await;
    client.send("GET /refuse HTTP/1.1\r\nhost: x\r\nx-request-id: abc-1\r\n\r\n").await;
    let answer = client.answer().await;
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    assert_eq!(answer.header("retry-after"), Some("2"));
    assert_eq!(answer.header("x-request-id"), Some("abc-1"));
    assert_eq!(
        answer.json(),
        serde_json::json!({"type": "urn:holdfast:problem:refused", "title": "Refused", "status": 409,
            "code": "refused", "detail": "Ask for less.", "requestId": "abc-1", "left": 3})
    );
}

#[tokio::test]
async fn every_answer_has_a_request_id_and_minted_ones_differ() {
    let server = start(Router::new()).await;
    let mut client = server.client().await;
    let (one, two) = (client.get("/").await, client.get("/").await);
    assert!(one.header("x-request-id").is_some());
    assert_ne!(one.header("x-request-id"), two.header("x-request-id"));
}

#[tokio::test]
async fn a_panic_is_a_500_that_tells_nothing_and_the_connection_serves_on() {
    let server = start(Router::new()).await;
    let mut client = server.client().await;
    let answer = client.get("/panic").await;
    assert_eq!((answer.status, answer.json()["code"].as_str()), (500, Some("internal_error")));
    assert!(!String::from_utf8_lossy(&answer.body).contains("on purpose"));
    assert_eq!(answer.json()["requestId"].as_str(), answer.header("x-request-id"));
    assert_eq!(client.get("/").await.body, b"here");
}

#[tokio::test]
async fn unknown_paths_and_methods_are_problems_and_405_names_what_is_allowed() {
    let server = start(Router::new()).await;
    let mut client = server.client().await;
    let answer = client.get("/nowhere").await;
    assert_eq!((answer.status, answer.json()["code"].as_str()), (404, Some("not_found")));
    let answer = client.post("/refuse", "text/plain", "").await;
    assert_eq!((answer.status, answer.json()["code"].as_str()), (405, Some("method_not_allowed")));
    assert_eq!(answer.header("allow"), Some("GET,HEAD"));
}

#[tokio::test]
async fn requests_are_counted_by_route_and_class_and_abandoned_ones_too() {
    let metrics = Metrics::default();
    let (entered, never) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let enter = Arc::clone(&entered);
    let wait: MethodRouter = get(async move || {
        enter.notify_one();
        never.notified().await;
    });
    let router = Router::new()
        .route("/named", get(refuse).layer(metrics.route("named")))
        .route("/wait", wait.layer(metrics.route("wait")));
    let server = start(router).await;
    let mut client = server.client().await;
    client.get("/named").await;
    client.get("/named").await;
    client.get("/nowhere").await;
    let text = metrics.render();
    assert!(
        text.contains(r#"http_requests_total{service="holdfast",route="named",status="4xx"} 2"#),
        "{text}"
    );
    assert!(
        text.contains(r#"http_request_seconds_count{service="holdfast",route="named",status="4xx"} 2"#),
        "{text}"
    );
    let unmatched = server.metrics.render();
    assert!(unmatched.contains(r#"route="unmatched",status="4xx"} 1"#), "{unmatched}");

    client.send("GET /wait HTTP/1.1\r\nhost: x\r\n\r\n").await;
    entered.notified().await;
    drop(client);
    while !metrics.render().contains(r#"route="wait",status="abandoned"} 1"#) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn the_documentation_needs_no_network() {
    #[derive(utoipa::OpenApi)]
    #[openapi(info(title = "Some service"))]
    struct Api;
    let server = start(docs::routes(<Api as utoipa::OpenApi>::openapi())).await;
    let mut client = server.client().await;
    assert_eq!(client.get("/openapi.json").await.json()["info"]["title"], "Some service");
    let page = String::from_utf8(client.get("/docs/").await.body).unwrap();
    assert!(page.contains("swagger-ui-bundle.js"), "{page}");
    assert!(!page.contains("src=\"http") && !page.contains("href=\"http"), "{page}");
    assert_eq!(client.get("/docs/swagger-ui-bundle.js").await.status, 200);
    let initializer = String::from_utf8(client.get("/docs/swagger-initializer.js").await.body).unwrap();
    assert!(initializer.contains("/openapi.json"), "{initializer}");
}

#[tokio::test]
async fn a_route_taken_straight_is_answered_and_measured_like_any_other_and_its_neighbours_go_through_the_router()
 {
    let edge = |metrics: &Metrics| {
        let router = Router::new().route("/refuse", get(async || "the router's"));
        let straight = vec![
            Straight::new(Method::GET, "/refuse", metrics.route("refuse"), |_| refuse()),
            Straight::new(Method::GET, "/panic", metrics.route("panic"), |_| panics()),
        ];
        let router = router.fallback(not_found).method_not_allowed_fallback(method_not_allowed);
        Edge::with_straight(router, straight, metrics)
    };
    let server = Running::start_edge(edge, HttpOptions::default()).await;
    let mut client = server.client().await;
    for path in ["/refuse", "/refuse?with=a-query"] {
        let answer = client.get(path).await;
        assert_eq!((answer.status, answer.json()["code"].as_str()), (409, Some("refused")), "{path}");
        assert_eq!(answer.json()["requestId"].as_str(), answer.header("x-request-id"));
    }
    assert_eq!(client.get("/panic").await.status, 500);
    assert_eq!(client.post("/refuse", "text/plain", "").await.status, 405);
    assert_eq!(client.get("/refuse/").await.status, 404);
    let told = server.metrics.render();
    for series in [
        r#"route="refuse",status="4xx"} 2"#,
        r#"route="panic",status="5xx"} 1"#,
        r#"route="unmatched",status="4xx"} 2"#,
    ] {
        assert!(told.contains(series), "{series} is not in\n{told}");
    }
}

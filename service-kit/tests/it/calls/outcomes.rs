//! What a call comes to.

use std::time::Duration;

use serde_json::{Value, json};
use service_kit::Metrics;
use service_kit::calls::{Call, CallErrorKind, CallOptions, Client, Method};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;

use super::{Reply, fixture, patient, status};
use crate::support::PATIENCE;

fn once() -> CallOptions {
    let mut options = patient();
    options.retry.attempts_max = 1;
    options
}

fn unkeyed() -> Call {
    Call { idempotent: false, ..Call::keyed_post("/x", json!({})) }
}

#[tokio::test]
async fn an_answer_of_2xx_or_4xx_is_an_answer_and_is_asked_for_once() {
    let fixture = fixture(patient()).await;
    for code in [200, 201, 202, 400, 404, 409, 410, 422] {
        let body = r#"{"code":"a_code"}"#;
        fixture.callee.will([Reply::Answer(code, &[("retry-after", "3")], body)]);
        let answer = fixture.client.call(Call::get("/x")).await.unwrap();
        assert_eq!((answer.status, answer.code()), (code, Some("a_code")));
        assert_eq!(answer.is_success(), code < 300);
        assert_eq!(answer.retry_after, Some(Duration::from_secs(3)));
    }
    assert_eq!(fixture.callee.requests(), 8);
    assert!(fixture.timing.slept().is_empty());
    fixture.callee.will([Reply::Answer(204, &[], "")]);
    assert_eq!(fixture.client.call(Call::get("/x")).await.unwrap().body, Value::Null);
}

#[tokio::test]
async fn method_path_query_and_given_headers_arrive_as_they_were() {
    let fixture = fixture(patient()).await;
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let call = Call { method: Method::PUT, ..Call::keyed_post("/a/b?c=d%20e", json!({"f": 1})) };
    let call = call
        .with_header("traceparent", trace)
        .with_header("X-Request-Id", "r-1")
        .with_header("idempotency-key", "k-1");
    fixture.client.call(call).await.unwrap();
    let (line, headers) = fixture.callee.seen().remove(0);
    assert_eq!(line, "PUT /a/b?c=d%20e");
    for (name, value) in [
        ("traceparent", trace),
        ("x-request-id", "r-1"),
        ("idempotency-key", "k-1"),
        ("content-type", "application/json"),
    ] {
        assert_eq!(headers.get_all(name).iter().collect::<Vec<_>>(), [value], "{name}");
    }
}

#[tokio::test]
async fn what_still_fails_after_the_last_try_says_with_which_status_and_whether_it_may_have_arrived() {
    let fixture = fixture(patient()).await;
    for (codes, may_have_arrived) in [
        ([500, 502, 503], true),
        ([429, 429, 429], false),
        // One try is enough to leave it open.
        ([503, 429, 429], true),
    ] {
        fixture.callee.will(codes.map(status));
        let error = fixture.client.call(Call::get("/x")).await.unwrap_err();
        assert_eq!(error.kind, CallErrorKind::Status { status: codes[2], retry_after: None });
        assert_eq!((error.may_have_arrived, error.attempts), (may_have_arrived, 3), "{error}");
    }
}

#[tokio::test]
async fn a_callee_that_never_answers_is_a_timeout_and_the_call_may_have_arrived() {
    let options = CallOptions { attempt_timeout: Duration::from_millis(30), ..patient() };
    let fixture = fixture(options).await;
    fixture.callee.will([Reply::Never, Reply::Never, Reply::Never]);
    let error = fixture.client.call(Call::get("/x")).await.unwrap_err();
    assert_eq!((error.kind, error.may_have_arrived, error.attempts), (CallErrorKind::Timeout, true, 3));
    // No try ran while another one did, and none was left out.
    assert_eq!(fixture.timing.slept().len(), 2);
}

#[tokio::test]
async fn the_deadline_cuts_a_try_short() {
    let (deadline, attempt_timeout) = (Duration::from_millis(30), Duration::from_secs(3_600));
    let fixture = fixture(CallOptions { deadline, attempt_timeout, ..patient() }).await;
    fixture.callee.will([Reply::Never]);
    let call = tokio::time::timeout(PATIENCE, fixture.client.call(Call::get("/x")));
    let error = call.await.expect("the deadline").unwrap_err();
    assert_eq!((error.kind, error.may_have_arrived), (CallErrorKind::Deadline, true));
}

#[tokio::test]
async fn a_callee_that_is_not_there_was_asked_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let client = Client::new(&base_url, patient(), &Metrics::default(), "nobody").unwrap();
    let error = client.call(Call::get("/x")).await.unwrap_err();
    assert_eq!((error.kind, error.may_have_arrived, error.attempts), (CallErrorKind::Connect, false, 3));
    assert!(!error.detail.is_empty());
}

/// A server that reads a request, says this and hangs up; answers how often it was asked.
async fn rude(says: &'static str, times: usize) -> (String, tokio::task::JoinHandle<usize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    let serve = async move {
        for _ in 0..times {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 4_096]).await.unwrap();
            stream.write_all(says.as_bytes()).await.unwrap();
        }
        times
    };
    (base_url, TaskTracker::new().spawn(serve))
}

#[tokio::test]
async fn a_connection_that_breaks_before_the_whole_answer_may_have_done_its_work() {
    for says in ["", "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{", "HTTP/1.1 nonsense\r\n\r\n"] {
        let (base_url, served) = rude(says, 1).await;
        let client = Client::new(&base_url, once(), &Metrics::default(), "rude").unwrap();
        let error = client.call(unkeyed()).await.unwrap_err();
        assert_eq!((error.kind, error.may_have_arrived), (CallErrorKind::Protocol, true), "{says}: {error}");
        assert_eq!(served.await.unwrap(), 1);
    }
}

#[tokio::test]
async fn an_answer_that_is_not_understood_is_not_taken_for_one() {
    let options = CallOptions { answer_bytes_max: 50, ..once() };
    let fixture = fixture(options).await;
    for reply in [
        Reply::Answer(200, &[], "<html>a proxy's page</html>"),
        Reply::Answer(404, &[], "<html>a proxy's page</html>"),
        Reply::Answer(307, &[("location", "/elsewhere")], ""),
        Reply::Answer(200, &[], r#"{"long":"------------------------------------------------"}"#),
    ] {
        fixture.callee.will([reply]);
        let error = fixture.client.call(Call::get("/x")).await.unwrap_err();
        assert_eq!((error.kind, error.may_have_arrived), (CallErrorKind::Protocol, true), "{error}");
        assert!(!error.detail.is_empty());
    }
    assert_eq!(fixture.callee.requests(), 4, "a redirect is not followed");
}

#[tokio::test]
async fn a_call_that_cannot_be_a_request_says_so_and_is_not_repeated() {
    let fixture = fixture(patient()).await;
    let error = fixture.client.call(Call::get("/x").with_header("bad name", "y")).await.unwrap_err();
    assert_eq!(
        (error.kind, error.may_have_arrived, error.attempts),
        (CallErrorKind::Protocol, false, 1),
        "{error}"
    );
    assert_eq!(fixture.callee.requests(), 0);
}

#[tokio::test]
async fn a_base_url_that_cannot_be_called_is_refused_with_advice() {
    for wrong in ["", "localhost:8083", "https://x", "http://x?y", "ftp://x"] {
        let error = Client::new(wrong, patient(), &Metrics::default(), "x").err().unwrap();
        assert!(error.to_string().contains(wrong), "{error}");
    }
}

#[tokio::test]
async fn outcomes_and_repeats_are_counted() {
    let fixture = fixture(patient()).await;
    fixture.callee.will([status(503), status(200), status(409)]);
    for _ in 0..2 {
        fixture.client.call(Call::get("/x")).await.unwrap();
    }
    let text = fixture.metrics.render();
    for line in [
        r#"calls_total{service="holdfast",to="callee",outcome="2xx"} 1"#,
        r#"calls_total{service="holdfast",to="callee",outcome="4xx"} 1"#,
        r#"call_retries_total{service="holdfast",to="callee"} 1"#,
        r#"call_breaker_open{service="holdfast",to="callee"} 0"#,
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
}

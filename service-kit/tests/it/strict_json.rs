//! 400, 415 and 422, and that all wrong fields are named.

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde::Deserialize;
use serde_json::{Value, json};
use service_kit::json::{self, Wire};
use service_kit::shape::{Field, Shape};
use service_kit::{BodyLimits, FieldError, HttpOptions};

use crate::support::Running;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    number: i64,
    text: Option<String>,
}

impl Wire for Body {
    type Parsed = String;
    const FIELDS: &'static [Field] = &[
        Field::required("number", Shape::Integer { min: 1, max: 9 }),
        Field::optional("text", Shape::Text { bytes_max: 3 }),
    ];

    fn parse(self) -> Result<String, FieldError> {
        if !(1..=9).contains(&self.number) {
            return Err(FieldError::new("number", "is out of range"));
        }
        Ok(format!("{}{}", self.number, self.text.unwrap_or_default()))
    }
}

async fn echo(request: Request) -> Response {
    match json::read::<Body>(request, &BodyLimits::default()).await {
        Ok(text) => text.into_response(),
        Err(problem) => problem.into_response(),
    }
}

async fn post_raw(content_type: &str, body: &str) -> (u16, Value) {
    let server = Running::start(Router::new().route("/", post(echo)), HttpOptions::default()).await;
    let answer = server.client().await.post("/", content_type, body).await;
    (answer.status, serde_json::from_slice(&answer.body).unwrap_or(Value::Null))
}

#[tokio::test]
async fn only_json_is_taken_whatever_its_parameters() {
    assert_eq!(post_raw("application/json; charset=utf-8", r#"{"number":1}"#).await.0, 200);
    assert_eq!(post_raw("Application/JSON", r#"{"number":1}"#).await.0, 200);
    let (status, problem) = post_raw("text/plain", r#"{"number":1}"#).await;
    assert_eq!((status, &problem["code"]), (415, &json!("unsupported_media_type")));
    assert!(problem["detail"].as_str().unwrap().contains("application/json"));
}

#[tokio::test]
async fn broken_json_is_400_even_when_a_field_before_the_break_is_wrong_too() {
    for broken in ["", "{", "{\"number\":1", "{\"number\":\"x\",", "{\"number\":1}}", "nul", "{'number':1}"] {
        let (status, problem) = post_raw("application/json", broken).await;
        assert_eq!((status, &problem["code"]), (400, &json!("invalid_json")), "{broken}");
    }
}

#[tokio::test]
async fn sound_json_with_wrong_fields_is_422_and_names_them_all() {
    for (body, fields) in [
        (r#"{"number":"1"}"#, vec!["number"]),
        (r#"{"number":0}"#, vec!["number"]),
        (r#"{}"#, vec!["number"]),
        (r#"{"number":0,"text":"long","more":1}"#, vec!["number", "text", "more"]),
        (r#"{"number":1,"number":1}"#, vec!["number"]),
        (r#"[]"#, vec![""]),
        (r#""x""#, vec![""]),
    ] {
        let (status, problem) = post_raw("application/json", body).await;
        assert_eq!((status, &problem["code"]), (422, &json!("invalid_request")), "{body}");
        let named: Vec<_> =
            problem["errors"].as_array().unwrap().iter().map(|error| error["field"].clone()).collect();
        assert_eq!(json!(named), json!(fields), "{body}");
    }
}

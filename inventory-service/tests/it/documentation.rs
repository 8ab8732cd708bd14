//! The document says what the service does.

use axum::http::{Method, Request};
use serde_json::Value;

use crate::support::{ORDER, fixture};

/// Every call of the contract, with an address that reaches it.
const CALLS: [(&str, &str); 16] = [
    ("post", "/api/v1/inventory/reserve"),
    ("post", "/api/v1/inventory/reserve/batch"),
    ("post", "/api/v1/inventory/commit"),
    ("post", "/api/v1/inventory/release"),
    ("post", "/api/v1/inventory/extend"),
    ("get", "/api/v1/inventory/reservations/{orderId}"),
    ("get", "/api/v1/inventory"),
    ("get", "/api/v1/inventory/{productId}"),
    ("put", "/api/v1/inventory/{productId}"),
    ("post", "/api/v1/inventory/{productId}/adjust"),
    ("get", "/api/v1/inventory/{productId}/journal"),
    ("post", "/api/v1/inventory/import"),
    ("get", "/api/v1/inventory/audit"),
    ("get", "/health/live"),
    ("get", "/health/ready"),
    ("get", "/metrics"),
];

async fn document() -> Value {
    fixture().await.get("/openapi.json").await.json()
}

#[tokio::test]
async fn every_call_of_the_contract_is_documented_and_nothing_else_is() {
    let document = document().await;
    let mut documented: Vec<(String, String)> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, item)| {
            item.as_object().unwrap().keys().map(move |method| (method.clone(), path.clone()))
        })
        .collect();
    let mut contract: Vec<(String, String)> =
        CALLS.iter().map(|(method, path)| ((*method).to_owned(), (*path).to_owned())).collect();
    documented.sort();
    contract.sort();
    assert_eq!(documented, contract);
}

#[tokio::test]
async fn every_documented_call_is_served() {
    let fixture = fixture().await;
    for (method, path) in CALLS {
        let path = path.replace("{productId}", "7").replace("{orderId}", ORDER);
        let request = Request::builder().method(method.to_uppercase().as_str()).uri(&path);
        let answer = fixture.send(request.body(axum::body::Body::empty()).unwrap()).await;
        assert!(![404, 405].contains(&answer.status.as_u16()), "{method} {path}: {answer:?}");
    }
}

#[tokio::test]
async fn every_reference_in_the_document_leads_somewhere() {
    let document = document().await;
    let text = document.to_string();
    let references: Vec<&str> =
        text.split("\"$ref\":\"#").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert!(!references.is_empty());
    for reference in references {
        assert!(document.pointer(reference).is_some(), "{reference} leads nowhere");
    }
}

/// The members of `actual` are those that the schema names, and none that it requires is missing.
fn assert_matches(document: &Value, schema: &str, actual: &Value) {
    let schema = &document["components"]["schemas"][schema];
    let properties = schema["properties"].as_object().unwrap_or_else(|| panic!("no properties in {schema}"));
    for member in actual.as_object().unwrap().keys() {
        assert!(properties.contains_key(member), "{member} is not in {schema}");
    }
    for required in schema["required"].as_array().unwrap() {
        assert!(actual.get(required.as_str().unwrap()).is_some(), "{required} is missing in {actual}");
    }
}

#[tokio::test]
async fn what_is_answered_matches_the_documented_schemas() {
    let (fixture, document) = (fixture().await, document().await);
    let problem = fixture.get("/api/v1/inventory/7").await.json();
    assert_matches(&document, "Problem", &problem);
    let refusal = fixture.json(Method::POST, "/api/v1/inventory/reserve", "{}").await.json();
    assert_matches(&document, "FieldError", &refusal["errors"][0]);
    assert_matches(&document, "Health", &fixture.get("/health/live").await.json());
    let import =
        fixture.send_as(Method::POST, "/api/v1/inventory/import", "application/x-ndjson", "{\n").await;
    assert_matches(&document, "ImportReport", &import.json());
    assert_matches(&document, "RejectedRow", &import.json()["rejected"][0]);
    let batch = fixture
        .send_as(Method::POST, "/api/v1/inventory/reserve/batch", "application/x-ndjson", "{}\n")
        .await;
    assert_matches(&document, "BatchAnswer", &batch.lines()[0]);
}

#[tokio::test]
async fn a_documented_reserve_body_has_exactly_the_fields_that_are_taken() {
    let document = document().await;
    let schema = &document["components"]["schemas"]["ReserveRequest"];
    let fields: Vec<_> = schema["properties"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(fields, ["customerId", "items", "orderId", "ttlSeconds"]);
    assert_eq!(schema["required"], serde_json::json!(["orderId", "items"]));
}

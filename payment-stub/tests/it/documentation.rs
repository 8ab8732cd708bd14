//! The document says what the service does.

use serde_json::Value;

use crate::support::{Stub, both, id, payment};

/// Every call of the contract.
const CALLS: [(&str, &str); 6] = [
    ("get", "/api/v1/payments/{paymentId}"),
    ("get", "/health/live"),
    ("get", "/health/ready"),
    ("get", "/metrics"),
    ("post", "/api/v1/payments/process"),
    ("post", "/api/v1/payments/{paymentId}/refund"),
];

/// The members of `actual` are those that the schema names, and none that it requires is missing.
fn assert_matches(document: &Value, schema: &str, actual: &Value) {
    let schema = &document["components"]["schemas"][schema];
    let properties = schema["properties"].as_object().unwrap_or_else(|| panic!("no properties in {schema}"));
    for member in actual.as_object().unwrap().keys() {
        let open = schema.get("additionalProperties").is_some();
        assert!(open || properties.contains_key(member), "{member} is not in {schema}");
    }
    for required in schema["required"].as_array().unwrap() {
        assert!(actual.get(required.as_str().unwrap()).is_some(), "{required} is missing in {actual}");
    }
}

#[tokio::test]
async fn the_document_names_every_call_of_the_contract_and_nothing_else() {
    let [_, books] = both().await;
    let stub = Stub::start(&books).await;
    let document = stub.get("/openapi.json").await.body;
    let mut documented: Vec<(&str, &str)> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, item)| {
            item.as_object().unwrap().keys().map(move |method| (method.as_str(), path.as_str()))
        })
        .collect();
    documented.sort_unstable();
    assert_eq!(documented, CALLS);

    let text = document.to_string();
    let references: Vec<&str> =
        text.split("\"$ref\":\"#").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert!(!references.is_empty());
    for reference in references {
        assert!(document.pointer(reference).is_some(), "{reference} leads nowhere");
    }

    let accepted = stub.process(&payment(id(), id(), "approve")).await.body;
    assert_matches(&document, "Payment", &accepted);
    assert_matches(&document, "Problem", &stub.find(id()).await.body);
    assert_matches(&document, "Health", &stub.get("/health/live").await.body);
    assert_eq!(stub.get("/docs/").await.status, 200);
    stub.stop().await;
}

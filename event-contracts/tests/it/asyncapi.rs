//! The AsyncAPI document says what the code says, and has the structure that AsyncAPI 3.0.0 demands.

use std::collections::BTreeSet;

use event_contracts::{EVENTS, asyncapi};
use serde_json::Value;

use crate::files;
use crate::schemas::violations;

fn document() -> Value {
    asyncapi::document(env!("CARGO_PKG_VERSION"), |event| Some(files::golden(event)))
}

fn members<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    value.pointer(pointer).unwrap_or_else(|| panic!("{pointer} is missing")).as_object().unwrap().iter()
}

/// Every `$ref` with where it stands.
fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            if let Some(Value::String(target)) = object.get("$ref") {
                found.push(target.clone());
                assert_eq!(object.len(), 1, "members beside a $ref are ignored: {value}");
            }
            object.values().for_each(|value| references(value, found));
        }
        Value::Array(list) => list.iter().for_each(|value| references(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The names that an object may have, and those that it must have; extensions begin with `x-`.
#[track_caller]
fn assert_fields(value: &Value, required: &[&str], optional: &[&str]) {
    let object = value.as_object().unwrap();
    for name in required {
        assert!(object.contains_key(*name), "{name} is missing in {value}");
    }
    for name in object.keys().filter(|name| !name.starts_with("x-")) {
        assert!(
            required.contains(&name.as_str()) || optional.contains(&name.as_str()),
            "{name} may not stand in {value}"
        );
    }
}

#[test]
fn the_file_says_what_the_code_says() {
    files::assert_current("docs/asyncapi.json", &files::pretty(&document()));
}

#[test]
fn every_object_has_the_fields_that_the_specification_demands_and_no_others() {
    let document = document();
    let optional = ["id", "servers", "defaultContentType", "channels", "operations", "components"];
    assert_fields(&document, &["asyncapi", "info"], &optional);
    assert_eq!(document["asyncapi"], "3.0.0");
    assert_fields(&document["info"], &["title", "version"], &["description", "license", "tags", "contact"]);
    for (_, channel) in members(&document, "/channels") {
        assert_fields(
            channel,
            &["address", "messages"],
            &["title", "summary", "description", "bindings", "tags"],
        );
        let kafka = &channel["bindings"]["kafka"];
        assert_fields(kafka, &["bindingVersion"], &["topic", "partitions", "replicas", "topicConfiguration"]);
    }
    for (name, operation) in members(&document, "/operations") {
        assert!(is_component_name(name), "{name}");
        assert_fields(
            operation,
            &["action", "channel"],
            &["messages", "title", "summary", "description", "tags"],
        );
        assert!(["send", "receive"].contains(&operation["action"].as_str().unwrap()));
        // An operation's messages are those of its channel, not the components themselves.
        let of_channel = format!("{}/messages/", operation["channel"]["$ref"].as_str().unwrap());
        for message in operation["messages"].as_array().unwrap() {
            assert!(message["$ref"].as_str().unwrap().starts_with(&of_channel), "{message}");
        }
    }
    let fields = [
        "headers",
        "correlationId",
        "name",
        "title",
        "summary",
        "description",
        "bindings",
        "examples",
        "traits",
        "tags",
    ];
    for (name, message) in members(&document, "/components/messages") {
        assert!(is_component_name(name), "{name}");
        assert_fields(message, &["payload", "contentType"], &fields);
        assert_fields(&message["correlationId"], &["location"], &["description"]);
        assert_fields(&message["bindings"]["kafka"], &["key", "bindingVersion"], &[]);
    }
    for (name, _) in members(&document, "/components/schemas") {
        assert!(is_component_name(name), "{name}");
    }
}

fn is_component_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || ".-_".contains(c))
}

#[test]
fn every_reference_leads_somewhere_and_every_component_is_used() {
    let document = document();
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(found.len() > EVENTS.len());
    for target in &found {
        let pointer = target.strip_prefix('#').unwrap_or_else(|| panic!("{target} leads out of the file"));
        assert!(document.pointer(pointer).is_some(), "{target} leads nowhere");
    }
    for kind in ["messages", "schemas", "messageTraits"] {
        for (name, _) in members(&document, &format!("/components/{kind}")) {
            assert!(found.contains(&format!("#/components/{kind}/{name}")), "{kind}/{name} is not used");
        }
    }
}

#[test]
fn channels_operations_and_bindings_are_those_of_the_table() {
    let document = document();
    assert_eq!(members(&document, "/channels").count(), EVENTS.len());
    let mut expected = BTreeSet::new();
    for event in EVENTS {
        let channel = &document["channels"][event.topic];
        assert_eq!(channel["address"], event.topic);
        let cleanup = if event.topic == "inventory.stock.level" { "compact" } else { "delete" };
        assert_eq!(channel["bindings"]["kafka"]["topicConfiguration"]["cleanup.policy"][0], cleanup);
        expected.insert(format!("{}.send.{}", event.producer, event.topic));
        for consumer in event.consumers.iter().chain(event.choreography_consumers) {
            expected.insert(format!("{consumer}.receive.{}", event.topic));
        }
    }
    let actual: BTreeSet<_> = members(&document, "/operations").map(|(name, _)| name.clone()).collect();
    assert_eq!(actual, expected);
    assert_eq!(document["operations"]["payment-stub.receive.order.created"]["x-choreography-only"], true);
    assert_eq!(
        document["operations"]["inventory-service.receive.order.confirmed"]["x-choreography-only"],
        false
    );
}

#[test]
fn examples_satisfy_the_schemas_of_the_document() {
    let document = document();
    for (name, message) in members(&document, "/components/messages") {
        let example = &message["examples"][0]["payload"];
        assert_eq!(violations(&document, &message["payload"], example, name), Vec::<String>::new());
    }
}

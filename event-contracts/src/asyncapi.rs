//! The AsyncAPI 3 document, made from the [catalogue](crate::catalogue) and the schemas of the payloads.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::catalogue::{EVENTS, EventType, INVENTORY, ORDERS, PAYMENTS};

/// The version of the Kafka bindings that the document uses.
const KAFKA_BINDING: &str = "0.5.0";

/// The document. `example` gives the golden event of a type, which becomes the message's example.
pub fn document(version: &str, example: impl Fn(&EventType) -> Option<Value>) -> Value {
    // AsyncAPI's own schema object extends draft 07.
    let settings = SchemaSettings::draft07().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut generator = settings.into_generator();
    let messages: Map<String, Value> = EVENTS
        .iter()
        .map(|event| {
            let payload = event.schema_in(&mut generator);
            (event.versioned_name(), message(event, payload, example(event)))
        })
        .collect();
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Holdfast events",
            "version": version,
            "description": "What Holdfast's services tell each other. Delivery is at least once and in order per key; eventId is \
                            the key by which a second delivery is known. What cannot be handled goes to <topic>.<group>.dlq.",
            "license": {"name": "MIT OR Apache-2.0"},
            "tags": [{"name": INVENTORY}, {"name": ORDERS}, {"name": PAYMENTS}],
        },
        "defaultContentType": "application/json",
        "channels": EVENTS.iter().map(channel).collect::<Map<_, _>>(),
        "operations": EVENTS.iter().flat_map(operations).collect::<Map<_, _>>(),
        "components": {
            "schemas": generator.take_definitions(true),
            "messages": messages,
            "messageTraits": {"facts": facts()},
        },
    })
}

fn channel(event: &EventType) -> (String, Value) {
    let cleanup = if event.is_compacted { "compact" } else { "delete" };
    let name = event.versioned_name();
    let channel = json!({
        "address": event.topic,
        "summary": event.summary,
        "messages": {&name: {"$ref": format!("#/components/messages/{name}")}},
        "bindings": {"kafka": {
            "topic": event.topic,
            "topicConfiguration": {"cleanup.policy": [cleanup]},
            "bindingVersion": KAFKA_BINDING,
        }},
        "x-choreography-only": event.is_choreography_only,
    });
    (event.topic.to_owned(), channel)
}

fn message(event: &EventType, payload: Value, example: Option<Value>) -> Value {
    let mut message = json!({
        "name": event.topic,
        "title": event.payload,
        "summary": event.summary,
        "contentType": "application/json",
        "payload": payload,
        "traits": [{"$ref": "#/components/messageTraits/facts"}],
        "correlationId": {"location": "$message.payload#/metadata/correlationId"},
        "bindings": {"kafka": {
            "key": {"type": "string", "description": format!("The {}. Order is kept per key.", event.key.name())},
            "bindingVersion": KAFKA_BINDING,
        }},
    });
    if let Some(example) = example {
        message["examples"] = json!([{"name": event.versioned_name(), "payload": example}]);
    }
    message
}

/// The envelope's facts again, as headers.
fn facts() -> Value {
    let text = |description: &str| json!({"type": "string", "description": description});
    json!({
        "headers": {
            "type": "object",
            "required": [
                "eventId", "eventType", "version", "sourceService", "correlationId", "aggregateVersion", "content-type",
                "ce_specversion", "ce_id", "ce_source", "ce_type", "ce_subject", "ce_time",
            ],
            "properties": {
                "eventId": text("As in the payload."),
                "eventType": text("As in the payload."),
                "version": text("As in the payload, in digits."),
                "sourceService": text("As in the payload."),
                "correlationId": text("As in the payload."),
                "causationId": text("As in the payload, where there is one."),
                "traceparent": text("W3C trace context, where there is one."),
                "aggregateVersion": text("As in the payload, in digits."),
                "content-type": text("application/json"),
                "ce_specversion": text("CloudEvents 1.0"),
                "ce_id": text("The eventId."),
                "ce_source": text("/ and the sourceService."),
                "ce_type": text("The eventType."),
                "ce_subject": text("The aggregateId."),
                "ce_time": text("The timestamp."),
            },
        },
    })
}

/// Who sends, and who receives.
fn operations(event: &EventType) -> Vec<(String, Value)> {
    let (topic, name) = (event.topic, event.versioned_name());
    let operation = |action: &str, service: &str, choreography_only: bool| {
        let operation = json!({
            "action": action,
            "channel": {"$ref": format!("#/channels/{topic}")},
            "messages": [{"$ref": format!("#/channels/{topic}/messages/{name}")}],
            "summary": format!("{service} {action}s {topic}."),
            "tags": [{"name": service}],
            "x-choreography-only": choreography_only,
        });
        (format!("{service}.{action}.{topic}"), operation)
    };
    let mut operations = vec![operation("send", event.producer, event.is_choreography_only)];
    operations.extend(event.consumers.iter().map(|service| operation("receive", service, false)));
    operations.extend(event.choreography_consumers.iter().map(|service| operation("receive", service, true)));
    operations
}

//! One JSON Schema per type and version, for those who are not written in Rust.

use event_contracts::EVENTS;
use serde_json::{Value, json};

use crate::files;

/// What is wrong with a value by a schema, as far as the schemas here go: the keywords that schemars writes for plain data. A keyword that
/// is not known here is wrong too, so that nothing is passed over.
pub(crate) fn violations(root: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (keyword, rule) in schema.as_object().unwrap() {
        match keyword.as_str() {
            "$ref" => {
                let target = root.pointer(rule.as_str().unwrap().trim_start_matches('#'));
                let target = target.unwrap_or_else(|| panic!("{rule} leads nowhere"));
                found.extend(violations(root, target, value, at));
            }
            "allOf" => {
                for part in rule.as_array().unwrap() {
                    found.extend(violations(root, part, value, at));
                }
            }
            "type" => {
                let types = rule.as_array().cloned().unwrap_or_else(|| vec![rule.clone()]);
                if !types.iter().any(|kind| is_of_type(value, kind.as_str().unwrap())) {
                    found.push(format!("{at} is not {rule}"));
                }
            }
            "const" if rule != value => found.push(format!("{at} is not {rule}")),
            "required" => {
                for name in rule.as_array().unwrap() {
                    if value.get(name.as_str().unwrap()).is_none() {
                        found.push(format!("{at}.{name} is missing"));
                    }
                }
            }
            "properties" => {
                for (name, part) in rule.as_object().unwrap() {
                    if let Some(value) = value.get(name) {
                        found.extend(violations(root, part, value, &format!("{at}.{name}")));
                    }
                }
            }
            "items" => {
                for (index, entry) in value.as_array().into_iter().flatten().enumerate() {
                    found.extend(violations(root, rule, entry, &format!("{at}[{index}]")));
                }
            }
            "minimum" if value.as_f64() < rule.as_f64() => found.push(format!("{at} is below {rule}")),
            "pattern" => {
                // The only one: an amount.
                assert_eq!(rule, "^[0-9]{1,8}\\.[0-9]{2}$");
                if value.as_str().is_none_or(|text| text.parse::<event_contracts::Money>().is_err()) {
                    found.push(format!("{at} is no amount"));
                }
            }
            "const" | "minimum" | "description" | "title" | "format" | "examples" | "$schema" | "$id"
            | "$defs" => {}
            other => panic!("{other} is a keyword that this check does not know"),
        }
    }
    found
}

fn is_of_type(value: &Value, kind: &str) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "null" => value.is_null(),
        other => panic!("{other} is a type that this check does not know"),
    }
}

#[test]
fn the_schema_files_say_what_the_code_says() {
    for event in EVENTS {
        let file = format!("event-contracts/schemas/{}.json", event.versioned_name());
        files::assert_current(&file, &files::pretty(&event.schema()));
    }
}

#[test]
fn golden_events_satisfy_their_schemas_and_spoilt_ones_do_not() {
    for event in EVENTS {
        let (schema, golden) = (event.schema(), files::golden(&event));
        assert_eq!(violations(&schema, &schema, &golden, "event"), Vec::<String>::new());
        for other in EVENTS.iter().filter(|other| other.topic != event.topic) {
            assert!(!violations(&schema, &schema, &files::golden(other), "event").is_empty());
        }
        for (pointer, wrong) in [
            ("/version", json!(2)),
            ("/timestamp", json!(5)),
            ("/payload", json!({})),
            ("/metadata", json!({})),
        ] {
            let mut spoilt = golden.clone();
            *spoilt.pointer_mut(pointer).unwrap() = wrong;
            assert!(!violations(&schema, &schema, &spoilt, "event").is_empty(), "{} {pointer}", event.topic);
        }
        for name in golden.as_object().unwrap().keys() {
            let mut spoilt = golden.clone();
            spoilt.as_object_mut().unwrap().remove(name);
            assert!(
                !violations(&schema, &schema, &spoilt, "event").is_empty(),
                "{} without {name}",
                event.topic
            );
        }
    }
}

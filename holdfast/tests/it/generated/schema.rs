//! What a schema of the document says about a value. Only the words that our documents use are known; another one fails the test,
//! so that nothing goes unchecked in silence.

use std::collections::BTreeSet;

use regex::Regex;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::document::Document;

/// Words that describe and do not constrain.
const ANNOTATIONS: [&str; 4] = ["description", "example", "title", "default"];

impl Document {
    /// What is wrong with `value`. Of an object that does not allow further members, one that is not named is wrong even where the schema leaves
    /// it open: whoever reads the document must find everything that is answered.
    pub(crate) fn faults(&self, schema: &Value, value: &Value) -> Vec<String> {
        let mut faults = Vec::new();
        self.check(schema, value, true, "", &mut faults);
        faults
    }

    /// The schema behind a reference, or itself.
    pub(crate) fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        match schema["$ref"].as_str() {
            Some(reference) => {
                let found = self.0.pointer(reference.trim_start_matches('#'));
                self.resolve(found.unwrap_or_else(|| panic!("{reference} leads nowhere")))
            }
            None => schema,
        }
    }

    fn check(&self, schema: &Value, value: &Value, is_whole: bool, at: &str, faults: &mut Vec<String>) {
        let schema = self.resolve(schema);
        let Some(words) = schema.as_object() else { return };
        for (word, says) in words {
            let fault = match word.as_str() {
                "type" => (!has_type(says, value)).then(|| format!("must be {says}")),
                "enum" => (!says.as_array().is_some_and(|all| all.contains(value)))
                    .then(|| format!("must be one of {says}")),
                "minimum" => value.as_i64().filter(|n| *n < number(says)).map(|_| format!("is below {says}")),
                "maximum" => value.as_i64().filter(|n| *n > number(says)).map(|_| format!("is above {says}")),
                "minLength" => chars(value).filter(|n| *n < number(says)).map(|_| "is too short".to_owned()),
                "maxLength" => chars(value).filter(|n| *n > number(says)).map(|_| "is too long".to_owned()),
                "minItems" => entries(value).filter(|n| *n < number(says)).map(|_| "has too few".to_owned()),
                "maxItems" => entries(value).filter(|n| *n > number(says)).map(|_| "has too many".to_owned()),
                "pattern" => {
                    value.as_str().filter(|text| !matches(says, text)).map(|_| format!("must match {says}"))
                }
                "format" => format_fault(says, value),
                "required" => missing(says, value),
                "properties" => {
                    for (name, value) in value.as_object().into_iter().flatten() {
                        if let Some(schema) = says.get(name) {
                            self.check(schema, value, true, &format!("{at}/{name}"), faults);
                        }
                    }
                    None
                }
                "items" => {
                    for (index, entry) in value.as_array().into_iter().flatten().enumerate() {
                        self.check(says, entry, true, &format!("{at}/{index}"), faults);
                    }
                    None
                }
                "allOf" => {
                    for part in says.as_array().into_iter().flatten() {
                        self.check(part, value, false, at, faults);
                    }
                    None
                }
                "oneOf" => {
                    let fits = |choice: &&Value| self.faults(choice, value).is_empty();
                    let fitting = says.as_array().into_iter().flatten().filter(fits).count();
                    (fitting != 1).then(|| format!("fits {fitting} of {says}"))
                }
                // Seen below.
                "additionalProperties" => None,
                word if ANNOTATIONS.contains(&word) => None,
                word => panic!("what does {word} mean? {schema}"),
            };
            faults.extend(fault.map(|fault| format!("{at} {fault}, is {value}")));
        }
        if is_whole && let (Some(object), Some(named)) = (value.as_object(), self.named(words)) {
            let unnamed = object.keys().filter(|name| !named.contains(name.as_str()));
            faults.extend(unnamed.map(|name| format!("{at}/{name} is not in the document")));
        }
    }

    /// The members that an object may have, or none if it may have any.
    fn named<'a>(&'a self, words: &'a Map<String, Value>) -> Option<BTreeSet<&'a str>> {
        let is_open = words.get("additionalProperties").is_some_and(|more| *more != false);
        let is_object = words.contains_key("properties")
            || words.contains_key("allOf")
            || words.get("type").is_some_and(|kind| kind == "object");
        if is_open || !is_object {
            return None;
        }
        let own = words.get("properties").and_then(Value::as_object).into_iter().flatten();
        let mut named: BTreeSet<&str> = own.map(|(name, _)| name.as_str()).collect();
        for part in words.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            named.extend(self.resolve(part).as_object().and_then(|words| self.named(words))?);
        }
        Some(named)
    }
}

fn has_type(says: &Value, value: &Value) -> bool {
    let is = |name: &Value| match name.as_str() {
        Some("null") => value.is_null(),
        Some("boolean") => value.is_boolean(),
        // Written without a point: a service need not take 1.0 for 1.
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("string") => value.is_string(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        other => panic!("what is a {other:?}?"),
    };
    match says {
        Value::Array(names) => names.iter().any(is),
        name => is(name),
    }
}

fn number(says: &Value) -> i64 {
    says.as_i64().unwrap_or_else(|| panic!("{says} is no bound"))
}

fn chars(value: &Value) -> Option<i64> {
    value.as_str().and_then(|text| i64::try_from(text.chars().count()).ok())
}

fn entries(value: &Value) -> Option<i64> {
    value.as_array().and_then(|list| i64::try_from(list.len()).ok())
}

fn matches(pattern: &Value, text: &str) -> bool {
    let pattern = pattern.as_str().unwrap_or_default();
    Regex::new(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}")).is_match(text)
}

fn format_fault(says: &Value, value: &Value) -> Option<String> {
    let is_wrong = match (says.as_str(), value) {
        (Some("uuid"), Value::String(text)) => text.len() != 36 || Uuid::try_parse(text).is_err(),
        (Some("date-time"), Value::String(text)) => chrono::DateTime::parse_from_rfc3339(text).is_err(),
        (Some("int32"), Value::Number(number)) => number.as_i64().is_none_or(|n| i32::try_from(n).is_err()),
        (Some("int64"), Value::Number(number)) => number.as_i64().is_none(),
        (Some("uuid" | "date-time" | "int32" | "int64"), _) => false,
        (other, _) => panic!("what is a {other:?}?"),
    };
    is_wrong.then(|| format!("must be a {says}"))
}

fn missing(says: &Value, value: &Value) -> Option<String> {
    let object = value.as_object()?;
    let names = says.as_array().into_iter().flatten().filter_map(Value::as_str);
    let missing: Vec<_> = names.filter(|name| !object.contains_key(*name)).collect();
    (!missing.is_empty()).then(|| format!("lacks {missing:?}"))
}

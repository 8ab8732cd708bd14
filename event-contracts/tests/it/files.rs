//! Files that are made from the code and kept beside it. `UPDATE_DOCS=1 cargo test -p event-contracts` writes them anew.

use std::fs;
use std::path::PathBuf;

use event_contracts::EventType;
use serde_json::Value;

/// A path from the workspace's root.
pub(crate) fn path(relative: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(relative)
}

/// The golden event of a type.
pub(crate) fn golden(event: &EventType) -> Value {
    let path = path(&format!("event-contracts/golden/{}.json", event.versioned_name()));
    let bytes = fs::read(&path).unwrap_or_else(|_| panic!("{} is missing", path.display()));
    serde_json::from_slice(&bytes).unwrap()
}

/// Whether the file says what the code says.
#[track_caller]
pub(crate) fn assert_current(relative: &str, expected: &str) {
    let path = path(relative);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, expected).unwrap();
    }
    let actual = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        actual == expected,
        "{relative} does not say what the code says; run UPDATE_DOCS=1 cargo test -p event-contracts"
    );
}

/// As it stands in files: members by name, whichever order serde_json keeps them in.
pub(crate) fn pretty(value: &Value) -> String {
    format!("{}\n", serde_json::to_string_pretty(&sorted(value)).unwrap())
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(object) => {
            let mut members: Vec<_> = object.iter().collect();
            members.sort_by_key(|(name, _)| *name);
            members.into_iter().map(|(name, value)| (name.clone(), sorted(value))).collect()
        }
        Value::Array(list) => list.iter().map(sorted).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

/// The payload of a golden event as it is written there.
pub(crate) fn golden_payload_text(event: &EventType) -> String {
    let path = path(&format!("event-contracts/golden/{}.json", event.versioned_name()));
    let text = fs::read_to_string(path).unwrap();
    let lines = text.lines().skip_while(|line| !line.starts_with("  \"payload\": {")).skip(1);
    let inner = lines.take_while(|line| !line.starts_with("  }")).map(|line| &line[2..]);
    let text = format!("{{\n{}\n}}", inner.collect::<Vec<_>>().join("\n"));
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), golden(event)["payload"]);
    text
}

//! Ways to spoil what was right.

use rand::rngs::StdRng;
use rand::{RngExt, seq::IndexedRandom};
use serde_json::{Value, json};

use super::document::Document;

/// Changes one place of a body. Whether it is wrong now is for the schema to say.
pub(crate) fn value(body: &mut Value, random: &mut StdRng) {
    let mut places = Vec::new();
    list_places(body, String::new(), &mut places);
    let place = places.choose(random).cloned().unwrap_or_default();
    let Some(target) = body.pointer_mut(&place) else { return };
    match target {
        Value::Object(object) if random.random_range(0..3) > 0 => {
            let name = object.keys().nth(random.random_range(0..object.len().max(1))).cloned();
            match name.filter(|_| random.random::<bool>()) {
                Some(name) => drop(object.remove(&name)),
                None => drop(object.insert("surprise".to_owned(), json!(1))),
            }
        }
        Value::Array(list) if random.random::<bool>() => match list.first().cloned() {
            Some(entry) if random.random::<bool>() => list.resize(257, entry),
            _ => list.clear(),
        },
        target => *target = anything(random),
    }
}

fn list_places(value: &Value, at: String, places: &mut Vec<String>) {
    match value {
        // The first few: the rest is the same again.
        Value::Array(list) => {
            for (index, entry) in list.iter().enumerate().take(3) {
                list_places(entry, format!("{at}/{index}"), places);
            }
        }
        Value::Object(object) => {
            for (name, entry) in object {
                list_places(entry, format!("{at}/{name}"), places);
            }
        }
        _ => {}
    }
    places.push(at);
}

/// Every way to take one value just beyond a bound that the document names for it: the body that each makes.
pub(crate) fn beyond(document: &Document, schema: &Value, body: &Value) -> Vec<Value> {
    let mut wrongs = Vec::new();
    list_beyond(document, schema, body, "", &mut wrongs);
    let spoiled = wrongs.into_iter().map(|(place, wrong)| {
        let mut spoiled = body.clone();
        if let Some(target) = spoiled.pointer_mut(&place) {
            *target = wrong;
        }
        spoiled
    });
    spoiled.collect()
}

fn list_beyond(
    document: &Document,
    schema: &Value,
    value: &Value,
    at: &str,
    wrongs: &mut Vec<(String, Value)>,
) {
    let schema = document.resolve(schema);
    for choice in schema["oneOf"].as_array().into_iter().flatten() {
        list_beyond(document, choice, value, at, wrongs);
    }
    let mut wrong = |value: Value| wrongs.push((at.to_owned(), value));
    let bound = |name: &str| schema[name].as_u64().and_then(|n| usize::try_from(n).ok());
    match value {
        Value::Number(_) => {
            let less = schema["minimum"].as_i64().and_then(|min| min.checked_sub(1));
            let more = schema["maximum"].as_i64().and_then(|max| max.checked_add(1));
            less.into_iter().chain(more).for_each(|n| wrong(json!(n)));
        }
        Value::String(_) => {
            bound("minLength")
                .filter(|min| *min > 0)
                .into_iter()
                .for_each(|min| wrong(json!("x".repeat(min - 1))));
            bound("maxLength").into_iter().for_each(|max| wrong(json!("x".repeat(max + 1))));
        }
        Value::Array(list) => {
            bound("minItems").filter(|min| *min > 0).into_iter().for_each(|_| wrong(json!([])));
            if let (Some(max), Some(first)) = (bound("maxItems"), list.first()) {
                wrong(json!(vec![first; max + 1]));
            }
            // The first stands for all.
            if let Some(first) = list.first() {
                list_beyond(document, &schema["items"], first, &format!("{at}/0"), wrongs);
            }
        }
        Value::Object(object) => {
            for (name, entry) in object {
                list_beyond(document, &schema["properties"][name], entry, &format!("{at}/{name}"), wrongs);
            }
        }
        Value::Null | Value::Bool(_) => {}
    }
}

/// A value that is rarely right anywhere.
fn anything(random: &mut StdRng) -> Value {
    let nested = (0..100).fold(json!(1), |inner, _| json!([inner]));
    let all = [
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(i64::MAX),
        json!(i64::MIN),
        json!(u64::MAX),
        json!(1e300),
        json!(2_147_483_648_i64),
        json!(""),
        json!("lamp"),
        json!("x".repeat(256)),
        json!("0000\u{0}"),
        json!("-1.00"),
        json!("100000000.00"),
        json!([]),
        json!({}),
        nested,
    ];
    all.choose(random).cloned().unwrap_or_default()
}

/// Text that is not JSON any more, or that no reader can agree on.
pub(crate) fn text(right: &[u8], random: &mut StdRng) -> Vec<u8> {
    let mut text = right.to_vec();
    match random.random_range(0..9) {
        0 => text.truncate(right.len() / 2),
        1 => text.extend(b" x"),
        2 => text.insert(text.len() / 2, 0xFF),
        3 => text = vec![b'['; 60_000],
        4 => text = b"NaN".to_vec(),
        5 => text = b"{\"surprise\":1e999}".to_vec(),
        6 => text = b"{\"reason\":\"\\ud800\"}".to_vec(),
        7 => {
            text = [b"{\"orderId\":1,\"orderId\":1,".as_slice(), right.get(1..).unwrap_or_default()].concat()
        }
        _ => text = [b"\xEF\xBB\xBF".as_slice(), right].concat(),
    }
    text
}

/// Text for a parameter that no parameter is, ready to stand in an address.
pub(crate) fn parameter(random: &mut StdRng) -> &'static str {
    let all = [
        "lamp",
        "1.5",
        "9223372036854775808",
        "-9223372036854775809",
        "%ff",
        "%00",
        "0x1",
        "+%201",
        "00000000-0000-0000-0000-00000000000g",
        "%F0%9F%92%A9",
        "1e3",
        "%27%20OR%201=1",
        "-6000000000000000.00000000000000000000000000000001",
        "7fffffffffffffff.00000000000000000000000000000001",
    ];
    all.choose(random).copied().unwrap_or_default()
}

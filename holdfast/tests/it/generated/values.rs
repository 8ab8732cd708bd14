//! Values that a schema allows, often at its bounds.

use rand::rngs::StdRng;
use rand::{RngExt, seq::IndexedRandom};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::document::Document;
use super::known::{Known, PRODUCTS, chance};

/// The member that gets a value, and what is known.
pub(crate) struct Values<'a> {
    pub(crate) document: &'a Document,
    pub(crate) random: &'a mut StdRng,
    pub(crate) known: &'a Known,
}

impl Values<'_> {
    /// A value for the member `name` of this schema.
    pub(crate) fn value(&mut self, name: &str, schema: &Value) -> Value {
        let document = self.document;
        let schema = document.resolve(schema);
        if let Some(choices) = schema["oneOf"].as_array() {
            let choice = choices.choose(self.random).unwrap_or(&Value::Null);
            return self.value(name, choice);
        }
        if let Some(choices) = schema["enum"].as_array() {
            return choices.choose(self.random).cloned().unwrap_or_default();
        }
        let kinds = match &schema["type"] {
            Value::Array(kinds) => kinds.clone(),
            kind => vec![kind.clone()],
        };
        if kinds.iter().any(|kind| kind == "null") && (kinds.len() == 1 || chance(self.random, 15)) {
            return Value::Null;
        }
        match kinds[0].as_str() {
            Some("object") => self.object(schema),
            Some("array") => self.array(schema),
            Some("integer") => self.integer(name, schema),
            Some("boolean") => json!(self.random.random::<bool>()),
            Some("string") => json!(self.text(name, schema)),
            other => panic!("no value for {other:?}"),
        }
    }

    fn object(&mut self, schema: &Value) -> Value {
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        let mut object = Map::new();
        for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
            if required.contains(&json!(name)) || chance(self.random, 40) {
                object.insert(name.clone(), self.value(name, schema));
            }
        }
        Value::Object(object)
    }

    fn array(&mut self, schema: &Value) -> Value {
        let min = schema["minItems"].as_u64().unwrap_or(0);
        let len = match self.random.random_range(0..20) {
            0 => schema["maxItems"].as_u64().unwrap_or(3),
            n => min + n % 3,
        };
        (0..len).map(|_| self.value("", &schema["items"])).collect()
    }

    fn integer(&mut self, name: &str, schema: &Value) -> Value {
        let min = schema["minimum"].as_i64();
        let is_short = schema["format"] == "int32";
        let max = schema["maximum"].as_i64().unwrap_or(if is_short { i64::from(i32::MAX) } else { i64::MAX });
        if name == "productId" && chance(self.random, 90) {
            return json!(PRODUCTS.choose(self.random));
        }
        if name == "fromVersion" && chance(self.random, 50) {
            let seen = self.known.recall(name, self.random).and_then(|text| text.parse::<i64>().ok());
            return json!(seen.unwrap_or(0));
        }
        let usual = match name {
            "onHand" => 1_000_000 + self.random.random_range(0..1_000),
            "ttlSeconds" => self.random.random_range(30..3_600),
            "limit" => self.random.random_range(1..20),
            _ => self.random.random_range(1..5),
        };
        json!(match self.random.random_range(0..16) {
            0 => min.unwrap_or(i64::MIN),
            1 => max,
            2 => max - 1,
            3 => min.map_or(-1, |min| min + 1),
            _ => usual,
        })
    }

    fn text(&mut self, name: &str, schema: &Value) -> String {
        if schema["format"] == "uuid" {
            let seen = self.known.recall(name, self.random).filter(|_| chance(self.random, 65));
            return seen.unwrap_or_else(|| Uuid::from_u128(self.random.random()).to_string());
        }
        let of = |random: &mut StdRng, usual: &[&str]| {
            usual.choose(random).copied().unwrap_or_default().to_owned()
        };
        match name {
            "unitPrice" | "amount" => {
                of(self.random, &["0.00", "1.50", "1.5", "7", "0.01", "12.30", "99999999.99"])
            }
            // `flaky` is for those who want 503s.
            "method" => of(
                self.random,
                &["approve", "decline", "silent", "duplicate", "slow:1", "late:5", "approve/silent"],
            ),
            "paymentMethod" => of(self.random, &["approve", "approve", "decline", "late:20", "magic"]),
            "userId" | "customerId" => of(self.random, &["ada", "bob", "eve", "günther", "a b/c?d"]),
            "productIds" => {
                let ids: Vec<_> =
                    PRODUCTS.iter().take(self.random.random_range(1..9)).map(i64::to_string).collect();
                ids.join(",")
            }
            "cursor" | "If-Match" => {
                let none =
                    || if name == "cursor" { "0.00000000000000000000000000000001" } else { "*" }.to_owned();
                self.known.recall(name, self.random).unwrap_or_else(none)
            }
            // New for each order, but for a repeat now and then.
            "Idempotency-Key" if chance(self.random, 90) => Uuid::from_u128(self.random.random()).to_string(),
            _ => self.plain(schema),
        }
    }

    /// Latin letters up to the bound, which the document counts in characters and the service in bytes.
    fn plain(&mut self, schema: &Value) -> String {
        let (min, max) =
            (schema["minLength"].as_u64().unwrap_or(0), schema["maxLength"].as_u64().unwrap_or(40));
        let len = match self.random.random_range(0..6) {
            0 => min,
            1 => max,
            2 => return "Grüße \u{1F600} \"quoted\", \\ and\ttab".to_owned(),
            _ => max.min(12),
        };
        (0..len).map(|_| char::from(self.random.random_range(b'a'..=b'z'))).collect()
    }
}

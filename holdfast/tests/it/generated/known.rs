//! What earlier answers taught: ids that exist make requests that get somewhere.

use rand::rngs::StdRng;
use rand::{RngExt, seq::IndexedRandom};
use serde_json::Value;

use crate::answers::Answer;

/// Products that exist.
pub(crate) const PRODUCTS: [i64; 9] = [1, 2, 3, 4, 5, 6, 7, 8, 9];
/// The one with a limit per customer.
pub(crate) const LIMITED: i64 = 8;
/// Values of one name that are remembered, the newest.
const REMEMBERED: usize = 24;

/// Ids, cursors and tags.
#[derive(Default)]
pub(crate) struct Known {
    orders: Vec<String>,
    payments: Vec<String>,
    cursors: Vec<String>,
    tags: Vec<String>,
}

impl Known {
    /// Remembers what an answer names.
    pub(crate) fn learn_from(&mut self, answer: &Answer) {
        let tag = answer.header("etag");
        if !tag.is_empty() {
            remember(&mut self.tags, tag);
        }
        if answer.header("content-type") == "application/json" {
            self.learn(&answer.json());
        }
    }

    /// Remembers what a body names.
    pub(crate) fn learn(&mut self, body: &Value) {
        match body {
            Value::Array(list) => list.iter().for_each(|entry| self.learn(entry)),
            Value::Object(members) => {
                for (name, value) in members {
                    match (name.as_str(), value.as_str()) {
                        ("orderId", Some(id)) => remember(&mut self.orders, id),
                        ("paymentId", Some(id)) => remember(&mut self.payments, id),
                        ("nextCursor", Some(cursor)) => remember(&mut self.cursors, cursor),
                        _ => self.learn(value),
                    }
                }
            }
            _ => {}
        }
    }

    /// An id or the like of this name that has been seen.
    pub(crate) fn recall(&self, name: &str, random: &mut StdRng) -> Option<String> {
        let seen = match name {
            "orderId" => &self.orders,
            "paymentId" => &self.payments,
            "cursor" | "fromVersion" => &self.cursors,
            "If-Match" => &self.tags,
            _ => return None,
        };
        seen.choose(random).cloned()
    }
}

fn remember(seen: &mut Vec<String>, value: &str) {
    if !seen.iter().any(|known| known == value) {
        seen.push(value.to_owned());
        if seen.len() > REMEMBERED {
            seen.remove(0);
        }
    }
}

/// True in so many of a hundred cases.
pub(crate) fn chance(random: &mut StdRng, percent: u32) -> bool {
    random.random_range(0..100) < percent
}

//! What was asked of the ledger, in the format of the crate `ledger-check`: a record per try, as NDJSON, on one clock.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, Result};
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::{Entry, Scribe};

/// The format's version.
const FORMAT: u32 = 1;
const PATH: &str = "/api/v1/inventory/";

/// A file with a record a line.
pub(crate) struct LedgerLines {
    file: Mutex<BufWriter<File>>,
    next: AtomicU64,
}

impl LedgerLines {
    /// Begins a file.
    ///
    /// # Errors
    /// If it cannot be made.
    pub(crate) fn create(path: &Path) -> Result<Self> {
        let file = File::create(path).with_context(|| format!("creating {}", path.display()))?;
        Ok(Self { file: Mutex::new(BufWriter::new(file)), next: AtomicU64::new(0) })
    }
}

impl Scribe for LedgerLines {
    fn note(&self, entry: &Entry<'_>) {
        let Some(asked) = asked(entry) else { return };
        let sequence = self.next.fetch_add(1, Ordering::Relaxed);
        let mut record = json!({
            "v": FORMAT,
            "client": format!("client-{}", entry.client),
            "sequence": sequence,
            "asked": asked,
            "invokedAt": micros(entry.sent),
        });
        if let Some(answer) = answer(entry) {
            record["answered"] = json!({"at": micros(entry.answered), "answer": answer});
        }
        // A disk that is full shows when the file is finished.
        let _ = writeln!(self.file.lock(), "{record}");
    }

    fn finish(&self) -> Result<()> {
        self.file.lock().flush().context("writing the history of the ledger")
    }
}

/// Of seconds.
#[expect(clippy::cast_possible_truncation, reason = "a run is over before microseconds leave 64 bits")]
fn micros(seconds: f64) -> i64 {
    (seconds * 1e6) as i64
}

/// What changes the ledger; nothing for anything else.
fn asked(entry: &Entry<'_>) -> Option<Value> {
    let body = entry.body?;
    let path = entry.path.strip_prefix(PATH)?;
    let order = &body["orderId"];
    let ttl = || body["ttlSeconds"].as_u64().map(|seconds| seconds * 1_000_000);
    match path {
        "reserve" => {
            let lines: Vec<Value> = body["items"]
                .as_array()?
                .iter()
                .map(|item| json!({"product": item["productId"], "quantity": item["quantity"]}))
                .collect();
            Some(json!({"reserve": {"order": order, "lines": lines, "ttlMicros": ttl()?}}))
        }
        "commit" => Some(json!({"commit": {"order": order}})),
        "release" => Some(json!({"release": {"order": order}})),
        "extend" => Some(json!({"extend": {"order": order, "ttlMicros": ttl()?}})),
        _ => {
            let product: i64 = path.strip_suffix("/adjust")?.parse().ok()?;
            let (id, delta) = (&body["adjustmentId"], &body["delta"]);
            Some(json!({"adjust": {"product": product, "adjustment": id, "delta": delta}}))
        }
    }
}

/// What was told; nothing if nothing was.
fn answer(entry: &Entry<'_>) -> Option<Value> {
    let code = entry.told["code"].as_str().unwrap_or_default();
    let verb = entry.path.rsplit('/').next().unwrap_or_default();
    match (verb, entry.status, code) {
        (_, 0, _) => None,
        ("reserve", 200 | 201, _) => Some(json!({"held": {"replayed": entry.told["replayed"]}})),
        ("commit", 200, _) => Some(json!({"committed": {"late": entry.told["late"]}})),
        ("release", 200, _) => Some(json!("released")),
        ("extend", 200, _) => Some(json!({"extended": {}})),
        ("adjust", 200, _) => {
            let replayed = entry.told["replayed"].as_bool().unwrap_or_default();
            Some(json!({"adjusted": {"replayed": replayed}}))
        }
        (_, _, "insufficient_stock") => {
            let short: Vec<Value> = entry.told["items"].as_array()?.iter().map(short).collect();
            Some(json!({"insufficient": {"short": short}}))
        }
        (_, _, "already_released") => Some(json!("alreadyReleased")),
        (_, _, "already_committed") => Some(json!("alreadyCommitted")),
        (_, 410, _) => Some(json!("expired")),
        (_, 404, _) => Some(json!("notFound")),
        (_, _, "order_conflict" | "adjustment_conflict") => Some(json!("conflict")),
        (_, 503, "overloaded") => Some(json!("overloaded")),
        (_, 503, "unavailable") => Some(json!("unavailable")),
        // Whatever else a server says that failed: nobody knows.
        (_, 500.., _) => Some(json!("outcomeUnknown")),
        (_, _, code) => Some(json!({"refused": {"code": code}})),
    }
}

fn short(item: &Value) -> Value {
    json!({"product": item["productId"], "requested": item["requested"], "available": item["available"]})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry<'a>(path: &'a str, body: &'a Value, status: u16, told: &'a Value) -> Entry<'a> {
        Entry { client: 1, at: "a", sent: 0.5, answered: 1.25, path, body: Some(body), status, told }
    }

    #[test]
    fn a_reserve_and_its_answers_are_written_as_the_checker_reads_them() {
        let body = json!({"orderId": "o", "items": [{"productId": 1, "quantity": 2}], "ttlSeconds": 3});
        let told = json!({"replayed": false});
        let held = entry("/api/v1/inventory/reserve", &body, 201, &told);
        let asked = asked(&held);
        assert_eq!(
            asked,
            Some(
                json!({"reserve": {"order": "o", "lines": [{"product": 1, "quantity": 2}], "ttlMicros": 3_000_000}})
            )
        );
        assert_eq!(answer(&held), Some(json!({"held": {"replayed": false}})));
        let nothing = Value::Null;
        assert_eq!(answer(&Entry { status: 0, told: &nothing, ..held }), None);
    }

    #[test]
    fn orders_and_reads_are_not_the_ledgers() {
        let body = json!({});
        assert_eq!(asked(&entry("/api/v1/orders", &body, 202, &body)), None);
        assert_eq!(asked(&Entry { body: None, ..entry("/api/v1/inventory/1", &body, 200, &body) }), None);
    }

    #[test]
    fn an_adjustment_names_its_product() {
        let body = json!({"adjustmentId": "a", "delta": 5});
        let asked = asked(&entry("/api/v1/inventory/7/adjust", &body, 200, &body));
        assert_eq!(asked, Some(json!({"adjust": {"product": 7, "adjustment": "a", "delta": 5}})));
    }
}

//! What callers saw, written down for the ledger's checker.

use std::path::Path;
use std::process::Output;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use inventory_core::store::postgres::{PostgresOptions, PostgresStore};
use ledger_check::history::{Answer, Answered, Asked, HistoryLog, Line, Record, Short};
use ledger_check::{Options, Verdict};
use serde_json::{Value, json};
use tokio::time::Instant;
use uuid::Uuid;

use crate::answers;
use crate::shop::{Caller, items, time};

/// The history of many callers, on one clock. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct History {
    start: Instant,
    next: Arc<AtomicU64>,
    records: Arc<Mutex<Vec<Record>>>,
}

impl History {
    pub(crate) fn new() -> Self {
        Self { start: Instant::now(), next: Arc::default(), records: Arc::default() }
    }

    /// Asks, and writes down what came of it.
    pub(crate) async fn ask(&self, shop: &Caller, asked: Asked) -> reqwest::Result<answers::Answer> {
        let (path, body) = request(&asked);
        let invoked_at = self.now();
        let answer = shop.try_post(&format!("/api/v1/inventory/{path}"), &body).await;
        let at = self.now();
        // An answer that the contract does not have is for the caller to complain of.
        let told = answer.as_ref().ok().and_then(|answer| told(&asked, answer));
        let record = Record {
            client: "test".to_owned(),
            sequence: self.next.fetch_add(1, Ordering::Relaxed),
            asked,
            invoked_at,
            answered: told.map(|answer| Answered { at, answer }),
        };
        self.records.lock().expect("nobody panicked").push(record);
        answer
    }

    fn now(&self) -> i64 {
        i64::try_from(self.start.elapsed().as_micros()).expect("a test is not that long")
    }

    pub(crate) fn records(&self) -> Vec<Record> {
        self.records.lock().expect("nobody panicked").clone()
    }

    /// Writes all of it to a file.
    pub(crate) fn write(&self, path: &Path) {
        let log = HistoryLog::open(path).expect("a file");
        for record in self.records() {
            log.append(&record).expect("room on the disk");
        }
        log.flush().expect("room on the disk");
    }

    /// Insists that a ledger on Postgres, whose callers have ended, agrees with what they saw.
    pub(crate) async fn agrees_with(&self, database_url: &str) -> Verdict {
        let store = PostgresStore::connect(database_url, PostgresOptions::default()).await.expect("a store");
        let bar = indicatif::ProgressBar::hidden();
        let journal = holdfast::journal::read(&store, &bar).await.expect("a journal");
        let verdict = ledger_check::check(journal.entries, self.records(), &Options::default());
        assert!(verdict.is_clean(), "{verdict}");
        verdict
    }
}

/// A verb's run: what it printed, and how it ended.
pub(crate) fn printed(output: &Output) -> (Option<i32>, String) {
    let text =
        [&output.stdout[..], &output.stderr[..]].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    (output.status.code(), text.concat())
}

pub(crate) fn lines(of: &[(i64, u32)]) -> Vec<Line> {
    of.iter().map(|(product, quantity)| Line { product: *product, quantity: *quantity }).collect()
}

/// A reserve for an hour.
pub(crate) fn reserve(order: Uuid, of: &[(i64, u32)]) -> Asked {
    Asked::Reserve { order, lines: lines(of), customer: None, ttl_micros: Some(3_600_000_000) }
}

pub(crate) fn commit(order: Uuid) -> Asked {
    Asked::Commit { order, items: None, key: None }
}

pub(crate) fn release(order: Uuid) -> Asked {
    Asked::Release { order, items: None, key: None }
}

fn request(asked: &Asked) -> (&'static str, Value) {
    let of =
        |lines: &[Line]| items(&lines.iter().map(|line| (line.product, line.quantity)).collect::<Vec<_>>());
    let mut body = json!({"orderId": asked.order()});
    match asked {
        Asked::Reserve { lines, customer, ttl_micros, .. } => {
            body["items"] = of(lines);
            body["ttlSeconds"] = json!(ttl_micros.map(|micros| micros / 1_000_000));
            body["customerId"] = json!(customer);
            ("reserve", body)
        }
        Asked::Commit { items, .. } | Asked::Release { items, .. } => {
            if let Some(items) = items {
                body["items"] = of(items);
            }
            (asked.name(), body)
        }
        Asked::Extend { ttl_micros, .. } => {
            body["ttlSeconds"] = json!(ttl_micros / 1_000_000);
            ("extend", body)
        }
        Asked::Adjust { .. } | Asked::Set { .. } => panic!("tests administer without a history"),
    }
}

/// The contract's answers in the words of histories; none for what says nothing.
fn told(asked: &Asked, answer: &answers::Answer) -> Option<Answer> {
    let body: Value = serde_json::from_str(&answer.text).ok()?;
    let expires_at = || Some(time(&body["expiresAt"]).timestamp_micros());
    Some(match (answer.status, body["code"].as_str().unwrap_or_default()) {
        (200 | 201, _) => match asked {
            Asked::Reserve { .. } => {
                Answer::Held { replayed: body["replayed"].as_bool()?, expires_at: expires_at() }
            }
            Asked::Commit { .. } => Answer::Committed { late: body["late"].as_bool()? },
            Asked::Release { .. } => Answer::Released,
            Asked::Extend { .. } => Answer::Extended { expires_at: expires_at() },
            Asked::Adjust { .. } | Asked::Set { .. } => return None,
        },
        (_, "insufficient_stock") => Answer::Insufficient { short: shortages(&body)? },
        (_, "reservation_not_found" | "product_not_found") => Answer::NotFound,
        (_, "already_released") => Answer::AlreadyReleased,
        (_, "already_committed") => Answer::AlreadyCommitted,
        (_, "reservation_expired") => Answer::Expired,
        (_, "order_conflict") => Answer::Conflict,
        (_, "overloaded") => Answer::Overloaded,
        (_, "unavailable") => Answer::Unavailable,
        (_, "outcome_unknown") => Answer::OutcomeUnknown,
        (400..500, code) => Answer::Refused { code: code.to_owned() },
        _ => return None,
    })
}

fn shortages(body: &Value) -> Option<Vec<Short>> {
    let short = |item: &Value| {
        Some(Short {
            product: item["productId"].as_i64()?,
            requested: u32::try_from(item["requested"].as_u64()?).ok()?,
            available: item["available"].as_i64()?,
        })
    };
    body["items"].as_array()?.iter().map(short).collect()
}

//! What goose's buyers were answered, counted as it comes.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::Result;
use hdrhistogram::Histogram;
use parking_lot::Mutex;

use crate::outcome::{Load, Told};

/// One answer, as far as it is judged.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Of a problem.
    pub(crate) code: Option<String>,
    pub(crate) has_retry_after: bool,
    pub(crate) elapsed: Duration,
}

/// What an answer means.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Meaning {
    Accepted,
    /// A no that rests on the rules.
    Refused(String),
    /// Neither yes nor no, repeat it later.
    Shed(String),
    /// Must never be.
    Fault(String),
}

/// Judges an answer; refusals whose code is not among `expected` are faults.
pub(crate) fn meaning(answer: &Answer, expected: &[&str]) -> Meaning {
    let code = answer.code.clone().unwrap_or_else(|| format!("{} without a code", answer.status));
    match answer.status {
        200..=299 => Meaning::Accepted,
        429 | 503 if answer.has_retry_after => Meaning::Shed(code),
        429 | 503 => Meaning::Fault(format!("{} {code} without Retry-After", answer.status)),
        400..=499 if expected.contains(&code.as_str()) => Meaning::Refused(code),
        status => Meaning::Fault(format!("unexpected answer {status} {code}")),
    }
}

/// Accepted requests per tenth of a second.
const BUCKET: Duration = Duration::from_millis(100);

/// Counts, shared by all buyers.
#[derive(Debug)]
pub(crate) struct Tally {
    started: Instant,
    counts: Mutex<Counts>,
}

#[derive(Debug)]
struct Counts {
    requests: u64,
    shed: u64,
    refusals: BTreeMap<String, u64>,
    faults: BTreeMap<String, u64>,
    told: Told,
    latency_us: Histogram<u64>,
    accepted: Vec<u64>,
}

impl Tally {
    /// Starts to count.
    pub(crate) fn new() -> Result<Self> {
        let counts = Counts {
            requests: 0,
            shed: 0,
            refusals: BTreeMap::new(),
            faults: BTreeMap::new(),
            told: Told::default(),
            latency_us: Histogram::new(3)?,
            accepted: Vec::new(),
        };
        Ok(Self { started: Instant::now(), counts: Mutex::new(counts) })
    }

    /// Counts an answer.
    pub(crate) fn note(&self, answer: &Answer, meaning: &Meaning) {
        let bucket =
            usize::try_from(self.started.elapsed().as_millis() / BUCKET.as_millis()).unwrap_or(usize::MAX);
        let mut counts = self.counts.lock();
        counts.requests += 1;
        match meaning {
            Meaning::Accepted => {
                // It grows as it must: no value is out of its range.
                let _ =
                    counts.latency_us.record(u64::try_from(answer.elapsed.as_micros()).unwrap_or(u64::MAX));
                if counts.accepted.len() <= bucket {
                    counts.accepted.resize(bucket + 1, 0);
                }
                counts.accepted[bucket] += 1;
            }
            Meaning::Refused(code) => *counts.refusals.entry(code.clone()).or_default() += 1,
            Meaning::Shed(code) => {
                counts.shed += 1;
                *counts.refusals.entry(code.clone()).or_default() += 1;
            }
            Meaning::Fault(what) => *counts.faults.entry(what.clone()).or_default() += 1,
        }
    }

    /// Something that must not be, other than an answer by itself.
    pub(crate) fn fault(&self, what: impl Into<String>) {
        *self.counts.lock().faults.entry(what.into()).or_default() += 1;
    }

    /// A request that got no answer. `is_meant` if the buyer hung up on purpose.
    pub(crate) fn unanswered(&self, is_meant: bool) {
        self.counts.lock().requests += 1;
        if !is_meant {
            self.fault("no answer");
        }
    }

    /// Changes what the buyers know.
    pub(crate) fn tell(&self, change: impl FnOnce(&mut Told)) {
        change(&mut self.counts.lock().told);
    }

    /// Accepted requests from one moment to another.
    pub(crate) fn accepted_between(&self, from: Instant, to: Instant) -> u64 {
        let bucket = |at: Instant| {
            let since = at.saturating_duration_since(self.started).as_millis();
            usize::try_from(since / BUCKET.as_millis()).unwrap_or(usize::MAX)
        };
        let counts = self.counts.lock();
        let to = bucket(to).min(counts.accepted.len());
        counts.accepted.get(bucket(from).min(to)..to).unwrap_or_default().iter().sum()
    }

    /// How many were answered so far, and accepted.
    pub(crate) fn so_far(&self) -> (u64, u64) {
        let counts = self.counts.lock();
        (counts.requests, counts.latency_us.len())
    }

    /// Everything so far.
    pub(crate) fn load(&self) -> Load {
        let counts = self.counts.lock();
        let millis = |quantile| {
            Duration::from_micros(counts.latency_us.value_at_quantile(quantile)).as_secs_f64() * 1_000.0
        };
        Load {
            requests: counts.requests,
            elapsed: self.started.elapsed(),
            p50_ms: millis(0.5),
            p99_ms: millis(0.99),
            refusals: counts.refusals.clone(),
            shed: counts.shed,
            faults: counts.faults.clone(),
            told: counts.told,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, code: Option<&str>, has_retry_after: bool) -> Answer {
        let elapsed = Duration::from_millis(5);
        Answer { status, code: code.map(str::to_owned), has_retry_after, elapsed }
    }

    #[test]
    fn a_refusal_for_now_without_retry_after_is_a_fault() {
        let (with, without) = (answer(503, Some("overloaded"), true), answer(503, Some("overloaded"), false));
        assert_eq!(meaning(&with, &[]), Meaning::Shed("overloaded".into()));
        assert!(matches!(meaning(&without, &[]), Meaning::Fault(_)));
        assert!(matches!(meaning(&answer(429, None, false), &[]), Meaning::Fault(_)));
    }

    #[test]
    fn server_errors_and_unexpected_refusals_are_faults() {
        for status in [500, 502, 504, 302] {
            assert!(
                matches!(meaning(&answer(status, None, true), &["overloaded"]), Meaning::Fault(_)),
                "{status}"
            );
        }
        let short = answer(409, Some("insufficient_stock"), false);
        assert_eq!(meaning(&short, &["insufficient_stock"]), Meaning::Refused("insufficient_stock".into()));
        assert!(matches!(meaning(&short, &["customer_limit"]), Meaning::Fault(_)));
    }

    #[test]
    fn what_is_noted_is_in_the_load() {
        let tally = Tally::new().unwrap();
        for (answer, expected) in [
            (answer(201, None, false), Meaning::Accepted),
            (answer(503, Some("overloaded"), true), Meaning::Shed("overloaded".into())),
        ] {
            tally.note(&answer, &expected);
        }
        tally.unanswered(true);
        tally.unanswered(false);
        tally.tell(|told| told.reserved += 2);
        let load = tally.load();
        assert_eq!((load.requests, load.shed, load.told.reserved), (4, 1, 2));
        assert_eq!(load.faults.get("no answer"), Some(&1));
        assert!((4.9..5.1).contains(&load.p99_ms), "{}", load.p99_ms);
        let far = Instant::now() + Duration::from_secs(9);
        assert_eq!(tally.accepted_between(tally.started, far), 1);
    }
}

//! What a consumer reports.

use metrics::{Counter, Gauge, counter, gauge};

use crate::Metrics;

pub(super) struct Meters {
    pub(super) done: Counter,
    pub(super) duplicate: Counter,
    pub(super) ignored: Counter,
    pub(super) dead_lettered: Counter,
    pub(super) followed: Counter,
    pub(super) for_others: Counter,
    pub(super) retried: Counter,
    /// 1 while the consumer stands still because too many events failed for good.
    pub(super) tripped: Gauge,
}

impl Meters {
    pub(super) fn new(metrics: Option<&Metrics>, group: &'static str) -> Self {
        let Some(metrics) = metrics else {
            return Self {
                done: Counter::noop(),
                duplicate: Counter::noop(),
                ignored: Counter::noop(),
                dead_lettered: Counter::noop(),
                followed: Counter::noop(),
                for_others: Counter::noop(),
                retried: Counter::noop(),
                tripped: Gauge::noop(),
            };
        };
        metrics.register(|| {
            let outcome = |outcome: &'static str| {
                counter!("events_consumed_total", "group" => group, "outcome" => outcome)
            };
            Self {
                done: outcome("done"),
                duplicate: outcome("duplicate"),
                ignored: outcome("ignored"),
                dead_lettered: outcome("dead_lettered"),
                followed: outcome("followed"),
                for_others: outcome("for_another_group"),
                retried: counter!("events_retried_total", "group" => group),
                tripped: gauge!("events_consumer_tripped", "group" => group),
            }
        })
    }
}

//! What the relay reports.

use metrics::{Counter, Gauge, counter, gauge};

use crate::Metrics;

pub(super) struct Meters {
    /// The one number to watch.
    pub(super) oldest_pending: Gauge,
    pub(super) published: Counter,
    pub(super) failed: Counter,
    pub(super) refused: Counter,
    pub(super) database_errors: Counter,
    pub(super) blocked_keys: Gauge,
}

impl Meters {
    pub(super) fn new(metrics: Option<&Metrics>) -> Self {
        let none = || Self {
            oldest_pending: Gauge::noop(),
            published: Counter::noop(),
            failed: Counter::noop(),
            refused: Counter::noop(),
            database_errors: Counter::noop(),
            blocked_keys: Gauge::noop(),
        };
        metrics.map_or_else(none, |metrics| {
            metrics.register(|| Self {
                oldest_pending: gauge!("outbox_oldest_pending_seconds"),
                published: counter!("outbox_published_total"),
                failed: counter!("outbox_failed_total", "kind" => "transient"),
                refused: counter!("outbox_failed_total", "kind" => "refused"),
                database_errors: counter!("outbox_failed_total", "kind" => "database"),
                blocked_keys: gauge!("outbox_blocked_keys"),
            })
        })
    }
}

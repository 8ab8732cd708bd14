//! The stub's numbers.

use metrics::{Counter, counter};
use service_kit::Metrics;

use crate::payment::Status;

/// Handles made once.
pub(crate) struct Counts {
    pub(crate) accepted: Counter,
    pub(crate) worker_errors: Counter,
    pub(crate) misbehaved: Counter,
    successful: Counter,
    failed: Counter,
    refunded: Counter,
}

impl Counts {
    pub(crate) fn register(metrics: &Metrics) -> Self {
        metrics.register(|| Self {
            accepted: counter!("payment_accepted_calls_total"),
            worker_errors: counter!("payment_worker_errors_total"),
            misbehaved: counter!("payment_misbehaved_calls_total"),
            successful: counter!("payments_settled_total", "outcome" => "successful"),
            failed: counter!("payments_settled_total", "outcome" => "failed"),
            refunded: counter!("payments_settled_total", "outcome" => "refunded"),
        })
    }

    pub(crate) fn settled(&self, statuses: &[Status]) {
        for status in statuses {
            match status {
                Status::Successful => self.successful.increment(1),
                Status::Failed => self.failed.increment(1),
                Status::Refunded => self.refunded.increment(1),
                Status::Accepted | Status::Refunding => {}
            }
        }
    }
}

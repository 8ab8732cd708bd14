//! A client's series.

use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

use super::breaker::BreakerState;
use super::{Answer, CallError, CallErrorKind};
use crate::metrics::Metrics;

/// Handles made once.
pub(super) struct Counts {
    outcomes: [Counter; OUTCOMES.len()],
    retries: Counter,
    budget_exhausted: Counter,
    breaker: Gauge,
    pub(super) seconds: Histogram,
}

/// What the outcome label says.
const OUTCOMES: [&str; 9] =
    ["2xx", "4xx", "open", "timeout", "connect", "bulkhead_full", "deadline", "status", "protocol"];

impl Counts {
    pub(super) fn register(metrics: &Metrics, name: &'static str) -> Self {
        metrics.register(|| Self {
            outcomes: OUTCOMES.map(|outcome| counter!("calls_total", "to" => name, "outcome" => outcome)),
            retries: counter!("call_retries_total", "to" => name),
            budget_exhausted: counter!("call_retry_budget_exhausted_total", "to" => name),
            breaker: gauge!("call_breaker_open", "to" => name),
            seconds: histogram!("call_seconds", "to" => name),
        })
    }

    pub(super) fn outcome(&self, outcome: &Result<Answer, CallError>) {
        let index = match outcome {
            Ok(answer) => usize::from(!answer.is_success()),
            Err(error) => match error.kind {
                CallErrorKind::Open { .. } => 2,
                CallErrorKind::Timeout => 3,
                CallErrorKind::Connect => 4,
                CallErrorKind::BulkheadFull => 5,
                CallErrorKind::Deadline => 6,
                CallErrorKind::Status { .. } => 7,
                CallErrorKind::Protocol => 8,
            },
        };
        self.outcomes[index].increment(1);
    }

    pub(super) fn retry(&self) {
        self.retries.increment(1);
    }

    pub(super) fn budget_exhausted(&self) {
        self.budget_exhausted.increment(1);
    }

    /// 0 closed, 0.5 half-open, 1 open.
    pub(super) fn breaker(&self, state: BreakerState) {
        self.breaker.set(match state {
            BreakerState::Closed => 0.0,
            BreakerState::HalfOpen => 0.5,
            BreakerState::Open => 1.0,
        });
    }
}

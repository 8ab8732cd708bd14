//! Numbers of the calls that sagas make.

use metrics::{Counter, Gauge, counter, gauge};
use service_kit::Metrics;

use crate::saga::Action;
use crate::store::waiting::Waiting;

const ACTIONS: [Action; 7] = [
    Action::ReserveInventory,
    Action::CommitInventory,
    Action::ReleaseInventory,
    Action::RestockInventory,
    Action::ProcessPayment,
    Action::AskPayment,
    Action::RefundPayment,
];

/// Handles made once.
pub(crate) struct CallMetrics {
    calls: Vec<(Action, [Counter; 2])>,
    broken: Counter,
    timers: Counter,
    waiting: Gauge,
    stuck: Gauge,
    overdue: Gauge,
}

impl CallMetrics {
    pub(crate) fn register(metrics: &Metrics) -> Self {
        metrics.register(|| Self {
            calls: ACTIONS
                .map(|action| {
                    let of =
                        |outcome| counter!("saga_calls_total", "action" => action.name(), "outcome" => outcome);
                    (action, [of("no_answer"), of("answered")])
                })
                .into(),
            broken: counter!("saga_set_aside_total"),
            timers: counter!("saga_timers_fired_total"),
            waiting: gauge!("saga_calls_waiting"),
            stuck: gauge!("saga_calls_stuck"),
            overdue: gauge!("saga_calls_overdue_seconds"),
        })
    }

    pub(super) fn called(&self, action: Action, answered: bool) {
        if let Some((_, counters)) = self.calls.iter().find(|(known, _)| *known == action) {
            counters[usize::from(answered)].increment(1);
        }
    }

    pub(super) fn broken(&self) {
        self.broken.increment(1);
    }

    pub(super) fn waiting(&self, waiting: &Waiting) {
        let count = |number: u64| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
        self.waiting.set(count(waiting.calls));
        self.stuck.set(count(waiting.stuck));
        self.overdue.set(waiting.overdue.as_secs_f64());
    }

    pub(super) fn fired(&self) {
        self.timers.increment(1);
    }
}

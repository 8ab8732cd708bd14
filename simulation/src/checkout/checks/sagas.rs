//! I13: every saga has come to one of its two ends, and nothing is left to do for it. Its steps are a chain: each was decided on what the
//! one before had left.

use std::collections::BTreeMap;

use order_service::saga::{Phase, Saga, check as rules};
use uuid::Uuid;

use super::{Evidence, Findings};
use crate::checkout::rows::Tables;

/// Whether nothing is left to do for any order.
pub(in crate::checkout) fn is_at_rest(tables: &Tables) -> bool {
    let is_ended = |saga: &Saga| !is_under_way(saga.phase) && saga.outstanding.is_empty();
    tables.orders.values().all(|order| is_ended(&order.saga))
        && tables.calls.is_empty()
        && tables.timers.is_empty()
}

fn is_under_way(phase: Phase) -> bool {
    match phase {
        Phase::Reserving | Phase::Paying | Phase::Committing | Phase::Compensating => true,
        Phase::Confirmed | Phase::Shipped | Phase::Delivered | Phase::Ended => false,
    }
}

pub(super) fn check(evidence: &Evidence, findings: &mut Findings) {
    let tables = &evidence.tables;
    for order in tables.orders.values() {
        let saga = &order.saga;
        if let Err(rule) = rules(saga) {
            findings.push(format!("I13: order {} breaks a rule: {rule}", order.id));
        }
        if is_under_way(saga.phase) {
            let (phase, outstanding) = (saga.phase, &saga.outstanding);
            findings
                .push(format!("I13: order {} never ends: {phase:?}, waits for {outstanding:?}", order.id));
        }
    }
    for (order, action) in tables.calls.keys() {
        findings.push(format!("I13: {action:?} of order {order} is still to be made"));
    }
    findings.extend(tables.timers.keys().map(|order| format!("I13: order {order} has a timer at rest")));
    chain(tables, findings);
}

fn chain(tables: &Tables, findings: &mut Findings) {
    let mut last: BTreeMap<Uuid, &Saga> = BTreeMap::new();
    for step in &tables.steps {
        if let Some(before) = last.insert(step.order, &step.after)
            && *before != step.before
        {
            let (version, found) = (before.version, step.before.version);
            findings.push(format!(
                "I13: {:?} of order {} was decided on version {found}, and it was at {version}",
                step.input, step.order
            ));
        }
    }
    for (order, saga) in last {
        if tables.orders.get(&order).is_none_or(|order| order.saga != *saga) {
            findings.push(format!("I13: order {order} is not as its last step left it"));
        }
    }
}

//! I11 and I12 of orders: each tells what happened to it once, in order, and everything it told was published in that order.

use std::collections::{BTreeMap, BTreeSet};

use event_contracts::topics;
use order_service::saga::Phase;
use uuid::Uuid;

use super::{Evidence, Findings};

pub(super) fn check(evidence: &Evidence, findings: &mut Findings) {
    let mut told: BTreeMap<Uuid, Vec<(u64, &str)>> = BTreeMap::new();
    for event in &evidence.tables.told {
        let version = event.event.aggregate_version;
        told.entry(event.order).or_default().push((version, event.event.event_type.as_str()));
    }
    for order in evidence.tables.orders.values() {
        let events = told.remove(&order.id).unwrap_or_default();
        if !events.is_sorted_by(|(one, _), (next, _)| one < next) {
            findings
                .push(format!("I11: order {} told something twice, or not in order: {events:?}", order.id));
        }
        let times = |topic: &str| events.iter().filter(|(_, told)| *told == topic).count();
        let ends = times(topics::ORDER_CANCELLED) + times(topics::ORDER_FAILED);
        let is_ended = order.saga.phase == Phase::Ended;
        let is_shipped = matches!(order.saga.phase, Phase::Shipped | Phase::Delivered);
        let is_sold = super::is_sold(order);
        let is_right = times(topics::ORDER_CREATED) == 1
            && ends == usize::from(is_ended)
            && times(topics::ORDER_SHIPPED) == usize::from(is_shipped)
            && (times(topics::ORDER_CONFIRMED) == 1 || !is_sold && times(topics::ORDER_CONFIRMED) == 0);
        if !is_right {
            let phase = order.saga.phase;
            findings.push(format!("I11: order {} is {phase:?} and told {events:?}", order.id));
        }
    }
    published(evidence, findings);
}

/// Repeats apart, each key's events came in the order in which they were told, and all of them came.
fn published(evidence: &Evidence, findings: &mut Findings) {
    let mut seen: BTreeSet<Uuid> = BTreeSet::new();
    let mut firsts: BTreeMap<&str, u64> = BTreeMap::new();
    for event in &evidence.published {
        if !seen.insert(event.id) {
            continue;
        }
        let before = firsts.insert(&event.key, event.aggregate_version);
        if before.is_some_and(|before| before > event.aggregate_version) {
            findings.push(format!("I11: {} of order {} was overtaken", event.event_type, event.key));
        }
    }
    let unpublished = evidence.tables.told.iter().filter(|told| !seen.contains(&told.event.id));
    findings.extend(
        unpublished
            .map(|told| format!("I11: {} of {} was never published", told.event.event_type, told.order)),
    );
}

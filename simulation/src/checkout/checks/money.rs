//! I13: the provider has the money of every order that was sold, once, and of no other.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::{Evidence, Findings, is_sold};
use crate::checkout::provider::Payment;

pub(super) fn check(evidence: &Evidence, findings: &mut Findings) {
    let mut by_order: BTreeMap<Uuid, Vec<&Payment>> = BTreeMap::new();
    for payment in &evidence.payments {
        by_order.entry(payment.order).or_default().push(payment);
    }
    for order in evidence.tables.orders.values() {
        let payments = by_order.remove(&order.id).unwrap_or_default();
        let charged = payments.iter().filter(|payment| payment.was_charged).count();
        if charged > 1 {
            findings.push(format!("I13: order {} was charged {charged} times", order.id));
        }
        let kept: i64 =
            payments.iter().filter(|payment| payment.is_kept()).map(|payment| payment.amount.cents()).sum();
        let due = if is_sold(order) { order.total.cents() } else { 0 };
        if kept != due {
            let phase = order.saga.phase;
            findings.push(format!(
                "I13: order {} is {phase:?} and the provider has {kept} instead of {due} of it",
                order.id
            ));
        }
    }
    findings.extend(by_order.keys().map(|order| format!("I13: order {order} is not there and was paid for")));
}

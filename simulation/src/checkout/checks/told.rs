//! I5 of orders: what somebody was told stands.

use std::collections::{BTreeMap, BTreeSet};

use order_service::saga::OrderStatus;
use uuid::Uuid;

use super::{Evidence, Findings};
use crate::checkout::desks::Placing;
use crate::checkout::people::Said;

pub(super) fn check(evidence: &Evidence, findings: &mut Findings) {
    let wants_out: BTreeSet<Uuid> = evidence
        .said
        .iter()
        .filter_map(|said| if let Said::WantsOut(order) = said { Some(*order) } else { None })
        .collect();
    for said in &evidence.said {
        let about = match said {
            Said::Placed { answer: Placing::Conflict, key } => {
                findings.push(format!("I5: key {key} was said to stand for something else"));
                continue;
            }
            Said::Placed { answer: Placing::Failed, .. } | Said::WantsOut(_) => continue,
            Said::Placed {
                answer: Placing::Accepted(order) | Placing::Refused(order) | Placing::Unavailable(order),
                ..
            }
            | Said::Cancelled(order, _)
            | Said::Shipped(order, _)
            | Said::Delivered(order)
            | Said::Seen(order, _) => *order,
        };
        let Some(order) = evidence.tables.orders.get(&about) else {
            findings.push(format!("I5: {said:?} was said, and there is no such order"));
            continue;
        };
        if !stands(said, order.saga.status, wants_out.contains(&about)) {
            findings.push(format!("I5: {said:?} was said, and the order is {:?}", order.saga.status));
        }
    }
    keys(evidence, findings);
}

/// Whether what was said is still so, now that all is over.
fn stands(said: &Said, status: OrderStatus, wanted_out: bool) -> bool {
    use OrderStatus::{Cancelled, Confirmed, Delivered, Shipped};
    match said {
        Said::Placed { answer: Placing::Refused(_) | Placing::Unavailable(_), .. } => status == Cancelled,
        Said::Cancelled(_, true) => status == Cancelled,
        Said::Shipped(_, true) => matches!(status, Shipped | Delivered),
        Said::Delivered(_) | Said::Seen(_, Delivered) => status == Delivered,
        Said::Seen(_, Shipped) => matches!(status, Shipped | Delivered),
        Said::Seen(_, Confirmed) => {
            matches!(status, Confirmed | Shipped | Delivered) || wanted_out && status == Cancelled
        }
        Said::Seen(_, Cancelled | OrderStatus::PaymentFailed) => {
            matches!(said, Said::Seen(_, seen) if *seen == status)
        }
        Said::Seen(_, OrderStatus::Pending | OrderStatus::AwaitingPayment)
        | Said::Placed { .. }
        | Said::WantsOut(_)
        | Said::Cancelled(_, false)
        | Said::Shipped(_, false) => true,
    }
}

/// I7: a key that somebody was told an order for stands for that order.
fn keys(evidence: &Evidence, findings: &mut Findings) {
    let mut by_key: BTreeMap<&str, BTreeSet<Uuid>> = BTreeMap::new();
    for said in &evidence.said {
        if let Said::Placed { key, answer: Placing::Accepted(order) } = said {
            by_key.entry(key).or_default().insert(*order);
        }
    }
    for (key, orders) in by_key {
        if orders.len() > 1 {
            findings.push(format!("I7: key {key} named more than one order: {orders:?}"));
        }
    }
}

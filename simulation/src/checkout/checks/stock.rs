//! I13: the ledger has committed what orders have sold, has had back what was committed for orders that ended, and holds nothing.

use std::collections::BTreeMap;

use inventory_core::ids::OrderId;
use inventory_core::reservation::{Reservation, Status};
use inventory_core::store::Adjustment;
use order_service::store::Order;

use super::{Evidence, Findings, is_sold};
use crate::checkout::stock::restock_key;

pub(super) fn check(evidence: &Evidence, findings: &mut Findings) {
    let reservations: BTreeMap<OrderId, &Reservation> =
        evidence.ledger.reservations.iter().map(|reservation| (reservation.order, reservation)).collect();
    let mut adjustments: BTreeMap<&str, &Adjustment> =
        evidence.ledger.adjustments.iter().map(|adjustment| (adjustment.id.as_str(), adjustment)).collect();
    for order in evidence.tables.orders.values() {
        let reservation = reservations.get(&OrderId::new(order.id)).copied();
        let is_committed = reservation.is_some_and(|reservation| reservation.status == Status::Committed);
        if is_sold(order) && !(is_committed && reservation.is_some_and(|it| has_lines(it, order))) {
            let found = reservation.map(|reservation| (reservation.status, &reservation.lines));
            findings.push(format!("I13: order {} was sold and the ledger has {found:?} of it", order.id));
        }
        if reservation.is_some_and(|reservation| reservation.status == Status::Held) {
            findings.push(format!("I13: stock of order {} is held at rest", order.id));
        }
        let was_undone = is_committed && !is_sold(order);
        for item in order.stock_items() {
            let back = adjustments.remove(restock_key(order.id, item.product_id).as_str());
            let units = back.map_or(0, |back| back.delta.get());
            let due = if was_undone { i64::from(item.quantity) } else { 0 };
            if units != due {
                let (id, product) = (order.id, item.product_id);
                findings
                    .push(format!("I13: {units} of product {product} came back of order {id}, not {due}"));
            }
        }
    }
    let unknown = adjustments.keys().map(|id| format!("I13: adjustment {id} belongs to nothing"));
    findings.extend(unknown);
    products(evidence, findings);
    for order in reservations.keys().filter(|order| !evidence.tables.orders.contains_key(&order.get())) {
        findings.push(format!("I13: the ledger knows order {order}, which is not there"));
    }
}

fn has_lines(reservation: &Reservation, order: &Order) -> bool {
    let mut held: Vec<(i64, i64)> =
        reservation.lines.iter().map(|line| (line.product.get(), line.quantity.units().get())).collect();
    let mut wanted: Vec<(i64, i64)> =
        order.stock_items().iter().map(|item| (item.product_id, i64::from(item.quantity))).collect();
    held.sort_unstable();
    wanted.sort_unstable();
    held == wanted
}

fn products(evidence: &Evidence, findings: &mut Findings) {
    let mut left = evidence.opening.clone();
    for order in evidence.tables.orders.values().filter(|order| is_sold(order)) {
        for item in order.stock_items() {
            *left.entry(item.product_id).or_default() -= i64::from(item.quantity);
        }
    }
    for product in &evidence.ledger.products {
        let (id, on_hand, held) = (product.id, product.on_hand.get(), product.held.get());
        let due = left.get(&id.get()).copied().unwrap_or_default();
        if held != 0 || on_hand != due {
            findings.push(format!(
                "I13: product {id} has {on_hand} and holds {held}; by what was sold {due} must be left"
            ));
        }
    }
}

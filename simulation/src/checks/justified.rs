//! I7, I14: nobody was told "sold out" without a moment between question and answer at which it was so, and nobody was told so about an
//! order that the ledger knew already. And what the sweeper ended was told, once.

use std::collections::BTreeMap;
use std::time::Duration;

use inventory_core::error::{ReserveError, Shortage};
use inventory_core::ids::ProductId;
use inventory_core::journal::ChangeKind;
use inventory_core::quantity::Units;

use super::acknowledged::told;
use super::{Evidence, Findings};
use crate::history::{Asked, Heard, Op};
use crate::ledger::Level;

pub(super) fn check(evidence: &Evidence, findings: &mut Findings) {
    let mut levels: BTreeMap<ProductId, Vec<Level>> = BTreeMap::new();
    for level in &evidence.log.levels {
        levels.entry(level.product).or_default().push(*level);
    }
    for op in &evidence.ops {
        let (Asked::Reserve(request), Heard::Reserve(Err(refusal))) = (&op.asked, &op.heard) else {
            continue;
        };
        let known = evidence.orders.records(request.order).iter().any(|record| record.at < op.begun);
        if known && !evidence.orders.is_tainted(request.order) && is_for_new_orders(refusal) {
            findings.push(format!("I7: {} was known and was told {refusal:?}", told(op)));
        }
        if let ReserveError::InsufficientStock(short) = refusal {
            let unjustified = |short: &&Shortage| {
                lowest(op, levels.get(&short.product).map_or(&[], Vec::as_slice), evidence.grace)
                    .is_none_or(|lowest| lowest >= short.requested.units())
            };
            findings.extend(short.iter().filter(unjustified).map(|short| {
                format!("I14: {} was told sold out of product {} and never was", told(op), short.product)
            }));
        }
    }
    events(evidence, findings);
}

/// Refusals that no retry of a known order may get.
fn is_for_new_orders(refusal: &ReserveError) -> bool {
    matches!(
        refusal,
        ReserveError::InsufficientStock(_)
            | ReserveError::ProductNotFound(_)
            | ReserveError::CustomerLimit { .. }
            | ReserveError::CustomerRequired { .. }
    )
}

/// The lowest level from question to answer, or from a while before.
fn lowest(op: &Op, levels: &[Level], grace: Duration) -> Option<Units> {
    let from = op.begun.checked_sub(grace).unwrap_or(op.begun);
    let before = levels.iter().rev().find(|level| level.at <= from);
    let during = levels.iter().filter(|level| level.at > from && level.at <= op.ended);
    before.into_iter().chain(during).map(|level| level.available).min()
}

/// Every expiry and every lost commit has its event, and no other has one.
fn events(evidence: &Evidence, findings: &mut Findings) {
    for (kind, event_type) in [(ChangeKind::Expire, "expired"), (ChangeKind::Lose, "lost")] {
        let surviving = evidence.orders.iter().filter(|(_, record)| !record.lost && record.kind() == kind);
        let mut happened: Vec<String> = surviving.map(|(order, _)| order.to_string()).collect();
        let rows = evidence.copy.outbox.iter().map(|(_, row, ..)| row);
        let rows = rows.filter(|row| row.event_type == event_type);
        let mut told: Vec<String> = rows.map(|row| row.aggregate_id.clone()).collect();
        happened.sort_unstable();
        told.sort_unstable();
        if happened != told {
            findings.push(format!("I11: {event_type}: {happened:?} happened, {told:?} was told"));
        }
    }
}

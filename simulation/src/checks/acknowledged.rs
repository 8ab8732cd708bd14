//! I5, I6, I7, I9: what was acknowledged is in the ledger, once, and took effect between question and answer; what is in the ledger was
//! asked for, and not by anyone who was told that nothing happened.

use inventory_core::ids::OrderId;
use inventory_core::journal::ChangeKind;
use inventory_core::reservation::Status;

use super::orders::Record;
use super::{Evidence, Findings};
use crate::history::{Asked, Ending, Heard, Op};

pub(super) fn check(evidence: &Evidence, findings: &mut Findings) {
    for op in &evidence.ops {
        match &op.asked {
            Asked::Adjust(adjust) if op.heard.ending() == Ending::Yes => {
                let records = evidence.orders.adjustments(adjust.adjustment.as_str());
                if !records.iter().any(|record| record.at <= op.ended) {
                    findings.push(format!("I5: {} was acknowledged and is not in the journal", told(op)));
                }
            }
            _ => acknowledged(evidence, op, findings),
        }
    }
    for (order, record) in evidence.orders.iter() {
        was_asked_for(evidence, order, record, findings);
    }
    for (id, record) in evidence.orders.iter_adjustments() {
        let asks = |op: &&Op| matches!(&op.asked, Asked::Adjust(a) if a.adjustment.as_str() == id);
        if !evidence.ops.iter().filter(asks).any(|op| may_have_caused(op, record)) {
            findings.push(format!("I6: adjustment {id} took effect and nobody may have caused it"));
        }
        let times = evidence.orders.adjustments(id).iter().filter(|record| !record.lost).count();
        if times > 1 {
            findings.push(format!("I7: adjustment {id} took effect {times} times"));
        }
    }
    once(evidence, findings);
}

/// A yes has its effect in the journal.
fn acknowledged(evidence: &Evidence, op: &Op, findings: &mut Findings) {
    use ChangeKind as Kind;
    let Some(order) = op.asked.order() else { return };
    if evidence.orders.is_tainted(order) || op.heard.ending() != Ending::Yes {
        return;
    }
    let records = evidence.orders.records(order);
    let kinds: &[Kind] = match &op.asked {
        Asked::Reserve(_) => &[Kind::Reserve],
        Asked::Commit(..) => &[Kind::Commit, Kind::CommitLate],
        Asked::Release(_, None, _) => &[Kind::Release, Kind::ReleaseExpired, Kind::Tombstone, Kind::Lose],
        Asked::Release(_, Some(_), _) => &[Kind::ReleasePart, Kind::Release],
        // An extend that moves nothing leaves no trace.
        Asked::Extend(..) | Asked::Adjust(_) | Asked::Set(_) => return,
    };
    let mut effects = records.iter().filter(|record| kinds.contains(&record.kind()) && record.at <= op.ended);
    let Some(effect) = effects.next() else {
        findings.push(format!("I5: {} was acknowledged and is not in the journal", told(op)));
        return;
    };
    if let Heard::Reserve(Ok(reserved)) = &op.heard {
        let held = effect.command.lines.iter().map(|line| (line.product, line.units));
        let asked = reserved.reservation.requested.iter().map(|line| (line.product, line.quantity.units()));
        if !held.eq(asked) {
            findings.push(format!("I10: {} held something else: {:?}", told(op), effect.command.lines));
        }
        if !reserved.replayed && effect.at < op.begun {
            findings.push(format!("I7: {} was told to be new and had been held before", told(op)));
        }
    }
    ends_as_told(evidence, op, order, findings);
}

/// What ended by a caller's word stays ended so.
fn ends_as_told(evidence: &Evidence, op: &Op, order: OrderId, findings: &mut Findings) {
    let expected: &[Status] = match &op.asked {
        Asked::Commit(..) => &[Status::Committed],
        Asked::Release(_, None, _) => &[Status::Released, Status::Lost],
        _ => return,
    };
    let found = evidence.copy.reservations.iter().find(|r| r.order == order).map(|r| r.status);
    if !found.is_some_and(|status| expected.contains(&status)) {
        findings.push(format!("I5: {} was acknowledged and the order ends as {found:?}", told(op)));
    }
}

/// Everything in the journal was asked for by someone who was not told that nothing happened.
fn was_asked_for(evidence: &Evidence, order: OrderId, record: &Record, findings: &mut Findings) {
    use ChangeKind as Kind;
    let is_cause = |op: &&Op| match record.kind() {
        Kind::Reserve => matches!(op.asked, Asked::Reserve(_)),
        // The rest of a partial commit is written as a partial release.
        Kind::Commit | Kind::CommitLate | Kind::Lose => matches!(op.asked, Asked::Commit(..)),
        Kind::ReleasePart => matches!(op.asked, Asked::Release(..) | Asked::Commit(_, Some(_))),
        Kind::Release | Kind::ReleaseExpired | Kind::Tombstone => matches!(op.asked, Asked::Release(..)),
        Kind::Extend => matches!(op.asked, Asked::Extend(..)),
        Kind::Expire | Kind::Adjust | Kind::Set | Kind::Import => true,
    };
    if record.kind() == Kind::Expire {
        return;
    }
    let asks = |op: &&Op| op.asked.order() == Some(order) && is_cause(op);
    let causes =
        |op: &Op| may_have_caused(op, record) || record.kind() == Kind::Lose && op.begun <= record.at;
    if !evidence.ops.iter().filter(asks).any(causes) {
        findings.push(format!(
            "I6: {} of order {order} took effect and everyone who asked was told that nothing happened",
            record.kind().name()
        ));
    }
}

/// An order is reserved once, and a keyed partial release counts once.
fn once(evidence: &Evidence, findings: &mut Findings) {
    let mut orders: Vec<OrderId> = evidence.orders.iter().map(|(order, _)| order).collect();
    orders.dedup();
    for order in orders {
        let records = evidence.orders.records(order).iter().filter(|record| !record.lost);
        let reserves = records.clone().filter(|record| record.kind() == ChangeKind::Reserve).count();
        if reserves > 1 {
            findings.push(format!("I7: order {order} was reserved {reserves} times"));
        }
        let keys = records.filter_map(|record| record.command.remark.as_ref()?.delivery.clone());
        let mut keys: Vec<_> = keys.collect();
        keys.sort_unstable();
        if keys.windows(2).any(|pair| pair[0] == pair[1]) {
            findings.push(format!("I7: a keyed release of order {order} took effect twice"));
        }
    }
}

/// Whether what the asker was told allows that its question had this effect. A failover may have taken the effect back while the
/// asker waited: then it rightly heard that nothing happened.
fn may_have_caused(op: &Op, record: &Record) -> bool {
    op.begun <= record.at
        && match op.heard.ending() {
            Ending::Yes => record.at <= op.ended,
            Ending::No => record.lost && record.at <= op.ended,
            Ending::Unknown => true,
        }
}

/// An operation for people.
pub(super) fn told(op: &Op) -> String {
    format!("caller {} asking engine {}: {:?}", op.caller, op.process, op.asked)
}

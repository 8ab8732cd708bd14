//! Which corners a run has reached, as far as only its history tells.

use inventory_core::error::{Failure, ReserveError};
use inventory_core::journal::ChangeKind;

use super::Evidence;
use crate::goals::Goal;
use crate::history::{Asked, Ending, Heard, Op};
use crate::workload::Shop;

pub(super) fn count(evidence: &Evidence, shop: &Shop) {
    let goals = &shop.world.goals;
    for op in &evidence.ops {
        let reached = [
            (told_by_failure(op), true),
            (Some(Goal::RefusedAfterWaiting), op.waited && is_refused(op)),
            (Some(Goal::GrantedAfterWaiting), op.waited && is_held(op)),
            (Some(Goal::ReplayedAfterUnknown), is_replay_after_unknown(evidence, op)),
            (Some(Goal::TombstoneHeld), is_stopped_by_tombstone(evidence, op)),
            (Some(Goal::CallerLeft), left_something(evidence, op)),
            (Some(Goal::LostWithFailover), is_lost(evidence, op)),
        ];
        reached
            .into_iter()
            .filter(|(_, is)| *is)
            .filter_map(|(goal, _)| goal)
            .for_each(|goal| goals.count(goal));
    }
    for (order, record) in evidence.orders.iter() {
        match record.kind() {
            ChangeKind::CommitLate => goals.count(Goal::CommittedLate),
            ChangeKind::Lose => goals.count(Goal::Lost),
            ChangeKind::Expire => {
                let made = evidence.orders.records(order).iter().find(|r| r.kind() == ChangeKind::Reserve);
                let died = made.and_then(|made| shop.processes.died(made.process));
                if died.is_some_and(|died| died < record.at) {
                    goals.count(Goal::Adopted);
                }
            }
            _ => {}
        }
    }
}

fn told_by_failure(op: &Op) -> Option<Goal> {
    match op.heard.failure()? {
        Failure::Overloaded => Some(Goal::ToldOverloaded),
        Failure::Unavailable { .. } => Some(Goal::ToldUnavailable),
        Failure::OutcomeUnknown => Some(Goal::ToldUnknown),
        Failure::Refused { .. } => Some(Goal::RefusedAlone),
        Failure::Stopped => None,
    }
}

fn is_refused(op: &Op) -> bool {
    matches!(op.heard, Heard::Reserve(Err(ReserveError::InsufficientStock(_))))
}

fn is_held(op: &Op) -> bool {
    matches!(op.heard, Heard::Reserve(Ok(_)))
}

fn is_replay_after_unknown(evidence: &Evidence, op: &Op) -> bool {
    let Heard::Reserve(Ok(reserved)) = &op.heard else { return false };
    let before = |earlier: &&Op| earlier.asked == op.asked && earlier.ended <= op.begun;
    reserved.replayed && evidence.ops.iter().filter(before).any(|e| e.heard.ending() == Ending::Unknown)
}

fn is_stopped_by_tombstone(evidence: &Evidence, op: &Op) -> bool {
    let Heard::Reserve(Err(ReserveError::AlreadyReleased(order))) = &op.heard else { return false };
    evidence.orders.records(*order).iter().any(|record| record.kind() == ChangeKind::Tombstone)
}

fn left_something(evidence: &Evidence, op: &Op) -> bool {
    let (Asked::Reserve(request), Heard::Nothing) = (&op.asked, &op.heard) else { return false };
    let records = evidence.orders.records(request.order);
    records.iter().any(|record| record.kind() == ChangeKind::Reserve && record.at >= op.ended)
}

fn is_lost(evidence: &Evidence, op: &Op) -> bool {
    op.heard.ending() == Ending::Yes
        && op.asked.order().is_some_and(|order| evidence.orders.is_tainted(order))
}

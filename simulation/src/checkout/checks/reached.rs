//! Which corners the orders came through: read off their steps.

use order_service::saga::{Action, Cell, Input, Mode, PaymentStatus, Phase, StockStatus};

use super::Evidence;
use crate::checkout::goals::Goal;
use crate::checkout::rows::Stepped;
use crate::tally::Tally;

pub(super) fn count(evidence: &Evidence, goals: &Tally<Goal>) {
    let mut expired = std::collections::BTreeSet::new();
    for step in &evidence.tables.steps {
        if step.input == Input::ReservationExpired {
            expired.insert(step.order);
        }
        if step.after.phase == Phase::Confirmed && step.before.phase != Phase::Confirmed {
            goals.count(match step.after.mode {
                Mode::Orchestration => Goal::Sold,
                Mode::Choreography => Goal::SoldWithoutALeader,
            });
            if expired.contains(&step.order) {
                goals.count(Goal::CommittedLate);
            }
        }
        if let Some(goal) = goal(step) {
            goals.count(goal);
        }
    }
}

fn goal(step: &Stepped) -> Option<Goal> {
    let (before, after, phase) = (&step.before, &step.after, step.before.phase);
    let is_undone = matches!(phase, Phase::Compensating | Phase::Ended);
    Some(match &step.input {
        Input::Deliver if phase == Phase::Shipped => Goal::Delivered,
        Input::ReserveRefused { .. } if phase == Phase::Reserving => {
            if before.payment == PaymentStatus::Paid { Goal::RefusedButPaid } else { Goal::Refused }
        }
        Input::ReserveGaveUp { .. } if phase == Phase::Reserving => Goal::GaveUp,
        Input::PaymentDeclined { .. } if phase == Phase::Paying => Goal::Declined,
        Input::PaymentSucceeded if is_undone && step.cell == Cell::Compensate => {
            if before.payment == PaymentStatus::Failed && phase == Phase::Compensating {
                Goal::DeclinedThenPaid
            } else {
                Goal::PaidAfterTheEnd
            }
        }
        Input::PaymentSucceeded if before.outstanding.contains(&Action::AskPayment) => Goal::OverduePaid,
        Input::PaymentDeadline { .. } if after.outstanding.contains(&Action::AskPayment) => Goal::Overdue,
        Input::CommitLost if phase == Phase::Committing => Goal::LostAfterPayment,
        Input::Cancel { .. } => return cancelled(step),
        Input::StockCommitted if is_undone && after.stock == StockStatus::Restocking => {
            Goal::ReleaseMetCommit
        }
        Input::Ship { .. } if is_undone => Goal::ShipTooLate,
        _ => return None,
    })
}

fn cancelled(step: &Stepped) -> Option<Goal> {
    match step.before.phase {
        Phase::Reserving | Phase::Paying => Some(Goal::CancelledBeforePaid),
        Phase::Committing => Some(Goal::CancelledWhileCommitting),
        Phase::Confirmed => Some(Goal::CancelledConfirmed),
        Phase::Shipped | Phase::Delivered => Some(Goal::CancelTooLate),
        Phase::Compensating | Phase::Ended => None,
    }
}

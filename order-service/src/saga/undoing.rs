//! CANCELLED and PAYMENT_FAILED, with undoing under way or over. Stock and money are undone beside each other; a late fact may find
//! more to undo.

use super::change::{Change, duplicate, failing, refuse};
use super::{Action, Cell, Input, OrderStatus, PaymentStatus, Saga, Step, StockStatus};
use super::{undoing_payment, undoing_stock};

pub(super) fn step(saga: &Saga, input: &Input) -> Step {
    match input {
        Input::Reserved => undoing_stock::reserved(saga),
        Input::ReserveRefused { .. } | Input::ReserveGaveUp { .. } | Input::ReservationExpired => {
            duplicate(saga, "the order ended; the release does not depend on it")
        }
        Input::StockCommitted => undoing_stock::committed(saga),
        Input::CommitLost => undoing_stock::lost(saga),
        Input::StockReleased => undoing_stock::released(saga),
        Input::Restocked => undoing_stock::restocked(saga),
        Input::PaymentAccepted => undoing_payment::undecided(saga),
        Input::PaymentSucceeded => undoing_payment::succeeded(saga),
        Input::PaymentDeclined { .. } => undoing_payment::declined(saga),
        Input::PaymentUnknown => undoing_payment::unknown(saga),
        Input::PaymentRefunded => undoing_payment::refunded(saga),
        Input::PaymentDeadline { .. } => duplicate(saga, "the order ended before"),
        Input::ActionFailing { action, attempts, error } => failing(saga, *action, *attempts, error),
        Input::Cancel { .. } => cancel(saga),
        Input::Ship { .. } | Input::Deliver => refuse(saga, "the order ended without a sale"),
        Input::Skip { action, reason } => skip(saga, *action, reason),
        Input::Abandon { reason } => abandon(saga, reason),
    }
}

fn cancel(saga: &Saga) -> Step {
    match saga.status {
        OrderStatus::Cancelled => duplicate(saga, "known to be cancelled"),
        OrderStatus::PaymentFailed => refuse(saga, "the order ended before: its payment failed"),
        OrderStatus::Pending
        | OrderStatus::AwaitingPayment
        | OrderStatus::Confirmed
        | OrderStatus::Shipped
        | OrderStatus::Delivered => super::change::alarm(saga, "an ended order must not have this status"),
    }
}

fn skip(saga: &Saga, action: Action, reason: &str) -> Step {
    if !saga.outstanding.contains(&action) {
        return refuse(saga, "this action is not outstanding");
    }
    let skipped = Change::of(saga).finish(action, true, Some(reason));
    let next = match action {
        Action::ReleaseInventory => skipped.stock(StockStatus::Released),
        Action::RestockInventory => skipped.stock(StockStatus::Restocked),
        Action::RefundPayment => skipped.payment(PaymentStatus::Refunded),
        Action::AskPayment => skipped.payment(PaymentStatus::Failed),
        Action::ReserveInventory | Action::CommitInventory | Action::ProcessPayment => skipped,
    };
    next.end(Cell::Apply, "taken as done by hand")
}

fn abandon(saga: &Saga, reason: &str) -> Step {
    if saga.outstanding.is_empty() {
        return refuse(saga, "nothing is being undone");
    }
    let stopped = saga
        .outstanding
        .iter()
        .fold(Change::of(saga), |change, action| change.dropped(*action, reason))
        .stock(match saga.stock {
            StockStatus::Releasing | StockStatus::Restocking => StockStatus::Abandoned,
            StockStatus::Requested
            | StockStatus::Refused
            | StockStatus::Held
            | StockStatus::Committing
            | StockStatus::Committed
            | StockStatus::Lost
            | StockStatus::Released
            | StockStatus::Restocked
            | StockStatus::Abandoned => saga.stock,
        })
        .payment(match saga.payment {
            PaymentStatus::Refunding => PaymentStatus::Abandoned,
            // Only the question is given up: money that comes is still given back.
            PaymentStatus::Requested => PaymentStatus::Failed,
            PaymentStatus::None
            | PaymentStatus::Paid
            | PaymentStatus::Failed
            | PaymentStatus::Refunded
            | PaymentStatus::Abandoned => saga.payment,
        });
    stopped.end(Cell::Apply, "left to people")
}

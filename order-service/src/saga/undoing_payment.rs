//! What facts about the money mean to an order that ended. Money that is there is always given back.

use super::change::{Change, alarm, duplicate};
use super::{Action, Cell, PaymentStatus, Saga, Step};

const BROKEN: &str = "an ended order must not have this payment status";
const REFUNDED: &str = "the refund dominates";
const NOBODY: &str = "nobody waits for that";

pub(super) fn succeeded(saga: &Saga) -> Step {
    match saga.payment {
        PaymentStatus::None | PaymentStatus::Requested | PaymentStatus::Failed => Change::of(saga)
            .done(Action::AskPayment)
            .refund()
            .end(Cell::Compensate, "paid after all, so it is given back"),
        PaymentStatus::Refunding | PaymentStatus::Refunded | PaymentStatus::Abandoned => {
            duplicate(saga, "known to be paid")
        }
        PaymentStatus::Paid => alarm(saga, BROKEN),
    }
}

pub(super) fn undecided(saga: &Saga) -> Step {
    match saga.payment {
        PaymentStatus::Requested => unpaid(saga, "undecided; nobody waits, and what comes is given back"),
        PaymentStatus::None | PaymentStatus::Failed => duplicate(saga, NOBODY),
        PaymentStatus::Refunding | PaymentStatus::Refunded | PaymentStatus::Abandoned => {
            duplicate(saga, REFUNDED)
        }
        PaymentStatus::Paid => alarm(saga, BROKEN),
    }
}

pub(super) fn declined(saga: &Saga) -> Step {
    match saga.payment {
        PaymentStatus::Requested => unpaid(saga, "declined: there is nothing to give back"),
        PaymentStatus::None | PaymentStatus::Failed => duplicate(saga, NOBODY),
        PaymentStatus::Refunding | PaymentStatus::Refunded | PaymentStatus::Abandoned => {
            duplicate(saga, "a success dominates a failure")
        }
        PaymentStatus::Paid => alarm(saga, BROKEN),
    }
}

pub(super) fn unknown(saga: &Saga) -> Step {
    match saga.payment {
        PaymentStatus::Requested => unpaid(saga, "never asked for: there is nothing to give back"),
        PaymentStatus::None | PaymentStatus::Failed => duplicate(saga, NOBODY),
        // An answer from before the success, come late.
        PaymentStatus::Refunding | PaymentStatus::Refunded | PaymentStatus::Abandoned => {
            duplicate(saga, "a success dominates a failure")
        }
        PaymentStatus::Paid => alarm(saga, BROKEN),
    }
}

pub(super) fn refunded(saga: &Saga) -> Step {
    match saga.payment {
        PaymentStatus::Refunded => duplicate(saga, "known to be refunded"),
        PaymentStatus::None
        | PaymentStatus::Requested
        | PaymentStatus::Failed
        | PaymentStatus::Refunding
        | PaymentStatus::Abandoned => Change::of(saga)
            .done(Action::AskPayment)
            .done(Action::RefundPayment)
            .payment(PaymentStatus::Refunded)
            .end(Cell::Compensate, "the money went back"),
        PaymentStatus::Paid => alarm(saga, BROKEN),
    }
}

fn unpaid(saga: &Saga, because: &'static str) -> Step {
    Change::of(saga).done(Action::AskPayment).payment(PaymentStatus::Failed).end(Cell::Compensate, because)
}

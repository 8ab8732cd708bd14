//! AWAITING_PAYMENT, unpaid: the stock is held and the money's answer is awaited. `AskPayment` is outstanding once the deadline passed.

use super::change::{Change, alarm, defer, duplicate, failing, refuse};
use super::undo::Ending;
use super::{Action, Cell, Input, OrderStatus, PaymentStatus, Phase, Saga, Step, StockStatus};

const IN_TIME: &str = "the payment did not come in time";

pub(super) fn step(saga: &Saga, input: &Input) -> Step {
    let is_overdue = saga.outstanding.contains(&Action::AskPayment);
    match input {
        Input::Reserved => duplicate(saga, "known to be held"),
        Input::ReserveRefused { .. } | Input::ReserveGaveUp { .. } => {
            duplicate(saga, "another answer said that it is held; the commit will tell")
        }
        Input::StockCommitted | Input::Restocked => alarm(saga, "nobody asked inventory for that yet"),
        Input::CommitLost => gone(saga, StockStatus::Lost),
        Input::StockReleased => gone(saga, StockStatus::Released),
        Input::ReservationExpired => defer(saga, "a late commit may still get the stock; the money decides"),
        Input::PaymentAccepted if is_overdue => unpaid(Change::of(saga).done(Action::AskPayment)),
        Input::PaymentAccepted => accepted(Change::of(saga).done(Action::ProcessPayment)),
        Input::PaymentSucceeded => {
            Change::of(saga).done(Action::ProcessPayment).done(Action::AskPayment).commit()
        }
        Input::PaymentDeclined { reason } => Change::of(saga)
            .dropped(Action::ProcessPayment, reason)
            .done(Action::AskPayment)
            .payment(PaymentStatus::Failed)
            .undo(Ending::PaymentFailed, reason)
            .end(Cell::Compensate, "the money was declined"),
        Input::PaymentUnknown if is_overdue => unpaid(Change::of(saga).done(Action::AskPayment)),
        Input::PaymentUnknown => defer(saga, "the request may still be on its way; the deadline decides"),
        Input::PaymentRefunded => Change::of(saga)
            .done(Action::ProcessPayment)
            .done(Action::AskPayment)
            .payment(PaymentStatus::Refunded)
            .undo(Ending::Cancelled, "the payment was refunded")
            .end(Cell::Compensate, "the money went back"),
        Input::PaymentDeadline { set_at_version } => deadline(saga, *set_at_version),
        Input::ActionFailing { action: Action::AskPayment, attempts, error } if is_overdue => {
            let words = format!("ASK_PAYMENT failed {attempts} times and is still tried: {error}");
            let mut change = Change::of(saga).undo(Ending::PaymentFailed, IN_TIME).alarm(words);
            change.next.is_stuck = true;
            change.end(Cell::Compensate, "overdue, and the provider cannot even be asked; it still is")
        }
        Input::ActionFailing { action, attempts, error } => failing(saga, *action, *attempts, error),
        Input::Cancel { reason } => Change::of(saga)
            .undo(Ending::Cancelled, reason.as_deref().unwrap_or("cancelled"))
            .end(Cell::Compensate, "cancelled before the money came"),
        Input::Ship { .. } | Input::Deliver => refuse(saga, "the order is not paid yet"),
        Input::Skip { action, reason } => skip(saga, *action, reason),
        Input::Abandon { .. } => refuse(saga, "nothing is being undone; cancel the order instead"),
    }
}

impl Change<'_> {
    /// The money is there: recorded in this step; what follows from it begins with the commit's intent.
    pub(super) fn commit(mut self) -> Step {
        self.next.reason = None;
        self.phase(Phase::Committing, OrderStatus::AwaitingPayment)
            .payment(PaymentStatus::Paid)
            .stock(StockStatus::Committing)
            .stop_timer()
            .start(Action::CommitInventory)
            .end(Cell::Apply, "paid; the stock is to be committed")
    }
}

fn accepted(change: Change) -> Step {
    if change.is_unchanged() {
        return change.end(Cell::Duplicate, "known to be accepted");
    }
    change.end(Cell::Apply, "the provider has the request; its answer will come")
}

/// The deadline passed and the provider has no money: the order fails. If money comes after all, it is given back.
fn unpaid(change: Change) -> Step {
    change
        .payment(PaymentStatus::Failed)
        .undo(Ending::PaymentFailed, IN_TIME)
        .end(Cell::Compensate, "overdue, and the provider was asked: not paid")
}

fn deadline(saga: &Saga, set_at_version: u64) -> Step {
    if saga.payment_timer != Some(set_at_version) {
        return duplicate(saga, "the timer is stale");
    }
    Change::of(saga)
        .dropped(Action::ProcessPayment, IN_TIME)
        .stop_timer()
        .start(Action::AskPayment)
        .end(Cell::Apply, "overdue; the provider is asked before the order fails")
}

fn gone(saga: &Saga, stock: StockStatus) -> Step {
    Change::of(saga)
        .stock(stock)
        .undo(Ending::Cancelled, "the stock is no longer held")
        .end(Cell::Compensate, "the hold is over for good")
}

fn skip(saga: &Saga, action: Action, reason: &str) -> Step {
    let is_outstanding = saga.outstanding.contains(&action);
    let skipped = Change::of(saga).finish(action, true, Some(reason));
    match action {
        Action::ProcessPayment if is_outstanding => {
            skipped.end(Cell::Apply, "taken as asked for; the money's answer is awaited")
        }
        Action::AskPayment if is_outstanding => unpaid(skipped),
        Action::ReserveInventory
        | Action::CommitInventory
        | Action::ReleaseInventory
        | Action::RestockInventory
        | Action::ProcessPayment
        | Action::AskPayment
        | Action::RefundPayment => refuse(saga, "this action is not outstanding"),
    }
}

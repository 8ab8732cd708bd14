//! AWAITING_PAYMENT, paid: the commit's answer is awaited. Only inventory's yes confirms an order.

use super::change::{Change, alarm, defer, duplicate, failing, refuse};
use super::undo::Ending;
use super::{Action, Cell, EventKind, Input, OrderStatus, PaymentStatus, Phase, Saga, Step, StockStatus};

pub(super) fn step(saga: &Saga, input: &Input) -> Step {
    match input {
        Input::Reserved => duplicate(saga, "known to be held"),
        Input::ReserveRefused { .. } | Input::ReserveGaveUp { .. } => {
            duplicate(saga, "another answer said that it is held; the commit will tell")
        }
        Input::StockCommitted => confirmed(Change::of(saga).done(Action::CommitInventory)),
        Input::CommitLost => Change::of(saga)
            .dropped(Action::CommitInventory, "the hold ran out and the stock is gone")
            .stock(StockStatus::Lost)
            .undo(Ending::Cancelled, "the stock was gone when the payment came")
            .end(Cell::Compensate, "paid too late: the stock is gone"),
        Input::StockReleased | Input::ReservationExpired => {
            defer(saga, "a late commit may still get the stock; its answer decides")
        }
        Input::Restocked => alarm(saga, "nobody asked inventory for that yet"),
        Input::PaymentAccepted => duplicate(saga, "known to be paid"),
        Input::PaymentSucceeded => duplicate(saga, "known to be paid"),
        Input::PaymentDeclined { .. } | Input::PaymentUnknown => {
            duplicate(saga, "a success dominates a failure")
        }
        Input::PaymentRefunded => Change::of(saga)
            .payment(PaymentStatus::Refunded)
            .undo(Ending::Cancelled, "the payment was refunded")
            .end(Cell::Compensate, "the money went back"),
        Input::PaymentDeadline { .. } => duplicate(saga, "paid in time"),
        Input::ActionFailing { action, attempts, error } => failing(saga, *action, *attempts, error),
        Input::Cancel { reason } => {
            Change::of(saga).undo(Ending::Cancelled, reason.as_deref().unwrap_or("cancelled")).end(
                Cell::Compensate,
                "cancelled while the stock is being committed; the release finds out which was first",
            )
        }
        Input::Ship { .. } | Input::Deliver => refuse(saga, "the stock is not committed yet"),
        Input::Skip { action, reason } => match action {
            Action::CommitInventory if saga.outstanding.contains(action) => {
                confirmed(Change::of(saga).finish(*action, true, Some(reason)))
            }
            Action::ReserveInventory
            | Action::CommitInventory
            | Action::ReleaseInventory
            | Action::RestockInventory
            | Action::ProcessPayment
            | Action::AskPayment
            | Action::RefundPayment => refuse(saga, "this action is not outstanding"),
        },
        Input::Abandon { .. } => refuse(saga, "nothing is being undone; cancel the order instead"),
    }
}

fn confirmed(change: Change) -> Step {
    change
        .phase(Phase::Confirmed, OrderStatus::Confirmed)
        .stock(StockStatus::Committed)
        .publish(EventKind::Confirmed)
        .end(Cell::Apply, "paid and committed")
}

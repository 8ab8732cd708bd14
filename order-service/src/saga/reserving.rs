//! PENDING: the stock's answer is awaited. In choreography the money's answer comes meanwhile; it is noted, and the stock's decides.

use super::change::{Change, alarm, defer, duplicate, failing, refuse};
use super::undo::Ending;
use super::{Action, Cell, Input, OrderStatus, PaymentStatus, Phase, Saga, Step, StockStatus};

pub(super) fn step(saga: &Saga, input: &Input) -> Step {
    match input {
        Input::Reserved => reserved(Change::of(saga).done(Action::ReserveInventory)),
        Input::ReserveRefused { reason } => Change::of(saga)
            .dropped(Action::ReserveInventory, reason)
            .stock(StockStatus::Refused)
            .undo(Ending::Cancelled, reason)
            .end(Cell::Compensate, "the stock is refused"),
        Input::ReserveGaveUp { reason } => Change::of(saga)
            .undo(Ending::Cancelled, reason)
            .end(Cell::Compensate, "whether the stock is held is unknown, so it is released"),
        Input::CommitLost => gone(saga, StockStatus::Lost),
        Input::StockReleased => gone(saga, StockStatus::Released),
        Input::ReservationExpired => {
            defer(saga, "a commit may still get the stock; the reserve's answer decides")
        }
        Input::StockCommitted | Input::Restocked => alarm(saga, "nobody asked inventory for that yet"),
        Input::PaymentAccepted | Input::PaymentUnknown => {
            duplicate(saga, "the money is not asked about before the stock is held")
        }
        Input::PaymentSucceeded => match saga.payment {
            PaymentStatus::None | PaymentStatus::Requested | PaymentStatus::Failed => Change::of(saga)
                .payment(PaymentStatus::Paid)
                .end(Cell::Defer, "paid; the stock's answer decides"),
            PaymentStatus::Paid => duplicate(saga, "known to be paid"),
            PaymentStatus::Refunding | PaymentStatus::Refunded | PaymentStatus::Abandoned => {
                alarm(saga, "a pending order has no refund")
            }
        },
        Input::PaymentDeclined { reason } => match saga.payment {
            PaymentStatus::None | PaymentStatus::Requested => {
                let mut change = Change::of(saga).payment(PaymentStatus::Failed);
                change.next.reason = Some(reason.clone());
                change.end(Cell::Defer, "declined; the stock's answer decides how the order ends")
            }
            PaymentStatus::Failed => duplicate(saga, "known to be declined"),
            PaymentStatus::Paid => duplicate(saga, "a success dominates a failure"),
            PaymentStatus::Refunding | PaymentStatus::Refunded | PaymentStatus::Abandoned => {
                alarm(saga, "a pending order has no refund")
            }
        },
        Input::PaymentRefunded => Change::of(saga)
            .payment(PaymentStatus::Refunded)
            .undo(Ending::Cancelled, "the payment was refunded")
            .end(Cell::Compensate, "the money went back"),
        Input::PaymentDeadline { set_at_version } => {
            if saga.payment_timer != Some(*set_at_version) {
                return duplicate(saga, "the timer is stale");
            }
            Change::of(saga)
                .undo(Ending::Cancelled, "inventory did not answer in time")
                .end(Cell::Compensate, "the stock's answer did not come in time")
        }
        Input::ActionFailing { action, attempts, error } => failing(saga, *action, *attempts, error),
        Input::Cancel { reason } => Change::of(saga)
            .undo(Ending::Cancelled, reason.as_deref().unwrap_or("cancelled"))
            .end(Cell::Compensate, "cancelled before the stock's answer"),
        Input::Ship { .. } | Input::Deliver => refuse(saga, "the order is not confirmed yet"),
        Input::Skip { action, reason } => match action {
            Action::ReserveInventory if saga.outstanding.contains(action) => {
                reserved(Change::of(saga).finish(*action, true, Some(reason)))
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

/// The stock is held: what the money's answer was decides how it goes on.
fn reserved(change: Change) -> Step {
    let held = change.stock(StockStatus::Held);
    match held.next.payment {
        PaymentStatus::None => held
            .phase(Phase::Paying, OrderStatus::AwaitingPayment)
            .payment(PaymentStatus::Requested)
            .start(Action::ProcessPayment)
            .start_timer()
            .end(Cell::Apply, "the stock is held; the money is asked for"),
        PaymentStatus::Requested => held
            .phase(Phase::Paying, OrderStatus::AwaitingPayment)
            .end(Cell::Apply, "the stock is held; the money's answer is awaited"),
        PaymentStatus::Paid => held.commit(),
        PaymentStatus::Failed => {
            let reason = held.next.reason.clone().unwrap_or_else(|| "the payment was declined".to_owned());
            held.undo(Ending::PaymentFailed, &reason)
                .end(Cell::Compensate, "the stock is held, but the money was declined")
        }
        PaymentStatus::Refunding | PaymentStatus::Refunded | PaymentStatus::Abandoned => held
            .undo(Ending::Cancelled, "the payment was refunded")
            .end(Cell::Compensate, "the money went back"),
    }
}

fn gone(saga: &Saga, stock: StockStatus) -> Step {
    Change::of(saga)
        .dropped(Action::ReserveInventory, "the hold is over")
        .stock(stock)
        .undo(Ending::Cancelled, "the stock is no longer held")
        .end(Cell::Compensate, "the hold is over for good")
}

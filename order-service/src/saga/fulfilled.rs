//! CONFIRMED, SHIPPED, DELIVERED: paid and committed, nothing outstanding.

use super::change::{Change, alarm, duplicate, refuse};
use super::undo::Ending;
use super::{Cell, EventKind, Input, OrderStatus, PaymentStatus, Phase, Saga, Step};

/// CONFIRMED.
pub(super) fn confirmed(saga: &Saga, input: &Input) -> Step {
    match input {
        Input::Cancel { reason } => Change::of(saga)
            .undo(Ending::Cancelled, reason.as_deref().unwrap_or("cancelled"))
            .end(Cell::Compensate, "cancelled before it was shipped"),
        Input::Ship { tracking_number } => {
            let mut change = Change::of(saga).phase(Phase::Shipped, OrderStatus::Shipped);
            change.next.tracking_number = Some(tracking_number.clone());
            change
                .publish(EventKind::Shipped { tracking_number: tracking_number.clone() })
                .end(Cell::Apply, "on its way")
        }
        Input::Deliver => refuse(saga, "the order is not shipped yet"),
        Input::PaymentRefunded => Change::of(saga)
            .payment(PaymentStatus::Refunded)
            .undo(Ending::Cancelled, "the payment was refunded")
            .end(Cell::Compensate, "the money went back"),
        Input::Reserved
        | Input::ReserveRefused { .. }
        | Input::ReserveGaveUp { .. }
        | Input::StockCommitted
        | Input::CommitLost
        | Input::StockReleased
        | Input::ReservationExpired
        | Input::Restocked
        | Input::PaymentAccepted
        | Input::PaymentSucceeded
        | Input::PaymentDeclined { .. }
        | Input::PaymentUnknown
        | Input::PaymentDeadline { .. }
        | Input::ActionFailing { .. }
        | Input::Skip { .. }
        | Input::Abandon { .. } => settled(saga, input),
    }
}

/// SHIPPED.
pub(super) fn shipped(saga: &Saga, input: &Input) -> Step {
    match input {
        Input::Deliver => {
            Change::of(saga).phase(Phase::Delivered, OrderStatus::Delivered).end(Cell::Apply, "it arrived")
        }
        Input::Cancel { .. }
        | Input::Ship { .. }
        | Input::PaymentRefunded
        | Input::Reserved
        | Input::ReserveRefused { .. }
        | Input::ReserveGaveUp { .. }
        | Input::StockCommitted
        | Input::CommitLost
        | Input::StockReleased
        | Input::ReservationExpired
        | Input::Restocked
        | Input::PaymentAccepted
        | Input::PaymentSucceeded
        | Input::PaymentDeclined { .. }
        | Input::PaymentUnknown
        | Input::PaymentDeadline { .. }
        | Input::ActionFailing { .. }
        | Input::Skip { .. }
        | Input::Abandon { .. } => settled(saga, input),
    }
}

/// DELIVERED, and what the three have in common.
pub(super) fn settled(saga: &Saga, input: &Input) -> Step {
    match input {
        Input::Reserved | Input::ReserveRefused { .. } | Input::ReserveGaveUp { .. } => {
            duplicate(saga, "the stock is committed; that was long ago")
        }
        Input::StockCommitted => duplicate(saga, "known to be committed"),
        Input::ReservationExpired => duplicate(saga, "the commit was first, or got it back"),
        Input::CommitLost | Input::StockReleased | Input::Restocked => {
            alarm(saga, "inventory said that this stock is committed")
        }
        Input::PaymentAccepted | Input::PaymentSucceeded => duplicate(saga, "known to be paid"),
        Input::PaymentDeclined { .. } | Input::PaymentUnknown => {
            duplicate(saga, "a success dominates a failure")
        }
        Input::PaymentRefunded => match saga.payment {
            PaymentStatus::Refunded => duplicate(saga, "known to be refunded"),
            PaymentStatus::None
            | PaymentStatus::Requested
            | PaymentStatus::Paid
            | PaymentStatus::Failed
            | PaymentStatus::Refunding
            | PaymentStatus::Abandoned => Change::of(saga)
                .payment(PaymentStatus::Refunded)
                .alarm("the payment of a shipped order was refunded".to_owned())
                .end(Cell::Alarm, "the money went back after the goods had left"),
        },
        Input::PaymentDeadline { .. } => duplicate(saga, "paid in time"),
        Input::ActionFailing { .. } => duplicate(saga, "the action is no longer wanted"),
        Input::Cancel { .. } => refuse(saga, "the order is shipped; it can no longer be cancelled"),
        Input::Ship { tracking_number } => {
            if saga.tracking_number.as_ref() == Some(tracking_number) {
                duplicate(saga, "known to be shipped")
            } else {
                refuse(saga, "the order is shipped with another tracking number")
            }
        }
        Input::Deliver => duplicate(saga, "known to be delivered"),
        Input::Skip { .. } => refuse(saga, "this action is not outstanding"),
        Input::Abandon { .. } => refuse(saga, "nothing is being undone"),
    }
}

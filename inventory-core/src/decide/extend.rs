//! Move a hold's end.

use super::transition::{Action, Refusal, Step, not_in_the_table, transition};
use super::working::Working;
use crate::command::Extend;
use crate::error::ExtendError;
use crate::ids::OrderId;
use crate::journal::Remark;
use crate::reservation::Reservation;

/// Never moves an end nearer; an end that stays changes nothing.
pub(super) fn extend(working: &mut Working<'_>, command: &Extend) -> Result<Reservation, ExtendError> {
    let known = working.orders.find(command.order);
    let standing = known.map(|at| working.orders[at].standing(working.now));
    match (transition(standing, Action::Extend), known) {
        (Step::Go(step), Some(at)) => {
            let expires_at = working.now.plus(command.ttl);
            let reservation = &working.orders[at];
            if expires_at > reservation.expires_at_max {
                return Err(ExtendError::TtlTooLong { expires_at_max: reservation.expires_at_max });
            }
            if expires_at > reservation.expires_at {
                working.orders.enter(at, step.to);
                working.orders.set_expires_at(at, expires_at);
                working.note(step.kind, command.order, Remark::default());
            }
            Ok(working.orders[at].clone())
        }
        (Step::Refuse(refusal), _) => Err(refused(refusal, command.order)),
        (Step::Go(_), None) | (Step::Keep | Step::IfFree(..) | Step::IfLeft(..), _) => {
            Err(not_in_the_table().into())
        }
    }
}

fn refused(refusal: Refusal, order: OrderId) -> ExtendError {
    match refusal {
        Refusal::NotFound => ExtendError::NotFound(order),
        Refusal::AlreadyCommitted => ExtendError::AlreadyCommitted(order),
        Refusal::AlreadyReleased => ExtendError::AlreadyReleased(order),
        Refusal::Expired => ExtendError::Expired(order),
        Refusal::NotDue => not_in_the_table().into(),
    }
}

//! The sweeper's: end a hold whose time is over, judged again under the product's lock.

use super::transition::{Action, Refusal, Step, transition};
use super::working::Working;
use crate::command::Expire;
use crate::event::Fact;
use crate::journal::Remark;
use crate::outcome::Expiry;

/// A hold whose products are not all locked is left for the next sweep, as if its time were not over.
pub(super) fn expire(working: &mut Working<'_>, command: &Expire) -> Expiry {
    let Some(at) = working.orders.find(command.order) else { return Expiry::Gone };
    let standing = working.orders[at].standing(working.now);
    match transition(Some(standing), Action::Expire) {
        Step::Go(step) => {
            let lines = working.orders[at].lines.clone();
            if working.stock.all_locked(&lines).is_err() {
                return Expiry::NotYet(working.orders[at].clone());
            }
            working.move_stock(at, step.kind, &lines, Remark::default());
            working.orders.enter(at, step.to);
            let expired = working.orders[at].clone();
            working.tell(&Fact::ReservationExpired(expired.clone()));
            Expiry::Expired(expired)
        }
        Step::Refuse(Refusal::NotDue) => Expiry::NotYet(working.orders[at].clone()),
        Step::Refuse(
            Refusal::NotFound | Refusal::AlreadyCommitted | Refusal::AlreadyReleased | Refusal::Expired,
        )
        | Step::Keep
        | Step::IfFree(..)
        | Step::IfLeft(..) => Expiry::Gone,
    }
}

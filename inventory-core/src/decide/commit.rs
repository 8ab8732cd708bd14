//! Turn a hold into a permanent deduction.

use super::difference::first_difference;
use super::orders::RowAt;
use super::transition::{Action, Move, Refusal, Step, not_in_the_table, transition};
use super::working::Working;
use crate::command::Commit;
use crate::error::CommitError;
use crate::event::Fact;
use crate::ids::OrderId;
use crate::journal::{ChangeKind, Remark};
use crate::lines::Lines;
use crate::reservation::{Reservation, Standing};

pub(super) fn commit(working: &mut Working<'_>, command: &Commit) -> Result<Reservation, CommitError> {
    if working.is_delivered(command.delivery.as_ref()) {
        return repeated(working, command);
    }
    let answer = commit_once(working, command);
    if is_handled(&answer) {
        working.handled(command.delivery.as_ref());
    }
    answer
}

fn commit_once(working: &mut Working<'_>, command: &Commit) -> Result<Reservation, CommitError> {
    let known = working.orders.find(command.order);
    let standing = known.map(|at| working.orders[at].standing(working.now));
    match (transition(standing, Action::Commit), known) {
        (Step::Go(step), Some(at)) => take_held(working, command, at, step, standing != Some(Standing::Held)),
        (Step::IfFree(free, gone), Some(at)) => take_free(working, command, at, free, gone),
        (Step::Keep, Some(at)) => keep(&working.orders[at], command),
        (Step::Refuse(refusal), _) => Err(refused(refusal, command.order)),
        (Step::Go(_) | Step::IfFree(..) | Step::Keep, None) | (Step::IfLeft(..), _) => {
            Err(not_in_the_table().into())
        }
    }
}

/// From a hold whose stock is set aside: the rest of a partial commit goes back first, in the same step.
fn take_held(
    working: &mut Working<'_>,
    command: &Commit,
    at: RowAt,
    step: Move,
    late: bool,
) -> Result<Reservation, CommitError> {
    let (taken, rest) = split(&working.orders[at], command)?;
    working.stock.all_locked(&working.orders[at].lines)?;
    if !rest.is_empty() {
        working.move_stock(at, ChangeKind::ReleasePart, &rest, Remark::default());
    }
    working.move_stock(at, step.kind, &taken, remark(command));
    working.orders.enter(at, step.to);
    working.orders.set_lines(at, taken);
    if late {
        working.orders.mark_late(at);
    }
    Ok(committed(working, at))
}

/// From an expired hold whose stock went back: all that is asked for must be free now, or the order is lost.
fn take_free(
    working: &mut Working<'_>,
    command: &Commit,
    at: RowAt,
    free: Move,
    gone: Move,
) -> Result<Reservation, CommitError> {
    let (taken, _) = split(&working.orders[at], command)?;
    working.stock.all_locked(&taken)?;
    if working.stock.all_free(&taken) {
        working.move_stock(at, free.kind, &taken, remark(command));
        working.orders.enter(at, free.to);
        working.orders.set_lines(at, taken);
        working.orders.mark_late(at);
        return Ok(committed(working, at));
    }
    working.orders.enter(at, gone.to);
    working.note(gone.kind, command.order, remark(command));
    working.tell(&Fact::CommitFailed(working.orders[at].clone()));
    Err(CommitError::Expired(command.order))
}

fn committed(working: &mut Working<'_>, at: RowAt) -> Reservation {
    let reservation = working.orders[at].clone();
    working.tell_of_hold(|| Fact::Committed(reservation.clone()));
    reservation
}

/// (what is committed, what goes back).
fn split(reservation: &Reservation, command: &Commit) -> Result<(Lines, Lines), CommitError> {
    let held = &reservation.lines;
    let Some(items) = &command.items else { return Ok((held.clone(), Lines::none())) };
    let rest = held.checked_sub(items).map_err(|line| CommitError::MoreThanHeld {
        product: line.product,
        held: held.quantity_of(line.product).map_or(0, |quantity| quantity.get()),
    })?;
    Ok((items.clone(), rest))
}

/// Committed before: the same again, unless other quantities are asked for.
fn keep(reservation: &Reservation, command: &Commit) -> Result<Reservation, CommitError> {
    match command.items.as_ref().and_then(|items| first_difference(&reservation.lines, items)) {
        None => Ok(reservation.clone()),
        Some(difference) => Err(CommitError::Conflict { order: command.order, difference }),
    }
}

/// A delivery that was handled: says where the order stands now and changes nothing. If it is held, then the
/// delivery came before the reserve and was answered so.
fn repeated(working: &mut Working<'_>, command: &Commit) -> Result<Reservation, CommitError> {
    let order = command.order;
    let Some(at) = working.orders.find(order) else { return Err(CommitError::NotFound(order)) };
    let reservation = &working.orders[at];
    match reservation.standing(working.now) {
        Standing::Held => Err(CommitError::NotFound(order)),
        Standing::Committed => keep(reservation, command),
        Standing::Released => Err(CommitError::AlreadyReleased(order)),
        Standing::Overdue | Standing::Expired | Standing::Lost => Err(CommitError::Expired(order)),
    }
}

/// Whether the delivery is over and done with. Asking for more than is held is not: holds never grow, so a
/// repeat is refused again by itself.
fn is_handled(answer: &Result<Reservation, CommitError>) -> bool {
    match answer {
        Ok(_)
        | Err(
            CommitError::NotFound(_)
            | CommitError::Conflict { .. }
            | CommitError::AlreadyReleased(_)
            | CommitError::Expired(_),
        ) => true,
        Err(CommitError::MoreThanHeld { .. } | CommitError::Failed(_)) => false,
    }
}

fn remark(command: &Commit) -> Remark {
    Remark { delivery: command.delivery.clone(), ..Remark::default() }
}

fn refused(refusal: Refusal, order: OrderId) -> CommitError {
    match refusal {
        Refusal::NotFound => CommitError::NotFound(order),
        Refusal::AlreadyReleased => CommitError::AlreadyReleased(order),
        Refusal::Expired => CommitError::Expired(order),
        Refusal::AlreadyCommitted | Refusal::NotDue => not_in_the_table().into(),
    }
}

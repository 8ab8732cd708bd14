//! Give stock back: all of a hold, or with `items` a part of it; of an unknown order, leave a tombstone.

use super::orders::RowAt;
use super::transition::{Action, Move, Refusal, Step, not_in_the_table, transition};
use super::working::Working;
use crate::clock::Timestamp;
use crate::command::Release;
use crate::error::ReleaseError;
use crate::event::Fact;
use crate::ids::OrderId;
use crate::journal::{ChangeKind, Remark};
use crate::lines::Lines;
use crate::reservation::{Reservation, Standing, Status};

pub(super) fn release(working: &mut Working<'_>, command: &Release) -> Result<Reservation, ReleaseError> {
    if working.is_delivered(command.delivery.as_ref()) {
        return repeated(working, command);
    }
    let answer = match &command.items {
        None => release_all(working, command),
        Some(items) => release_part(working, command, items),
    };
    if is_handled(&answer) {
        working.handled(command.delivery.as_ref());
    }
    answer
}

fn release_all(working: &mut Working<'_>, command: &Release) -> Result<Reservation, ReleaseError> {
    let known = working.orders.find(command.order);
    let standing = known.map(|at| working.orders[at].standing(working.now));
    match (transition(standing, Action::Release), known) {
        (Step::Go(step), None) => {
            let tombstone = tombstone(command.order, step.to, working.now);
            working.orders.create(tombstone.clone());
            working.note(step.kind, command.order, remark(command));
            working.tell_of_hold(|| Fact::Tombstoned(tombstone.clone(), command.reason.clone()));
            Ok(tombstone)
        }
        (Step::Go(step), Some(at)) => end(working, command, at, step),
        (Step::Keep, Some(at)) => Ok(working.orders[at].clone()),
        (Step::Refuse(refusal), _) => Err(refused(refusal, command.order)),
        (Step::Keep, None) | (Step::IfFree(..) | Step::IfLeft(..), _) => Err(not_in_the_table().into()),
    }
}

/// Ends the hold; its lines keep what it held.
fn end(
    working: &mut Working<'_>,
    command: &Release,
    at: RowAt,
    step: Move,
) -> Result<Reservation, ReleaseError> {
    if step.kind == ChangeKind::ReleaseExpired {
        // The sweeper gave the stock back before.
        working.note(step.kind, command.order, remark(command));
    } else {
        let lines = working.orders[at].lines.clone();
        working.stock.all_locked(&lines)?;
        working.move_stock(at, step.kind, &lines, remark(command));
    }
    working.orders.enter(at, step.to);
    Ok(working.orders[at].clone())
}

fn release_part(
    working: &mut Working<'_>,
    command: &Release,
    items: &Lines,
) -> Result<Reservation, ReleaseError> {
    let known = working.orders.find(command.order);
    let standing = known.map(|at| working.orders[at].standing(working.now));
    match (transition(standing, Action::ReleasePart), known) {
        (Step::IfLeft(left, none_left), Some(at)) => {
            let held = &working.orders[at].lines;
            let rest = held.checked_sub(items).map_err(|line| ReleaseError::MoreThanHeld {
                product: line.product,
                held: held.quantity_of(line.product).map_or(0, |quantity| quantity.get()),
            })?;
            if rest.is_empty() {
                return end(working, command, at, none_left);
            }
            working.stock.all_locked(items)?;
            working.move_stock(at, left.kind, items, remark(command));
            working.orders.enter(at, left.to);
            working.orders.set_lines(at, rest);
            Ok(working.orders[at].clone())
        }
        (Step::Refuse(refusal), _) => Err(refused(refusal, command.order)),
        (Step::IfLeft(..), None) | (Step::Go(_) | Step::Keep | Step::IfFree(..), _) => {
            Err(not_in_the_table().into())
        }
    }
}

/// A delivery that was handled: says where the order stands now and changes nothing.
fn repeated(working: &mut Working<'_>, command: &Release) -> Result<Reservation, ReleaseError> {
    let (order, whole) = (command.order, command.items.is_none());
    let Some(at) = working.orders.find(order) else {
        // Pruned since: the same answer again, without a second tombstone.
        return if whole {
            Ok(tombstone(order, Status::Released, working.now))
        } else {
            Err(ReleaseError::NotFound(order))
        };
    };
    let reservation = &working.orders[at];
    match reservation.standing(working.now) {
        Standing::Held | Standing::Released => Ok(reservation.clone()),
        Standing::Committed => Err(ReleaseError::AlreadyCommitted(order)),
        Standing::Overdue | Standing::Expired | Standing::Lost if whole => Ok(reservation.clone()),
        Standing::Overdue | Standing::Expired | Standing::Lost => Err(ReleaseError::Expired(order)),
    }
}

/// Whether the delivery is over and done with, and so recorded. A partial release that took nothing is not: its record would make
/// the repeat look like one that took effect. It is refused again by itself, since holds never grow or come back; only if its
/// order was unknown and the reserve has come since does the repeat take effect, for the first time.
fn is_handled(answer: &Result<Reservation, ReleaseError>) -> bool {
    match answer {
        Ok(_) | Err(ReleaseError::AlreadyCommitted(_) | ReleaseError::Expired(_)) => true,
        Err(
            ReleaseError::NotFound(_)
            | ReleaseError::MoreThanHeld { .. }
            | ReleaseError::AlreadyReleased(_)
            | ReleaseError::Failed(_),
        ) => false,
    }
}

fn tombstone(order: OrderId, status: Status, now: Timestamp) -> Reservation {
    Reservation {
        order,
        status,
        customer: None,
        requested: Lines::none(),
        lines: Lines::none(),
        created_at: now,
        expires_at: now,
        expires_at_max: now,
        ended_at: Some(now),
        late: false,
    }
}

fn remark(command: &Release) -> Remark {
    Remark { reason: command.reason.clone(), delivery: command.delivery.clone(), ..Remark::default() }
}

fn refused(refusal: Refusal, order: OrderId) -> ReleaseError {
    match refusal {
        Refusal::NotFound => ReleaseError::NotFound(order),
        Refusal::AlreadyCommitted => ReleaseError::AlreadyCommitted(order),
        Refusal::AlreadyReleased => ReleaseError::AlreadyReleased(order),
        Refusal::Expired => ReleaseError::Expired(order),
        Refusal::NotDue => not_in_the_table().into(),
    }
}

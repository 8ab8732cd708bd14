//! Hold stock for an order: all lines or none.

use super::difference::first_difference;
use super::stock::not_locked;
use super::transition::{Action, Move, Refusal, Step, not_in_the_table, transition};
use super::working::Working;
use crate::command::Reserve;
use crate::error::{Difference, Failure, ReserveError, Shortage};
use crate::event::Fact;
use crate::ids::{CustomerId, OrderId};
use crate::journal::Remark;
use crate::lines::Line;
use crate::outcome::Reserved;
use crate::product::Product;
use crate::reservation::Reservation;

/// Checks in the contract's order: conflict, state, products, limits, stock.
pub(super) fn reserve(working: &mut Working<'_>, command: &Reserve) -> Result<Reserved, ReserveError> {
    let known = working.orders.find(command.order);
    if let Some(at) = known
        && let Some(difference) = differs(&working.orders[at], command)
    {
        return Err(ReserveError::Conflict { order: command.order, difference });
    }
    let standing = known.map(|at| working.orders[at].standing(working.now));
    match (transition(standing, Action::Reserve), known) {
        (Step::Go(step), None) => {
            admit(working, command)?;
            Ok(Reserved { reservation: hold(working, command, step), replayed: false })
        }
        (Step::Keep, Some(at)) => Ok(Reserved { reservation: working.orders[at].clone(), replayed: true }),
        (Step::Refuse(refusal), _) => Err(refused(refusal, command.order)),
        (Step::Go(_), Some(_)) | (Step::Keep, None) | (Step::IfFree(..) | Step::IfLeft(..), _) => {
            Err(not_in_the_table().into())
        }
    }
}

/// What this request asks for that the order's first one did not. A tombstone asked for nothing.
fn differs(had: &Reservation, asked: &Reserve) -> Option<Difference> {
    if had.is_tombstone() {
        return None;
    }
    first_difference(&had.requested, &asked.lines).or_else(|| {
        let text = |customer: &Option<CustomerId>| customer.as_ref().map(|c| c.as_str().to_owned());
        (had.customer != asked.customer)
            .then(|| Difference::Customer { had: text(&had.customer), asked: text(&asked.customer) })
    })
}

/// Whether a new order may have its lines. All lines are looked at, so that a refusal names them all.
fn admit(working: &Working<'_>, command: &Reserve) -> Result<(), ReserveError> {
    if command.lines.is_empty() {
        return Err(Failure::Refused { reason: "a reserve must name at least one product".to_owned() }.into());
    }
    let (mut unknown, mut short) = (Vec::new(), Vec::new());
    let (mut skipped, mut limited) = (None, None);
    for line in command.lines.iter() {
        let Some(product) = working.stock.product(line.product) else {
            if working.stock.is_skipped(line.product) {
                skipped = Some(line.product);
            } else {
                unknown.push(line.product);
            }
            continue;
        };
        limited = limited.or_else(|| over_limit(working, command, product, line));
        let available = product.available();
        if available < line.quantity.units() {
            short.push(Shortage {
                product: line.product,
                requested: line.quantity,
                available,
                earliest_expiry_at: None,
            });
        }
    }
    if !unknown.is_empty() {
        return Err(ReserveError::ProductNotFound(unknown));
    }
    if let Some(product) = skipped {
        return Err(not_locked(product).into());
    }
    if let Some(refusal) = limited {
        return Err(refusal);
    }
    if !short.is_empty() {
        return Err(ReserveError::InsufficientStock(short));
    }
    Ok(())
}

fn over_limit(
    working: &Working<'_>,
    command: &Reserve,
    product: &Product,
    line: Line,
) -> Option<ReserveError> {
    let limit = product.per_customer_limit?;
    let Some(customer) = &command.customer else {
        return Some(ReserveError::CustomerRequired { product: line.product, limit });
    };
    let taken = working.stock.taken(customer, line.product);
    (taken + line.quantity.units() > limit.units()).then_some(ReserveError::CustomerLimit {
        product: line.product,
        limit,
        taken,
    })
}

fn hold(working: &mut Working<'_>, command: &Reserve, step: Move) -> Reservation {
    let now = working.now;
    let reservation = Reservation {
        order: command.order,
        status: step.to,
        customer: command.customer.clone(),
        requested: command.lines.clone(),
        lines: command.lines.clone(),
        created_at: now,
        expires_at: now.plus(command.ttl),
        expires_at_max: now.plus(command.ttl_max),
        ended_at: None,
        late: false,
    };
    let at = working.orders.create(reservation.clone());
    working.stock.remember(at, &reservation);
    let remark = Remark { customer: command.customer.clone(), ..Remark::default() };
    working.move_stock(at, step.kind, &reservation.lines, remark);
    working.tell_of_hold(|| Fact::Reserved(reservation.clone()));
    reservation
}

fn refused(refusal: Refusal, order: OrderId) -> ReserveError {
    match refusal {
        Refusal::AlreadyReleased => ReserveError::AlreadyReleased(order),
        Refusal::Expired => ReserveError::Expired(order),
        Refusal::NotFound | Refusal::AlreadyCommitted | Refusal::NotDue => not_in_the_table().into(),
    }
}

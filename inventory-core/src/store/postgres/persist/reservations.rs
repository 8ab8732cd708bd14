//! Reservations of every kind: created in any state, and changed.

use sqlx::Arguments as _;
use sqlx::error::BoxDynError;
use sqlx::postgres::PgArguments;
use uuid::Uuid;

use crate::clock::Timestamp;
use crate::lines::Line;
use crate::reservation::{Reservation, Status};
use crate::store::postgres::rows::RowVersion;
use crate::store::postgres::seen::Versions;
use crate::store::{StoreError, StoreErrorKind};

/// New reservations as columns: where the lines of each begin and end among all lines, and whether it has remaining quantities of its own.
#[derive(Default)]
pub(super) struct Created<'e> {
    orders: Vec<Uuid>,
    statuses: Vec<i16>,
    late: Vec<bool>,
    customers: Vec<Option<&'e str>>,
    created: Vec<Timestamp>,
    expires: Vec<Timestamp>,
    expires_max: Vec<Timestamp>,
    ended: Vec<Option<Timestamp>>,
    first_line: Vec<i32>,
    last_line: Vec<i32>,
    products: Vec<i64>,
    quantities: Vec<i32>,
    remaining: Vec<i32>,
    partial: Vec<bool>,
}

impl<'e> Created<'e> {
    pub(super) fn of(reservations: &'e [Reservation]) -> Self {
        let mut columns = Self::default();
        for reservation in reservations {
            columns.push(reservation);
        }
        columns
    }

    fn push(&mut self, reservation: &'e Reservation) {
        self.orders.push(reservation.order.get());
        self.statuses.push(reservation.status.code().into());
        self.late.push(reservation.late);
        self.customers.push(reservation.customer.as_ref().map(|customer| customer.as_str()));
        self.created.push(reservation.created_at);
        self.expires.push(reservation.expires_at);
        self.expires_max.push(reservation.expires_at_max);
        self.ended.push(reservation.ended_at);
        self.first_line.push(count(self.products.len() + 1));
        for line in reservation.requested.iter() {
            self.products.push(line.product.get());
            self.quantities.push(line.quantity.to_i32());
            self.remaining.push(left_of(reservation, line));
        }
        self.last_line.push(count(self.products.len()));
        self.partial.push(reservation.lines != reservation.requested);
    }

    /// Adds them in the order that the statement expects.
    pub(super) fn add_to(self, arguments: &mut PgArguments) -> Result<(), BoxDynError> {
        arguments.add(self.orders)?;
        arguments.add(self.statuses)?;
        arguments.add(self.late)?;
        arguments.add(self.customers)?;
        arguments.add(self.created)?;
        arguments.add(self.expires)?;
        arguments.add(self.expires_max)?;
        arguments.add(self.ended)?;
        arguments.add(self.first_line)?;
        arguments.add(self.last_line)?;
        arguments.add(self.products)?;
        arguments.add(self.quantities)?;
        arguments.add(self.remaining)?;
        arguments.add(self.partial)
    }
}

/// Fits: a batch has at most `BATCH_COMMANDS_MAX × LINES_MAX` lines.
fn count(lines: usize) -> i32 {
    i32::try_from(lines).unwrap_or(i32::MAX)
}

/// What changed of reservations, as columns: what can change, and what guards it.
#[derive(Default)]
pub(super) struct Changed {
    orders: Vec<Uuid>,
    versions: Vec<RowVersion>,
    was: Vec<i16>,
    statuses: Vec<i16>,
    late: Vec<bool>,
    expires: Vec<Timestamp>,
    ended: Vec<Option<Timestamp>>,
    first_line: Vec<i32>,
    last_line: Vec<i32>,
    remaining: Vec<i32>,
    partial: Vec<bool>,
}

impl Changed {
    /// The columns; only what this batch has seen can be changed by it.
    pub(super) fn of(changed: &[(Status, Reservation)], versions: &Versions) -> Result<Self, StoreError> {
        let mut columns = Self::default();
        for (was, reservation) in changed {
            let Some(version) = versions.of(reservation.order) else {
                let message =
                    format!("order {} is changed by a batch that has not read it", reservation.order);
                return Err(StoreError::new(StoreErrorKind::Conflict, message));
            };
            columns.versions.push(version.row);
            columns.was.push(was.code().into());
            columns.push(reservation);
        }
        Ok(columns)
    }

    fn push(&mut self, reservation: &Reservation) {
        self.orders.push(reservation.order.get());
        self.statuses.push(reservation.status.code().into());
        self.late.push(reservation.late);
        self.expires.push(reservation.expires_at);
        self.ended.push(reservation.ended_at);
        let partial = reservation.lines != reservation.requested;
        self.first_line.push(count(self.remaining.len() + 1));
        if partial {
            let left = reservation.requested.iter().map(|line| left_of(reservation, line));
            self.remaining.extend(left);
        }
        self.last_line.push(count(self.remaining.len()));
        self.partial.push(partial);
    }

    /// Adds them in the order that the statement expects.
    pub(super) fn add_to(self, arguments: &mut PgArguments) -> Result<(), BoxDynError> {
        arguments.add(self.orders)?;
        arguments.add(self.versions)?;
        arguments.add(self.was)?;
        arguments.add(self.statuses)?;
        arguments.add(self.late)?;
        arguments.add(self.expires)?;
        arguments.add(self.ended)?;
        arguments.add(self.first_line)?;
        arguments.add(self.remaining)?;
        arguments.add(self.last_line)?;
        arguments.add(self.partial)
    }
}

/// What is left of a line that was asked for.
fn left_of(reservation: &Reservation, line: Line) -> i32 {
    reservation.lines.quantity_of(line.product).map_or(0, |quantity| quantity.to_i32())
}

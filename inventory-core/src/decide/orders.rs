//! The batch's reservations: those read, as far as a command touches them, and those it creates.

use std::ops::Index;

use crate::clock::Timestamp;
use crate::ids::OrderId;
use crate::lines::Lines;
use crate::reservation::{Reservation, Status};
use crate::store::IdMap;

/// Where a reservation lies in [`Orders`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct RowAt(usize);

#[derive(Debug)]
pub(super) struct Orders {
    now: Timestamp,
    /// Read, and not touched yet.
    read: IdMap<OrderId, Reservation>,
    /// Touched, in the order in which the batch came to them.
    rows: Vec<Row>,
    at: IdMap<OrderId, RowAt>,
}

#[derive(Debug)]
struct Row {
    /// The status in the store; none for a row that the batch creates.
    read: Option<Status>,
    changed: bool,
    reservation: Reservation,
}

impl Orders {
    /// `orders_max`: how many orders the batch may touch.
    pub(super) fn new(now: Timestamp, read: IdMap<OrderId, Reservation>, orders_max: usize) -> Self {
        let at = IdMap::with_capacity_and_hasher(orders_max, rustc_hash::FxBuildHasher);
        Self { now, read, rows: Vec::with_capacity(orders_max), at }
    }

    /// The order's reservation, read or created earlier in this batch.
    pub(super) fn find(&mut self, order: OrderId) -> Option<RowAt> {
        if let Some(at) = self.at.get(&order) {
            return Some(*at);
        }
        let reservation = self.read.remove(&order)?;
        let read = Some(reservation.status);
        Some(self.push(Row { read, changed: false, reservation }))
    }

    /// Adds a row that the store does not have. The order must be unknown.
    pub(super) fn create(&mut self, reservation: Reservation) -> RowAt {
        self.push(Row { read: None, changed: true, reservation })
    }

    /// A status change, as the transition table said.
    pub(super) fn enter(&mut self, at: RowAt, to: Status) {
        let now = self.now;
        let reservation = self.change(at);
        reservation.status = to;
        if to != Status::Held {
            // When it left HELD: an end after the end (late commit, lost, released) does not move it.
            reservation.ended_at.get_or_insert(now);
        }
    }

    /// What is held or committed now.
    pub(super) fn set_lines(&mut self, at: RowAt, lines: Lines) {
        self.change(at).lines = lines;
    }

    /// Committed at or after its end.
    pub(super) fn mark_late(&mut self, at: RowAt) {
        self.change(at).late = true;
    }

    /// Moves the hold's end.
    pub(super) fn set_expires_at(&mut self, at: RowAt, expires_at: Timestamp) {
        self.change(at).expires_at = expires_at;
    }

    /// (created, changed with the status that each had in the store), in the order first touched.
    pub(super) fn into_changed(self) -> (Vec<Reservation>, Vec<(Status, Reservation)>) {
        let were_read = self.rows.iter().filter(|row| row.read.is_some()).count();
        let mut created = Vec::with_capacity(self.rows.len() - were_read);
        let mut changed = Vec::with_capacity(were_read);
        for row in self.rows {
            match row.read {
                None => created.push(row.reservation),
                Some(status) if row.changed => changed.push((status, row.reservation)),
                Some(_) => {}
            }
        }
        (created, changed)
    }

    fn change(&mut self, at: RowAt) -> &mut Reservation {
        let row = &mut self.rows[at.0];
        row.changed = true;
        &mut row.reservation
    }

    fn push(&mut self, row: Row) -> RowAt {
        let at = RowAt(self.rows.len());
        self.at.insert(row.reservation.order, at);
        self.rows.push(row);
        at
    }
}

/// A `RowAt` comes from this `Orders` only, and rows are never removed.
impl Index<RowAt> for Orders {
    type Output = Reservation;

    fn index(&self, at: RowAt) -> &Reservation {
        &self.rows[at.0].reservation
    }
}

//! A reservation: one order's hold on one or more lines, its states and their one transition table.

use crate::clock::Timestamp;
use crate::ids::{CustomerId, OrderId};
use crate::lines::Lines;

/// Where a reservation stands. The numbers are what the stores keep.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Status {
    /// Stock is set aside.
    Held = 1,
    /// Bought: the stock has left.
    Committed = 2,
    /// Given back by its owner, or a tombstone.
    Released = 3,
    /// Its time ran out and the sweeper gave it back.
    Expired = 4,
    /// A commit came after expiry and the stock was gone. Never becomes committed.
    Lost = 5,
}

impl Status {
    /// All of them, for tables and tests.
    pub const ALL: [Self; 5] = [Self::Held, Self::Committed, Self::Released, Self::Expired, Self::Lost];

    /// As the stores keep it.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// From what a store kept.
    pub fn from_code(code: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|status| i64::from(status.code()) == code)
    }

    /// The name on the wire and in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Held => "HELD",
            Self::Committed => "COMMITTED",
            Self::Released => "RELEASED",
            Self::Expired => "EXPIRED",
            Self::Lost => "LOST",
        }
    }
}

/// One order's hold. One row in a store, keyed by the order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reservation {
    /// The key, and what arbitrates: reserve and tombstone insert the same key.
    pub order: OrderId,
    /// Where it stands in the store; see [`Reservation::standing`] for where it stands in time.
    pub status: Status,
    /// Who buys, if the caller said so.
    pub customer: Option<CustomerId>,
    /// What reserve asked for, summed; never changes. Empty for a tombstone.
    pub requested: Lines,
    /// What is held or was committed; for an ended hold, what it held when it ended. Partial release and
    /// partial commit make it smaller than `requested`.
    pub lines: Lines,
    /// By the store's clock.
    pub created_at: Timestamp,
    /// From this moment on a hold counts as expired, swept or not.
    pub expires_at: Timestamp,
    /// How far extend may go.
    pub expires_at_max: Timestamp,
    /// When it left HELD.
    pub ended_at: Option<Timestamp>,
    /// Committed at or after `expires_at`.
    pub late: bool,
}

impl Reservation {
    /// Written by the release of an unknown order, so that a reserve that arrives later is refused.
    pub fn is_tombstone(&self) -> bool {
        self.requested.is_empty()
    }

    /// Where it stands at `now`: an unswept hold past its time counts as expired.
    pub fn standing(&self, now: Timestamp) -> Standing {
        match self.status {
            Status::Held if now < self.expires_at => Standing::Held,
            Status::Held => Standing::Overdue,
            Status::Committed => Standing::Committed,
            Status::Released => Standing::Released,
            Status::Expired => Standing::Expired,
            Status::Lost => Standing::Lost,
        }
    }
}

/// A status seen at a moment. `Overdue` answers like `Expired`, but its stock is still set aside for it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Standing {
    /// Held, and its time is not over.
    Held,
    /// Held in the store, past its time, not swept yet.
    Overdue,
    /// See [`Status::Committed`].
    Committed,
    /// See [`Status::Released`].
    Released,
    /// See [`Status::Expired`].
    Expired,
    /// See [`Status::Lost`].
    Lost,
}

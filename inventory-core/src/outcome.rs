//! What the ledger answers: one outcome per command.

use crate::error::{AdjustError, CommitError, ExtendError, Failure, ReleaseError, ReserveError, SetError};
use crate::product::Product;
use crate::reservation::Reservation;

/// A reserve that holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reserved {
    /// As it stands now.
    pub reservation: Reservation,
    /// The same order had been reserved before; nothing was changed.
    pub replayed: bool,
}

/// An adjustment that stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Adjusted {
    /// The product as it is now.
    pub product: Product,
    /// The same adjustment had been made before; nothing was changed.
    pub replayed: bool,
}

/// A product that was set or imported.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StockSet {
    /// The product as it is now.
    pub product: Product,
    /// What happened to it.
    pub change: SetChange,
}

/// What setting a product did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SetChange {
    /// It had not existed.
    Created,
    /// Something differed.
    Updated,
    /// Everything was as asked for.
    Unchanged,
}

/// What the sweeper learns about one hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Expiry {
    /// Ended by this command.
    Expired(Reservation),
    /// Its time is not over; it ends at `expires_at` (extended, or asked too early).
    NotYet(Reservation),
    /// Ended before, or never existed.
    Gone,
}

/// The answer to a command, of the command's kind.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// To `Reserve`.
    Reserve(Result<Reserved, ReserveError>),
    /// To `Commit`.
    Commit(Result<Reservation, CommitError>),
    /// To `Release`.
    Release(Result<Reservation, ReleaseError>),
    /// To `Extend`.
    Extend(Result<Reservation, ExtendError>),
    /// To `Expire`.
    Expire(Expiry),
    /// To `Adjust`.
    Adjust(Result<Adjusted, AdjustError>),
    /// To `Set` and `Import`.
    Set(Result<StockSet, SetError>),
    /// To `Announce`.
    Announce,
}

/// What a caller is sent: an outcome, or that there is none.
pub type Answer = Result<Outcome, Failure>;

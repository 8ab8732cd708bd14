//! From the engine's words to those of histories.

use std::time::Duration;

use inventory_core::command::Command;
use inventory_core::error::{
    AdjustError, CommitError, ExtendError, Failure, ReleaseError, ReserveError, SetError,
};
use inventory_core::lines::Lines;
use inventory_core::outcome::{Adjusted, Outcome, Reserved, SetChange, StockSet};
use inventory_core::reservation::Reservation;

use super::{Answer, Asked, Line, Short};

impl Asked {
    /// What a caller asks by this command; none for what only the engine itself asks.
    pub fn of(command: &Command) -> Option<Self> {
        match command {
            Command::Reserve(c) => Some(Self::Reserve {
                order: c.order.get(),
                lines: lines_of(&c.lines),
                customer: c.customer.as_ref().map(ToString::to_string),
                ttl_micros: Some(micros(c.ttl)),
            }),
            Command::Commit(c) => Some(Self::Commit {
                order: c.order.get(),
                items: c.items.as_ref().map(lines_of),
                key: c.delivery.as_ref().map(|delivery| delivery.message.to_string()),
            }),
            Command::Release(c) => Some(Self::Release {
                order: c.order.get(),
                items: c.items.as_ref().map(lines_of),
                key: c.delivery.as_ref().map(|delivery| delivery.message.to_string()),
            }),
            Command::Extend(c) => Some(Self::Extend { order: c.order.get(), ttl_micros: micros(c.ttl) }),
            Command::Adjust(c) => Some(Self::Adjust {
                product: c.product.get(),
                adjustment: c.adjustment.to_string(),
                delta: c.delta.get(),
            }),
            Command::Set(c) | Command::Import(c) => {
                Some(Self::Set { product: c.product.get(), on_hand: c.on_hand.get() })
            }
            Command::Expire(_) | Command::Announce(_) => None,
        }
    }
}

/// Lines of the engine as a history writes them.
pub(crate) fn lines_of(lines: &Lines) -> Vec<Line> {
    lines.iter().map(|line| Line { product: line.product.get(), quantity: line.quantity.get() }).collect()
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

impl Answer {
    /// The answer of a writer or of `decide`; none for what only the engine itself asks.
    pub fn of(answer: &Result<Outcome, Failure>) -> Option<Self> {
        match answer {
            Err(failure) => Some(failure.into()),
            Ok(Outcome::Reserve(result)) => Some(result.into()),
            Ok(Outcome::Commit(result)) => Some(result.into()),
            Ok(Outcome::Release(result)) => Some(result.into()),
            Ok(Outcome::Extend(result)) => Some(result.into()),
            Ok(Outcome::Adjust(result)) => Some(result.into()),
            Ok(Outcome::Set(result)) => Some(result.into()),
            Ok(Outcome::Expire(_) | Outcome::Announce) => None,
        }
    }

    fn refused(code: &str) -> Self {
        Self::Refused { code: code.to_owned() }
    }
}

impl From<&Failure> for Answer {
    fn from(failure: &Failure) -> Self {
        match failure {
            Failure::Overloaded => Self::Overloaded,
            Failure::Unavailable { .. } => Self::Unavailable,
            // What an engine that stops had taken may still have been executed.
            Failure::OutcomeUnknown | Failure::Stopped => Self::OutcomeUnknown,
            Failure::Refused { .. } => Self::refused("store_refused"),
        }
    }
}

impl From<&Result<Reserved, ReserveError>> for Answer {
    fn from(result: &Result<Reserved, ReserveError>) -> Self {
        match result {
            Ok(reserved) => Self::Held {
                replayed: reserved.replayed,
                expires_at: Some(reserved.reservation.expires_at.micros()),
            },
            Err(ReserveError::Conflict { .. }) => Self::Conflict,
            Err(ReserveError::AlreadyReleased(_)) => Self::AlreadyReleased,
            Err(ReserveError::Expired(_)) => Self::Expired,
            Err(ReserveError::ProductNotFound(_)) => Self::NotFound,
            Err(ReserveError::CustomerRequired { .. }) => Self::refused("customer_required"),
            Err(ReserveError::CustomerLimit { .. }) => Self::refused("customer_limit"),
            Err(ReserveError::InsufficientStock(short)) => Self::Insufficient {
                short: short
                    .iter()
                    .map(|short| Short {
                        product: short.product.get(),
                        requested: short.requested.get(),
                        available: short.available.get(),
                    })
                    .collect(),
            },
            Err(ReserveError::Failed(failure)) => failure.into(),
        }
    }
}

impl From<&Result<Reservation, CommitError>> for Answer {
    fn from(result: &Result<Reservation, CommitError>) -> Self {
        match result {
            Ok(reservation) => Self::Committed { late: reservation.late },
            Err(CommitError::NotFound(_)) => Self::NotFound,
            Err(CommitError::Conflict { .. }) => Self::Conflict,
            Err(CommitError::MoreThanHeld { .. }) => Self::refused("more_than_held"),
            Err(CommitError::AlreadyReleased(_)) => Self::AlreadyReleased,
            Err(CommitError::Expired(_)) => Self::Expired,
            Err(CommitError::Failed(failure)) => failure.into(),
        }
    }
}

impl From<&Result<Reservation, ReleaseError>> for Answer {
    fn from(result: &Result<Reservation, ReleaseError>) -> Self {
        match result {
            Ok(_) => Self::Released,
            Err(ReleaseError::NotFound(_)) => Self::NotFound,
            Err(ReleaseError::MoreThanHeld { .. }) => Self::refused("more_than_held"),
            Err(ReleaseError::AlreadyCommitted(_)) => Self::AlreadyCommitted,
            Err(ReleaseError::AlreadyReleased(_)) => Self::AlreadyReleased,
            Err(ReleaseError::Expired(_)) => Self::Expired,
            Err(ReleaseError::Failed(failure)) => failure.into(),
        }
    }
}

impl From<&Result<Reservation, ExtendError>> for Answer {
    fn from(result: &Result<Reservation, ExtendError>) -> Self {
        match result {
            Ok(reservation) => Self::Extended { expires_at: Some(reservation.expires_at.micros()) },
            Err(ExtendError::NotFound(_)) => Self::NotFound,
            Err(ExtendError::TtlTooLong { .. }) => Self::refused("ttl_too_long"),
            Err(ExtendError::AlreadyCommitted(_)) => Self::AlreadyCommitted,
            Err(ExtendError::AlreadyReleased(_)) => Self::AlreadyReleased,
            Err(ExtendError::Expired(_)) => Self::Expired,
            Err(ExtendError::Failed(failure)) => failure.into(),
        }
    }
}

impl From<&Result<Adjusted, AdjustError>> for Answer {
    fn from(result: &Result<Adjusted, AdjustError>) -> Self {
        match result {
            Ok(adjusted) => Self::Adjusted { replayed: adjusted.replayed },
            Err(AdjustError::ProductNotFound(_)) => Self::NotFound,
            Err(AdjustError::Conflict { .. }) => Self::Conflict,
            Err(AdjustError::BelowHeld { .. }) => Self::refused("below_held"),
            Err(AdjustError::TooMuch(_)) => Self::refused("too_much"),
            Err(AdjustError::Failed(failure)) => failure.into(),
        }
    }
}

impl From<&Result<StockSet, SetError>> for Answer {
    fn from(result: &Result<StockSet, SetError>) -> Self {
        match result {
            Ok(set) => Self::Stored { changed: set.change != SetChange::Unchanged },
            Err(SetError::Stale { .. }) => Self::refused("stale"),
            Err(SetError::BelowHeld { .. }) => Self::refused("below_held"),
            Err(SetError::Failed(failure)) => failure.into(),
        }
    }
}

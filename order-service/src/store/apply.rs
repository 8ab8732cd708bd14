//! An input of a caller, an operator or a test.

use uuid::Uuid;

use super::advance::advance;
use super::batch::{Change, Facts, Need, Writes};
use super::row::RowError;
use super::{Order, Store, StoreOptions};
use crate::saga::{Cell, Input};

/// What led to an input.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Cause {
    /// The event's or the request's id.
    pub id: Option<String>,
    /// W3C trace context; the order's own if there is none.
    pub traceparent: Option<String>,
}

/// What became of an input.
#[derive(Clone, PartialEq, Debug)]
pub struct Applied {
    /// The order as it is now.
    pub order: Order,
    /// What kind of answer the saga gave.
    pub cell: Cell,
    /// Why, in words.
    pub because: &'static str,
    /// Whether the order changed.
    pub changed: bool,
}

impl Applied {
    /// An order that nothing was done to.
    pub(super) fn unchanged(order: Order) -> Self {
        let (cell, because) = (Cell::Duplicate, "nothing happened");
        Self { order, cell, because, changed: false }
    }
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// No such order.
    #[error("there is no order {0}")]
    Unknown(Uuid),
    /// An event about somebody else's money.
    #[error("{0}")]
    Foreign(String),
    /// The row is newer than this code, or broken.
    #[error(transparent)]
    Row(#[from] RowError),
    /// The database.
    #[error(transparent)]
    Sql(#[from] sqlx::Error),
}

impl ApplyError {
    /// Whether the same may succeed later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unknown(_) | Self::Foreign(_) => false,
            // Newer code will be able to.
            Self::Row(RowError::Newer { .. }) => true,
            Self::Row(RowError::Broken { .. }) => false,
            Self::Sql(error) => service_kit::sql::is_transient(error),
        }
    }
}

/// One input from somebody who needs no leave for it.
struct Apply {
    order: Uuid,
    input: Input,
    cause: Cause,
}

impl Change for Apply {
    type Answer = Applied;

    fn need(&self) -> Need {
        Need { order: Some(self.order), ..Need::default() }
    }

    fn decide(
        &self,
        facts: &Facts,
        options: &StoreOptions,
        writes: &mut Writes,
    ) -> Result<Applied, ApplyError> {
        advance(facts.order(self.order)?, &self.input, &self.cause, options, writes)
    }
}

impl Store {
    /// Gives the saga an input.
    pub async fn apply(&self, order: Uuid, input: &Input, cause: &Cause) -> Result<Applied, ApplyError> {
        self.change(Apply { order, input: input.clone(), cause: cause.clone() }).await
    }
}

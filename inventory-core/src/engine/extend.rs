//! Extend: a hold lasts longer.

use std::time::Duration;

use super::{Engine, mismatch};
use crate::command::{Command, Extend};
use crate::error::ExtendError;
use crate::ids::OrderId;
use crate::outcome::Outcome;
use crate::reservation::Reservation;

impl Engine {
    /// Makes a hold last at least `ttl` from now, up to its ceiling.
    pub async fn extend(&self, order: OrderId, ttl: Duration) -> Result<Reservation, ExtendError> {
        match self.shared.writer.ask(Command::Extend(Extend { order, ttl }), None).await? {
            Outcome::Extend(result) => result,
            other => Err(mismatch(&other).into()),
        }
    }
}

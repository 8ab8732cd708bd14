//! Commit: a hold becomes a permanent deduction.

use super::{Engine, mismatch};
use crate::command::{Command, Commit};
use crate::error::CommitError;
use crate::ids::{Delivery, OrderId};
use crate::lines::Lines;
use crate::outcome::Outcome;
use crate::reservation::Reservation;

impl Engine {
    /// Turns a hold into a permanent deduction; with `items` these quantities only, and the rest is released in the same
    /// step. After its time a hold is still committed (`late`) if the stock is free, else it is lost for good.
    pub async fn commit(
        &self,
        order: OrderId,
        items: Option<Lines>,
        delivery: Option<Delivery>,
    ) -> Result<Reservation, CommitError> {
        match self.shared.writer.ask(Command::Commit(Commit { order, items, delivery }), None).await? {
            Outcome::Commit(result) => result,
            other => Err(mismatch(&other).into()),
        }
    }
}

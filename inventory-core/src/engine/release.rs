//! Release: stock goes back.

use super::{Engine, mismatch};
use crate::command::{Command, Release};
use crate::error::ReleaseError;
use crate::ids::{Delivery, Note, OrderId};
use crate::lines::Lines;
use crate::outcome::Outcome;
use crate::reservation::Reservation;

impl Engine {
    /// Gives stock back; with `items` these quantities only. Of an unknown order it leaves a tombstone, so that a
    /// reserve that was overtaken is refused. A partial release is repeatable only with a `delivery` as its key.
    pub async fn release(
        &self,
        order: OrderId,
        items: Option<Lines>,
        reason: Option<Note>,
        delivery: Option<Delivery>,
    ) -> Result<Reservation, ReleaseError> {
        let command = Command::Release(Release { order, items, reason, delivery });
        match self.shared.writer.ask(command, None).await? {
            Outcome::Release(result) => result,
            other => Err(mismatch(&other).into()),
        }
    }
}

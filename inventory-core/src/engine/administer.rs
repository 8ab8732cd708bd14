//! Stock administration: adjust by a keyed delta, set, import.

use super::{Engine, mismatch};
use crate::command::{Adjust, Command, SetStock};
use crate::error::{AdjustError, SetError};
use crate::outcome::{Adjusted, Outcome, StockSet};

impl Engine {
    /// Changes a product's stock by a keyed delta. The same key and content again is a replay.
    pub async fn adjust(&self, adjust: Adjust) -> Result<Adjusted, AdjustError> {
        match self.shared.writer.ask(Command::Adjust(adjust), None).await? {
            Outcome::Adjust(result) => result,
            other => Err(mismatch(&other).into()),
        }
    }

    /// Creates a product or sets its stock and settings.
    pub async fn set(&self, set: SetStock) -> Result<StockSet, SetError> {
        self.set_by(Command::Set(set)).await
    }

    /// As [`Engine::set`], for bulk import: an unchanged row is left untouched. Call many at once: they share
    /// batches.
    pub async fn import(&self, row: SetStock) -> Result<StockSet, SetError> {
        self.set_by(Command::Import(row)).await
    }

    async fn set_by(&self, command: Command) -> Result<StockSet, SetError> {
        match self.shared.writer.ask(command, None).await? {
            Outcome::Set(result) => result,
            other => Err(mismatch(&other).into()),
        }
    }
}

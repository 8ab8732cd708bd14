//! Reserve: admit on counters, then make it durable.

use super::admission::Admission;
use super::{Engine, ReserveRequest, mismatch};
use crate::command::{Command, Reserve};
use crate::error::ReserveError;
use crate::outcome::{Outcome, Reserved};

impl Engine {
    /// Holds stock for an order: all lines or none. A repeat of the same order is a replay.
    pub async fn reserve(&self, request: ReserveRequest) -> Result<Reserved, ReserveError> {
        let taken = match self.admit(&request).await? {
            Admission::Taken(taken) => Some(taken),
            Admission::AskRules => None,
        };
        // No await between the take and the queue: from here on the writer owns what was taken.
        let command = Command::Reserve(Reserve {
            order: request.order,
            lines: request.lines,
            customer: request.customer,
            ttl: request.ttl.unwrap_or(self.shared.options.hold_ttl),
            ttl_max: self.shared.options.hold_ttl_max,
        });
        match self.shared.writer.ask(command, taken).await? {
            Outcome::Reserve(result) => result,
            other => Err(mismatch(&other).into()),
        }
    }
}

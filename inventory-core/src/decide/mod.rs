//! The rules: locked rows and a batch of commands in, outcomes and effects out. Pure, total, and the only place
//! that knows them.

use crate::command::Command;
use crate::event::EventEncoder;
use crate::ids::BatchId;
use crate::outcome::Outcome;
use crate::store::{Effects, Locked};

/// What a batch comes to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Decision {
    /// One per command, in order.
    pub outcomes: Vec<Outcome>,
    /// What to persist.
    pub effects: Effects,
}

/// Decides a batch. `locked` is the state before it; every outcome and effect follows from the arguments alone.
pub fn decide(locked: Locked, commands: &[Command], batch: BatchId, encoder: &dyn EventEncoder) -> Decision {
    let _ = (locked, commands, batch, encoder);
    unimplemented!("skeleton")
}

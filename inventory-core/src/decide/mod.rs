//! The rules: locked rows and a batch of commands in, outcomes and effects out. Pure, total, and the only place
//! that knows them.
//!
//! Commands are decided one after the other on the batch's working state ([`working::Working`]), so that a later
//! command sees what an earlier one did: a batch answers what its commands alone, in the same order, would have
//! been answered. Which status may follow which stands in [`transition`] and nowhere else. Stock moves only
//! through [`stock::Stock::apply`], by the very numbers that go to the journal: what is not journalled does not move.

mod adjust;
mod alerts;
mod commit;
mod customers;
mod difference;
mod expire;
mod extend;
mod orders;
mod release;
mod reserve;
mod set;
mod stock;
#[cfg(test)]
mod tests;
mod transition;
mod working;

use crate::command::Command;
use crate::event::EventEncoder;
use crate::ids::BatchId;
use crate::journal::ChangeKind;
use crate::outcome::Outcome;
use crate::store::{Effects, Locked};

use working::Working;

/// What a batch comes to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Decision {
    /// One per command, in order.
    pub outcomes: Vec<Outcome>,
    /// What to persist.
    pub effects: Effects,
}

/// Decides a batch. `locked` is the state before it; every outcome and effect follows from the arguments alone.
///
/// A command on a product that `locked` names as skipped, or on an order whose products were not locked, is
/// answered `Failure::Unavailable` (an expire: `NotYet`) and changes nothing.
///
/// A reserve whose order was not read (`Footprint::orders`) takes it for new. That it holds
/// is then proved by its key; that it is refused is proved by nothing: the order may be known, and the retry of the
/// order that took the last unit would be told "sold out". So such a refusal is final only once the
/// caller has seen that the store does not know the order, or has decided again with the order read.
pub fn decide(locked: Locked, commands: &[Command], batch: BatchId, encoder: &dyn EventEncoder) -> Decision {
    let mut working = Working::new(locked, commands, batch, encoder);
    let outcomes = commands.iter().map(|command| decide_one(&mut working, command)).collect();
    Decision { outcomes, effects: working.into_effects() }
}

fn decide_one(working: &mut Working<'_>, command: &Command) -> Outcome {
    match command {
        Command::Reserve(c) => Outcome::Reserve(reserve::reserve(working, c)),
        Command::Commit(c) => Outcome::Commit(commit::commit(working, c)),
        Command::Release(c) => Outcome::Release(release::release(working, c)),
        Command::Extend(c) => Outcome::Extend(extend::extend(working, c)),
        Command::Expire(c) => Outcome::Expire(expire::expire(working, c)),
        Command::Adjust(c) => Outcome::Adjust(adjust::adjust(working, c)),
        Command::Set(c) => Outcome::Set(set::set(working, c, ChangeKind::Set)),
        Command::Import(c) => Outcome::Set(set::set(working, c, ChangeKind::Import)),
        Command::Announce(product) => {
            working.announce(*product);
            Outcome::Announce
        }
    }
}

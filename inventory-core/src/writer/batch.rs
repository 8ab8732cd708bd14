//! A batch: plain data, no async.

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::queue::Ticket;
use super::replies::{Replies, ReplyKey};
use crate::command::Command;
use crate::counters::{Counters, Taken};
use crate::error::Failure;
use crate::ids::{OrderId, ProductId};
use crate::outcome::Answer;
use crate::quantity::Units;
use crate::store::{Footprint, IdMap, Locked};

/// Commands that are tried together. The three lists run in parallel: command, what was taken for it, who waits.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) commands: Vec<Command>,
    pub(crate) members: Vec<Member>,
}

/// What belongs to a command besides itself.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) taken: Option<Taken>,
    pub(crate) deadline: Instant,
    pub(crate) caller: ReplyKey,
}

impl Batch {
    /// From now on the batch's callers wait in `replies`.
    pub(crate) fn new(tickets: Vec<Ticket>, replies: &Replies) -> Self {
        let mut commands = Vec::with_capacity(tickets.len());
        let mut callers = Vec::with_capacity(tickets.len());
        let mut rest = Vec::with_capacity(tickets.len());
        for ticket in tickets {
            commands.push(ticket.command);
            callers.push((ticket.deadline, ticket.reply));
            rest.push((ticket.taken, ticket.deadline));
        }
        let keys = replies.insert(callers.into_iter());
        let members = rest
            .into_iter()
            .zip(keys)
            .map(|((taken, deadline), caller)| Member { taken, deadline, caller })
            .collect();
        Self { commands, members }
    }

    /// As it came, if nothing was done with it: its callers wait in the queue again.
    pub(crate) fn into_tickets(self, replies: &Replies) -> Vec<Ticket> {
        let ticket = |(command, Member { taken, deadline, caller })| {
            // Who was told already that the outcome is not known is not told again.
            let reply = replies.remove(caller).unwrap_or_else(|| oneshot::channel().0);
            Ticket { command, taken, deadline, reply }
        };
        self.commands.into_iter().zip(self.members).map(ticket).collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.commands.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.commands.is_empty()
    }

    /// What the store has to lock and read.
    pub(crate) fn footprint(&self, may_be_known: impl Fn(OrderId) -> bool, skip_locked: bool) -> Footprint {
        Footprint::of(&self.commands, may_be_known, skip_locked)
    }

    /// How much was taken in memory for this batch, per product.
    pub(crate) fn taken(&self) -> IdMap<ProductId, Units> {
        let mut taken = IdMap::default();
        for (command, member) in self.commands.iter().zip(&self.members) {
            if let (Command::Reserve(reserve), Some(_)) = (command, &member.taken) {
                for line in reserve.lines.iter() {
                    *taken.entry(line.product).or_insert(Units::ZERO) += line.quantity.units();
                }
            }
        }
        taken
    }

    /// Takes out the members for which `is_out` says so.
    pub(crate) fn take_out(&mut self, is_out: impl Fn(&Command, &Member) -> bool) -> Self {
        if !self.commands.iter().zip(&self.members).any(|(command, member)| is_out(command, member)) {
            return Self::default();
        }
        let mut out = Self::default();
        let mut stay = Self::default();
        let all = std::mem::take(self);
        for (command, member) in all.commands.into_iter().zip(all.members) {
            let side = if is_out(&command, &member) { &mut out } else { &mut stay };
            side.commands.push(command);
            side.members.push(member);
        }
        *self = stay;
        out
    }

    /// Takes out what needs a product that someone else has locked.
    pub(crate) fn take_out_blocked(&mut self, locked: &Locked) -> Self {
        let is_blocked = |product: ProductId| locked.skipped.binary_search(&product).is_ok();
        let order_is_blocked = |order: OrderId| {
            locked
                .reservations
                .get(&order)
                .is_some_and(|r| r.lines.iter().any(|line| is_blocked(line.product)))
        };
        self.take_out(|command, _| match command {
            Command::Reserve(c) => {
                c.lines.iter().any(|line| is_blocked(line.product)) || order_is_blocked(c.order)
            }
            Command::Commit(c) => order_is_blocked(c.order),
            Command::Release(c) => order_is_blocked(c.order),
            Command::Extend(c) => order_is_blocked(c.order),
            Command::Expire(c) => order_is_blocked(c.order),
            Command::Adjust(c) => is_blocked(c.product),
            Command::Set(c) | Command::Import(c) => is_blocked(c.product),
            Command::Announce(product) => is_blocked(*product),
        })
    }

    /// Adds the members of another batch behind its own.
    pub(crate) fn append(&mut self, mut other: Self) {
        self.commands.append(&mut other.commands);
        self.members.append(&mut other.members);
    }

    /// The second half, to be tried on its own.
    pub(crate) fn split_off_half(&mut self) -> Self {
        let at = self.len() / 2;
        Self { commands: self.commands.split_off(at), members: self.members.split_off(at) }
    }

    /// Ends a batch that had no effect: what was taken goes back, everyone gets the same answer.
    pub(crate) fn fail(self, counters: &Counters, replies: &Replies, failure: &Failure) {
        let mut answers: Vec<(ReplyKey, Answer)> = Vec::with_capacity(self.len());
        for (command, member) in self.commands.into_iter().zip(self.members) {
            if let (Command::Reserve(reserve), Some(taken)) = (&command, member.taken) {
                counters.give_back(&reserve.lines, taken);
            }
            answers.push((member.caller, Err(failure.clone())));
        }
        replies.answer(answers.into_iter());
    }
}

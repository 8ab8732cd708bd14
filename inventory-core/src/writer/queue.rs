//! Where commands wait for the writer: two bounded lanes behind one short lock. Pushing never waits; a full lane is an
//! explicit refusal. Reserves have a lane of their own, so that what frees stock is never shed before them.

use std::collections::VecDeque;
use std::time::Instant;

use parking_lot::Mutex;
use tokio::sync::{Notify, oneshot};

use crate::command::Command;
use crate::counters::{Counters, Taken};
use crate::error::Failure;
use crate::outcome::Answer;

/// One command on its way: from the moment it is queued the writer owns it and what was taken for it.
/// A caller that goes away drops only the receiving end of `reply`.
#[derive(Debug)]
pub(crate) struct Ticket {
    pub(crate) command: Command,
    pub(crate) taken: Option<Taken>,
    pub(crate) deadline: Instant,
    pub(crate) reply: oneshot::Sender<Answer>,
}

impl Ticket {
    /// Ends a command that was not executed: what was taken for it goes back.
    pub(crate) fn refuse(self, counters: &Counters, failure: Failure) {
        if let (Command::Reserve(reserve), Some(taken)) = (&self.command, self.taken) {
            counters.give_back(&reserve.lines, taken);
        }
        // The caller may have gone; then nobody is to be told.
        let _gone = self.reply.send(Err(failure));
    }

    fn lines(&self) -> usize {
        match &self.command {
            Command::Reserve(reserve) => reserve.lines.len(),
            Command::Commit(_)
            | Command::Release(_)
            | Command::Extend(_)
            | Command::Expire(_)
            | Command::Adjust(_)
            | Command::Set(_)
            | Command::Import(_)
            | Command::Announce(_) => 1,
        }
    }
}

/// How much one batch may hold, and how much may wait.
#[derive(Clone, Copy, Debug)]
pub(crate) struct QueueLimits {
    pub(crate) reserves_max: usize,
    pub(crate) others_max: usize,
    pub(crate) batch_commands_max: usize,
    pub(crate) batch_lines_max: usize,
}

#[derive(Debug)]
pub(crate) struct Queue {
    limits: QueueLimits,
    state: Mutex<State>,
    arrived: Notify,
}

#[derive(Debug, Default)]
struct State {
    reserves: VecDeque<Ticket>,
    others: VecDeque<Ticket>,
    /// No more is taken: the engine shuts down or has failed.
    closed: bool,
    /// The store's last words, while it cannot be reached: reserves are refused at once.
    store_down: Option<String>,
    /// The writer sleeps and wants to be woken. Saves waking it a thousand times a batch.
    writer_waits: bool,
}

impl Queue {
    pub(crate) fn new(limits: QueueLimits) -> Self {
        Self { limits, state: Mutex::default(), arrived: Notify::new() }
    }

    /// Queues a command, or hands it back with the reason.
    pub(crate) fn push(&self, ticket: Ticket) -> Result<(), Box<(Ticket, Failure)>> {
        let mut state = self.state.lock();
        let refusal = if state.closed {
            Some(Failure::Stopped)
        } else if matches!(ticket.command, Command::Reserve(_)) {
            match &state.store_down {
                Some(reason) => Some(Failure::Unavailable { reason: reason.clone() }),
                None => (state.reserves.len() >= self.limits.reserves_max).then_some(Failure::Overloaded),
            }
        } else {
            (state.others.len() >= self.limits.others_max).then_some(Failure::Overloaded)
        };
        if let Some(failure) = refusal {
            return Err(Box::new((ticket, failure)));
        }
        if matches!(ticket.command, Command::Reserve(_)) {
            state.reserves.push_back(ticket);
        } else {
            state.others.push_back(ticket);
        }
        let wake = std::mem::take(&mut state.writer_waits);
        drop(state);
        if wake {
            self.arrived.notify_one();
        }
        Ok(())
    }

    /// The next batch: waits for one command, then takes what else waits, up to the limits. With `until`, gives up
    /// waiting at that moment and returns an empty batch. `None`: closed and empty.
    pub(crate) async fn next_batch(&self, until: Option<Instant>) -> Option<Vec<Ticket>> {
        loop {
            {
                let mut state = self.state.lock();
                let batch = self.drain(&mut state);
                if !batch.is_empty() {
                    return Some(batch);
                }
                if state.closed {
                    return None;
                }
                state.writer_waits = true;
            }
            match until {
                None => self.arrived.notified().await,
                Some(until) => {
                    let woken = tokio::time::timeout_at(until.into(), self.arrived.notified()).await;
                    if woken.is_err() {
                        return Some(Vec::new());
                    }
                }
            }
        }
    }

    /// What frees stock goes first, but a quarter of a batch is kept for reserves that wait.
    fn drain(&self, state: &mut State) -> Vec<Ticket> {
        let waiting = state.reserves.len() + state.others.len();
        let mut batch = Vec::with_capacity(waiting.min(self.limits.batch_commands_max));
        let kept_for_reserves = state.reserves.len().min(self.limits.batch_commands_max / 4);
        let mut lines = 0;
        let mut take = |lane: &mut VecDeque<Ticket>, room: usize| {
            while batch.len() < room && (lines < self.limits.batch_lines_max || batch.is_empty()) {
                let Some(ticket) = lane.pop_front() else { break };
                lines += ticket.lines();
                batch.push(ticket);
            }
        };
        take(&mut state.others, self.limits.batch_commands_max - kept_for_reserves);
        take(&mut state.reserves, self.limits.batch_commands_max);
        batch
    }

    /// Takes out what has waited past its deadline. Lanes are in order of arrival, and so of deadlines.
    pub(crate) fn overdue(&self, now: Instant) -> Vec<Ticket> {
        let mut state = self.state.lock();
        let mut overdue = due(&mut state.reserves, now);
        overdue.append(&mut due(&mut state.others, now));
        overdue
    }

    /// Takes out reserves whose deadline comes before `answered`, when the next batch would be: to execute them would be work for
    /// callers who are told before that the outcome is not known, while those behind them get old, too. What frees stock is
    /// executed whoever waits.
    pub(crate) fn hopeless(&self, answered: Instant) -> Vec<Ticket> {
        due(&mut self.state.lock().reserves, answered)
    }

    /// From now on reserves are refused at once (`Some`), or queued again (`None`).
    pub(crate) fn set_store_down(&self, reason: Option<String>) {
        self.state.lock().store_down = reason;
    }

    /// Whether a reserve would be queued, if there is room.
    pub(crate) fn is_open(&self) -> bool {
        let state = self.state.lock();
        !state.closed && state.store_down.is_none()
    }

    /// Takes no more; what waits is still executed.
    pub(crate) fn close(&self) {
        self.state.lock().closed = true;
        self.arrived.notify_one();
    }

    /// Takes no more and gives out what waits: the writer is gone.
    pub(crate) fn abandon(&self) -> Vec<Ticket> {
        let mut state = self.state.lock();
        state.closed = true;
        let State { reserves, others, .. } = &mut *state;
        reserves.drain(..).chain(others.drain(..)).collect()
    }

    pub(crate) fn len(&self) -> usize {
        let state = self.state.lock();
        state.reserves.len() + state.others.len()
    }
}

/// The head of a lane, up to the first ticket with a later deadline.
fn due(lane: &mut VecDeque<Ticket>, at: Instant) -> Vec<Ticket> {
    let mut due = Vec::new();
    while lane.front().is_some_and(|ticket| ticket.deadline <= at) {
        due.extend(lane.pop_front());
    }
    due
}

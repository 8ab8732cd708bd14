//! Where commands wait for the writer: two bounded lanes behind one short lock. Pushing never waits; a full lane is an
//! explicit refusal. Reserves have a lane of their own, so that what frees stock is never shed before them.

use std::collections::VecDeque;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

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
    /// Rung together with `arrived`, for [`Queue::gather`].
    gathered: Condvar,
}

/// Whose commands the next batch is of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Turn {
    All,
    Others,
    Reserves,
}

#[derive(Debug, Default)]
struct State {
    reserves: VecDeque<Ticket>,
    others: VecDeque<Ticket>,
    /// The last batch was of others alone, though reserves waited: now it is their turn.
    others_went: bool,
    /// No more is taken: the engine shuts down or has failed.
    closed: bool,
    /// The store's last words, while it cannot be reached: reserves are refused at once.
    store_down: Option<String>,
    /// The writer sleeps and wants to be woken when so many wait; zero: it is awake. Saves waking it a thousand times a batch.
    wake_at: usize,
}

impl State {
    fn len(&self) -> usize {
        self.reserves.len() + self.others.len()
    }
}

impl Queue {
    pub(crate) fn new(limits: QueueLimits) -> Self {
        Self { limits, state: Mutex::default(), arrived: Notify::new(), gathered: Condvar::new() }
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
        let wake = state.wake_at > 0 && state.len() >= state.wake_at;
        if wake {
            state.wake_at = 0;
        }
        drop(state);
        if wake {
            self.arrived.notify_one();
            self.gathered.notify_one();
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
                state.wake_at = 1;
            }
            match until {
                None => self.arrived.notified().await,
                Some(until) => {
                    let woken = tokio::time::timeout_at(until, self.arrived.notified()).await;
                    if woken.is_err() {
                        return Some(Vec::new());
                    }
                }
            }
        }
    }

    /// Blocks until `more` commands have come to those that wait, or a batch is full, or the time is up.
    pub(crate) fn gather(&self, more: usize, patience: Duration) {
        let mut state = self.state.lock();
        let wanted = (state.len() + more).min(self.limits.batch_commands_max);
        if state.closed || state.len() >= wanted {
            return;
        }
        state.wake_at = wanted;
        // Those who have not come by then are not waited for.
        let _late = self.gathered.wait_for(&mut state, patience);
        state.wake_at = 0;
    }

    /// All together, if one batch has room for all: that is one commit. Else the lanes take turns, what frees stock first: reserves
    /// by themselves are written by one short statement, and so are holds that end alike; together they take two long ones.
    fn drain(&self, state: &mut State) -> Vec<Ticket> {
        let room = self.limits.batch_commands_max;
        let turn = self.turn(state);
        state.others_went = turn == Turn::Others;
        let mut batch = Vec::with_capacity(state.len().min(room));
        let mut lines = 0;
        let mut take = |lane: &mut VecDeque<Ticket>| {
            while batch.len() < room && (lines < self.limits.batch_lines_max || batch.is_empty()) {
                let Some(ticket) = lane.pop_front() else { break };
                lines += ticket.lines();
                batch.push(ticket);
            }
        };
        if turn != Turn::Reserves {
            take(&mut state.others);
        }
        if turn != Turn::Others {
            take(&mut state.reserves);
        }
        batch
    }

    fn turn(&self, state: &State) -> Turn {
        let fit = state.len() <= self.limits.batch_commands_max;
        match (state.others.is_empty() || state.reserves.is_empty() || fit, state.others_went) {
            (true, _) => Turn::All,
            (false, false) => Turn::Others,
            (false, true) => Turn::Reserves,
        }
    }

    /// Completes when the next batch is full: whoever comes later is not in it.
    pub(crate) async fn full(&self) {
        loop {
            {
                let mut state = self.state.lock();
                let missing = self.missing(&state);
                if missing == 0 {
                    return;
                }
                state.wake_at = state.len() + missing;
            }
            self.arrived.notified().await;
        }
    }

    /// The next batch, if it is full.
    pub(crate) fn full_batch(&self) -> Option<Vec<Ticket>> {
        let mut state = self.state.lock();
        (self.missing(&state) == 0).then(|| self.drain(&mut state))
    }

    /// Puts a batch back that was taken: its commands are the next of their lanes again.
    pub(crate) fn put_back(&self, batch: Vec<Ticket>) {
        let mut state = self.state.lock();
        for ticket in batch.into_iter().rev() {
            if matches!(ticket.command, Command::Reserve(_)) {
                state.reserves.push_front(ticket);
            } else {
                state.others.push_front(ticket);
            }
        }
    }

    /// So many commands would the next batch have room for.
    fn missing(&self, state: &State) -> usize {
        let waiting = match self.turn(state) {
            Turn::All => state.len(),
            Turn::Others => state.others.len(),
            Turn::Reserves => state.reserves.len(),
        };
        self.limits.batch_commands_max.saturating_sub(waiting)
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
        self.state.lock().len()
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use uuid::Uuid;

    use super::*;
    use crate::command::Reserve;
    use crate::ids::{OrderId, ProductId};
    use crate::lines::Lines;
    use crate::quantity::Quantity;

    const LONG: Duration = Duration::from_secs(60);

    fn queue(batch_commands_max: usize) -> Queue {
        Queue::new(QueueLimits {
            reserves_max: 100,
            others_max: 100,
            batch_commands_max,
            batch_lines_max: 100,
        })
    }

    fn push(queue: &Queue, count: i64) {
        for product in 0..count {
            push_one(queue, Command::Announce(ProductId::new(product)));
        }
    }

    fn push_reserves(queue: &Queue, count: i64) {
        for product in 0..count {
            push_one(
                queue,
                Command::Reserve(Reserve {
                    order: OrderId::new(Uuid::now_v7()),
                    lines: Lines::one(ProductId::new(product), Quantity::ONE),
                    customer: None,
                    ttl: LONG,
                    ttl_max: LONG,
                }),
            );
        }
    }

    fn push_one(queue: &Queue, command: Command) {
        let (reply, _) = oneshot::channel();
        queue.push(Ticket { command, taken: None, deadline: Instant::now() + LONG, reply }).unwrap();
    }

    /// How many others and how many reserves the next batch is of.
    async fn next(queue: &Queue) -> (usize, usize) {
        let batch = queue.next_batch(None).await.unwrap();
        let reserves = batch.iter().filter(|ticket| matches!(ticket.command, Command::Reserve(_))).count();
        (batch.len() - reserves, reserves)
    }

    /// Whether gathering ended before its time was up; `count` commands come once it waits.
    fn gathers(queue: &Queue, more: usize, count: i64, patience: Duration) -> bool {
        let (begun, is_over) = (std::time::Instant::now(), AtomicBool::new(false));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while queue.state.lock().wake_at == 0 && !is_over.load(Ordering::Relaxed) {
                    std::thread::yield_now();
                }
                push(queue, count);
            });
            queue.gather(more, patience);
            is_over.store(true, Ordering::Relaxed);
        });
        begun.elapsed() < patience
    }

    #[tokio::test]
    async fn gathering_ends_with_the_last_of_those_it_waits_for_or_with_its_time() {
        let queue = queue(5);
        push(&queue, 1);
        assert!(gathers(&queue, 2, 2, LONG));
        assert!(!gathers(&queue, 2, 1, Duration::from_millis(20)), "one of two did not come");
        assert!(gathers(&queue, 3, 1, LONG), "a full batch is not kept waiting");
        assert!(gathers(&queue, 1, 0, LONG), "nor is one that was full before");
        assert_eq!(queue.next_batch(None).await.unwrap().len(), 5);
    }

    #[test]
    fn a_closed_queue_is_not_gathered() {
        let queue = queue(5);
        queue.close();
        assert!(gathers(&queue, 1, 0, LONG));
    }

    #[tokio::test]
    async fn what_fits_into_one_batch_shares_it() {
        let queue = queue(5);
        push_reserves(&queue, 3);
        push(&queue, 2);
        assert_eq!(next(&queue).await, (2, 3));
    }

    #[tokio::test]
    async fn when_more_wait_than_fit_others_and_reserves_take_turns_until_the_rest_fits() {
        let queue = queue(5);
        push_reserves(&queue, 8);
        push(&queue, 12);
        let mut turns = Vec::new();
        for _ in 0..4 {
            turns.push(next(&queue).await);
        }
        assert_eq!(turns, [(5, 0), (0, 5), (5, 0), (2, 3)]);
        push_reserves(&queue, 7);
        assert_eq!(next(&queue).await, (0, 5), "nothing else waits");
    }

    #[tokio::test]
    async fn a_batch_is_taken_ahead_once_nobody_could_join_it() {
        let queue = queue(3);
        let counts = |batch: Option<Vec<Ticket>>| batch.map(|batch| batch.len());
        push(&queue, 2);
        assert_eq!(counts(queue.full_batch()), None, "another may come before it is taken");
        push_reserves(&queue, 1);
        assert_eq!(counts(queue.full_batch()), Some(3));
        push(&queue, 2);
        push_reserves(&queue, 9);
        assert_eq!(counts(queue.full_batch()), None, "it is the others' turn, and more of them may come");
        assert_eq!(next(&queue).await, (2, 0));
        assert_eq!(counts(queue.full_batch()), Some(3));
        push(&queue, 3);
        let others = queue.full_batch().unwrap();
        assert_eq!(next(&queue).await, (0, 3), "turns are taken as ever");
        queue.put_back(others);
        assert_eq!(next(&queue).await, (3, 0));
        assert_eq!(queue.len(), 3);
    }

    #[tokio::test]
    async fn neither_lane_starves_however_full_the_other_is_kept() {
        let queue = queue(5);
        let (mut others, mut reserves) = (0, 0);
        push(&queue, 20);
        push_reserves(&queue, 20);
        for _ in 0..10 {
            let (more_others, more_reserves) = next(&queue).await;
            (others, reserves) = (others + more_others, reserves + more_reserves);
            push(&queue, i64::try_from(more_others).unwrap());
            push_reserves(&queue, i64::try_from(more_reserves).unwrap());
        }
        assert_eq!((others, reserves), (25, 25));
    }
}

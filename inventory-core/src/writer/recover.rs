//! What to do with a batch that had no effect: try again, split, park, or refuse. Bounded in every direction.

use std::time::Duration;

use tokio::time::Instant;

use super::Writer;
use super::attempt::Attempt;
use super::batch::{Batch, Member};
use crate::command::Command;
use crate::error::Failure;
use crate::store::{StoreError, StoreErrorKind};

/// Tries of one batch for reasons that pass by themselves.
const TRIES_MAX: u32 = 8;
/// Pieces into which one batch may be split to find the command that the store does not accept.
const SPLITS_MAX: usize = 256;
/// The first pause between tries; doubles, with jitter, up to [`PAUSE_MAX`].
const PAUSE: Duration = Duration::from_millis(5);
const PAUSE_MAX: Duration = Duration::from_millis(500);
/// How long commands on rows that others hold are left alone.
const PARK: Duration = Duration::from_millis(50);

/// Commands that wait for rows that someone else holds.
#[derive(Debug)]
pub(super) struct Parked {
    pub(super) batch: Batch,
    pub(super) until: Instant,
}

impl Writer {
    /// Drives a batch until everyone in it has an answer (or is parked).
    pub(super) async fn execute(&mut self, attempt: Attempt) {
        let mut work = vec![attempt];
        let mut splits = 0;
        while let Some(mut attempt) = work.pop() {
            if let Err(error) = self.attempt(&mut attempt, work.is_empty()).await {
                self.memory.stats.retries.add(1);
                self.recover(attempt, error, &mut work, &mut splits).await;
            }
        }
    }

    async fn recover(
        &mut self,
        mut attempt: Attempt,
        error: StoreError,
        work: &mut Vec<Attempt>,
        splits: &mut usize,
    ) {
        tracing::debug!(%error, commands = attempt.batch.len(), tries = attempt.tries, "a batch had no effect");
        match error.kind {
            StoreErrorKind::Conflict if attempt.tries < TRIES_MAX => attempt.read_all = true,
            StoreErrorKind::LockTimeout if attempt.tries < TRIES_MAX => attempt.skip_locked = true,
            StoreErrorKind::Transient if attempt.tries < TRIES_MAX => {
                self.refuse_overdue(&mut attempt.batch, &Failure::Overloaded);
                self.pause(attempt.tries).await;
            }
            StoreErrorKind::Conflict | StoreErrorKind::LockTimeout | StoreErrorKind::Transient => {
                return self.fail(attempt.batch, &Failure::Overloaded);
            }
            StoreErrorKind::Unavailable => {
                self.session = None;
                self.queue.set_store_down(Some(error.message.clone()));
                self.refuse_overdue(&mut attempt.batch, &unavailable(&error));
                self.pause(attempt.tries).await;
            }
            StoreErrorKind::Full => {
                // New holds need room; what frees stock is tried on.
                let reserves = attempt.batch.take_out(|command, _| matches!(command, Command::Reserve(_)));
                self.fail(reserves, &unavailable(&error));
                self.refuse_overdue(&mut attempt.batch, &unavailable(&error));
                self.pause(attempt.tries).await;
            }
            StoreErrorKind::Data if attempt.batch.len() > 1 && *splits < SPLITS_MAX => {
                *splits += 1;
                attempt.read_all = true;
                let second = attempt.batch.split_off_half();
                let skip_locked = attempt.skip_locked;
                work.push(Attempt { batch: second, read_all: true, skip_locked, ..Attempt::default() });
            }
            StoreErrorKind::Data if attempt.batch.len() > 1 => {
                return self.fail(attempt.batch, &Failure::Overloaded);
            }
            StoreErrorKind::Data | StoreErrorKind::Misconfigured | StoreErrorKind::Corrupt => {
                tracing::error!(%error, "the store refused a batch");
                return self.fail(attempt.batch, &Failure::Refused { reason: error.to_string() });
            }
        }
        if !attempt.batch.is_empty() {
            work.push(attempt);
        }
    }

    /// Sets commands aside until the rows they need may be free; those past their deadline are refused.
    pub(super) fn park(&mut self, mut batch: Batch) {
        self.refuse_overdue(&mut batch, &Failure::Overloaded);
        if !batch.is_empty() {
            self.parked.push(Parked { batch, until: Instant::now() + PARK });
        }
    }

    /// The parked commands whose pause is over, if any.
    pub(super) fn unpark(&mut self, now: Instant) -> Option<Batch> {
        let (ready, waiting): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.parked).into_iter().partition(|parked| parked.until <= now);
        self.parked = waiting;
        ready.into_iter().map(|parked| parked.batch).reduce(|mut all, batch| {
            all.append(batch);
            all
        })
    }

    /// Before the next try: longer each time, with jitter.
    async fn pause(&mut self, tries: u32) {
        let longest = (PAUSE * 2_u32.saturating_pow(tries.min(10))).min(PAUSE_MAX);
        tokio::time::sleep(self.chance.jitter(longest)).await;
    }

    fn refuse_overdue(&self, batch: &mut Batch, failure: &Failure) {
        let now = Instant::now();
        let overdue = batch.take_out(|_, member: &Member| member.deadline <= now);
        self.fail(overdue, failure);
    }

    fn fail(&self, batch: Batch, failure: &Failure) {
        batch.fail(&self.memory.counters, &self.replies, failure);
        self.memory.settled.notify_waiters();
    }
}

fn unavailable(error: &StoreError) -> Failure {
    Failure::Unavailable { reason: error.message.clone() }
}

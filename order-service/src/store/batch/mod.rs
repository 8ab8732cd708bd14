//! Group commit for orders: changes that come in while a batch is written make the next one.
//!
//! A batch is one transaction: it takes keys and locks orders ([`facts`]), decides each change purely ([`change`]), and writes all rows
//! table by table ([`writes`]). A change is told its answer when the batch is durable. **Whoever asks may go away at any time**: the
//! batch belongs to a task of the store.
//!
//! One change never costs another one its answer. What fails while it is decided leaves the batch, and the rest is done without it.
//! When the database refuses a batch, each of its changes is tried alone.

mod change;
mod facts;
mod writes;

use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;

use futures::FutureExt as _;
use parking_lot::Mutex;
use tokio_util::task::TaskTracker;

use super::{ApplyError, Store};

pub(super) use change::{Change, Key, Message, Money, Need};
use change::{Job, Waiting};
pub(super) use facts::Facts;
pub(super) use writes::Writes;

/// Changes in one transaction, at most: what others wait for it stays bounded.
const CHANGES_MAX: usize = 128;

/// Changes that wait for a batch.
#[derive(Default)]
pub(super) struct Batches {
    queue: Mutex<Queue>,
    tasks: TaskTracker,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Box<dyn Job>>,
    /// Somebody takes from it until it is empty.
    is_served: bool,
}

impl std::fmt::Debug for Batches {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Batches").field("waiting", &self.queue.lock().waiting.len()).finish()
    }
}

/// How a transaction ended.
enum Ended {
    /// Everything is durable.
    Done(Box<Writes>),
    /// Some changes left the batch; nothing is written yet.
    Again,
    /// The database failed or refused it before COMMIT; nothing was written.
    Refused(sqlx::Error),
    /// The answer to COMMIT was an error: it may have happened or not.
    Unknown(sqlx::Error),
}

impl Queue {
    /// The next batch: what came first, but never two changes that meet. The second waits for the next one.
    fn next(&mut self) -> Vec<Box<dyn Job>> {
        let mut batch: Vec<Box<dyn Job>> = Vec::new();
        let mut later = VecDeque::new();
        while batch.len() < CHANGES_MAX {
            let Some(job) = self.waiting.pop_front() else { break };
            let mut before = batch.iter().chain(&later);
            if before.any(|other| other.need().meets(job.need())) {
                later.push_back(job);
            } else {
                batch.push(job);
            }
        }
        later.append(&mut self.waiting);
        self.waiting = later;
        batch
    }
}

impl Store {
    /// Makes a change, together with others. The answer comes when it is durable.
    pub(super) async fn change<C: Change>(&self, change: C) -> Result<C::Answer, ApplyError> {
        let (job, told) = Waiting::new(change);
        let is_served = {
            let mut queue = self.batches.queue.lock();
            queue.waiting.push_back(Box::new(job));
            std::mem::replace(&mut queue.is_served, true)
        };
        if !is_served {
            let store = self.clone();
            self.batches.tasks.spawn(async move { store.serve().await });
        }
        // The task ends early only with the runtime, or by a panic, which says so itself.
        told.await.unwrap_or(Err(ApplyError::Sql(sqlx::Error::WorkerCrashed)))
    }

    async fn serve(&self) {
        loop {
            let batch = {
                let mut queue = self.batches.queue.lock();
                let batch = queue.next();
                queue.is_served = !batch.is_empty();
                batch
            };
            if batch.is_empty() {
                return;
            }
            if AssertUnwindSafe(self.make(batch)).catch_unwind().await.is_err() {
                tracing::error!("a batch of changes to orders panicked; its callers are told that it failed");
            }
        }
    }

    /// Makes a batch's changes; if the database refuses them together, each alone. When it is the database that is away or busy, all
    /// of them fail: to try them one by one would only take longer.
    async fn make(&self, batch: Vec<Box<dyn Job>>) {
        let Some((batch, error)) = self.together(batch).await else { return };
        if batch.len() < 2 || service_kit::sql::is_transient(&error) {
            return fail(batch, error);
        }
        tracing::warn!(%error, changes = batch.len(), "a batch is taken apart");
        for job in batch {
            if let Some((alone, error)) = self.together(vec![job]).await {
                fail(alone, error);
            }
        }
    }

    /// Makes changes in one transaction. What the database refused comes back.
    async fn together(&self, mut batch: Vec<Box<dyn Job>>) -> Option<(Vec<Box<dyn Job>>, sqlx::Error)> {
        while !batch.is_empty() {
            match self.attempt(&mut batch).await {
                Ended::Again => {}
                Ended::Done(writes) => {
                    self.ring(&writes);
                    batch.drain(..).for_each(Job::tell);
                }
                Ended::Refused(error) => return Some((batch, error)),
                Ended::Unknown(error) => {
                    fail(batch, error);
                    return None;
                }
            }
        }
        None
    }

    async fn attempt(&self, batch: &mut Vec<Box<dyn Job>>) -> Ended {
        let mut tx = match self.db.begin().await {
            Ok(tx) => tx,
            Err(error) => return Ended::Refused(error),
        };
        let needs: Vec<&Need> = batch.iter().map(|job| job.need()).collect();
        let facts = match Facts::gather(&mut tx, &needs).await {
            Ok(facts) => facts,
            Err(error) => return Ended::Refused(error),
        };
        let mut writes = Writes::default();
        let mut has_to_roll_back = false;
        let failed: Vec<_> =
            batch.extract_if(.., |job| !job.decide(&facts, &self.options, &mut writes)).collect();
        for job in failed {
            has_to_roll_back |= job.need().takes_something();
            job.tell();
        }
        if has_to_roll_back {
            return Ended::Again;
        }
        if let Err(error) = writes.write(&mut tx).await {
            return Ended::Refused(error);
        }
        match tx.commit().await {
            Ok(()) => Ended::Done(Box::new(writes)),
            Err(error) => Ended::Unknown(error),
        }
    }
}

/// Tells all of them. Only one can have the error itself; the others get its words.
fn fail(batch: Vec<Box<dyn Job>>, error: sqlx::Error) {
    let mut jobs = batch.into_iter();
    let first = jobs.next();
    for job in jobs {
        job.fail(ApplyError::Sql(sqlx::Error::Io(std::io::Error::other(error.to_string()))));
    }
    if let Some(job) = first {
        job.fail(ApplyError::Sql(error));
    }
}

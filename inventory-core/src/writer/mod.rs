//! The group-commit writer: receive one command, gather and drain what waits, commit once, answer all.
//!
//! One task owns one session, by default on a thread of its own ([`WriterPlace`]). From the moment a command is queued the writer owns
//! it and what was taken for it, so a caller that goes away at any await leaks nothing. Nothing ever cancels a future inside a transaction: deadlines are checked when
//! work is taken from the queue, by a [watchdog](Watchdog) that also tells callers of a silent store that
//! the outcome is not known yet. While an outcome is unknown the writer does nothing else, and what was taken stays taken.
//!
//! ```text
//! queue ─drain→ Batch ─begin→ Locked ─decide→ Effects ─persist, COMMIT→ settle counters ─→ answers (another task)
//!                 ▲                                        │ no effect
//!                 └──────── retry · split · park ──────────┘
//! ```

mod ahead;
mod attempt;
mod batch;
mod deadlines;
mod known;
mod memory;
mod pace;
mod queue;
mod recover;
mod replies;
mod stats;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::{self, Handle};
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use self::attempt::Attempt;
use self::batch::Batch;
pub(crate) use self::memory::Memory;
use self::pace::Pace;
use self::queue::{Queue, QueueLimits, Ticket};
use self::recover::Parked;
use self::replies::Replies;
use crate::chance::Chance;
use crate::command::Command;
use crate::counters::Taken;
use crate::error::Failure;
use crate::event::EventEncoder;
use crate::options::{EngineOptions, WriterPlace};
use crate::outcome::Answer;
use crate::store::{Session, Store, StoreError};

/// How often deadlines of waiting callers are looked at.
const WATCH_PERIOD: Duration = Duration::from_millis(100);
/// How often a store that is away is looked for.
const PROBE_PERIOD: Duration = Duration::from_millis(250);

/// What submits commands. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct WriterHandle {
    queue: Arc<Queue>,
    memory: Arc<Memory>,
    request_deadline: Duration,
    /// Becomes true when the writer has ended without being asked to.
    failed: watch::Receiver<bool>,
}

/// The task's state.
pub(super) struct Writer {
    store: Arc<dyn Store>,
    encoder: Arc<dyn EventEncoder>,
    memory: Arc<Memory>,
    queue: Arc<Queue>,
    replies: Arc<Replies>,
    answering: Answering,
    session: Option<Box<dyn Session>>,
    was_connected: bool,
    parked: Vec<Parked>,
    /// Taken ahead.
    next: Option<Attempt>,
    pace: Pace,
    /// By the last batch.
    products_locked: usize,
    /// It has a thread of its own, which may stand still for a moment.
    may_block: bool,
    chance: Chance,
    /// Half of a caller's patience: however slow the store is, who came just now is tried.
    expected_max: Duration,
}

/// Where callers are answered: on the runtime that the engine was opened on.
struct Answering {
    tasks: TaskTracker,
    runtime: Handle,
}

impl WriterHandle {
    /// Starts the writer where the options say, and its watchdog on `tasks`.
    pub(crate) fn start(
        store: Arc<dyn Store>,
        encoder: Arc<dyn EventEncoder>,
        memory: Arc<Memory>,
        options: &EngineOptions,
        tasks: &TaskTracker,
    ) -> io::Result<Self> {
        let queue = Arc::new(Queue::new(QueueLimits {
            reserves_max: options.reserves_queued_max,
            others_max: options.others_queued_max,
            batch_commands_max: options.batch_commands_max,
            batch_lines_max: options.batch_lines_max,
        }));
        let replies = Arc::new(Replies::default());
        let (failed_tx, failed) = watch::channel(false);
        let guard = EndGuard {
            queue: queue.clone(),
            replies: replies.clone(),
            memory: memory.clone(),
            failed: failed_tx,
            asked: false,
        };
        let watchdog = Watchdog { queue: queue.clone(), replies: replies.clone(), memory: memory.clone() };
        let writer = Writer {
            store,
            encoder,
            memory: memory.clone(),
            queue: queue.clone(),
            replies,
            answering: Answering { tasks: tasks.clone(), runtime: Handle::current() },
            session: None,
            was_connected: false,
            parked: Vec::new(),
            next: None,
            pace: Pace::default(),
            products_locked: 0,
            may_block: options.writer == WriterPlace::OwnThread,
            chance: Chance::new(options.seed),
            expected_max: options.request_deadline / 2,
        };
        match options.writer {
            WriterPlace::OwnThread => tasks.spawn(on_own_thread(writer, guard)?),
            WriterPlace::Runtime => tasks.spawn(writer.run(guard)),
        };
        tasks.spawn(watchdog.run(failed.clone()));
        Ok(Self { queue, memory, request_deadline: options.request_deadline, failed })
    }

    /// Queues a command with what was taken for it; the answer comes through the receiver. Never waits.
    pub(crate) fn submit(
        &self,
        command: Command,
        taken: Option<Taken>,
    ) -> Result<oneshot::Receiver<Answer>, Failure> {
        let (reply, answer) = oneshot::channel();
        let deadline = Instant::now() + self.request_deadline;
        match self.queue.push(Ticket { command, taken, deadline, reply }) {
            Ok(()) => Ok(answer),
            Err(refused) => {
                let (ticket, failure) = *refused;
                if failure == Failure::Overloaded {
                    self.memory.stats.overloaded.add(1);
                }
                ticket.refuse(&self.memory.counters, failure.clone());
                Err(failure)
            }
        }
    }

    /// Queues a command and waits for its answer.
    pub(crate) async fn ask(&self, command: Command, taken: Option<Taken>) -> Answer {
        let answer = self.submit(command, taken)?;
        answer.await.unwrap_or(Err(Failure::OutcomeUnknown))
    }

    /// Whether commands are taken and the store answered the last try.
    pub(crate) fn is_ready(&self) -> bool {
        self.queue.is_open()
    }

    /// Commands that wait.
    pub(crate) fn queued(&self) -> usize {
        self.queue.len()
    }

    /// Takes no more commands; those queued are executed, then the writer ends.
    pub(crate) fn close(&self) {
        self.queue.close();
    }

    /// Completes when the writer has ended without being asked to.
    pub(crate) async fn failed(&self) {
        let mut failed = self.failed.clone();
        if failed.wait_for(|failed| *failed).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Runs the writer on a thread of its own; the future ends when it has. Among a thousand callers just answered the writer would
/// wait for its turn on their workers, and everyone waits for the writer.
fn on_own_thread(writer: Writer, guard: EndGuard) -> io::Result<impl Future<Output = ()>> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let (ended, wait) = oneshot::channel::<()>();
    std::thread::Builder::new().name("holdfast-writer".into()).spawn(move || {
        runtime.block_on(writer.run(guard));
        drop(ended);
    })?;
    Ok(async move {
        // Nothing is sent: the sender goes away with the thread, a panic included.
        let _ended = wait.await;
    })
}

impl Writer {
    async fn run(mut self, mut guard: EndGuard) {
        while let Some(attempt) = self.next_attempt().await {
            if !attempt.batch.is_empty() {
                let (begun, commands) = (Instant::now(), attempt.batch.len());
                self.execute(attempt).await;
                self.pace.took(begun.elapsed(), commands, self.products_locked);
            }
        }
        while let Some(last) = self.parked.pop() {
            last.batch.fail(&self.memory.counters, &self.replies, &Failure::Stopped);
        }
        guard.asked = true;
    }

    /// The next batch, which may be empty. None: the queue is closed and has no more.
    async fn next_attempt(&mut self) -> Option<Attempt> {
        if let Some(next) = self.next.take() {
            return Some(next);
        }
        self.gather();
        self.refuse_hopeless();
        let tickets = self.queue.next_batch(self.wake_at()).await?;
        if tickets.is_empty() && self.session.is_none() {
            // Nobody asks while reserves are refused: only a try of our own finds the store back.
            if let Err(error) = self.connect().await {
                tracing::debug!(%error, "the store is still away");
            }
        }
        let parked = self.unpark(Instant::now());
        let skip_locked = parked.is_some() || !self.parked.is_empty();
        let fresh = Batch::new(tickets, &self.replies);
        let mut batch = parked.unwrap_or_default();
        batch.append(fresh);
        Some(Attempt { batch, skip_locked, ..Attempt::default() })
    }

    /// Gives those who were just answered the time to ask again: one batch costs less than two of half its size. It is a matter of
    /// microseconds, and tokio's timers count milliseconds: the thread itself waits. On somebody's runtime nobody is waited for.
    fn gather(&self) {
        if let Some(patience) = self.pace.patience().filter(|_| self.may_block) {
            self.queue.gather(self.pace.commands(), patience);
        }
    }

    /// Refuses reserves that would be answered too late. What is told to their callers is certain: nothing happened.
    fn refuse_hopeless(&self) {
        let expected = self.pace.expected().min(self.expected_max);
        refuse(self.queue.hopeless(Instant::now() + expected), &self.memory);
    }

    /// When to wake without a command: for parked ones, or to look whether the store is back.
    fn wake_at(&self) -> Option<Instant> {
        let parked = self.parked.iter().map(|parked| parked.until).min();
        let probe = self.session.is_none().then(|| Instant::now() + PROBE_PERIOD);
        parked.into_iter().chain(probe).min()
    }

    /// Makes sure that there is a session; the epoch it belongs to. A new connection after a loss begins a new epoch: the server
    /// behind it may have failed over, and versions of before no longer compare.
    pub(super) async fn connect(&mut self) -> Result<u32, StoreError> {
        if self.session.is_none() {
            let session = self.store.open_session().await?;
            if self.was_connected {
                self.memory.counters.begin_epoch();
                tracing::info!("connected to the store again");
            }
            self.session = Some(session);
            self.was_connected = true;
            self.queue.set_store_down(None);
        }
        Ok(self.memory.counters.epoch())
    }
}

/// Ends commands that were not executed for want of time.
fn refuse(tickets: Vec<Ticket>, memory: &Memory) {
    if tickets.is_empty() {
        return;
    }
    memory.stats.overloaded.add(tickets.len());
    for ticket in tickets {
        ticket.refuse(&memory.counters, Failure::Overloaded);
    }
    memory.settled.notify_waiters();
}

/// Answers callers whose deadline passes while the writer is busy or the store silent.
struct Watchdog {
    queue: Arc<Queue>,
    replies: Arc<Replies>,
    memory: Arc<Memory>,
}

impl Watchdog {
    async fn run(self, mut failed: watch::Receiver<bool>) {
        // The sender goes away with the writer, asked or not; then there is nobody left to watch for.
        let gone = async move { while failed.changed().await.is_ok() {} };
        tokio::pin!(gone);
        loop {
            tokio::select! {
                biased;
                () = &mut gone => return,
                () = tokio::time::sleep(WATCH_PERIOD) => {}
            }
            let now = Instant::now();
            refuse(self.queue.overdue(now), &self.memory);
            self.replies.time_out(now);
        }
    }
}

/// Runs when the writer ends, a panic included: nobody is left waiting, and whoever runs the engine learns of it.
struct EndGuard {
    queue: Arc<Queue>,
    replies: Arc<Replies>,
    memory: Arc<Memory>,
    failed: watch::Sender<bool>,
    asked: bool,
}

impl Drop for EndGuard {
    fn drop(&mut self) {
        for ticket in self.queue.abandon() {
            ticket.refuse(&self.memory.counters, Failure::Stopped);
        }
        if !self.asked {
            self.replies.abandon();
            tracing::error!("the writer has failed; the engine takes no more requests");
            self.failed.send_replace(true);
        }
    }
}

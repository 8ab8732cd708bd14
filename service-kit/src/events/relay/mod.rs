//! Publishes the outbox.
//!
//! Per aggregate the order of `seq` is the order of commits; across aggregates it is not: a lower number may be committed later. So
//! there is **no cursor**: each page begins at the lowest row that is there, and what was published is deleted. Rows that
//! cannot go now are left out by their key, never by their number.
//!
//! **No transaction is open while the transport works.** A crash between publishing and deleting publishes again, under the same event id.
//!
//! One relay at a time publishes an outbox: it holds a lease row with a random token, judged by the database's clock and renewed while
//! it publishes. Each deletion checks the token. A relay that was paused for longer than its lease may still publish what it had read:
//! consumers know those events by their ids and the aggregate's version.

mod lease;
mod meters;
mod pages;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::lease::Lease;
use self::meters::Meters;
use self::pages::Pending;
use super::backoff::Backoff;
use super::{PublishError, Publisher, Record};
use crate::Metrics;
use crate::sql::Database;

/// Keys that are left out of one query at most; with more, the relay waits instead of looking past them.
const SKIPPED_KEYS_MAX: usize = 1_000;

/// How often the age of the oldest row is read.
const MEASURE_EVERY: Duration = Duration::from_secs(1);

/// How the relay behaves.
#[derive(Clone, Debug)]
pub struct RelayOptions {
    /// The lease's name: relays with the same name on the same database take turns.
    pub name: &'static str,
    /// How long a relay may be silent before another one takes over.
    pub lease: Duration,
    /// Rows published at once.
    pub page_rows: u32,
    /// How often it looks when nobody woke it.
    pub poll_every: Duration,
    /// Pauses after a failure grow from here …
    pub retry_first: Duration,
    /// … to here.
    pub retry_max: Duration,
    /// When a key whose record was refused for good is tried again: somebody may have changed what refused it.
    pub refused_pause: Duration,
    /// How long it goes on publishing after it was told to stop.
    pub drain_deadline: Duration,
}

impl Default for RelayOptions {
    fn default() -> Self {
        Self {
            name: "relay",
            lease: Duration::from_secs(10),
            page_rows: 500,
            poll_every: Duration::from_millis(500),
            retry_first: Duration::from_millis(50),
            retry_max: Duration::from_secs(5),
            refused_pause: Duration::from_secs(60),
            drain_deadline: Duration::from_secs(3),
        }
    }
}

/// Wakes the relay after a commit. Cheap to clone; it may be called from anywhere.
#[derive(Clone, Debug, Default)]
pub struct RelayWake(Arc<Notify>);

impl RelayWake {
    /// There is something to publish.
    pub fn wake(&self) {
        self.0.notify_one();
    }
}

/// See the module.
pub struct Relay {
    database: Database,
    publisher: Arc<dyn Publisher>,
    options: RelayOptions,
    wake: RelayWake,
    meters: Meters,
}

/// Topic and key: what order is kept by.
type Key = (String, String);

/// What a look at the outbox came to.
enum Round {
    /// Nothing is left that could go now.
    Empty,
    /// Rows went; there may be more.
    Progress,
    /// Nothing went: wait.
    Failed,
    /// Another relay is at work.
    NotOurs,
}

/// What the relay remembers between rounds. None of it is needed after a restart.
struct State {
    lease: Lease,
    measure_at: Instant,
    /// Not now, until the next pause.
    failing: HashSet<Key>,
    /// Refused for good, until it is tried again.
    refused: HashSet<Key>,
    retry_refused_at: Instant,
}

impl Relay {
    /// A relay for the outbox of this database.
    pub fn new(
        database: Database,
        publisher: Arc<dyn Publisher>,
        options: RelayOptions,
        metrics: Option<&Metrics>,
    ) -> Self {
        let meters = Meters::new(metrics);
        Self { database, publisher, options, wake: RelayWake::default(), meters }
    }

    /// What wakes it.
    pub fn handle(&self) -> RelayWake {
        self.wake.clone()
    }

    /// Publishes until it is told to stop; then what is left, for a bounded time.
    pub async fn run(self, stop: CancellationToken) {
        let mut state = State {
            lease: Lease::new(self.database.clone(), self.options.name, self.options.lease),
            measure_at: Instant::now(),
            failing: HashSet::new(),
            refused: HashSet::new(),
            retry_refused_at: Instant::now() + self.options.refused_pause,
        };
        let mut backoff = Backoff::new(self.options.retry_first, self.options.retry_max);
        while !stop.is_cancelled() {
            let pause = match self.round(&mut state).await {
                Round::Progress => {
                    backoff.reset();
                    continue;
                }
                Round::Empty if state.failing.is_empty() => self.options.poll_every,
                Round::Empty | Round::Failed => backoff.pause(),
                Round::NotOurs => self.options.poll_every.min(self.options.lease / 2),
            };
            let is_woken_early = state.failing.is_empty();
            state.failing.clear();
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.wake.0.notified(), if is_woken_early => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
        self.drain(&mut state).await;
        state.lease.give_back().await;
    }

    async fn drain(&self, state: &mut State) {
        let deadline = Instant::now() + self.options.drain_deadline;
        while Instant::now() < deadline {
            let round = tokio::time::timeout_at(deadline, self.round(state)).await;
            if !matches!(round, Ok(Round::Progress)) {
                return;
            }
        }
    }

    /// One page: read, publish, delete.
    async fn round(&self, state: &mut State) -> Round {
        self.measure(state).await;
        match state.lease.hold().await {
            Ok(true) => {}
            Ok(false) => return Round::NotOurs,
            Err(error) => return self.away("taking the lease", &error),
        }
        if Instant::now() >= state.retry_refused_at {
            state.refused.clear();
            state.retry_refused_at = Instant::now() + self.options.refused_pause;
        }
        let skipped: Vec<_> = state.failing.iter().chain(&state.refused).collect();
        if skipped.len() > SKIPPED_KEYS_MAX {
            return Round::Failed;
        }
        let page = match pages::read(&self.database, self.options.page_rows, &skipped).await {
            Ok(page) if page.is_empty() => return Round::Empty,
            Ok(page) => page,
            Err(error) => return self.away("reading the outbox", &error),
        };
        let answers = self.publish(&page, state).await;
        let sent = self.sort_out(&page, answers, state);
        if sent.is_empty() {
            return Round::Failed;
        }
        match pages::delete(&self.database, &sent, &state.lease).await {
            Ok(0) => {
                state.lease.lost();
                tracing::warn!("the relay lost its lease while it published; what it sent is sent again");
                Round::NotOurs
            }
            Ok(_) => Round::Progress,
            // They are sent once more, under the same ids.
            Err(error) => self.away("deleting what was published", &error),
        }
    }

    /// Publishes while the lease is renewed and the oldest row is watched.
    async fn publish(&self, page: &[Pending], state: &mut State) -> Vec<Result<(), PublishError>> {
        let records: Vec<Record> = page.iter().map(|pending| pending.record.clone()).collect();
        let mut published = self.publisher.publish(&records);
        let mut renewal = tokio::time::interval(self.options.lease / 3);
        renewal.tick().await;
        loop {
            tokio::select! {
                answers = &mut published => return answers,
                _ = renewal.tick() => {
                    if let Err(error) = state.lease.hold().await {
                        tracing::warn!(%error, "the relay's lease could not be renewed");
                    }
                    self.measure(state).await;
                }
            }
        }
    }

    /// The rows that are durably published: per key only the first ones, up to the first failure.
    fn sort_out(
        &self,
        page: &[Pending],
        answers: Vec<Result<(), PublishError>>,
        state: &mut State,
    ) -> Vec<i64> {
        let mut sent = Vec::with_capacity(page.len());
        let answers = answers.into_iter().chain(std::iter::repeat_with(|| Err(PublishError::Behind)));
        for (pending, answer) in page.iter().zip(answers) {
            let key = (pending.record.topic.clone(), pending.record.key.clone());
            if state.failing.contains(&key) || state.refused.contains(&key) {
                continue;
            }
            match answer {
                Ok(()) => sent.push(pending.seq),
                Err(PublishError::Permanent(reason)) => {
                    self.meters.refused.increment(1);
                    tracing::error!(
                        topic = key.0,
                        key = key.1,
                        seq = pending.seq,
                        reason,
                        "an event is refused for good; later ones of its key wait behind it"
                    );
                    state.refused.insert(key);
                }
                Err(error @ (PublishError::Transient(_) | PublishError::Behind)) => {
                    self.meters.failed.increment(1);
                    tracing::warn!(topic = key.0, key = key.1, %error, "an event could not be published now");
                    state.failing.insert(key);
                }
            }
        }
        self.meters.published.increment(sent.len() as u64);
        self.meters.blocked_keys.set(count(state.refused.len()));
        sent
    }

    async fn measure(&self, state: &mut State) {
        if Instant::now() < state.measure_at {
            return;
        }
        state.measure_at = Instant::now() + MEASURE_EVERY;
        match pages::oldest_pending(&self.database).await {
            Ok(age) => self.meters.oldest_pending.set(age.as_secs_f64()),
            Err(error) => tracing::debug!(%error, "the outbox could not be measured"),
        }
    }

    fn away(&self, what: &str, error: &sqlx::Error) -> Round {
        self.meters.database_errors.increment(1);
        tracing::warn!(%error, "{what} failed; the relay tries again");
        Round::Failed
    }
}

fn count(length: usize) -> f64 {
    f64::from(u32::try_from(length).unwrap_or(u32::MAX))
}

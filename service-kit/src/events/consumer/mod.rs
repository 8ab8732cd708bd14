//! Hands events to a handler: in order per key, one at a time; different keys at the same time.
//!
//! ```text
//! subscription ─► intake ─► lane by hash of the key ─► handler ─► done ─► contiguous per partition ─► offset stored
//!                                                        ├─ transient: the lane tries again, what is behind it waits
//!                                                        └─ permanent: key parked, letter written, then done
//! ```
//!
//! **A transient error never becomes a dead letter.** What was taken and not done when the consumer ends is delivered again; the handler's
//! inbox knows what it has seen.

mod breaker;
mod incoming;
mod lane;
pub(crate) mod letter;
mod meters;
mod options;
mod parking;
mod progress;
mod unpark;

use std::collections::VecDeque;
use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub use self::options::ConsumerOptions;

use self::breaker::Breaker;
use self::lane::{Verdict, Worker};
use self::meters::Meters;
use self::parking::Parking;
use self::progress::{Progress, Ticket};
use super::backoff::Backoff;
use super::{Cleanup, Handler, Received, Subscription, TopicSpec, Transport, TransportError};
use crate::Metrics;
use crate::sql::Database;

/// One group's member in this process.
pub struct Consumer {
    transport: Arc<dyn Transport>,
    handler: Arc<dyn Handler>,
    database: Database,
    options: ConsumerOptions,
    meters: Arc<Meters>,
}

/// Why a session ended.
enum End {
    /// It was told to.
    Stopped,
    /// Too many events failed for good.
    Tripped,
    /// The transport or a lane broke.
    Broken,
}

/// A record on its way through a lane.
struct Job {
    received: Received,
    ticket: Ticket,
    _room: OwnedSemaphorePermit,
}

/// One membership, from subscribing to leaving.
struct Session {
    worker: Arc<Worker>,
    progress: Arc<Progress>,
    lanes: Vec<mpsc::Sender<Job>>,
    tasks: JoinSet<()>,
    room: Arc<Semaphore>,
    waiting: VecDeque<Received>,
    stored_at: Instant,
}

impl Consumer {
    /// `parking` is the service's own database, with the events' tables.
    pub fn new(
        transport: Arc<dyn Transport>,
        handler: Arc<dyn Handler>,
        parking: Database,
        options: ConsumerOptions,
        metrics: Option<&Metrics>,
    ) -> Self {
        let meters = Arc::new(Meters::new(metrics, handler.group()));
        Self { transport, handler, database: parking, options, meters }
    }

    /// Consumes until it is told to stop: then nothing more is taken, what was begun is finished, and what is done is stored.
    pub async fn run(self, stop: CancellationToken) {
        let mut backoff = Backoff::new(self.options.retry_first, self.options.retry_max);
        while !stop.is_cancelled() {
            let group = self.handler.group();
            let subscription = tokio::select! {
                () = stop.cancelled() => return,
                subscription = self.subscribe() => subscription,
            };
            let pause = match subscription {
                Err(error) => {
                    tracing::warn!(group, %error, "the events cannot be subscribed to; trying again");
                    backoff.pause()
                }
                Ok(subscription) => match self.session(subscription, &stop, &mut backoff).await {
                    End::Stopped => return,
                    End::Broken => backoff.pause(),
                    End::Tripped => {
                        self.meters.tripped.set(1.0);
                        tracing::error!(
                            group,
                            pause_seconds = self.options.breaker_pause.as_secs(),
                            "too many events fail for good: that is a bug, not poison. Nothing is consumed until \
                             the pause is over or the service is restarted"
                        );
                        self.options.breaker_pause
                    }
                },
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(pause) => {}
            }
            self.meters.tripped.set(0.0);
        }
    }

    async fn subscribe(&self) -> Result<Box<dyn Subscription>, TransportError> {
        let (group, topics) = (self.handler.group(), self.handler.topics());
        let letters = topics.iter().map(|topic| TopicSpec {
            name: letter::topic_of_letters(topic, group),
            cleanup: Cleanup::Delete,
            keep: Some(self.options.keep_dead_letters),
        });
        self.transport.ensure_topics(&letters.collect::<Vec<_>>()).await?;
        self.transport.subscribe(group, topics).await
    }

    async fn session(
        &self,
        mut subscription: Box<dyn Subscription>,
        stop: &CancellationToken,
        backoff: &mut Backoff,
    ) -> End {
        let mut session = Session::start(self);
        let end = session.consume(&mut *subscription, stop, backoff).await;
        session.finish(&mut *subscription).await;
        subscription.close().await;
        end
    }
}

impl Session {
    fn start(consumer: &Consumer) -> Self {
        let options = consumer.options.clone();
        let worker = Arc::new(Worker {
            handler: consumer.handler.clone(),
            transport: consumer.transport.clone(),
            publisher: consumer.transport.publisher(),
            parking: Parking::new(consumer.database.clone(), consumer.handler.group()),
            breaker: Mutex::new(Breaker::new(options.breaker_window, options.breaker_failures)),
            meters: consumer.meters.clone(),
            asks: AtomicBool::new(false),
            halt: CancellationToken::new(),
            tripped: CancellationToken::new(),
            options,
        });
        let progress = Arc::new(Progress::default());
        let (lanes_max, in_flight_max) = (worker.options.lanes.max(1), worker.options.in_flight_max.max(1));
        let mut tasks = JoinSet::new();
        let lanes = (0..lanes_max).map(|_| {
            // Room for all: what is in flight is bounded by permits.
            let (sender, jobs) = mpsc::channel(in_flight_max);
            tasks.spawn(run_lane(worker.clone(), progress.clone(), jobs));
            sender
        });
        let lanes = lanes.collect();
        let room = Arc::new(Semaphore::new(in_flight_max));
        let (waiting, stored_at) = (VecDeque::new(), Instant::now());
        Self { worker, progress, lanes, tasks, room, waiting, stored_at }
    }

    async fn consume(
        &mut self,
        subscription: &mut dyn Subscription,
        stop: &CancellationToken,
        backoff: &mut Backoff,
    ) -> End {
        loop {
            let store_at = self.stored_at + self.worker.options.store_every;
            let is_idle = self.waiting.is_empty();
            tokio::select! {
                biased;
                () = stop.cancelled() => return End::Stopped,
                () = self.worker.tripped.cancelled() => return End::Tripped,
                Some(ended) = self.tasks.join_next() => {
                    tracing::error!(?ended, "a lane ended by itself; the consumer starts again");
                    return End::Broken;
                }
                () = due(&self.progress, store_at) => self.store(subscription).await,
                Ok(room) = self.room.clone().acquire_owned(), if !is_idle => self.hand_out(room),
                received = subscription.next(), if is_idle => match received {
                    Ok(received) => {
                        backoff.reset();
                        self.take(received).await;
                    }
                    Err(error) if error.is_transient => {
                        tracing::warn!(%error, "no events can be read now; trying again");
                        tokio::select! {
                            () = stop.cancelled() => {}
                            () = tokio::time::sleep(backoff.pause()) => {}
                        }
                    }
                    Err(error) => {
                        tracing::error!(%error, "no events can be read; subscribing again");
                        return End::Broken;
                    }
                },
            }
        }
    }

    /// Looks once per batch whether any key is parked; most of the time none is, and no record has to ask.
    async fn take(&mut self, received: Vec<Received>) {
        // Read after the records were received: what another member parked before it gave them away is seen.
        let asks = &self.worker.asks;
        if !asks.load(Ordering::Acquire) && self.worker.parking.is_used().await.unwrap_or(true) {
            asks.store(true, Ordering::Release);
        }
        self.waiting.extend(received);
    }

    fn hand_out(&mut self, room: OwnedSemaphorePermit) {
        let mut room = Some(room);
        while let Some(permit) = room.take() {
            let Some(received) = self.waiting.pop_front() else { return };
            let ticket = self.progress.take(&received);
            let lane = lane_of(&received.record.key, self.lanes.len());
            // Refused only by a lane that has ended, which ends the session.
            let _ = self.lanes[lane].try_send(Job { received, ticket, _room: permit });
            room = self.room.clone().try_acquire_owned().ok();
        }
    }

    async fn store(&mut self, subscription: &mut dyn Subscription) {
        let places = self.progress.to_store();
        if !places.is_empty()
            && let Err(error) = subscription.done(&places).await
        {
            tracing::warn!(%error, "what is done could not be stored; trying again");
            self.progress.not_stored(places);
        }
        self.stored_at = Instant::now();
    }

    /// Lets the lanes finish what they have begun, then stores what is done.
    async fn finish(mut self, subscription: &mut dyn Subscription) {
        self.worker.halt.cancel();
        self.lanes.clear();
        let finished = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(self.worker.options.drain_deadline, finished).await.is_err() {
            tracing::warn!("events were still being handled at the deadline; they are delivered again");
            self.tasks.shutdown().await;
        }
        self.store(subscription).await;
    }
}

async fn run_lane(worker: Arc<Worker>, progress: Arc<Progress>, mut jobs: mpsc::Receiver<Job>) {
    loop {
        let job = tokio::select! {
            biased;
            () = worker.halt.cancelled() => return,
            job = jobs.recv() => job,
        };
        let Some(job) = job else { return };
        match worker.process(&job.received).await {
            Verdict::Finished => progress.finish(&job.ticket),
            // Nothing behind it may be handled before it.
            Verdict::Left => return worker.halt.cancelled().await,
        }
    }
}

/// When there is something to store, and it is time.
async fn due(progress: &Progress, at: Instant) {
    progress.has_moved().await;
    tokio::time::sleep_until(at).await;
}

/// By key alone: events of one key come one at a time, whatever their topics.
fn lane_of(key: &str, lanes: usize) -> usize {
    let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(key);
    usize::try_from(hash % lanes as u64).unwrap_or(0)
}

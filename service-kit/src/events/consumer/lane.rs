//! One record at a time, from the first try to its end.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::FutureExt as _;
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use super::breaker::Breaker;
use super::letter::{self, Cause};
use super::meters::Meters;
use super::options::ConsumerOptions;
use super::parking::Parking;
use crate::events::backoff::Backoff;
use crate::events::headers::{EVENT_TYPE, REDRIVE_GROUP, REDRIVE_STAMP, get, number};
use crate::events::{HandleError, Handled, Handler, Incoming, Publisher, Received, Record, Transport};

/// Whether a record is done for good, or was left as it was because the lanes are to halt.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Finished,
    Left,
}

/// What all lanes share.
pub(super) struct Worker {
    pub(super) handler: Arc<dyn Handler>,
    pub(super) transport: Arc<dyn Transport>,
    pub(super) publisher: Arc<dyn Publisher>,
    pub(super) parking: Parking,
    pub(super) options: ConsumerOptions,
    pub(super) meters: Arc<Meters>,
    pub(super) breaker: Mutex<Breaker>,
    /// Whether any key may be parked; never taken back in a session.
    pub(super) asks: AtomicBool,
    /// Begin nothing new.
    pub(super) halt: CancellationToken,
    /// Too many failed for good.
    pub(super) tripped: CancellationToken,
}

/// What a record needs.
enum Need {
    /// Nothing: it is done.
    Done,
    /// A place among the dead letters.
    Letter(Cause),
}

impl Worker {
    /// Handles a record until it is done for good.
    pub(super) async fn process(&self, received: &Received) -> Verdict {
        let mut backoff = Backoff::new(self.options.retry_first, self.options.retry_max);
        let mut attempts = 0;
        let cause = loop {
            attempts += 1;
            match self.attempt(received, attempts).await {
                Ok(Need::Done) => return Verdict::Finished,
                Ok(Need::Letter(cause)) => break cause,
                Err(reason) => {
                    self.meters.retried.increment(1);
                    self.warn(received, attempts, &reason);
                    if !self.sleep(&mut backoff).await {
                        return Verdict::Left;
                    }
                }
            }
        };
        if matches!(cause, Cause::Refused { .. }) && !self.breaker.lock().admits(true) {
            self.tripped.cancel();
            return Verdict::Left;
        }
        self.bury(received, &cause).await
    }

    /// One try. An error is a reason to try again.
    async fn attempt(&self, received: &Received, attempts: u32) -> Result<Need, String> {
        let (record, group) = (&received.record, self.handler.group());
        if get(record, REDRIVE_GROUP).is_some_and(|target| target != group) {
            self.meters.for_others.increment(1);
            return Ok(Need::Done);
        }
        if self.unparks(record).await? {
            return Ok(Need::Done);
        }
        if self.asks.load(Ordering::Acquire) && self.has_to_follow(record).await? {
            return Ok(Need::Letter(Cause::Follows));
        }
        let event = match Incoming::read(record) {
            Ok(event) => event,
            Err(reason) => return Ok(Need::Letter(Cause::Refused { reason, attempts })),
        };
        // A handler that panics has rolled back; it would panic again.
        let handled = AssertUnwindSafe(self.handler.handle(&event)).catch_unwind().await;
        match handled.unwrap_or_else(|_| Err(HandleError::Permanent("the handler panicked".to_owned()))) {
            Ok(handled) => {
                self.count(record, handled);
                Ok(Need::Done)
            }
            Err(HandleError::Transient(reason)) => Err(reason),
            Err(HandleError::Permanent(reason)) => Ok(Need::Letter(Cause::Refused { reason, attempts })),
        }
    }

    /// Whether the key is parked. One that an operator sent back goes ahead, unless another letter was added since: then the
    /// one before it may have failed again.
    async fn has_to_follow(&self, record: &Record) -> Result<bool, String> {
        let parked_at =
            self.parking.parked_at(&record.topic, &record.key).await.map_err(|error| error.to_string())?;
        Ok(parked_at.is_some_and(|at| number(record, REDRIVE_STAMP) != Some(at)))
    }

    /// Parks the key, then writes the letter; both may be repeated. Only afterwards is the record done.
    async fn bury(&self, received: &Received, cause: &Cause) -> Verdict {
        let record = &received.record;
        self.asks.store(true, Ordering::Release);
        let mut backoff = Backoff::new(self.options.retry_first, self.options.retry_max);
        loop {
            let buried = async {
                let at =
                    self.parking.park(&record.topic, &record.key).await.map_err(|error| error.to_string())?;
                let letter = letter::write(received, self.handler.group(), cause, at);
                let answer = self.publisher.publish(&[letter]).await.pop();
                answer.map_or_else(
                    || Err("no answer".to_owned()),
                    |answer| answer.map_err(|error| error.to_string()),
                )
            };
            match buried.await {
                Ok(()) => break,
                Err(reason) => {
                    tracing::error!(
                        topic = record.topic,
                        key = record.key,
                        offset = received.offset,
                        reason,
                        "a dead letter cannot be written; its partition waits"
                    );
                    if !self.sleep(&mut backoff).await {
                        return Verdict::Left;
                    }
                }
            }
        }
        self.report(received, cause);
        Verdict::Finished
    }

    /// False when the lanes are to halt.
    async fn sleep(&self, backoff: &mut Backoff) -> bool {
        tokio::select! {
            () = self.halt.cancelled() => false,
            () = tokio::time::sleep(backoff.pause()) => true,
        }
    }

    fn count(&self, record: &Record, handled: Handled) {
        self.breaker.lock().admits(false);
        match handled {
            Handled::Done => self.meters.done.increment(1),
            Handled::Duplicate => self.meters.duplicate.increment(1),
            Handled::Ignored => {
                self.meters.ignored.increment(1);
                tracing::debug!(topic = record.topic, event_type = get(record, EVENT_TYPE), "ignored");
            }
        }
    }

    fn report(&self, received: &Received, cause: &Cause) {
        let (topic, key, offset) = (&received.record.topic, &received.record.key, received.offset);
        match cause {
            Cause::Refused { reason, .. } => {
                self.meters.dead_lettered.increment(1);
                tracing::error!(
                    topic,
                    key,
                    offset,
                    reason,
                    "an event is a dead letter now; its key is parked"
                );
            }
            Cause::Follows => {
                self.meters.followed.increment(1);
                tracing::warn!(topic, key, offset, "an event of a parked key follows to the dead letters");
            }
        }
    }

    fn warn(&self, received: &Received, attempts: u32, reason: &str) {
        let (topic, key, offset) = (&received.record.topic, &received.record.key, received.offset);
        let group = self.handler.group();
        tracing::warn!(group, topic, key, offset, attempts, reason, "an event cannot be handled now");
    }
}

//! A consumer group: some lanes beside each other, each key in one of them. An event is handled until it is; sometimes earlier ones are
//! handled again.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::future::BoxFuture;
use parking_lot::Mutex;
use service_kit::events::{HandleError, Handled, Incoming};
use tokio::sync::Notify;

use super::DeadLetters;
use crate::checkout::stage::Stage;
use crate::checkout::troubles::Trouble;

/// Lanes of a group.
const LANES: usize = 4;
/// How far back an offset may be that was not stored in time.
const BEHIND_MAX: u64 = 3;

/// What a group does with an event.
pub(super) type Handle =
    Arc<dyn Fn(Incoming) -> BoxFuture<'static, Result<Handled, HandleError>> + Send + Sync>;

/// A group's partitions and how far it has come.
#[derive(Debug)]
pub(in crate::checkout) struct Lanes {
    stage: Stage,
    group: &'static str,
    lanes: [Lane; LANES],
    dead: DeadLetters,
}

#[derive(Debug, Default)]
struct Lane {
    records: Mutex<Vec<Incoming>>,
    rung: Notify,
    /// How many are handled.
    handled: AtomicUsize,
}

impl Lanes {
    /// For a group; what cannot be handled goes to `dead`.
    pub(in crate::checkout) fn new(stage: &Stage, group: &'static str, dead: &DeadLetters) -> Arc<Self> {
        let (stage, dead) = (stage.clone(), dead.clone());
        Arc::new(Self { stage, group, lanes: Default::default(), dead })
    }

    /// Appends an event to its key's lane.
    pub(super) fn publish(&self, event: Incoming) {
        let sum: usize = event.key.bytes().map(usize::from).sum();
        let lane = &self.lanes[sum % LANES];
        lane.records.lock().push(event);
        lane.rung.notify_one();
    }

    /// Whether everything is handled.
    pub(in crate::checkout) fn is_drained(&self) -> bool {
        self.lanes.iter().all(|lane| lane.handled.load(Ordering::Relaxed) >= lane.records.lock().len())
    }

    /// Everything that was published, lane by lane.
    pub(in crate::checkout) fn published(&self) -> Vec<Incoming> {
        self.lanes.iter().flat_map(|lane| lane.records.lock().clone()).collect()
    }

    /// Begins to consume.
    pub(super) fn consume(self: &Arc<Self>, handle: &Handle) {
        for lane in 0..LANES {
            let (lanes, handle) = (self.clone(), handle.clone());
            self.stage.tasks.spawn(async move { lanes.run(lane, &handle).await });
        }
    }

    async fn run(&self, lane: usize, handle: &Handle) {
        let lane = &self.lanes[lane];
        let mut next = 0;
        loop {
            let event = lane.records.lock().get(next).cloned();
            let Some(event) = event else {
                lane.rung.notified().await;
                continue;
            };
            self.stage.travel().await;
            self.until_handled(event, handle).await;
            next += 1;
            lane.handled.fetch_max(next, Ordering::Relaxed);
            if self.stage.strikes(Trouble::Redelivery) {
                let back = self.stage.dice().range(1..=BEHIND_MAX);
                next = next.saturating_sub(usize::try_from(back).unwrap_or(1));
            }
        }
    }

    async fn until_handled(&self, event: Incoming, handle: &Handle) {
        loop {
            match handle(event.clone()).await {
                Ok(handled) => {
                    let note = || format!("{} of {}: {handled:?}", event.event_type, event.key);
                    return self.stage.trace.note(self.group, note);
                }
                Err(HandleError::Transient(_)) => {
                    tokio::time::sleep(self.stage.dice().millis(20..=200)).await;
                }
                Err(HandleError::Permanent(why)) => {
                    let note = format!("{} of {} is a dead letter: {why}", event.event_type, event.key);
                    self.stage.trace.note(self.group, || note.clone());
                    return self.dead.lock().push(note);
                }
            }
        }
    }
}

//! What the poller and the caller share.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::super::transport::{Received, TransportError};
use super::ledger::{Ledger, Place};

/// Records that wait for the caller when the partitions are paused, and when they go on.
const FULL: usize = 1000;
const DRAINED: usize = 500;
/// The most that one call gets.
const BATCH_MAX: usize = 500;

#[derive(Default, Debug)]
pub(super) struct Shared {
    state: Mutex<State>,
    /// Something waits for the caller.
    arrived: Notify,
    /// The caller is done with something, or gone.
    progressed: Condvar,
}

#[derive(Default, Debug)]
struct State {
    queue: VecDeque<Received>,
    failure: Option<TransportError>,
    ledger: Ledger,
    /// Partitions came that the poller does not know of yet.
    has_new: bool,
    is_closing: bool,
    has_ended: bool,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    // The caller's side.

    /// Waits for a batch. Dropping the future loses nothing.
    pub(super) async fn next(&self) -> Result<Vec<Received>, TransportError> {
        loop {
            if let Some(answer) = self.state().take_batch() {
                return answer;
            }
            self.arrived.notified().await;
        }
    }

    pub(super) fn done(&self, received: &[Received]) {
        let mut state = self.state();
        for one in received {
            state.ledger.done(&place_of(one), one.offset);
        }
        drop(state);
        self.progressed.notify_all();
    }

    pub(super) fn close(&self) {
        self.state().is_closing = true;
        self.progressed.notify_all();
    }

    // The poller's side.

    pub(super) fn is_closing(&self) -> bool {
        self.state().is_closing
    }

    pub(super) fn is_full(&self) -> bool {
        self.state().queue.len() >= FULL
    }

    pub(super) fn is_drained(&self) -> bool {
        self.state().queue.len() <= DRAINED
    }

    pub(super) fn push(&self, received: Received) {
        self.state().queue.push_back(received);
        self.arrived.notify_one();
    }

    pub(super) fn fail(&self, error: TransportError) {
        self.state().failure = Some(error);
        self.arrived.notify_one();
    }

    pub(super) fn end(&self) {
        self.state().has_ended = true;
        self.arrived.notify_one();
    }

    pub(super) fn assign(&self, places: Vec<Place>) {
        let mut state = self.state();
        state.has_new = true;
        for place in places {
            state.ledger.assign(place);
        }
    }

    /// Whether partitions came since the last time this was asked.
    pub(super) fn take_new(&self) -> bool {
        std::mem::take(&mut self.state().has_new)
    }

    pub(super) fn take_uncommitted(&self) -> Vec<(Place, i64)> {
        self.state().ledger.take_uncommitted()
    }

    pub(super) fn uncommitted(&self, places: &[Place]) {
        let mut state = self.state();
        for place in places {
            state.ledger.uncommitted(place);
        }
    }

    /// Nothing more of these is handed out; the caller gets time to finish what it has of them, unless it closes. Answers where
    /// the group goes on with them, and whether all was finished.
    pub(super) fn revoke(&self, places: &[Place], within: Duration) -> (Vec<(Place, i64)>, bool) {
        let deadline = Instant::now() + within;
        let mut state = self.state();
        state.queue.retain(|received| !places.contains(&place_of(received)));
        let mut is_finished = state.ledger.is_finished(places);
        while !is_finished && !state.is_closing {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            (state, _) = self.progressed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner);
            is_finished = state.ledger.is_finished(places);
        }
        (state.ledger.revoke(places), is_finished)
    }
}

impl State {
    fn take_batch(&mut self) -> Option<Result<Vec<Received>, TransportError>> {
        if !self.queue.is_empty() {
            let size = self.queue.len().min(BATCH_MAX);
            let batch: Vec<Received> = self.queue.drain(..size).collect();
            for one in &batch {
                self.ledger.hand_out(&place_of(one), one.offset);
            }
            return Some(Ok(batch));
        }
        if let Some(failure) = self.failure.take() {
            return Some(Err(failure));
        }
        let message = "this Kafka subscription has ended; subscribe again".to_owned();
        self.has_ended.then_some(Err(TransportError { message, is_transient: true }))
    }
}

fn place_of(received: &Received) -> Place {
    (received.record.topic.clone(), received.partition)
}

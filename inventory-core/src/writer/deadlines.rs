//! When the holds that this engine made run out, in the store's time. The sweeper reads it, the writer keeps it.

use std::collections::BTreeSet;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::clock::Timestamp;
use crate::ids::OrderId;
use crate::reservation::{Reservation, Status};
use crate::store::Effects;

#[derive(Debug, Default)]
pub(crate) struct Deadlines {
    state: Mutex<State>,
    earlier: Notify,
}

#[derive(Debug, Default)]
struct State {
    holds: BTreeSet<(Timestamp, OrderId)>,
    /// The store's time at a moment of ours: only differences of the monotonic clock are added to it.
    anchor: Option<(Timestamp, Instant)>,
}

impl Deadlines {
    /// Learns what a committed batch did to holds.
    pub(crate) fn apply(&self, now: Timestamp, effects: &Effects) {
        let mut state = self.state.lock();
        state.anchor = Some((now, Instant::now()));
        let earliest_before = state.holds.first().map(|(at, _)| *at);
        for reservation in &effects.created {
            state.note(reservation);
        }
        for (_, reservation) in &effects.changed {
            state.note(reservation);
        }
        let earliest = state.holds.first().map(|(at, _)| *at);
        drop(state);
        if earliest < earliest_before || (earliest.is_some() && earliest_before.is_none()) {
            self.earlier.notify_one();
        }
    }

    /// Learns the store's time.
    pub(crate) fn set_time(&self, now: Timestamp) {
        self.state.lock().anchor = Some((now, Instant::now()));
    }

    /// Adds holds found in the store.
    pub(crate) fn adopt(&self, holds: impl Iterator<Item = (Timestamp, OrderId)>) {
        self.state.lock().holds.extend(holds);
        self.earlier.notify_one();
    }

    /// Takes out the holds whose time is over, up to `limit`; and when the next one's will be.
    pub(crate) fn take_due(&self, limit: usize) -> (Vec<OrderId>, Option<Duration>) {
        let mut state = self.state.lock();
        let Some((anchor_at, anchor)) = state.anchor else { return (Vec::new(), None) };
        let now = anchor_at.plus(anchor.elapsed());
        let mut due = Vec::new();
        while due.len() < limit
            && let Some((at, order)) = state.holds.first().copied()
            && at <= now
        {
            state.holds.pop_first();
            due.push(order);
        }
        let next = state.holds.first().map(|(at, _)| at.since(now));
        (due, next)
    }

    /// Watches a hold that was asked about too early.
    pub(crate) fn watch(&self, reservation: &Reservation) {
        self.state.lock().note(reservation);
    }

    /// Due again at once: its expire command could not be executed.
    pub(crate) fn put_back(&self, order: OrderId) {
        self.state.lock().holds.insert((Timestamp::EPOCH, order));
    }

    /// Waits until a hold was added that ends before all others.
    pub(crate) async fn earlier_one(&self) {
        self.earlier.notified().await;
    }

    pub(crate) fn len(&self) -> usize {
        self.state.lock().holds.len()
    }
}

impl State {
    fn note(&mut self, reservation: &Reservation) {
        let key = (reservation.expires_at, reservation.order);
        if reservation.status == Status::Held {
            self.holds.insert(key);
        } else {
            self.holds.remove(&key);
        }
    }
}

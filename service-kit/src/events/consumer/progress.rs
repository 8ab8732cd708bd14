//! Which records are done: per partition only what is contiguous counts.

use std::collections::{HashMap, VecDeque};

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::events::{Received, Record};

/// A record that was taken.
pub(super) struct Ticket {
    partition: (String, i32),
    number: u64,
}

/// Shared by the intake and the lanes.
#[derive(Default)]
pub(super) struct Progress {
    tracks: Mutex<HashMap<(String, i32), Track>>,
    moved: Notify,
}

/// Records of one partition in the order in which they were taken; the first of them has the number `first`.
#[derive(Default)]
struct Track {
    first: u64,
    taken: VecDeque<(i64, bool)>,
    /// The last one before which all are done, if that was not stored yet.
    done: Option<i64>,
}

impl Progress {
    /// Takes note of a record.
    pub(super) fn take(&self, received: &Received) -> Ticket {
        let partition = (received.record.topic.clone(), received.partition);
        let mut tracks = self.tracks.lock();
        let track = tracks.entry(partition.clone()).or_default();
        track.taken.push_back((received.offset, false));
        Ticket { partition, number: track.first + track.taken.len() as u64 - 1 }
    }

    /// It is done for good.
    pub(super) fn finish(&self, ticket: &Ticket) {
        let mut tracks = self.tracks.lock();
        let Some(track) = tracks.get_mut(&ticket.partition) else { return };
        let place = usize::try_from(ticket.number - track.first).unwrap_or(usize::MAX);
        if let Some(taken) = track.taken.get_mut(place) {
            taken.1 = true;
        }
        let mut has_moved = false;
        while let Some((offset, true)) = track.taken.front().copied() {
            track.taken.pop_front();
            track.first += 1;
            track.done = Some(offset);
            has_moved = true;
        }
        if has_moved {
            self.moved.notify_one();
        }
    }

    /// Waits until there is something to store.
    pub(super) async fn has_moved(&self) {
        while self.tracks.lock().values().all(|track| track.done.is_none()) {
            self.moved.notified().await;
        }
    }

    /// What is done and was not stored.
    pub(super) fn to_store(&self) -> Vec<Received> {
        let mut tracks = self.tracks.lock();
        let done = tracks.iter_mut().filter_map(|((topic, partition), track)| {
            let record =
                Record { topic: topic.clone(), key: String::new(), payload: Vec::new(), headers: Vec::new() };
            track.done.take().map(|offset| Received { record, partition: *partition, offset })
        });
        done.collect()
    }

    /// Storing them failed: they are due again.
    pub(super) fn not_stored(&self, places: Vec<Received>) {
        let mut tracks = self.tracks.lock();
        for place in places {
            if let Some(track) = tracks.get_mut(&(place.record.topic, place.partition)) {
                track.done.get_or_insert(place.offset);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(offset: i64) -> Received {
        let record = Record { topic: "t".into(), key: "k".into(), payload: Vec::new(), headers: Vec::new() };
        Received { record, partition: 0, offset }
    }

    #[test]
    fn only_what_is_contiguous_is_stored_and_each_place_once() {
        let progress = Progress::default();
        let tickets: Vec<_> = [3, 5, 9].map(|offset| progress.take(&received(offset))).into();
        let stored = |progress: &Progress| -> Vec<i64> {
            progress.to_store().iter().map(|place| place.offset).collect()
        };
        progress.finish(&tickets[1]);
        assert!(stored(&progress).is_empty());
        progress.finish(&tickets[0]);
        assert_eq!(stored(&progress), [5]);
        assert!(stored(&progress).is_empty());
        progress.finish(&tickets[2]);
        let places = progress.to_store();
        progress.not_stored(places);
        assert_eq!(stored(&progress), [9]);
    }
}

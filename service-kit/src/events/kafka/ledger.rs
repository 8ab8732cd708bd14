//! What was handed out and what is done, per partition this member owns.

use std::collections::BTreeMap;

/// Topic and partition.
pub(super) type Place = (String, i32);

#[derive(Clone, Copy, Default, Debug)]
struct Progress {
    /// The first place handed out since the partition came, if any.
    first: Option<i64>,
    /// After the last one handed out.
    next: i64,
    /// After the last one done; 0 if none.
    done: i64,
    /// What the brokers were told; 0 if nothing.
    committed: i64,
}

impl Progress {
    fn is_finished(self) -> bool {
        self.first.is_none() || self.done >= self.next
    }
}

/// Only partitions that are owned now are in it: what is said of others is of no consequence, for they belong to somebody else.
#[derive(Default, Debug)]
pub(super) struct Ledger {
    partitions: BTreeMap<Place, Progress>,
}

impl Ledger {
    /// The partition is ours from now on.
    pub(super) fn assign(&mut self, place: Place) {
        self.partitions.insert(place, Progress::default());
    }

    /// The record at this offset goes to the caller.
    pub(super) fn hand_out(&mut self, place: &Place, offset: i64) {
        if let Some(progress) = self.partitions.get_mut(place) {
            progress.first.get_or_insert(offset);
            progress.next = progress.next.max(offset + 1);
        }
    }

    /// The caller is done with everything up to and with this offset. What was not handed out since the partition came is a
    /// leftover of an earlier time, and is ignored.
    pub(super) fn done(&mut self, place: &Place, offset: i64) {
        if let Some(progress) = self.partitions.get_mut(place)
            && progress.first.is_some_and(|first| first <= offset)
            && offset < progress.next
        {
            progress.done = progress.done.max(offset + 1);
        }
    }

    /// Whether the caller is done with everything it has of these.
    pub(super) fn is_finished(&self, places: &[Place]) -> bool {
        places.iter().filter_map(|place| self.partitions.get(place)).all(|progress| progress.is_finished())
    }

    /// Where the group would go on, for what changed since the last time; counts as told from now on.
    pub(super) fn take_uncommitted(&mut self) -> Vec<(Place, i64)> {
        let changed = self.partitions.iter_mut().filter(|(_, progress)| progress.done > progress.committed);
        changed
            .map(|(place, progress)| {
                progress.committed = progress.done;
                (place.clone(), progress.done)
            })
            .collect()
    }

    /// The brokers did not take it: it is to be told again.
    pub(super) fn uncommitted(&mut self, place: &Place) {
        if let Some(progress) = self.partitions.get_mut(place) {
            progress.committed = 0;
        }
    }

    /// The partitions go. Answers where the group goes on with them.
    pub(super) fn revoke(&mut self, places: &[Place]) -> Vec<(Place, i64)> {
        let gone = places.iter().filter_map(|place| Some((place.clone(), self.partitions.remove(place)?)));
        gone.filter(|(_, progress)| progress.done > 0)
            .map(|(place, progress)| (place, progress.done))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Ledger, Place};

    fn place(partition: i32) -> Place {
        ("t".to_owned(), partition)
    }

    fn ledger() -> Ledger {
        let mut ledger = Ledger::default();
        ledger.assign(place(0));
        for offset in 5..8 {
            ledger.hand_out(&place(0), offset);
        }
        ledger
    }

    #[test]
    fn only_what_is_done_is_committed_and_only_once() {
        let mut ledger = ledger();
        assert_eq!(ledger.take_uncommitted(), []);
        ledger.done(&place(0), 6);
        assert_eq!(ledger.take_uncommitted(), [(place(0), 7)]);
        assert_eq!(ledger.take_uncommitted(), []);
        ledger.done(&place(0), 5);
        assert_eq!(ledger.take_uncommitted(), [], "it never goes back");
        ledger.uncommitted(&place(0));
        assert_eq!(ledger.take_uncommitted(), [(place(0), 7)], "a refused commit is told again");
    }

    #[test]
    fn places_that_were_not_handed_out_since_the_partition_came_are_ignored() {
        let mut ledger = ledger();
        for (partition, offset) in [(0, 4), (0, 8), (1, 5)] {
            ledger.done(&place(partition), offset);
        }
        assert_eq!(ledger.take_uncommitted(), []);
        ledger.done(&place(0), 7);
        ledger.revoke(&[place(0)]);
        ledger.assign(place(0));
        ledger.done(&place(0), 7);
        assert_eq!(ledger.take_uncommitted(), [], "done in an earlier time");
    }

    #[test]
    fn a_partition_is_finished_when_all_that_was_handed_out_is_done() {
        let mut ledger = ledger();
        assert!(ledger.is_finished(&[place(1)]));
        assert!(!ledger.is_finished(&[place(0), place(1)]));
        ledger.done(&place(0), 6);
        assert!(!ledger.is_finished(&[place(0)]));
        ledger.done(&place(0), 7);
        assert!(ledger.is_finished(&[place(0)]));
        assert_eq!(ledger.revoke(&[place(0), place(1)]), [(place(0), 8)]);
        assert_eq!(ledger.revoke(&[place(0)]), []);
    }
}

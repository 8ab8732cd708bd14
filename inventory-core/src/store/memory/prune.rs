//! Removing what is older than the retention says.

use super::Ledger;
use crate::clock::Timestamp;
use crate::ids::ProductId;
use crate::reservation::{Reservation, Status};
use crate::store::{IdMap, Pruned, Retention};

impl Ledger {
    /// See [`crate::store::Store::prune`]: one bounded piece.
    pub fn prune(&mut self, retention: &Retention, now: Timestamp) -> Pruned {
        let mut room = Room { left: retention.rows_max, exhausted: false };
        let ended_before = now.minus(retention.reservations);
        let written_before = now.minus(retention.journal);
        let fenced_before = now.minus(retention.fences);
        let delivered_before = now.minus(retention.deliveries);
        self.raise_watermark("reservations", ended_before);
        self.raise_watermark("journal", written_before);
        self.raise_watermark("fences", fenced_before);
        self.raise_watermark("deliveries", delivered_before);
        let reservations = self.prune_reservations(ended_before, &mut room);
        let journal = self.prune_journal(written_before, &mut room);
        let fences =
            room.count(&mut |room| self.fences.retain(|_, (_, at)| *at >= fenced_before || !room.take()));
        let deliveries =
            room.count(&mut |room| self.deliveries.retain(|_, at| *at >= delivered_before || !room.take()));
        Pruned { reservations, journal, fences, deliveries, more: room.exhausted }
    }

    fn prune_reservations(&mut self, ended_before: Timestamp, room: &mut Room) -> u64 {
        let ended =
            |r: &Reservation| r.status != Status::Held && r.ended_at.unwrap_or(r.created_at) < ended_before;
        room.count(&mut |room| self.reservations.retain(|_, r| !ended(r) || !room.take()))
    }

    /// An old entry loses its commands, and every product that a later entry has too. What is left is the
    /// checkpoint of the products that nothing changed since; an entry without any goes.
    fn prune_journal(&mut self, written_before: Timestamp, room: &mut Room) -> u64 {
        let mut last: IdMap<ProductId, u64> = IdMap::default();
        for product in self.journal.iter().flat_map(|entry| &entry.products) {
            last.insert(product.product, product.version);
        }
        room.count(&mut |room| {
            for entry in self.journal.iter_mut().filter(|entry| entry.at < written_before) {
                let is_checkpoint = entry.commands.is_empty()
                    && !entry.products.is_empty()
                    && entry.products.iter().all(|p| last.get(&p.product) == Some(&p.version));
                if is_checkpoint || !room.take() {
                    continue;
                }
                entry.commands.clear();
                entry.products.retain(|p| last.get(&p.product) == Some(&p.version));
            }
            self.journal.retain(|entry| {
                entry.at >= written_before || !entry.products.is_empty() || !entry.commands.is_empty()
            });
        })
    }

    /// Says before when rows may be gone: the audit misses none of those.
    fn raise_watermark(&mut self, name: &'static str, to: Timestamp) {
        let at = self.watermarks.entry(name).or_insert(to);
        *at = to.max(*at);
    }
}

/// How many rows may still be removed in this call.
struct Room {
    left: usize,
    exhausted: bool,
}

impl Room {
    /// Whether there was room for one more.
    fn take(&mut self) -> bool {
        match self.left.checked_sub(1) {
            Some(left) => self.left = left,
            None => self.exhausted = true,
        }
        !self.exhausted
    }

    /// How many `remove` took.
    fn count(&mut self, remove: &mut dyn FnMut(&mut Self)) -> u64 {
        let before = self.left;
        remove(self);
        (before - self.left) as u64
    }
}

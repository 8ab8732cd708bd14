//! As the Postgres adapter does: the next batch is begun while the one before it commits, on what that one is to leave.

use inventory_core::ids::BatchId;
use inventory_core::store::{Ahead, Effects, Footprint, Locked, LookAhead};

use super::presumption::{Left, Presumption};
use super::state::Reservations;

/// What a client remembers, while its connection is busy.
pub(super) struct Busy {
    pub(super) left: Left,
    pub(super) remembered: Reservations,
    pub(super) begun: Option<Box<Presumption>>,
}

impl Busy {
    pub(super) fn new(left: Left, remembered: Reservations) -> Self {
        Self { left, remembered, begun: None }
    }

    /// Drives `sent` to its end, and meanwhile looks, if it comes to that.
    pub(super) async fn look_while<T>(&mut self, sent: impl Future<Output = T>, look: LookAhead<'_>) -> T {
        let LookAhead { when, what } = look;
        tokio::pin!(sent);
        tokio::select! {
            biased;
            answer = &mut sent => answer,
            () = when => {
                what(self);
                sent.await
            }
        }
    }
}

impl Ahead for Busy {
    fn begin(&mut self, batch: BatchId, footprint: &Footprint) -> Option<Locked> {
        let recalled = |order| self.remembered.remove_entry(order);
        let remembered: Reservations = footprint.orders.iter().filter_map(recalled).collect();
        let (locked, presumption) = self.left.presume_after_written(batch, footprint, &remembered)?;
        self.begun = Some(Box::new(presumption));
        Some(locked)
    }

    fn prepare(&mut self, _effects: &Effects) {}
}

//! The next batch, taken from the queue and decided while the store is busy with the COMMIT of this one.
//!
//! Only a batch that is full already: any other would be fuller if it were taken later. It is decided on what this one leaves, and
//! nothing of that is seen by anyone, nor by the counters, before this one has succeeded. If it fails, or nobody knows, the next goes back to
//! the queue.

use tokio::time::Instant;

use super::attempt::{Attempt, Decided};
use super::batch::Batch;
use super::{Writer, refuse};
use crate::store::{CommitFailure, LookAhead, StoreError, StoreErrorKind};

impl Writer {
    /// Sends COMMIT and looks ahead, if the batch that is tried next is the one that waits in the queue.
    pub(super) async fn commit(&mut self, is_last: bool) -> Result<(), CommitFailure> {
        // Commands that are parked would join the next batch.
        let looks_ahead = is_last && self.parked.is_empty();
        let Self { session, queue, replies, memory, encoder, chance, pace, expected_max, next, .. } = self;
        let Some(session) = session else {
            return Err(StoreError::new(StoreErrorKind::Unavailable, "no connection").into());
        };
        if !looks_ahead {
            return session.commit().await;
        }
        let expected = (2 * pace.expected()).min(*expected_max);
        let outcome = session
            .commit_looking_ahead(LookAhead {
                when: Box::pin(queue.full()),
                what: Box::new(|session| {
                    refuse(queue.hopeless(Instant::now() + expected), memory);
                    let Some(tickets) = queue.full_batch() else { return };
                    let batch = Batch::new(tickets, replies);
                    let footprint = batch.footprint(|order| memory.is_known(order), false);
                    let (id, epoch) = (chance.batch_id(), memory.counters.epoch());
                    let decided = session.begin(id, &footprint).and_then(|locked| {
                        Decided::of(&batch, id, &footprint, locked, epoch, &**encoder, memory)
                    });
                    if let Some(decided) = &decided {
                        session.prepare(decided.effects());
                    }
                    *next = Some(Attempt { batch, decided, ..Attempt::default() });
                }),
            })
            .await;
        if outcome.is_err()
            && let Some(next) = next.take()
        {
            // However long it takes: until it is tried, its callers can be told for certain that nothing happened.
            queue.put_back(next.batch.into_tickets(replies));
        }
        outcome
    }
}

//! A bounded number of tries at once, and a bounded wait for a place: a callee that hangs holds up so many callers and no more.

use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

use super::BulkheadOptions;

#[derive(Debug)]
pub(super) struct Bulkhead {
    places: Semaphore,
}

impl Bulkhead {
    pub(super) fn new(options: BulkheadOptions) -> Self {
        Self { places: Semaphore::new(options.concurrency_max.clamp(1, Semaphore::MAX_PERMITS)) }
    }

    /// A place, or none within this time. Waiting is in the order of coming.
    pub(super) async fn enter(&self, wait_max: Duration) -> Option<SemaphorePermit<'_>> {
        // At once where there is room, however little time is left.
        if let Ok(place) = self.places.try_acquire() {
            return Some(place);
        }
        // The semaphore is never closed.
        tokio::time::timeout(wait_max, self.places.acquire()).await.ok()?.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn whoever_finds_no_place_in_time_is_sent_away_and_a_freed_place_is_taken() {
        let bulkhead = Bulkhead::new(BulkheadOptions { concurrency_max: 2, wait_max: Duration::ZERO });
        let first = bulkhead.enter(Duration::ZERO).await.unwrap();
        let _second = bulkhead.enter(Duration::ZERO).await.unwrap();
        assert!(bulkhead.enter(Duration::from_secs(3)).await.is_none());
        let (third, ()) = tokio::join!(bulkhead.enter(Duration::from_secs(3)), async { drop(first) });
        assert!(third.is_some());
    }
}

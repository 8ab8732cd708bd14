//! What the engine has done so far, counted.

use crate::sync::{AtomicU64, Ordering};

/// Counters behind [`crate::engine::Stats`]. Relaxed throughout: they order nothing.
#[derive(Debug, Default)]
pub(crate) struct StatCounters {
    pub(crate) batches: Count,
    pub(crate) commands: Count,
    pub(crate) refused_in_memory: Count,
    pub(crate) contended: Count,
    pub(crate) overloaded: Count,
    pub(crate) retries: Count,
    pub(crate) unknown_commits: Count,
    pub(crate) expired: Count,
}

/// One count.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn add(&self, n: usize) {
        self.0.fetch_add(n as u64, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

//! The one place that names atomics, locks and padding, so that loom's doubles can stand in for the real ones under
//! the private cfg `inventory_loom`. (Never `--cfg loom`: RUSTFLAGS are global, and tokio drops modules under it.)

#[cfg(not(inventory_loom))]
pub(crate) use parking_lot::Mutex;
#[cfg(not(inventory_loom))]
pub(crate) use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering};

#[cfg(inventory_loom)]
pub(crate) use doubles::Mutex;
#[cfg(inventory_loom)]
pub(crate) use loom::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering};

pub(crate) use crossbeam_utils::CachePadded;
// loom has no double for it; what it publishes here is also published by an atomic of ours.
pub(crate) use std::sync::OnceLock;

/// A small number of this thread's own, given out in turn: the first threads of a process all differ.
pub(crate) fn thread_number() -> usize {
    // The real atomic even under loom: a static cannot hold a double, and models pass their own numbers.
    static NEXT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    std::thread_local! {
        static MINE: usize = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    }
    // A thread in its last moments has no locals any more; any number is correct.
    MINE.try_with(|mine| *mine).unwrap_or(0)
}

#[cfg(inventory_loom)]
mod doubles {
    use std::sync::PoisonError;

    /// loom's mutex behind parking_lot's signatures.
    #[derive(Debug, Default)]
    pub(crate) struct Mutex<T>(loom::sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub(crate) fn lock(&self) -> loom::sync::MutexGuard<'_, T> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner)
        }
    }
}

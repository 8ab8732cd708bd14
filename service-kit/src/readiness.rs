//! Whether requests should be sent to this process: every part of it says yes.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

type Check = Box<dyn Fn() -> bool + Send + Sync>;

/// The parts of one process and how each feels. Cheap to clone; clones share the parts.
#[derive(Clone, Default)]
pub struct Readiness(Arc<RwLock<Vec<(&'static str, Check)>>>);

impl Readiness {
    /// Adds a part. `is_ready` must be quick: it is asked by every health check.
    pub fn add(&self, part: &'static str, is_ready: impl Fn() -> bool + Send + Sync + 'static) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).push((part, Box::new(is_ready)));
    }

    /// The parts that are not ready, in the order they were added.
    pub fn missing(&self) -> Vec<&'static str> {
        let parts = self.0.read().unwrap_or_else(PoisonError::into_inner);
        parts.iter().filter(|(_, is_ready)| !is_ready()).map(|(part, _)| *part).collect()
    }

    /// Whether every part is.
    pub fn is_ready(&self) -> bool {
        self.missing().is_empty()
    }
}

impl fmt::Debug for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Readiness").field("missing", &self.missing()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[test]
    fn a_process_is_ready_when_every_part_is() {
        let readiness = Readiness::default();
        assert!(readiness.is_ready(), "nothing is missing of nothing");
        let orders = Arc::new(AtomicBool::new(false));
        let seen = orders.clone();
        readiness.add("inventory", || true);
        readiness.clone().add("orders", move || seen.load(Ordering::SeqCst));
        assert_eq!(readiness.missing(), ["orders"]);
        orders.store(true, Ordering::SeqCst);
        assert!(readiness.is_ready());
    }
}

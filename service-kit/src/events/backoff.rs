//! Waiting longer each time, and never in step with others.

use std::time::Duration;

/// Doubles from `first` to `max`; each pause is shortened by up to a half at random.
#[derive(Clone, Debug)]
pub(crate) struct Backoff {
    first: Duration,
    max: Duration,
    next: Duration,
}

impl Backoff {
    pub(crate) fn new(first: Duration, max: Duration) -> Self {
        Self { first, max, next: first }
    }

    /// It went well: start from the shortest pause.
    pub(crate) fn reset(&mut self) {
        self.next = self.first;
    }

    /// How long to wait now.
    pub(crate) fn pause(&mut self) -> Duration {
        let pause = self.next.min(self.max);
        self.next = pause.saturating_mul(2).min(self.max);
        pause.mul_f64(1.0 - 0.5 * rand::random::<f64>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_their_limit_and_start_over() {
        let (first, max) = (Duration::from_millis(10), Duration::from_millis(80));
        let mut backoff = Backoff::new(first, max);
        for full in [10, 20, 40, 80, 80] {
            let (pause, full) = (backoff.pause(), Duration::from_millis(full));
            assert!(pause <= full && pause >= full / 2, "{pause:?} of {full:?}");
        }
        backoff.reset();
        assert!(backoff.pause() <= first);
    }
}

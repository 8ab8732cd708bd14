//! How long batches take at the moment.

use std::time::Duration;

/// The last two batches. The shorter of them is what the next one will take at least: one that was held up by chance says nothing
/// about the next, two in a row do.
#[derive(Debug, Default)]
pub(super) struct Pace {
    last: Duration,
    before: Duration,
}

impl Pace {
    /// Takes note of a batch.
    pub(super) fn took(&mut self, duration: Duration) {
        self.before = std::mem::replace(&mut self.last, duration);
    }

    /// What the next batch will take.
    pub(super) fn expected(&self) -> Duration {
        self.last.min(self.before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_long_batch_says_nothing_and_two_do() {
        let mut pace = Pace::default();
        let (short, long) = (Duration::from_millis(1), Duration::from_secs(1));
        for (took, expected) in
            [(long, Duration::ZERO), (short, short), (long, short), (long, long), (short, short)]
        {
            pace.took(took);
            assert_eq!(pace.expected(), expected);
        }
    }
}

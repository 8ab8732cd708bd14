//! How long batches take at the moment, and how many share one.

use std::time::Duration;

/// So many commands shared each product of a batch that is gathered for, at least. Where they share, a batch costs nearly the same however
/// many come along; where each brings a product of its own to lock and to write, waiting saves little and the store stands idle.
const COMPANY_MIN: usize = 8;
/// Of the last batch's time, so much is spent on gathering the next at most: one part in so many.
const PATIENCE: u32 = 3;
/// And no more than this: whatever else the writer is to do, closing included, waits as long.
const PATIENCE_MAX: Duration = Duration::from_millis(2);

/// The last two batches. The shorter of them is what the next one will take at least: one that was held up by chance says nothing
/// about the next, two in a row do.
#[derive(Debug, Default)]
pub(super) struct Pace {
    last: Duration,
    before: Duration,
    commands: usize,
    products: usize,
}

impl Pace {
    /// Takes note of a batch.
    pub(super) fn took(&mut self, duration: Duration, commands: usize, products: usize) {
        (self.commands, self.products) = (commands, products);
        self.before = std::mem::replace(&mut self.last, duration);
    }

    /// How many shared the last one.
    pub(super) fn commands(&self) -> usize {
        self.commands
    }

    /// How long the next commands of those who were just answered are worth waiting for, if at all. Who comes alone after all waits
    /// a third of a batch longer.
    pub(super) fn patience(&self) -> Option<Duration> {
        let is_shared = self.commands >= COMPANY_MIN * self.products.max(1);
        is_shared.then(|| (self.last / PATIENCE).min(PATIENCE_MAX))
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
            pace.took(took, 1, 1);
            assert_eq!(pace.expected(), expected);
        }
    }

    #[test]
    fn only_a_batch_whose_products_have_company_is_gathered_for_a_part_of_its_time_and_never_long() {
        let mut pace = Pace::default();
        assert_eq!(pace.patience(), None);
        let took = Duration::from_millis(3);
        pace.took(took, COMPANY_MIN - 1, 1);
        assert_eq!(pace.patience(), None);
        pace.took(took, 2 * COMPANY_MIN - 1, 2);
        assert_eq!(pace.patience(), None, "fewer for each product");
        pace.took(took, COMPANY_MIN, 1);
        assert_eq!((pace.patience(), pace.commands()), (Some(took / PATIENCE), COMPANY_MIN));
        pace.took(Duration::from_secs(1), COMPANY_MIN, 0);
        assert_eq!(pace.patience(), Some(PATIENCE_MAX));
    }
}

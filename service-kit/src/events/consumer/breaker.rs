//! Too many dead letters are no dead letters.

use std::collections::VecDeque;

/// The last results.
pub(super) struct Breaker {
    window: usize,
    failures_max: usize,
    results: VecDeque<bool>,
    failures: usize,
}

impl Breaker {
    pub(super) fn new(window: usize, failures_max: usize) -> Self {
        let window = window.max(1);
        Self { window, failures_max: failures_max.clamp(1, window), results: VecDeque::new(), failures: 0 }
    }

    /// Takes note of a result; `false` when it is one failure too many.
    pub(super) fn admits(&mut self, is_failure: bool) -> bool {
        if self.results.len() == self.window && self.results.pop_front() == Some(true) {
            self.failures -= 1;
        }
        self.results.push_back(is_failure);
        self.failures += usize::from(is_failure);
        !is_failure || self.failures < self.failures_max
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_among_the_last_results_count_and_older_ones_do_not() {
        let mut breaker = Breaker::new(4, 3);
        let results = [true, true, false, false, true, true, true];
        let admitted = results.map(|is_failure| breaker.admits(is_failure));
        // The third failure comes when the first two have left the window; the fifth is the third of the last four.
        assert_eq!(admitted, [true, true, true, true, true, true, false]);
        assert!(breaker.admits(false), "a success is always taken");
    }
}

//! What comes next, by a seed: the same seed draws the same faults with the same measures. When they strike is up to the machine.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};

use crate::kind::{Kind, Lane};

/// Draws faults of one lane, without end: first each kind once, in random order, then by weight.
#[derive(Debug)]
pub(crate) struct Draw {
    random: StdRng,
    kinds: Vec<Kind>,
    first: Vec<Kind>,
}

impl Draw {
    /// Of `kinds` those of this lane.
    pub(crate) fn new(seed: u64, lane: Lane, kinds: &[Kind]) -> Self {
        // Lanes of one seed must not draw in step.
        let mut random = StdRng::seed_from_u64(seed ^ (lane as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let kinds: Vec<Kind> = kinds.iter().copied().filter(|kind| kind.lane() == lane).collect();
        let mut first = kinds.clone();
        first.shuffle(&mut random);
        Self { random, kinds, first }
    }

    /// The next fault; `None` for a lane without any.
    pub(crate) fn kind(&mut self) -> Option<Kind> {
        if let Some(kind) = self.first.pop() {
            return Some(kind);
        }
        let total: u32 = self.kinds.iter().map(|kind| kind.weight()).sum();
        if total == 0 {
            return None;
        }
        let mut at = self.random.random_range(0..total);
        self.kinds.iter().copied().find(|kind| {
            let hit = at < kind.weight();
            at = at.saturating_sub(kind.weight());
            hit
        })
    }

    /// A time between two.
    pub(crate) fn time(&mut self, from_ms: u64, to_ms: u64) -> Duration {
        Duration::from_millis(self.random.random_range(from_ms..=to_ms))
    }

    /// One of so many.
    pub(crate) fn one_of(&mut self, count: usize) -> usize {
        self.random.random_range(0..count.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(seed: u64, lane: Lane, count: usize) -> Vec<Kind> {
        let mut draw = Draw::new(seed, lane, &Kind::ALL);
        (0..count).filter_map(|_| draw.kind()).collect()
    }

    #[test]
    fn the_same_seed_draws_the_same_and_another_does_not() {
        assert_eq!(drawn(7, Lane::Services, 200), drawn(7, Lane::Services, 200));
        assert_ne!(drawn(7, Lane::Services, 200), drawn(8, Lane::Services, 200));
    }

    #[test]
    fn every_kind_comes_once_before_any_comes_twice() {
        for lane in [Lane::Services, Lane::Machines] {
            let kinds: Vec<Kind> = Kind::ALL.into_iter().filter(|kind| kind.lane() == lane).collect();
            let mut first = drawn(1, lane, kinds.len());
            first.sort_unstable();
            assert_eq!(first, kinds);
        }
    }

    #[test]
    fn a_lane_without_kinds_draws_nothing() {
        assert_eq!(Draw::new(1, Lane::Machines, &[Kind::SlowWay]).kind(), None);
    }

    #[test]
    fn weights_are_kept_to() {
        let many = drawn(3, Lane::Services, 6_000);
        let of = |wanted| many.iter().filter(|kind| **kind == wanted).count();
        assert!(of(Kind::HoldCommit) > 3 * of(Kind::SilentWay));
    }
}

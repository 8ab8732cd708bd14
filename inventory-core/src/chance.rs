//! What an engine leaves to chance: the ids of its batches, and the jitter of its pauses. Seeded, both repeat themselves, which is
//! what makes a simulation of engines repeatable.

use std::time::Duration;

use uuid::Uuid;

use crate::ids::BatchId;

/// The random bytes of a time-ordered id.
const RANDOM_BYTES: usize = 10;

/// Where one engine's batch ids and jitter come from.
#[derive(Debug)]
pub(crate) enum Chance {
    /// From the operating system.
    Fresh,
    /// From a seed: the number of the last batch id, and the generator's state.
    Seeded { batches: u64, state: u64 },
}

impl Chance {
    pub(crate) fn new(seed: Option<u64>) -> Self {
        match seed {
            None => Self::Fresh,
            Some(seed) => Self::Seeded { batches: 0, state: mixed(seed) },
        }
    }

    /// An id that no batch had before, greater than this engine's earlier ones. A seeded one counts where time would stand.
    pub(crate) fn batch_id(&mut self) -> BatchId {
        let number = match self {
            Self::Fresh => return BatchId::new(Uuid::now_v7()),
            Self::Seeded { batches, .. } => {
                *batches += 1;
                *batches
            }
        };
        let (high, low) = (self.draw().to_le_bytes(), self.draw().to_le_bytes());
        let mut random = [0; RANDOM_BYTES];
        for (to, from) in random.iter_mut().zip(high.into_iter().chain(low)) {
            *to = from;
        }
        BatchId::new(uuid::Builder::from_unix_timestamp_millis(number, &random).into_uuid())
    }

    /// A duration from half of `longest` to all of it: two writers that met must not meet again in step.
    pub(crate) fn jitter(&mut self, longest: Duration) -> Duration {
        let share = u32::try_from(self.draw() % 1_000).unwrap_or(0);
        longest / 2 + longest / 2 * share / 1_000
    }

    fn draw(&mut self) -> u64 {
        match self {
            Self::Fresh => Uuid::new_v4().as_u64_pair().0,
            Self::Seeded { state, .. } => {
                *state = mixed(*state);
                *state
            }
        }
    }
}

/// SplitMix64's step: every bit of the result depends on every bit of `x`.
pub(crate) fn mixed(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(seed: Option<u64>) -> Vec<BatchId> {
        let mut chance = Chance::new(seed);
        (0..1_000).map(|_| chance.batch_id()).collect()
    }

    #[test]
    fn a_seed_repeats_itself_and_others_share_nothing_with_it() {
        assert_eq!(ids(Some(7)), ids(Some(7)));
        let other = ids(Some(8));
        assert!(ids(Some(7)).iter().all(|id| !other.contains(id)));
        assert_ne!(ids(None), ids(None));
    }

    #[test]
    fn ids_rise_and_are_used_once() {
        for seed in [None, Some(0), Some(u64::MAX)] {
            assert!(ids(seed).windows(2).all(|pair| pair[0] < pair[1]), "{seed:?}");
        }
    }

    #[test]
    fn jitter_stays_between_half_and_all() {
        let longest = Duration::from_millis(100);
        for seed in [None, Some(1)] {
            let mut chance = Chance::new(seed);
            for _ in 0..1_000 {
                let pause = chance.jitter(longest);
                assert!(pause >= longest / 2 && pause <= longest, "{pause:?}");
            }
        }
    }
}

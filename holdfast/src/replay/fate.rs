//! What becomes of a hold: decided by the seed and the order id, never by timing.

use inventory_core::ids::OrderId;

use super::Digest;

/// What becomes of a hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// Bought.
    Commit,
    /// Given back.
    Release,
    /// Left until its time is over.
    Leave,
}

/// The shares, which add up to at most 100.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fates {
    seed: u64,
    commit_percent: u8,
    release_percent: u8,
}

/// Why shares were not accepted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "--commit-percent {commit} and --release-percent {release} add up to more than 100: lower one of them"
)]
pub struct TooMuch {
    commit: u8,
    release: u8,
}

impl Fates {
    /// Accepts shares that add up to at most 100; what is left is left.
    pub fn new(seed: u64, commit_percent: u8, release_percent: u8) -> Result<Self, TooMuch> {
        if u16::from(commit_percent) + u16::from(release_percent) > 100 {
            return Err(TooMuch { commit: commit_percent, release: release_percent });
        }
        Ok(Self { seed, commit_percent, release_percent })
    }

    /// An order's fate.
    pub fn of(&self, order: OrderId) -> Fate {
        let mut digest = Digest::of(&self.seed.to_le_bytes());
        digest.feed(order.get().as_bytes());
        // The upper half is mixed better than the lowest bits.
        let percentile = (digest.get() >> 32) % 100;
        let commit = u64::from(self.commit_percent);
        if percentile < commit {
            Fate::Commit
        } else if percentile < commit + u64::from(self.release_percent) {
            Fate::Release
        } else {
            Fate::Leave
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::order_id;
    use super::*;

    fn counts(fates: Fates) -> [usize; 3] {
        let mut counts = [0; 3];
        for basket in 0..10_000 {
            counts[match fates.of(order_id(&basket.to_string())) {
                Fate::Commit => 0,
                Fate::Release => 1,
                Fate::Leave => 2,
            }] += 1;
        }
        counts
    }

    #[test]
    fn shares_come_out_as_asked_for() {
        for seed in [0, 1, 99] {
            let [commit, release, leave] = counts(Fates::new(seed, 80, 15).unwrap());
            assert!(
                commit.abs_diff(8_000) < 200 && release.abs_diff(1_500) < 200,
                "{commit} {release} {leave}"
            );
        }
        assert_eq!(counts(Fates::new(1, 100, 0).unwrap()), [10_000, 0, 0]);
        assert_eq!(counts(Fates::new(1, 0, 100).unwrap()), [0, 10_000, 0]);
        assert_eq!(counts(Fates::new(1, 0, 0).unwrap()), [0, 0, 10_000]);
    }

    #[test]
    fn another_seed_decides_otherwise_and_the_same_seed_the_same() {
        let of = |seed| -> Vec<Fate> {
            let fates = Fates::new(seed, 50, 25).unwrap();
            (0..200).map(|basket| fates.of(order_id(&basket.to_string()))).collect()
        };
        assert_eq!(of(7), of(7));
        assert_ne!(of(7), of(8));
    }

    #[test]
    fn more_than_everything_is_refused_by_name() {
        let why = Fates::new(1, 90, 20).unwrap_err().to_string();
        assert!(why.contains("--commit-percent 90") && why.contains("--release-percent 20"));
    }
}

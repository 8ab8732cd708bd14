//! When to try again.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use uuid::Uuid;

use super::WorkerOptions;

/// Tries after which nobody expects it to work soon.
const PATIENT_TRIES: u32 = 30;
/// The first tries that the saga hears of, and then every so many.
const TELL_EVERY: u32 = 5;

/// A pause that doubles up to a cap, half of it by chance so that callers do not come back all at once.
pub(super) fn pause(options: &WorkerOptions, order: Uuid, attempts: u32) -> Duration {
    let most = if attempts > PATIENT_TRIES { options.pause_max_stuck } else { options.pause_max };
    let doubled = 2_u32.saturating_pow(attempts.saturating_sub(1));
    let whole = options.pause_min.saturating_mul(doubled).min(most);
    whole.mul_f64(share(options, order, attempts))
}

fn share(options: &WorkerOptions, order: Uuid, attempts: u32) -> f64 {
    const SHARES: std::ops::RangeInclusive<f64> = 0.5..=1.0;
    let Some(seed) = options.seed else { return rand::rng().random_range(SHARES) };
    let (high, low) = order.as_u64_pair();
    StdRng::seed_from_u64(seed ^ high ^ low ^ u64::from(attempts)).random_range(SHARES)
}

/// Whether the saga should hear that an action keeps failing: now and then, not at every try.
pub(super) fn should_tell(attempts: u32) -> bool {
    attempts > 0 && attempts.is_multiple_of(TELL_EVERY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_cap_and_are_never_nothing() {
        let options = WorkerOptions::default();
        for attempts in [0, 1, 2, 10, PATIENT_TRIES, PATIENT_TRIES + 1, u32::MAX] {
            let pause = pause(&options, Uuid::nil(), attempts);
            let most = if attempts > PATIENT_TRIES { options.pause_max_stuck } else { options.pause_max };
            assert!(pause >= options.pause_min / 2 && pause <= most, "{attempts}: {pause:?}");
        }
        assert!(pause(&options, Uuid::nil(), PATIENT_TRIES + 1) > options.pause_max);
    }

    #[test]
    fn with_a_seed_pauses_repeat_themselves_and_differ_by_order() {
        let options = WorkerOptions { seed: Some(1), ..WorkerOptions::default() };
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        assert_eq!(pause(&options, one, 3), pause(&options, one, 3));
        assert_ne!(pause(&options, one, 3), pause(&options, other, 3));
    }

    #[test]
    fn the_saga_hears_of_failures_now_and_then() {
        let told: Vec<u32> = (0..16).filter(|attempts| should_tell(*attempts)).collect();
        assert_eq!(told, [5, 10, 15]);
    }
}

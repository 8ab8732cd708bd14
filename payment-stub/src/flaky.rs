//! Which calls of a flaky payment fail, and how: the same ones every time.

use uuid::Uuid;

/// What a call is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operation {
    /// Asking for money.
    Process,
    /// Giving it back.
    Refund,
}

impl Operation {
    /// As it is stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Process => "process",
            Self::Refund => "refund",
        }
    }
}

/// What becomes of one call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// It is answered.
    Answered,
    /// 503, and nothing was done.
    FailsBefore,
    /// 503, and it was done.
    FailsAfter,
    /// It was done, and no answer comes.
    Hangs,
}

/// The fate of the n-th try, counted from one: a fixed function of what is asked, so that a test can choose ids by their fate and a run can be repeated.
pub fn fate(percent: u8, payment: Uuid, operation: Operation, nth_try: u64) -> Fate {
    let hash = hash(payment, operation, nth_try);
    if hash % 100 >= u64::from(percent) {
        return Fate::Answered;
    }
    match (hash >> 32) % 3 {
        0 => Fate::FailsBefore,
        1 => Fate::FailsAfter,
        _ => Fate::Hangs,
    }
}

/// FNV-1a, and a last stir (of MurmurHash3), since the low bits of FNV alone follow the last byte.
fn hash(payment: Uuid, operation: Operation, nth_try: u64) -> u64 {
    let bytes = payment.into_bytes().into_iter().chain(operation.name().bytes()).chain(nth_try.to_le_bytes());
    let fnv = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let stirred = (fnv ^ (fnv >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    stirred ^ (stirred >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fates(percent: u8) -> Vec<Fate> {
        (0..3_000_u128)
            .map(|n| fate(percent, Uuid::from_u128(n / 3), Operation::Process, u64::try_from(n % 3).unwrap()))
            .collect()
    }

    fn share(fates: &[Fate], fate: Fate) -> usize {
        fates.iter().filter(|one| **one == fate).count() * 100 / fates.len()
    }

    #[test]
    fn about_so_many_of_a_hundred_fail_in_each_way_alike_and_the_same_every_time() {
        assert_eq!(share(&fates(0), Fate::Answered), 100);
        assert_eq!(share(&fates(100), Fate::Answered), 0);
        let thirty = fates(30);
        assert!((65..=75).contains(&share(&thirty, Fate::Answered)));
        for way in [Fate::FailsBefore, Fate::FailsAfter, Fate::Hangs] {
            assert!((8..=12).contains(&share(&thirty, way)), "{way:?}");
        }
        assert_eq!(thirty, fates(30));
    }

    #[test]
    fn the_hash_is_fixed() {
        // Ids that tests and people have chosen by their fate keep it.
        assert_eq!(hash(Uuid::nil(), Operation::Process, 1), 12_882_677_114_033_362_293);
    }
}

//! Chance, all of it from one seed.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use uuid::Uuid;

/// One stream of random numbers. Cheap to clone; clones draw from the same stream. Whoever decides something has a stream of his
/// own, so that a fault more or less does not change what the clients ask for.
#[derive(Clone, Debug)]
pub struct Dice(Arc<Mutex<StdRng>>);

impl Dice {
    /// The stream of this name.
    pub fn of(seed: u64, stream: &str) -> Self {
        // FNV-1a: the name only has to tell streams apart.
        let name = stream.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self(Arc::new(Mutex::new(StdRng::seed_from_u64(seed ^ name))))
    }

    /// A number of the range.
    pub fn range(&self, range: RangeInclusive<u64>) -> u64 {
        self.0.lock().random_range(range)
    }

    /// A number below `sides`, for indexes.
    pub fn below(&self, sides: usize) -> usize {
        self.0.lock().random_range(0..sides.max(1))
    }

    /// Yes, so often in a thousand.
    pub fn per_mille(&self, often: u64) -> bool {
        often > 0 && self.range(0..=999) < often
    }

    /// Yes, so often in a hundred.
    pub fn percent(&self, often: u64) -> bool {
        self.per_mille(often * 10)
    }

    /// So many milliseconds.
    pub fn millis(&self, range: RangeInclusive<u64>) -> Duration {
        Duration::from_millis(self.range(range))
    }

    /// One of them; there must be one.
    pub fn pick<'a, T>(&self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    /// A fresh id.
    pub fn id(&self) -> Uuid {
        let bytes = self.0.lock().random::<[u8; 16]>();
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }
}

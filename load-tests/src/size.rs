//! How much is asked for, in one place.

use crate::scenario::Scenario;

/// The size of a scenario.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Size {
    /// How long buyers ask.
    pub(crate) seconds: u64,
    /// Buyers of goose at a time.
    pub(crate) users: usize,
    /// Arrivals of k6 per second.
    pub(crate) rate: u32,
    /// Holds that end in one second.
    pub(crate) holds: usize,
}

impl Size {
    /// Short ones are for `make load`; full ones are what the promises are made for.
    pub(crate) fn of(scenario: Scenario, full: bool) -> Self {
        let (seconds, users, rate, holds) = match (scenario, full) {
            (Scenario::SteadyCheckout, false) => (6, 4, 20, 0),
            (Scenario::SteadyCheckout, true) => (120, 16, 50, 0),
            (Scenario::ExpiryStorm, false) => (8, 16, 200, 4_000),
            (Scenario::ExpiryStorm, true) => (30, 64, 1_000, 100_000),
            (Scenario::Overload, false) => (3, 16, 20, 0),
            (Scenario::Overload, true) => (60, 64, 200, 0),
            (Scenario::Soak, false) => (12, 8, 60, 0),
            (Scenario::Soak, true) => (3_600, 32, 200, 0),
            (_, false) => (5, 24, 300, 0),
            (_, true) => (60, 256, 2_000, 0),
        };
        Self { seconds, users, rate, holds }
    }
}

//! Seeds of the checkout: they replay, they find nothing, and they get everywhere.

use simulation::checkout::campaign::Campaign;
use simulation::checkout::goals::Goal;
use simulation::checkout::run::Run;

use crate::shared::{lines_of_replays, told};

/// How many seeds the test suite runs. `make simulate` runs ten thousand.
const SEEDS: u64 = 200;

#[test]
fn any_seed_of_the_checkout_replays_byte_by_byte() {
    let lines = lines_of_replays(|seed| Run { seed, mutant: None, traced: true }.run().unwrap().trace);
    assert!(lines > 1_500, "{lines} lines: little happened");
}

#[test]
fn i5_i11_i12_i13_seeds_of_the_checkout_find_no_violation_and_reach_every_goal() {
    let campaign = Campaign { seeds: 0..SEEDS, mutant: None, jobs: 2, stops_at_first: false };
    let summary = campaign.run(|_| {}).unwrap();
    assert!(summary.violations.is_empty(), "{}", told(&summary.violations, " --checkout"));
    let missed: Vec<&str> = summary.missed().into_iter().map(Goal::text).collect();
    assert!(missed.is_empty(), "never reached: {missed:?}");
}

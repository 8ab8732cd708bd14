//! Seeds: they replay, they find nothing, and they get everywhere.

use simulation::campaign::Campaign;
use simulation::goals::Goal;
use simulation::run::Run;

use crate::shared::{lines_of_replays, told};

/// How many seeds the test suite runs. `make simulate` runs ten thousand.
const SEEDS: u64 = 300;

#[test]
fn any_seed_replays_byte_by_byte() {
    let lines = lines_of_replays(|seed| Run { seed, mutant: None, traced: true }.run().unwrap().trace);
    assert!(lines > 3_000, "{lines} lines: little happened");
}

#[test]
fn two_seeds_have_little_in_common() {
    let run = |seed| Run { seed, mutant: None, traced: true }.run().unwrap().trace;
    let (one, other) = (run(1), run(2));
    let same = one.lines().zip(other.lines()).filter(|(one, other)| one == other).count();
    assert!(same < 10, "{same} lines are the same");
}

#[test]
fn i1_to_i11_i14_i17_seeds_find_no_violation_and_reach_every_goal() {
    let campaign = Campaign { seeds: 0..SEEDS, mutant: None, jobs: 2, stops_at_first: false };
    let summary = campaign.run(|_| {}).unwrap();
    assert!(summary.violations.is_empty(), "{}", told(&summary.violations, ""));
    let missed: Vec<&str> = summary.missed().into_iter().map(Goal::text).collect();
    assert!(missed.is_empty(), "never reached: {missed:?}");
}

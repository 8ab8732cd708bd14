//! Seeds of the checkout: they replay, they find nothing, and they get everywhere.

use std::fmt::Write as _;

use simulation::checkout::campaign::{Campaign, Summary};
use simulation::checkout::goals::Goal;
use simulation::checkout::run::Run;

/// How many seeds the test suite runs. `make simulate` runs ten thousand.
const SEEDS: u64 = 200;

#[test]
fn any_seed_of_the_checkout_replays_byte_by_byte() {
    let mut lines = 0;
    for seed in [1, 2, 3, 4711, 987_654_321, u64::MAX] {
        let run = Run { seed, mutant: None, traced: true };
        let (first, second) = (run.run().unwrap().trace, run.run().unwrap().trace);
        let differs = first.lines().zip(second.lines()).find(|(one, other)| one != other);
        assert_eq!(differs, None, "seed {seed}");
        assert!(first == second, "seed {seed}: one trace is longer");
        lines += first.lines().count();
    }
    assert!(lines > 1_500, "{lines} lines: little happened");
}

/// Every violation with the command that replays it.
fn told(summary: &Summary) -> String {
    let mut text = String::new();
    for (seed, found) in &summary.violations {
        writeln!(text, "cargo run --release -p simulation -- --checkout --seed {seed}").unwrap();
        found.iter().take(3).for_each(|violation| writeln!(text, "  {violation}").unwrap());
    }
    text
}

#[test]
fn i5_i11_i12_i13_seeds_of_the_checkout_find_no_violation_and_reach_every_goal() {
    let campaign = Campaign { seeds: 0..SEEDS, mutant: None, jobs: 2, stops_at_first: false };
    let summary = campaign.run(|_| {}).unwrap();
    assert!(summary.violations.is_empty(), "{}", told(&summary));
    let missed: Vec<&str> = summary.missed().into_iter().map(Goal::text).collect();
    assert!(missed.is_empty(), "never reached: {missed:?}");
}

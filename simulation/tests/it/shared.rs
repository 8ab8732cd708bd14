//! What the tests of both simulations do alike.

use std::fmt::{Display, Write as _};

/// Seeds in which every mutant must be caught.
const SEEDS: u64 = 1_000;

/// Runs some seeds twice, insists on the same trace byte by byte, and counts its lines.
pub(crate) fn lines_of_replays(trace: impl Fn(u64) -> String) -> usize {
    let mut lines = 0;
    for seed in [1, 2, 3, 4711, 987_654_321, u64::MAX] {
        let (first, second) = (trace(seed), trace(seed));
        let differs = first.lines().zip(second.lines()).find(|(one, other)| one != other);
        assert_eq!(differs, None, "seed {seed}");
        assert!(first == second, "seed {seed}: one trace is longer");
        lines += first.lines().count();
    }
    lines
}

/// Every violation with the command that replays it; `what` is how the program is told which simulation.
pub(crate) fn told(violations: &[(u64, Vec<String>)], what: &str) -> String {
    let mut text = String::new();
    for (seed, found) in violations {
        writeln!(text, "cargo run --release -p simulation --{what} --seed {seed}").unwrap();
        found.iter().take(3).for_each(|violation| writeln!(text, "  {violation}").unwrap());
    }
    text
}

/// Runs seeds until one catches the mutant by a finding that is meant for it.
pub(crate) fn is_caught(
    mutant: impl Display,
    violations: impl Fn(u64) -> Vec<String>,
    is_by: impl Fn(&str) -> bool,
) {
    for seed in 0..SEEDS {
        if let Some(violation) = violations(seed).iter().find(|violation| is_by(violation)) {
            println!("{mutant}: caught by seed {seed}: {violation}");
            return;
        }
    }
    panic!("{mutant}: not caught by {SEEDS} seeds");
}

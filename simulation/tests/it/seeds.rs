//! Seeds: they replay, and they find nothing.

use simulation::campaign::Campaign;
use simulation::run::Run;

#[test]
fn any_seed_replays_byte_by_byte() {
    for seed in [1, 2, 3, 4711, u64::MAX] {
        let run = Run { seed, mutant: None, traced: true };
        let (first, second) = (run.run().unwrap(), run.run().unwrap());
        assert!(first.trace.lines().count() > 500, "seed {seed}: little happened");
        let differs = first.trace.lines().zip(second.trace.lines()).find(|(one, other)| one != other);
        assert_eq!(differs, None, "seed {seed}");
        assert!(first.trace == second.trace, "seed {seed}: one trace is longer");
    }
}

#[test]
fn no_seed_finds_a_violation() {
    let campaign = Campaign { seeds: 0..20, mutant: None, jobs: 1, stops_at_first: false };
    let summary = campaign.run(|_| {}).unwrap();
    for (seed, violations) in &summary.violations {
        eprintln!("{seed}: {} violations", violations.len());
        for v in violations.iter().take(5) {
            eprintln!("   {v}");
        }
    }
    for g in simulation::goals::Goal::ALL {
        eprintln!("{:>8} {}", summary.goals.of(*g), g.text());
    }
    for g in simulation::faults::Fault::ALL {
        eprintln!("{:>8} {}", summary.faults.of(g), g);
    }
    eprintln!("{} ops {} batches", summary.ops, summary.batches);
    assert!(summary.violations.is_empty());
}

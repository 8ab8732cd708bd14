//! Many seeds of the checkout.

use std::fmt;
use std::ops::Range;
use std::time::Duration;

use parking_lot::Mutex;

use super::goals::Goal;
use super::mutant::Mutant;
use super::run::{Report, Run};
use super::troubles::Trouble;
use crate::campaign::each_seed;
use crate::faults::Fault;
use crate::tally::Tally;

/// Which seeds, and how.
#[derive(Clone, Debug)]
pub struct Campaign {
    /// The seeds.
    pub seeds: Range<u64>,
    /// A defect on purpose.
    pub mutant: Option<Mutant>,
    /// Threads; each runs whole seeds.
    pub jobs: usize,
    /// Whether to stop at the first violation.
    pub stops_at_first: bool,
}

/// What came of all of them. Displays as tables.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Seeds run.
    pub seeds: u64,
    /// Orders placed.
    pub orders: u64,
    /// Steps of sagas.
    pub steps: u64,
    /// Virtual time.
    pub virtual_time: Duration,
    /// Corners reached.
    pub goals: Tally<Goal>,
    /// Troubles made.
    pub troubles: Tally<Trouble>,
    /// The ledger's own faults.
    pub faults: Tally<Fault>,
    /// Seeds with violations, in order, and what was found.
    pub violations: Vec<(u64, Vec<String>)>,
}

impl Summary {
    /// Corners that were never reached.
    pub fn missed(&self) -> Vec<Goal> {
        Goal::ALL.iter().copied().filter(|goal| self.goals.of(*goal) == 0).collect()
    }

    fn add(&mut self, report: Report) {
        self.seeds += 1;
        self.orders += report.orders as u64;
        self.steps += report.steps as u64;
        self.virtual_time += report.virtual_time;
        self.goals.merge(&report.goals);
        self.troubles.merge(&report.troubles);
        self.faults.merge(&report.faults);
        if !report.violations.is_empty() {
            self.violations.push((report.seed, report.violations));
            self.violations.sort_unstable();
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let minutes = self.virtual_time.as_secs() / 60;
        let (seeds, orders, steps) = (self.seeds, self.orders, self.steps);
        writeln!(f, "{seeds} seeds: {orders} orders, {steps} steps, {minutes} minutes of virtual time\n")?;
        writeln!(f, "| trouble | times |\n| --- | ---: |")?;
        for trouble in Trouble::ALL {
            writeln!(f, "| {trouble} | {} |", self.troubles.of(trouble))?;
        }
        let of_ledger: u64 = Fault::ALL.into_iter().map(|fault| self.faults.of(fault)).sum();
        writeln!(f, "| the ledger's own faults | {of_ledger} |")?;
        writeln!(f, "\n| reached | times |\n| --- | ---: |")?;
        for goal in Goal::ALL {
            writeln!(f, "| {goal} | {} |", self.goals.of(*goal))?;
        }
        Ok(())
    }
}

impl Campaign {
    /// Runs them. `progress` hears of every seed that is done.
    pub fn run(&self, progress: impl Fn(&Summary) + Sync) -> std::io::Result<Summary> {
        let summary = Mutex::new(Summary::default());
        each_seed(self.seeds.clone(), self.jobs, |seed| {
            let report = Run { seed, mutant: self.mutant, traced: false }.run()?;
            let mut summary = summary.lock();
            summary.add(report);
            progress(&summary);
            Ok(!self.stops_at_first || summary.violations.is_empty())
        })?;
        Ok(summary.into_inner())
    }
}

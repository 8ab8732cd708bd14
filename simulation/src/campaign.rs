//! Many seeds.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use crate::faults::Fault;
use crate::goals::Goal;
use crate::mutant::Mutant;
use crate::run::{Report, Run};
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

/// What came of all of them.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Seeds run.
    pub seeds: u64,
    /// Requests made.
    pub ops: u64,
    /// Batches committed.
    pub batches: u64,
    /// Virtual time.
    pub virtual_time: Duration,
    /// Corners reached.
    pub goals: Tally<Goal>,
    /// Faults injected.
    pub faults: Tally<Fault>,
    /// Seeds with violations, in order, and what was found.
    pub violations: Vec<(u64, Vec<String>)>,
}

impl Summary {
    /// Corners that were never reached and had to be. Real deadlocks are only counted: rows are locked in order, so two batches would have
    /// to write the same keys crosswise in the same milliseconds. The fault of that name stands in for them.
    pub fn missed(&self) -> Vec<Goal> {
        let must = Goal::ALL.iter().copied().filter(|goal| *goal != Goal::Deadlock);
        must.filter(|goal| self.goals.of(*goal) == 0).collect()
    }

    fn add(&mut self, report: &Report) {
        self.seeds += 1;
        self.ops += report.ops as u64;
        self.batches += report.batches as u64;
        self.virtual_time += report.virtual_time;
        self.goals.merge(&report.goals);
        self.faults.merge(&report.faults);
        if !report.violations.is_empty() {
            self.violations.push((report.seed, report.violations.clone()));
            self.violations.sort_unstable();
        }
    }
}

impl Campaign {
    /// Runs them. `progress` hears of every seed that is done.
    pub fn run(&self, progress: impl Fn(&Summary) + Sync) -> std::io::Result<Summary> {
        let summary = Mutex::new(Summary::default());
        each_seed(self.seeds.clone(), self.jobs, |seed| {
            let report = Run { seed, mutant: self.mutant, traced: false }.run()?;
            let mut summary = summary.lock();
            summary.add(&report);
            progress(&summary);
            Ok(!self.stops_at_first || summary.violations.is_empty())
        })?;
        Ok(summary.into_inner())
    }
}

/// Runs `work` for every seed, on so many threads, until it answers that this is enough (false).
pub(crate) fn each_seed(
    seeds: Range<u64>,
    jobs: usize,
    work: impl Fn(u64) -> std::io::Result<bool> + Sync,
) -> std::io::Result<()> {
    let (next, is_over) = (AtomicU64::new(seeds.start), AtomicBool::new(false));
    let run = || -> std::io::Result<()> {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end || is_over.load(Ordering::Relaxed) {
                return Ok(());
            }
            if !work(seed)? {
                is_over.store(true, Ordering::Relaxed);
            }
        }
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..jobs.max(1)).map(|_| scope.spawn(run)).collect();
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}

//! The expiry storm: a hundred thousand holds that are due in one and the same second, while buyers go on reserving. How late is
//! each of them gone, and what do the buyers notice?

mod callers;
mod ends;
mod report;
mod round;

use std::time::Duration;

use anyhow::Result;

pub use self::callers::{Answered, Answers};
pub use self::ends::{DatabaseClock, Ends};
pub use self::report::{Outcome, Report};
use crate::arena::Arena;
use crate::report::Machine;
use crate::workload::Shape;

/// How big a storm, and on whom it breaks.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Holds that are due together.
    pub holds: u32,
    /// From the first one's end to the last one's; zero: all at one instant.
    pub within: Duration,
    /// Which products they are of, and which the callers ask for.
    pub shapes: Vec<Shape>,
    /// Callers in a closed loop, the same number before and during the storm.
    pub callers: Vec<usize>,
    /// Rounds.
    pub rounds: usize,
    /// From the making of the first hold to the end of the first: making them all, warming up, and [`Plan::before`].
    pub lead: Duration,
    /// For how long the callers are watched before the storm.
    pub before: Duration,
}

impl Plan {
    /// Runs it all, each round on an empty database, and says on standard error how it goes.
    pub async fn run(&self, arena: &Arena) -> Result<Report> {
        let mut report = Report {
            date: arena.today().await?,
            machine: Machine::here(),
            postgres: arena.settings().await?,
            holds: self.holds,
            within_ms: self.within.as_secs_f64() * 1e3,
            rounds: Vec::new(),
        };
        for round in 1..=self.rounds {
            for (shape, callers) in self.places() {
                let outcome = round::run(arena, self, shape, callers, round).await?;
                eprintln!("round {round}: {}", outcome.describe());
                report.rounds.push(outcome);
            }
        }
        Ok(report)
    }

    fn places(&self) -> impl Iterator<Item = (Shape, usize)> {
        self.shapes.iter().flat_map(|shape| self.callers.iter().map(|callers| (*shape, *callers)))
    }
}

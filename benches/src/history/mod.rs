//! What history costs: the price of a reservation, and the room it takes, with a million ended ones in the ledger, with two, five
//! and ten million; then what pruning makes of it.

mod ledger;
mod prune;
mod report;
mod room;
mod sample;

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

pub use self::ledger::{BATCH, Ledger};
pub use self::prune::{Pruning, prune};
pub use self::report::{Point, Report};
pub use self::room::Room;
pub use self::sample::{Pair, Sample};
use crate::arena::{Arena, Scratch};
use crate::report::Machine;
use crate::workload::Ids;

/// The history is this long: most of it older than reservations are kept, some older than the journal is.
const SPAN: Duration = Duration::from_secs(40 * 24 * 3_600);
/// And ended so long ago.
const SINCE: Duration = Duration::from_secs(3_600);

/// How much history, and how it is measured.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Ended reservations in the ledger, ascending.
    pub sizes: Vec<u32>,
    /// How order ids are made, those of the history and those of the runs.
    pub ids: Ids,
    /// Runs at each size.
    pub rounds: usize,
    /// How long a run counts.
    pub length: Duration,
    /// How long it runs before.
    pub warm_up: Duration,
    /// Callers in a closed loop on one hot product.
    pub callers: usize,
    /// Whether the largest history is pruned, and grows again by as much.
    pub prune: bool,
}

/// A plan under way.
struct Course<'a> {
    plan: &'a Plan,
    arena: &'a Arena,
    ledger: Ledger,
    scratch: Scratch,
    /// The first size, to be measured beside each of the others.
    first: Option<Scratch>,
    runs: u64,
}

impl Plan {
    /// Grows one ledger from size to size. Every run has a copy of it, and beside it one of the first size, so that a slow minute of
    /// the machine hits both.
    pub async fn run(&self, arena: &Arena) -> Result<Report> {
        ensure!(self.sizes.is_sorted(), "sizes are to ascend: one ledger grows from each to the next");
        let scratch = arena.scratch().await?;
        let ledger = Ledger::begin(&scratch.url, self.ids).await?;
        let (now, largest) = (ledger.now().await?, self.sizes.last().copied().context("no sizes")?);
        let begin = now.minus(SINCE + SPAN);
        let mut report = Report {
            date: arena.today().await?,
            machine: Machine::here(),
            postgres: arena.settings().await?,
            ids: self.ids,
            seconds: self.length.as_secs_f64(),
            points: Vec::new(),
            pruning: None,
        };
        let mut course = Course { plan: self, arena, ledger, scratch, first: None, runs: 0 };
        let (mut grown, mut at) = (0, begin);
        for size in self.sizes.iter().copied() {
            let until = begin.plus(SPAN.mul_f64(f64::from(size) / f64::from(largest)));
            course.ledger.grow(size - grown, at, until).await?;
            (grown, at) = (size, until);
            report.points.push(course.point("ended").await?);
        }
        if self.prune {
            let pruned = prune(&course.ledger).await?;
            eprintln!("{}", pruned.describe());
            let again = u32::try_from(pruned.reservations)?;
            report.pruning = Some(pruned);
            report.points.push(course.point("left by pruning").await?);
            course.ledger.grow(again - again % BATCH, at, now).await?;
            report.points.push(course.point("with as many again").await?);
        }
        course.end().await?;
        Ok(report)
    }
}

impl Course<'_> {
    /// Measures the ledger as it is.
    async fn point(&mut self, what: &'static str) -> Result<Point> {
        self.ledger.settle().await?;
        let room = Room::of(&self.ledger).await?;
        let mut rounds = Vec::with_capacity(self.plan.rounds);
        for _ in 0..self.plan.rounds {
            // Seeds differ, so do the random ids of runs.
            self.runs += 1;
            let first = match &self.first {
                Some(first) => Some(sample::sample(self.arena, first, self.plan, self.runs).await?),
                None => None,
            };
            let here = sample::sample(self.arena, &self.scratch, self.plan, self.runs).await?;
            rounds.push(Pair { here, first });
        }
        if self.first.is_none() {
            self.first = Some(self.arena.copy(&self.scratch).await?);
        }
        let point = Point { what, room, rounds };
        eprintln!("{}", point.describe());
        Ok(point)
    }

    async fn end(self) -> Result<()> {
        if let Some(first) = self.first {
            self.arena.remove(first).await?;
        }
        self.arena.remove(self.scratch).await
    }
}

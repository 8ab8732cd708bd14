//! What everything here shares.

use std::time::Duration;

use tokio_util::task::TaskTracker;

use super::goals::Goal;
use super::mutant::Mutant;
use super::troubles::Trouble;
use crate::dice::Dice;
use crate::faults::Faults;
use crate::tally::Tally;
use crate::trace::Trace;

/// Cheap to clone; clones are the same.
#[derive(Clone, Debug)]
pub(super) struct Stage {
    pub(super) troubles: Faults<Trouble>,
    pub(super) goals: Tally<Goal>,
    pub(super) trace: Trace,
    pub(super) mutant: Option<Mutant>,
    /// Everything that runs by itself; it ends with the runtime.
    pub(super) tasks: TaskTracker,
}

impl Stage {
    pub(super) fn is(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }

    pub(super) fn reach(&self, goal: Goal) {
        self.goals.count(goal);
    }

    pub(super) fn strikes(&self, trouble: Trouble) -> bool {
        self.troubles.strikes(trouble)
    }

    /// The dice that decide how a trouble looks.
    pub(super) fn dice(&self) -> &Dice {
        self.troubles.dice()
    }

    /// One way, between any two.
    pub(super) async fn travel(&self) {
        for _ in 0..self.troubles.yields() {
            tokio::task::yield_now().await;
        }
        tokio::time::sleep(self.troubles.way(Trouble::Late, Trouble::Stuck)).await;
    }

    /// A short way, within one data centre: it takes turns, and now and then a millisecond.
    pub(super) async fn turn(&self) {
        for _ in 0..self.troubles.yields() {
            tokio::task::yield_now().await;
        }
        if self.dice().percent(20) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

//! Which fault meets which batch.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::chance::mixed;
use crate::store::StoreErrorKind;

/// What happens to one batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// `begin` fails. With `Unavailable` the session is lost, too.
    FailBegin(StoreErrorKind),
    /// `persist` fails. With `Unavailable` the session is lost, too.
    FailPersist(StoreErrorKind),
    /// COMMIT fails for certain: the batch is rolled back, and the answer says so.
    FailCommit(StoreErrorKind),
    /// COMMIT never arrives, and the connection is lost.
    UnknownNotCommitted,
    /// COMMIT takes effect, and the connection is lost before the answer.
    UnknownCommitted,
    /// The connection is lost, and COMMIT takes effect after this time, unless it is resolved before.
    UnknownCommittedLate(Duration),
    /// COMMIT takes this long, with everything locked.
    Stall(Duration),
}

/// Faults by the number of the batch, counted from 0 by `begin`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FaultPlan {
    script: BTreeMap<u64, Fault>,
    random: Option<Random>,
    resolves_failing: u32,
    opens_failing: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Random {
    seed: u64,
    per_mille: u64,
}

impl FaultPlan {
    /// No faults.
    pub fn none() -> Self {
        Self::default()
    }

    /// These batches fail like this.
    pub fn script(faults: impl IntoIterator<Item = (u64, Fault)>) -> Self {
        Self { script: faults.into_iter().collect(), ..Self::default() }
    }

    /// So many batches of a thousand fail, each in a way that follows from the seed and its number alone.
    pub fn random(seed: u64, per_mille: u16) -> Self {
        Self { random: Some(Random { seed, per_mille: per_mille.into() }), ..Self::default() }
    }

    /// The next `times` calls of `resolve` fail before they reach the store.
    #[must_use]
    pub fn failing_resolves(self, times: u32) -> Self {
        Self { resolves_failing: times, ..self }
    }

    /// The next `times` calls of `open_session` fail.
    #[must_use]
    pub fn failing_opens(self, times: u32) -> Self {
        Self { opens_failing: times, ..self }
    }

    /// What happens to the n-th batch.
    pub fn fault(&self, batch: u64) -> Option<Fault> {
        self.script.get(&batch).copied().or_else(|| self.random.and_then(|random| random.fault(batch)))
    }

    pub(super) fn take_resolve_failure(&mut self) -> bool {
        take(&mut self.resolves_failing)
    }

    pub(super) fn take_open_failure(&mut self) -> bool {
        take(&mut self.opens_failing)
    }
}

fn take(left: &mut u32) -> bool {
    let some = *left > 0;
    *left = left.saturating_sub(1);
    some
}

impl Random {
    fn fault(self, batch: u64) -> Option<Fault> {
        const KINDS: [StoreErrorKind; 3] =
            [StoreErrorKind::Transient, StoreErrorKind::Unavailable, StoreErrorKind::Full];
        let mut dice = mixed(self.seed ^ mixed(batch));
        let mut roll = |sides: u64| {
            dice = mixed(dice);
            dice % sides
        };
        if roll(1_000) >= self.per_mille {
            return None;
        }
        let short = Duration::from_millis(roll(20));
        // Below 3 by construction.
        let kind = KINDS[usize::try_from(roll(3)).unwrap_or(0)];
        Some(match roll(8) {
            0 => Fault::FailBegin(kind),
            1 => Fault::FailPersist(kind),
            2 => Fault::FailCommit(kind),
            3 => Fault::UnknownNotCommitted,
            4 | 5 => Fault::UnknownCommitted,
            6 => Fault::UnknownCommittedLate(short),
            _ => Fault::Stall(short),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_decides_alone_and_every_kind_of_fault_comes_up() {
        let plan = FaultPlan::random(7, 300);
        let faults: Vec<_> = (0..10_000).map(|n| plan.fault(n)).collect();
        assert_eq!(faults, (0..10_000).map(|n| FaultPlan::random(7, 300).fault(n)).collect::<Vec<_>>());
        assert_ne!(faults, (0..10_000).map(|n| FaultPlan::random(8, 300).fault(n)).collect::<Vec<_>>());
        let hit = faults.iter().flatten().count();
        assert!((2_700..3_300).contains(&hit), "{hit} of 10,000 at 300 of 1,000");
        let kinds: std::collections::HashSet<_> =
            faults.iter().flatten().map(std::mem::discriminant).collect();
        assert_eq!(kinds.len(), 7);
    }

    #[test]
    fn a_script_names_its_batches_and_no_others() {
        let plan = FaultPlan::script([(2, Fault::UnknownCommitted)]);
        assert_eq!([1, 2, 3].map(|n| plan.fault(n)), [None, Some(Fault::UnknownCommitted), None]);
        assert_eq!(FaultPlan::none().fault(0), None);
    }
}

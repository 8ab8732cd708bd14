//! How many repeats all calls of a client together may cost.

use std::sync::atomic::{AtomicU64, Ordering};

use super::BudgetOptions;

/// Repeats saved up. Each call earns a fraction of one; each repeat costs one. Counted in units of which `calls_per_repeat` make one
/// repeat, so that no fraction is lost.
#[derive(Debug)]
pub struct Budget {
    units: AtomicU64,
    units_max: u64,
    units_per_repeat: u64,
}

impl Budget {
    /// A full one.
    pub fn new(options: BudgetOptions) -> Self {
        let units_per_repeat = u64::from(options.calls_per_repeat.max(1));
        let units_max = u64::from(options.repeats_max) * units_per_repeat;
        Self { units: AtomicU64::new(units_max), units_max, units_per_repeat }
    }

    /// A call was made.
    pub fn earn(&self) {
        // Relaxed: the number stands for itself.
        let earn = |units: u64| (units < self.units_max).then_some(units + 1);
        // An error only says that it was full.
        let _ = self.units.fetch_update(Ordering::Relaxed, Ordering::Relaxed, earn);
    }

    /// Pays for one repeat, if there is enough.
    pub fn pay(&self) -> bool {
        let pay = |units: u64| units.checked_sub(self.units_per_repeat);
        self.units.fetch_update(Ordering::Relaxed, Ordering::Relaxed, pay).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeats_are_paid_from_what_calls_have_earned_and_no_more_is_saved_than_allowed() {
        let budget = Budget::new(BudgetOptions { repeats_max: 2, calls_per_repeat: 3 });
        assert!(budget.pay() && budget.pay());
        assert!(!budget.pay());
        for paid in [false, false, true, false, false, true] {
            budget.earn();
            assert_eq!(budget.pay(), paid);
        }
        (0..100).for_each(|_| budget.earn());
        assert!(budget.pay() && budget.pay() && !budget.pay());
    }

    #[test]
    fn a_budget_of_nothing_pays_nothing() {
        let budget = Budget::new(BudgetOptions { repeats_max: 0, calls_per_repeat: 0 });
        budget.earn();
        assert!(!budget.pay());
    }
}

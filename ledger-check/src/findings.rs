//! Violations as they are found, bounded.

use crate::history::Record;
use crate::options::Options;
use crate::verdict::{Checked, Verdict};
use crate::violation::{Operation, Violation};

/// Collects a verdict.
#[derive(Debug)]
pub(crate) struct Findings {
    verdict: Verdict,
    kept_max: usize,
}

impl Findings {
    pub(crate) fn new(options: &Options) -> Self {
        Self { verdict: Verdict::default(), kept_max: options.violations_kept_max }
    }

    pub(crate) fn add(&mut self, violation: Violation) {
        self.verdict.violations_total += 1;
        if self.verdict.violations.len() < self.kept_max {
            self.verdict.violations.push(violation);
        }
    }

    /// What is counted.
    pub(crate) fn checked(&mut self) -> &mut Checked {
        &mut self.verdict.checked
    }

    pub(crate) fn into_verdict(self) -> Verdict {
        self.verdict
    }
}

/// A count for a verdict.
pub(crate) fn count(of: usize) -> u64 {
    u64::try_from(of).unwrap_or(u64::MAX)
}

/// The name of a record.
pub(crate) fn name_of(record: &Record) -> Operation {
    Operation { client: record.client.clone(), sequence: record.sequence, asked: record.asked.name() }
}

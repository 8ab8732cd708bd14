//! What came of one scenario under one generator: numbers, and everything that broke a rule.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use crate::args::Tool;
use crate::scenario::Scenario;

/// Units and orders as the buyers were told. What nobody was told (`unknown`) may have happened or not.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Told {
    /// Units held for orders that may last, each order once.
    pub(crate) reserved: u64,
    /// Of them, bought.
    pub(crate) committed: u64,
    /// Of them, given back.
    pub(crate) released: u64,
    /// Units whose fate no answer told.
    pub(crate) unknown: u64,
}

/// What a generator measured.
#[derive(Clone, Debug, Default)]
pub(crate) struct Load {
    /// Requests, answered or not.
    pub(crate) requests: u64,
    /// How long it asked.
    pub(crate) elapsed: Duration,
    /// Accepted requests, in milliseconds.
    pub(crate) p50_ms: f64,
    /// See `p50_ms`.
    pub(crate) p99_ms: f64,
    /// By the code of the problem.
    pub(crate) refusals: BTreeMap<String, u64>,
    /// Refusals for now (503, 429); a part of `refusals`.
    pub(crate) shed: u64,
    /// What must never be, and how often it was.
    pub(crate) faults: BTreeMap<String, u64>,
    /// What the buyers know.
    pub(crate) told: Told,
}

impl Load {
    /// Requests per second.
    pub(crate) fn rate(&self) -> f64 {
        let seconds = self.elapsed.as_secs_f64();
        if seconds > 0.0 { count(self.requests) / seconds } else { 0.0 }
    }
}

/// A number that a scenario promises.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Figure {
    /// What, and of how much.
    pub(crate) what: String,
    pub(crate) kind: Kind,
    pub(crate) is_met: bool,
}

/// What it means if a figure is not met.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// The run fails: correctness, and ratios within one run.
    Rule,
    /// Told, and fails only under `--strict`: it depends on the machine and on what else it does.
    Aim,
    /// Only told.
    Note,
}

impl Figure {
    /// A rule.
    pub(crate) fn rule(is_met: bool, what: impl Into<String>) -> Self {
        Self { what: what.into(), kind: Kind::Rule, is_met }
    }

    /// An aim.
    pub(crate) fn aim(is_met: bool, what: impl Into<String>) -> Self {
        Self { what: what.into(), kind: Kind::Aim, is_met }
    }

    /// Something worth knowing.
    pub(crate) fn note(what: impl Into<String>) -> Self {
        Self { what: what.into(), kind: Kind::Note, is_met: true }
    }
}

/// One line of the table.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    pub(crate) scenario: Scenario,
    pub(crate) tool: Tool,
    pub(crate) load: Load,
    pub(crate) figures: Vec<Figure>,
    /// What the auditor said, and whether it agrees.
    pub(crate) audit: Audit,
}

/// What the auditor said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Audit {
    pub(crate) agrees: bool,
    pub(crate) said: String,
}

impl Report {
    /// Whether it fails the run.
    pub(crate) fn has_failed(&self, is_strict: bool) -> bool {
        let missed = |figure: &Figure| match figure.kind {
            Kind::Rule => !figure.is_met,
            Kind::Aim => is_strict && !figure.is_met,
            Kind::Note => false,
        };
        !self.audit.agrees || self.figures.iter().any(missed)
    }
}

/// A count as a number to divide by.
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
pub(crate) fn count(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(audit: bool, figures: Vec<Figure>) -> Report {
        let audit = Audit { agrees: audit, said: String::new() };
        Report { scenario: Scenario::FlashSale, tool: Tool::Goose, load: Load::default(), figures, audit }
    }

    #[test]
    fn a_mismatch_of_the_audit_fails_whatever_else_is_well() {
        assert!(report(false, vec![]).has_failed(false));
        assert!(!report(true, vec![]).has_failed(true));
    }

    #[test]
    fn a_broken_rule_fails_and_a_missed_aim_only_if_strict() {
        assert!(report(true, vec![Figure::rule(false, "")]).has_failed(false));
        let aim = report(true, vec![Figure::aim(false, ""), Figure::note("")]);
        assert_eq!((aim.has_failed(false), aim.has_failed(true)), (false, true));
    }
}

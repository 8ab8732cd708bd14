//! What came of a run, for people and for machines.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

pub use crate::check::Check;
use crate::kind::Kind;

/// A run and its verdict.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// By which it was drawn.
    pub seed: u64,
    /// How long it took, checks included.
    pub seconds: u64,
    /// Which broker.
    pub kafka: &'static str,
    /// How often each kind struck, of those that this run could do.
    pub injected: BTreeMap<Kind, u64>,
    /// What was asked for and cannot be done here, and why.
    pub absent: BTreeMap<Kind, String>,
    /// Harm that could not be done or healed.
    pub failures: Vec<String>,
    /// What clients were told.
    pub tally: String,
    /// The promises.
    pub checks: Vec<Check>,
}

impl Report {
    /// Whether a promise was broken or not looked at, a fault never struck, or one could not be healed.
    pub fn has_failed(&self) -> bool {
        !self.failures.is_empty()
            || !self.never_struck().is_empty()
            || self.checks.iter().any(|check| !check.is_kept())
    }

    fn never_struck(&self) -> Vec<Kind> {
        self.injected.iter().filter(|(_, count)| **count == 0).map(|(kind, _)| *kind).collect()
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, to: &mut String) -> std::fmt::Result {
        writeln!(to, "\nseed {}, {} s, {}\n{}\n", self.seed, self.seconds, self.kafka, self.tally)?;
        for (kind, count) in &self.injected {
            let mark = if *count == 0 { " ✘ never struck: the run has not shown it" } else { "" };
            writeln!(to, "{count:>6}  {}{mark}", kind.name())?;
        }
        for (kind, why) in &self.absent {
            writeln!(to, "absent  {}: {why}", kind.name())?;
        }
        writeln!(to)?;
        for check in &self.checks {
            let mark = if check.is_kept() { '✔' } else { '✘' };
            writeln!(to, "{mark} {} ({} looked at)", check.promise, check.looked_at)?;
            for finding in &check.findings {
                writeln!(to, "    {finding}")?;
            }
            if check.findings_total > check.findings.len() {
                writeln!(to, "    and {} more", check.findings_total - check.findings.len())?;
            }
        }
        for failure in &self.failures {
            writeln!(to, "✘ {failure}")?;
        }
        let verdict = if self.has_failed() { "FAILED" } else { "everything held" };
        writeln!(to, "\n{verdict}; the same draws again: --seed {}", self.seed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        Report {
            seed: 1,
            seconds: 2,
            kafka: "none",
            injected: [(Kind::HoldCommit, 3)].into(),
            absent: [(Kind::DiskFull, "no root".to_owned())].into(),
            failures: Vec::new(),
            tally: String::new(),
            checks: vec![Check::new("all is well", 1, Vec::new())],
        }
    }

    #[test]
    fn an_absent_fault_is_told_and_one_that_never_struck_fails_the_run() {
        let mut report = report();
        assert!(!report.has_failed());
        assert!(report.text().contains("no root"));
        report.injected.insert(Kind::SlowWay, 0);
        assert!(report.has_failed() && report.text().contains("never struck"));
    }

    #[test]
    fn a_promise_that_was_broken_or_not_looked_at_fails_the_run() {
        let broken = Check::new("all is well", 1, vec!["it is not".to_owned()]);
        assert!(Report { checks: vec![broken], ..report() }.has_failed());
        assert!(Report { checks: vec![Check::new("all is well", 0, Vec::new())], ..report() }.has_failed());
        assert!(Report { failures: vec!["x".to_owned()], ..report() }.has_failed());
    }

    #[test]
    fn machines_can_read_it() {
        let json = serde_json::to_value(report()).unwrap();
        assert_eq!(json["injected"]["hold-commit"], 3);
        assert_eq!(json["checks"][0]["lookedAt"], 1);
    }
}

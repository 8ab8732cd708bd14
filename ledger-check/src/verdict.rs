//! What a check comes to.

use std::fmt;

use serde::Serialize;

use crate::violation::Violation;

/// What was looked at and what was found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Verdict {
    /// The first violations, in the order found, as many as the options keep.
    pub violations: Vec<Violation>,
    /// How many there are in all.
    pub violations_total: u64,
    /// How much was looked at.
    pub checked: Checked,
}

/// How much was looked at, by what it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Checked {
    /// Journal entries.
    pub batches: u64,
    /// Commands in them.
    pub commands: u64,
    /// Products.
    pub products: u64,
    /// Their versions.
    pub versions: u64,
    /// Orders in the journal.
    pub orders: u64,
    /// Records of histories.
    pub operations: u64,
    /// Acknowledged changes looked for in the journal.
    pub acknowledged: u64,
    /// Answers "nothing happened" whose traces were looked for.
    pub refused: u64,
    /// Products of "sold out" answers that had to be justified.
    pub sold_out: u64,
    /// Operations whose outcome their callers never learnt.
    pub unknown: u64,
    /// Acknowledged changes that a pruned journal cannot prove any more.
    pub unprovable: u64,
}

impl Checked {
    /// Every count with its name, for reports.
    pub fn counts(&self) -> [(&'static str, u64); 11] {
        [
            ("batches", self.batches),
            ("commands", self.commands),
            ("products", self.products),
            ("versions", self.versions),
            ("orders", self.orders),
            ("operations", self.operations),
            ("acknowledged", self.acknowledged),
            ("refused", self.refused),
            ("sold out", self.sold_out),
            ("unknown", self.unknown),
            ("unprovable", self.unprovable),
        ]
    }
}

impl Verdict {
    /// Whether nothing was found.
    pub fn is_clean(&self) -> bool {
        self.violations_total == 0
    }

    /// For machines: `{ok, checked, violations: [{invariant, kind, …, detail}], violationsTotal}`.
    pub fn to_json(&self) -> serde_json::Value {
        let violations: Vec<_> = self.violations.iter().map(Violation::to_json).collect();
        serde_json::json!({
            "ok": self.is_clean(),
            "checked": serde_json::to_value(self.checked).unwrap_or_default(),
            "violations": violations,
            "violationsTotal": self.violations_total,
        })
    }
}

/// In plain text: one line that says whether all is well, then a violation a line.
impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts: Vec<String> = self
            .checked
            .counts()
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .map(|(what, count)| format!("{count} {what}"))
            .collect();
        let counts = counts.join(", ");
        if self.is_clean() {
            return write!(f, "the ledger and what its callers saw agree ({counts})");
        }
        write!(f, "{} violations ({counts})", self.violations_total)?;
        for violation in &self.violations {
            write!(f, "\n  {violation}")?;
        }
        let kept = u64::try_from(self.violations.len()).unwrap_or(u64::MAX);
        match self.violations_total.saturating_sub(kept) {
            0 => Ok(()),
            more => write!(f, "\n  … and {more} more"),
        }
    }
}

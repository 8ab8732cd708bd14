//! The audit: a clean ledger passes, and every corruption is found and named.

mod corruptions;
mod explained;
mod ledgers;
mod load;
mod model;
mod postgres;
mod pruned;
mod sqlite;

use inventory_core::audit::{AuditReport, Check, Subject, audit};
use inventory_core::store::ledger_copy::LedgerCopy;

async fn audit_copy(ledger: &LedgerCopy) -> AuditReport {
    audit(ledger.clone().into_snapshot()).await.unwrap()
}

/// The findings as lines, for messages of failing tests.
fn findings(report: &AuditReport) -> String {
    report.violations.iter().map(|violation| format!("{violation}\n")).collect()
}

#[track_caller]
fn assert_named(report: &AuditReport, check: Check, subject: &Subject, what: &str) {
    assert!(
        report.violations.iter().any(|found| found.check == check && found.subject == *subject),
        "{what}: {} of {subject} was not found, but\n{}",
        check.code(),
        findings(report)
    );
}

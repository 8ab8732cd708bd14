//! What imports, batches and audits tell.

use inventory_core::audit::AuditReport;
use serde::Serialize;
use service_kit::problem::ProblemBody;
use utoipa::ToSchema;

use super::reservation::HoldBody;

/// What an import did.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ImportReport)]
pub struct ImportReportBody {
    /// Rows read, the header not counted.
    pub rows: u64,
    /// Products that had not existed.
    pub created: u64,
    /// Products that differed.
    pub updated: u64,
    /// Products that were as asked for.
    pub unchanged: u64,
    /// Rows that were not taken, by row; the first thousand.
    pub rejected: Vec<RejectedRowBody>,
    /// How many more were not taken than `rejected` lists.
    pub rejected_more: u64,
}

/// One row that was not taken.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = RejectedRow)]
pub struct RejectedRowBody {
    /// Which, counted from 1; the header and blank lines are not counted.
    pub row: u64,
    /// The product, if it could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product_id: Option<i64>,
    /// What programs branch on, as in a problem.
    pub code: &'static str,
    /// What to change.
    pub detail: String,
}

/// One answer of a batch: what the single call would have answered.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BatchAnswer)]
pub struct BatchAnswerBody {
    /// The HTTP status of the single call.
    pub status: u16,
    /// Its body.
    pub body: BatchBody,
}

/// The body of one answer of a batch.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum BatchBody {
    /// It holds.
    Hold(HoldBody),
    /// It does not.
    Problem(ProblemBody),
}

/// What an audit found.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AuditReport)]
pub struct AuditReportWire {
    /// Nothing is wrong.
    pub ok: bool,
    /// How much was looked at.
    pub checked: AuditCheckedWire,
    /// What is wrong; the first thousand.
    pub violations: Vec<AuditViolationWire>,
    /// How many violations there are in all.
    pub violations_total: u64,
}

/// How much an audit looked at.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AuditChecked)]
pub struct AuditCheckedWire {
    /// Products.
    pub products: u64,
    /// Versions of products in the journal.
    pub versions: u64,
    /// What customers have of limited products.
    pub customer_units: u64,
    /// Reservations.
    pub reservations: u64,
    /// Journal commands on orders.
    pub commands: u64,
    /// Journal entries.
    pub journal_entries: u64,
    /// Fences.
    pub fences: u64,
    /// Outbox rows.
    pub events: u64,
    /// Adjustments.
    pub adjustments: u64,
    /// Inbox rows.
    pub deliveries: u64,
}

/// One thing that is wrong.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AuditViolation)]
pub struct AuditViolationWire {
    /// Which rule is broken.
    pub code: &'static str,
    /// Of what: `product 42`, `order 0193…`.
    pub subject: String,
    /// What was found and what should be there.
    pub detail: String,
}

impl From<&AuditReport> for AuditReportWire {
    fn from(report: &AuditReport) -> Self {
        let checked = &report.checked;
        Self {
            ok: report.ok(),
            violations_total: report.violations_total,
            checked: AuditCheckedWire {
                products: checked.products,
                versions: checked.versions,
                customer_units: checked.customer_units,
                reservations: checked.reservations,
                commands: checked.commands,
                journal_entries: checked.journal_entries,
                fences: checked.fences,
                events: checked.events,
                adjustments: checked.adjustments,
                deliveries: checked.deliveries,
            },
            violations: report
                .violations
                .iter()
                .map(|violation| AuditViolationWire {
                    code: violation.check.code(),
                    subject: violation.subject.to_string(),
                    detail: violation.detail.clone(),
                })
                .collect(),
        }
    }
}

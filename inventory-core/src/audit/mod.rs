//! The audit: recomputes every table of the ledger from the others and names what does not fit.
//!
//! It reads a [`Snapshot`]: sorted streams of plain rows, merged here by key, so its memory does not grow with the
//! ledger. The ledger is read in pieces, each in a consistent view of its own; the two sides of every comparison stand
//! in the same piece. Run one audit at a time: it costs the server a few sorts of the journal.
//!
//! What is compared with what:
//!
//! | module | rows | with |
//! | --- | --- | --- |
//! | `products` | products | HELD lines, the head of their chain of versions, the journal's administration |
//! | `chain` | each version | the version before, and the effect of the batch's commands |
//! | `customers` | what customers have | their HELD and COMMITTED lines on limited products |
//! | `orders`, `life` | reservations | the journal's commands, folded through the life cycle |
//! | `batches` | journal entries | fences; the outbox's digests and batches |
//! | `keyed` | adjustments, inbox | the journal's remarks |
//!
//! What pruning removed is judged by the watermarks: a version or an order older than the journal's is taken as given.
//!
//! **What a single altered cell can hide behind.** No other row repeats these, so their alteration stays unseen:
//! a product's `name`, and its threshold, limit and `limited_since` as long as they agree with `alert_state` and with
//! what customers have; `expires_at` and `expires_at_max` of a reservation as long as their order and the commands'
//! times allow them; `at` of a journal entry that neither created nor ended a hold nor adjusted; whether a command was
//! a set or an import, the order of an extend, the reason of anything but an adjustment; `at` of fences and inbox
//! rows; an inbox row whose command changed nothing (a replay), and the absence of an aborted fence; `seq` and
//! `created_at` of an event, and an event taken out (the relay takes out what it has sent); the watermarks themselves.

mod batches;
mod chain;
mod customers;
mod keyed;
mod life;
mod orders;
mod products;
mod report;
mod rows;

pub use report::{AuditReport, Check, Checked, Subject, VIOLATIONS_KEPT_MAX, Violation};

use crate::clock::Timestamp;
use crate::store::StoreError;
use crate::store::audit_rows::{Piece, Snapshot};

/// Reads the whole ledger and says what does not fit. An error means that it could not be read to the end.
pub async fn audit(mut snapshot: Box<dyn Snapshot>) -> Result<AuditReport, StoreError> {
    let mut report = AuditReport::default();
    let read = audit_pieces(snapshot.as_mut(), &mut report).await;
    let closed = snapshot.close().await;
    read.and(closed)?;
    Ok(report)
}

async fn audit_pieces(snapshot: &mut dyn Snapshot, report: &mut AuditReport) -> Result<(), StoreError> {
    for piece in snapshot.pieces().await? {
        let marks = snapshot.open(&piece).await?;
        match piece {
            Piece::Products { .. } => products::check(snapshot, &marks, report).await?,
            Piece::Orders { .. } => orders::check(snapshot, &marks, report).await?,
            Piece::Batches { .. } => batches::check(snapshot, &marks, report).await?,
            Piece::Adjustments { .. } => keyed::check_adjustments(snapshot, &marks, report).await?,
            Piece::Deliveries { .. } => keyed::check_deliveries(snapshot, &marks, report).await?,
        }
    }
    Ok(())
}

/// Whether a row of this time may have been pruned.
fn is_pruned(at: Timestamp, mark: Option<Timestamp>) -> bool {
    mark.is_some_and(|mark| at < mark)
}

/// The marks that fences and deliveries are judged by are compared with the journal's time of the same batch, which is
/// read later in the transaction: after waiting for locks.
fn is_pruned_with_slack(at: Timestamp, mark: Option<Timestamp>) -> bool {
    const SLACK: std::time::Duration = std::time::Duration::from_secs(3_600);
    mark.is_some_and(|mark| at < mark.plus(SLACK))
}

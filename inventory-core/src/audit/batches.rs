//! Journal entries, merged with fences and the outbox.

use uuid::Uuid;

use super::report::{AuditReport, Check, Subject};
use super::rows::Rows;
use super::{is_pruned, is_pruned_with_slack};
use crate::ids::BatchId;
use crate::store::StoreError;
use crate::store::audit_rows::{BatchRow, EventRow, FenceRow, Snapshot, Watermarks};

/// Checks every batch of the open piece.
pub(super) async fn check(
    snapshot: &mut dyn Snapshot,
    marks: &Watermarks,
    report: &mut AuditReport,
) -> Result<(), StoreError> {
    let mut batches: Rows<BatchRow> = Rows::new(|s| s.batches());
    let mut fences: Rows<FenceRow> = Rows::new(|s| s.fences());
    let mut events: Rows<EventRow> = Rows::new(|s| s.events());
    loop {
        let keys = [
            batches.peek(snapshot).await?.map(|row| row.batch),
            fences.peek(snapshot).await?.map(|row| row.batch),
            events.peek(snapshot).await?.map(|row| row.batch),
        ];
        let Some(batch) = keys.into_iter().flatten().min() else { return Ok(()) };
        let entry = batches.next_if(snapshot, |row| row.batch == batch).await?;
        let fence = fences.next_if(snapshot, |row| row.batch == batch).await?;
        report.checked.journal_entries += u64::from(entry.is_some());
        report.checked.fences += u64::from(fence.is_some());
        check_entry(batch, entry.as_ref(), fence.as_ref(), marks, report);
        while let Some(event) = events.next_if(snapshot, |row| row.batch == batch).await? {
            report.checked.events += 1;
            check_event(&event, entry.is_some(), marks, report);
        }
    }
}

fn check_entry(
    batch: BatchId,
    entry: Option<&BatchRow>,
    fence: Option<&FenceRow>,
    marks: &Watermarks,
    report: &mut AuditReport,
) {
    let mut add = |check, detail: &str| report.add(check, Subject::Batch(batch), detail);
    if let Some(problem) = entry.and_then(|entry| entry.malformed.as_deref()) {
        add(Check::JournalShape, problem);
    }
    let entry_at = entry.and_then(|entry| entry.at);
    match (entry, fence.map(|fence| (fence.outcome.as_str(), fence.at))) {
        (Some(_), Some(("committed", _))) | (None, Some(("aborted", _)) | None) => {}
        (Some(_), Some((outcome, _))) => {
            add(Check::BatchFence, &format!("has a journal entry, but its fence says {outcome}"));
        }
        (Some(_), None) => {
            if !entry_at
                .is_some_and(|at| is_pruned_with_slack(at, marks.fences) || is_pruned(at, marks.journal))
            {
                add(Check::BatchFence, "has a journal entry, but no fence");
            }
        }
        (None, Some(("committed", at))) => {
            if !is_pruned(at, marks.journal) {
                add(Check::BatchFence, "its fence says committed, but it has no journal entry");
            }
        }
        (None, Some((outcome, _))) => add(Check::BatchFence, &format!("its fence says {outcome}")),
    }
}

fn check_event(event: &EventRow, has_entry: bool, marks: &Watermarks, report: &mut AuditReport) {
    let subject = || Subject::Event(event.row.id);
    if !has_entry && !is_pruned_with_slack(event.created_at, marks.journal) {
        let detail = format!("batch {} has no journal entry", event.batch);
        report.add(Check::EventOrigin, subject(), detail);
    }
    let (kind, id) = (event.row.aggregate_type.as_str(), event.row.aggregate_id.as_str());
    let can_exist = match kind {
        "product" => id.parse::<i64>().is_ok(),
        "reservation" => id.parse::<Uuid>().is_ok(),
        _ => false,
    };
    if !can_exist {
        report.add(Check::EventOrigin, subject(), format!("no aggregate can be called {kind} \"{id}\""));
    }
    let digest = event.row.digest(event.batch);
    if digest != event.digest {
        let detail = format!(
            "altered since it was written: digest {:016x}, was {:016x} (topic {}, type {})",
            digest, event.digest, event.row.topic, event.row.event_type
        );
        report.add(Check::EventDigest, subject(), detail);
    }
}

//! What commands left under a key of their own: adjustments and deliveries, against the journal's remarks.

use super::report::{AuditReport, Check, Subject};
use super::rows::Rows;
use super::{is_pruned, is_pruned_with_slack};
use crate::journal::ChangeKind;
use crate::store::StoreError;
use crate::store::audit_rows::{AdjustRow, AdjustmentRow, DeliveryRow, Snapshot, Watermarks};

/// Checks every adjustment of the open piece, both ways.
pub(super) async fn check_adjustments(
    snapshot: &mut dyn Snapshot,
    marks: &Watermarks,
    report: &mut AuditReport,
) -> Result<(), StoreError> {
    let mut adjustments: Rows<AdjustmentRow> = Rows::new(|s| s.adjustments());
    let mut adjusts: Rows<AdjustRow> = Rows::new(|s| s.adjusts());
    loop {
        let made = adjustments.peek(snapshot).await?.map(|row| row.id.clone());
        let journalled = adjusts.peek(snapshot).await?.map(|row| row.id.clone());
        let Some(id) = made.into_iter().chain(journalled).min() else { return Ok(()) };
        let row = adjustments.next_if(snapshot, |row| row.id == id).await?;
        report.checked.adjustments += u64::from(row.is_some());
        let mut commands = 0_u64;
        while let Some(command) = adjusts.next_if(snapshot, |row| row.id == id).await? {
            commands += 1;
            if let Some(problem) = compare(row.as_ref(), &command, commands) {
                report.add(Check::Adjustment, Subject::Adjustment(id.clone()), problem);
            }
        }
        if let Some(row) = row
            && commands == 0
            && !is_pruned(row.at, marks.journal)
        {
            let detail = format!("{} of product {}, but no batch made it", row.delta, row.product);
            report.add(Check::Adjustment, Subject::Adjustment(id), detail);
        }
    }
}

fn compare(row: Option<&AdjustmentRow>, command: &AdjustRow, nth: u64) -> Option<String> {
    let batch = command.batch;
    if command.kind != i64::from(ChangeKind::Adjust.code()) {
        let kind = ChangeKind::from_code(command.kind).map_or("an unknown kind", ChangeKind::name);
        return Some(format!("batch {batch} names it with {kind}"));
    }
    if command.id.is_empty() {
        return Some(format!("batch {batch} adjusts without an adjustment's id"));
    }
    let Some(row) = row else { return Some(format!("batch {batch} made it, but it is gone")) };
    if nth > 1 {
        return Some(format!("made a second time, by batch {batch}"));
    }
    let Some((product, units, version)) = command.line else {
        return Some(format!("batch {batch} made it without a line"));
    };
    if (product, units) != (row.product, row.delta) {
        return Some(format!(
            "{} of product {}, but batch {batch} says {units} of product {product}",
            row.delta, row.product
        ));
    }
    if (row.reason.as_str(), &row.reference)
        != (command.reason.as_deref().unwrap_or_default(), &command.reference)
    {
        return Some(format!(
            "reason {:?}, reference {:?}, but batch {batch} says {:?}, {:?}",
            row.reason, row.reference, command.reason, command.reference
        ));
    }
    if row.at != command.at || version.is_some_and(|version| version != row.version) {
        return Some(format!(
            "made version {} at {}, but batch {batch} made version {version:?} at {}",
            row.version, row.at, command.at
        ));
    }
    None
}

/// Checks that the deliveries which commands carried are in the inbox. The inbox may have more: deliveries of
/// commands that changed nothing.
pub(super) async fn check_deliveries(
    snapshot: &mut dyn Snapshot,
    marks: &Watermarks,
    report: &mut AuditReport,
) -> Result<(), StoreError> {
    let mut inbox: Rows<DeliveryRow> = Rows::new(|s| s.inbox());
    let mut carried: Rows<DeliveryRow> = Rows::new(|s| s.deliveries());
    loop {
        let is_before =
            |a: &DeliveryRow, b: &DeliveryRow| (&a.message, &a.consumer) < (&b.message, &b.consumer);
        let Some(delivery) = carried.peek(snapshot).await?.cloned() else { break };
        while inbox.next_if(snapshot, |row| is_before(row, &delivery)).await?.is_some() {
            report.checked.deliveries += 1;
        }
        let received = inbox.peek(snapshot).await?.is_some_and(|row| !is_before(&delivery, row));
        carried.next(snapshot).await?;
        if !received && !is_pruned_with_slack(delivery.at, marks.deliveries) {
            let batch = delivery.batch.map_or_else(|| "none".to_owned(), |batch| batch.to_string());
            let detail = format!("handled by batch {batch} for {}, but not in the inbox", delivery.consumer);
            report.add(Check::Delivery, Subject::Delivery(delivery.message), detail);
        }
    }
    while inbox.next(snapshot).await?.is_some() {
        report.checked.deliveries += 1;
    }
    Ok(())
}

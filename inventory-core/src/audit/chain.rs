//! One product's chain of versions: each follows the one before by the effect of its batch's commands.

use super::is_pruned;
use super::report::{AuditReport, Check, Subject};
use crate::clock::Timestamp;
use crate::ids::ProductId;
use crate::journal::ChangeKind;
use crate::quantity::Units;
use crate::store::audit_rows::{EffectRow, VersionRow};

/// Folds a product's versions in order. What a pruned journal no longer proves is taken as given.
pub(super) struct Chain {
    product: ProductId,
    journal_mark: Option<Timestamp>,
    /// The version seen last.
    pub(super) head: Option<VersionRow>,
    /// Administrative commands seen, and whether they are all there ever were.
    pub(super) admin_commands: i64,
    pub(super) is_complete: bool,
}

impl Chain {
    pub(super) fn new(product: ProductId, journal_mark: Option<Timestamp>) -> Self {
        Self { product, journal_mark, head: None, admin_commands: 0, is_complete: false }
    }

    /// Takes the next version and what the lines of its batch say of the product.
    pub(super) fn push(&mut self, row: VersionRow, effects: &[EffectRow], report: &mut AuditReport) {
        let subject = || Subject::Product(self.product);
        check_bounds(&row, report);
        if row.at.is_none() {
            let detail =
                format!("version {} belongs to batch {}, which has no entry", row.version, row.batch);
            report.add(Check::JournalShape, subject(), detail);
        }
        let before = match &self.head {
            None => self.start(&row, report),
            Some(head) if row.version == head.version + 1 => {
                if row.previous != Some(head.batch) {
                    let detail = format!(
                        "version {} says that batch {} came before, but version {} is of batch {}",
                        row.version,
                        row.previous.map_or_else(|| "none".to_owned(), |batch| batch.to_string()),
                        head.version,
                        head.batch
                    );
                    report.add(Check::VersionChain, subject(), detail);
                }
                Some((head.on_hand, head.held))
            }
            Some(head) => {
                let may_be_pruned = head.at.is_some_and(|at| is_pruned(at, self.journal_mark));
                if row.version <= head.version || !may_be_pruned {
                    let detail = format!("version {} is followed by version {}", head.version, row.version);
                    report.add(Check::VersionChain, subject(), detail);
                }
                None
            }
        };
        // Pruning may have left a checkpoint without its commands.
        let is_checkpoint = row.at.is_some_and(|at| is_pruned(at, self.journal_mark));
        self.is_complete &= !is_checkpoint && before.is_some();
        if let (Some(before), false) = (before, is_checkpoint) {
            check_effect(&row, before, effects, report);
        }
        self.admin_commands += count_admin(effects);
        self.head = Some(row);
    }

    /// The first version that is left: of nothing, or given.
    fn start(&mut self, row: &VersionRow, report: &mut AuditReport) -> Option<(i64, i64)> {
        if row.previous.is_none() && row.version == 1 {
            self.is_complete = true;
            return Some((0, 0));
        }
        if self.journal_mark.is_none() || row.previous.is_none() {
            let detail = format!(
                "the journal begins with version {} (batch {}, before it: {}), and nothing was pruned up to there",
                row.version,
                row.batch,
                row.previous.map_or_else(|| "none".to_owned(), |batch| batch.to_string()),
            );
            report.add(Check::VersionChain, Subject::Product(self.product), detail);
        }
        None
    }
}

fn check_bounds(row: &VersionRow, report: &mut AuditReport) {
    if row.held < 0 || row.held > row.on_hand {
        let detail = format!("version {}: {} held of {} on hand", row.version, row.held, row.on_hand);
        report.add(Check::StockBounds, Subject::Product(row.product), detail);
    }
}

fn check_effect(row: &VersionRow, before: (i64, i64), effects: &[EffectRow], report: &mut AuditReport) {
    let (mut on_hand, mut held) = (i128::from(before.0), i128::from(before.1));
    for effect in effects {
        let Some(kind) = effect.kind.and_then(ChangeKind::from_code) else { continue };
        let (on_hand_change, held_change) = kind.effect(Units::stored(effect.units));
        on_hand += i128::from(on_hand_change.get());
        held += i128::from(held_change.get());
    }
    if (on_hand, held) == (i128::from(row.on_hand), i128::from(row.held)) {
        return;
    }
    let changes: Vec<String> = effects.iter().map(describe).collect();
    let detail = format!(
        "version {} (batch {}) says {} on hand, {} held; {} and {} before, with {}, make {on_hand} and {held}",
        row.version,
        row.batch,
        row.on_hand,
        row.held,
        before.0,
        before.1,
        if changes.is_empty() { "no change".to_owned() } else { changes.join(", ") },
    );
    report.add(Check::VersionEffect, Subject::Product(row.product), detail);
}

fn describe(effect: &EffectRow) -> String {
    let kind = effect.kind.and_then(ChangeKind::from_code).map_or("an unknown kind", ChangeKind::name);
    format!("{kind} {}", effect.units)
}

fn count_admin(effects: &[EffectRow]) -> i64 {
    let is_admin = |effect: &&EffectRow| {
        matches!(
            effect.kind.and_then(ChangeKind::from_code),
            Some(ChangeKind::Adjust | ChangeKind::Set | ChangeKind::Import)
        )
    };
    effects.iter().filter(is_admin).map(|effect| effect.lines).sum()
}

//! A product's changes, as told: what the journal keeps per batch becomes what was there after each change.

use inventory_core::journal::ProductVersion;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::time::WireTime;

/// A page of changes, oldest first.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Journal)]
pub struct JournalBody {
    /// The changes.
    pub items: Vec<ChangeBody>,
    /// If there are more: where to go on, as `fromVersion`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// One change of a product.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Change)]
pub struct ChangeBody {
    /// The product's version after the batch; changes of one batch share it.
    pub version: u64,
    /// When.
    pub at: WireTime,
    /// What: `reserve`, `commit`, `commit_late`, `release`, `release_part`, `expire`, `adjust`, `set`, `import`, or
    /// `checkpoint` where older changes were pruned.
    pub kind: &'static str,
    /// For which order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_id: Option<Uuid>,
    /// How many units; signed for administration.
    pub quantity: i64,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Units on hand after it.
    pub on_hand: i64,
    /// Units held after it.
    pub held: i64,
}

/// What pruning leaves of a product's older versions: where it stood.
const CHECKPOINT: &str = "checkpoint";

/// The changes of one version, in the order decided, each with what was there after it. The journal keeps only what
/// was there after the batch; the steps before follow by undoing each change.
pub fn changes_of(version: &ProductVersion) -> Vec<ChangeBody> {
    let (mut on_hand, mut held) = (version.after.on_hand, version.after.held);
    let row = |kind, quantity, on_hand, held| ChangeBody {
        version: version.after.version,
        at: WireTime(version.at),
        kind,
        order_id: None,
        quantity,
        reason: None,
        on_hand,
        held,
    };
    if version.changes.is_empty() {
        return vec![row(CHECKPOINT, 0, on_hand.get(), held.get())];
    }
    let mut rows = Vec::with_capacity(version.changes.len());
    for change in version.changes.iter().rev() {
        rows.push(ChangeBody {
            order_id: change.order.map(|order| order.get()),
            reason: change.reason.as_ref().map(|reason| reason.as_str().to_owned()),
            ..row(change.kind.name(), change.units.get(), on_hand.get(), held.get())
        });
        let (on_hand_change, held_change) = change.kind.effect(change.units);
        on_hand -= on_hand_change;
        held -= held_change;
    }
    rows.reverse();
    rows
}

#[cfg(test)]
mod tests {
    use inventory_core::clock::Timestamp;
    use inventory_core::ids::{BatchId, ProductId};
    use inventory_core::journal::{ChangeKind, JournalProduct, ProductChange};
    use inventory_core::quantity::Units;

    use super::*;

    fn version(on_hand: i64, held: i64, changes: &[(ChangeKind, i64)]) -> ProductVersion {
        ProductVersion {
            batch: BatchId::new(Uuid::nil()),
            at: Timestamp::EPOCH,
            after: JournalProduct {
                product: ProductId::new(7),
                version: 3,
                on_hand: Units::stored(on_hand),
                held: Units::stored(held),
                previous: None,
            },
            changes: changes
                .iter()
                .map(|(kind, units)| ProductChange {
                    kind: *kind,
                    order: None,
                    units: Units::stored(*units),
                    reason: None,
                })
                .collect(),
        }
    }

    #[test]
    fn what_was_there_after_each_change_follows_from_the_end_of_the_batch() {
        // From 100 on hand, 10 held.
        let batch = version(
            98,
            5,
            &[
                (ChangeKind::Reserve, 4),
                (ChangeKind::Commit, 6),
                (ChangeKind::Expire, 3),
                (ChangeKind::Adjust, 5),
                (ChangeKind::CommitLate, 1),
            ],
        );
        let after: Vec<_> =
            changes_of(&batch).into_iter().map(|row| (row.kind, row.on_hand, row.held)).collect();
        assert_eq!(
            after,
            [
                ("reserve", 100, 14),
                ("commit", 94, 8),
                ("expire", 94, 5),
                ("adjust", 99, 5),
                ("commit_late", 98, 5)
            ]
        );
    }

    #[test]
    fn a_version_without_changes_reads_as_a_checkpoint() {
        let rows = changes_of(&version(8, 2, &[]));
        assert_eq!(rows.len(), 1);
        assert_eq!((rows[0].kind, rows[0].on_hand, rows[0].held), ("checkpoint", 8, 2));
    }
}

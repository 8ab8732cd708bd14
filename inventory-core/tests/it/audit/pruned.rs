//! A pruned ledger passes by its watermarks, and what they do not excuse is still found.

use inventory_core::audit::{Check, Subject};
use inventory_core::clock::Timestamp;
use inventory_core::ids::ProductId;
use inventory_core::journal::JournalProduct;
use inventory_core::reservation::{Reservation, Status};
use inventory_core::store::ledger_copy::LedgerCopy;
use proptest::prelude::{prop_assert, proptest};

use super::ledgers::{random, run, seeds};
use super::model::{Model, lines, order};
use super::{assert_named, audit_copy, findings};

/// What pruning leaves of old journal entries; either is allowed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Checkpoints {
    /// The entry as it was.
    Whole,
    /// Only the products whose last version it has.
    Trimmed,
}

fn prune(ledger: &mut LedgerCopy, ended_before: Timestamp, written_before: Timestamp, keep: Checkpoints) {
    let is_over = |r: &Reservation| r.status != Status::Held && r.ended_at.unwrap() < ended_before;
    ledger.reservations.retain(|r| !is_over(r));
    ledger.watermarks.reservations = Some(ended_before);
    let products = ledger.products.clone();
    let is_head =
        |after: &JournalProduct| products.iter().any(|p| p.id == after.product && p.version == after.version);
    for entry in ledger.journal.iter_mut().filter(|entry| entry.at < written_before) {
        let is_checkpoint = entry.products.iter().any(&is_head);
        if !is_checkpoint || keep == Checkpoints::Trimmed {
            entry.commands.clear();
            entry.products.retain(&is_head);
        }
    }
    ledger.journal.retain(|entry| entry.at >= written_before || !entry.products.is_empty());
    ledger.watermarks.journal = Some(written_before);
    ledger.fences.retain(|(_, _, at)| *at >= written_before);
    ledger.watermarks.fences = Some(written_before);
    ledger.deliveries.retain(|(_, at)| *at >= written_before);
    ledger.watermarks.deliveries = Some(written_before);
    ledger.outbox.retain(|(.., at)| *at >= written_before);
}

/// The moment after this share of the journal, in tenths.
fn moment(ledger: &LedgerCopy, tenths: usize) -> Timestamp {
    let last = ledger.journal.len() - 1;
    ledger.journal[last * tenths / 10].at
}

proptest! {
    #[test]
    fn a_pruned_random_ledger_passes(
        seed in seeds(),
        journal_tenths in 0_usize..=10,
        more_tenths in 0_usize..=10,
        keep in proptest::sample::select(vec![Checkpoints::Whole, Checkpoints::Trimmed]),
    ) {
        let mut ledger = random(seed, 60);
        let written_before = moment(&ledger, journal_tenths);
        // The journal is kept at least as long as reservations.
        let ended_before = moment(&ledger, (journal_tenths + more_tenths).min(10));
        prune(&mut ledger, ended_before, written_before, keep);
        let report = run(audit_copy(&ledger));
        prop_assert!(report.ok(), "{}", findings(&report));
    }

    #[test]
    fn in_a_pruned_ledger_a_wrong_stock_is_still_found(seed in seeds()) {
        let mut ledger = random(seed, 60);
        let middle = moment(&ledger, 5);
        prune(&mut ledger, middle, middle, Checkpoints::Trimmed);
        ledger.products[0].on_hand += inventory_core::quantity::Units::stored(1);
        prop_assert!(!run(audit_copy(&ledger)).ok());
    }
}

#[tokio::test]
async fn a_checkpoint_of_a_product_that_was_only_created_passes() {
    let mut m = Model::new();
    m.batch(|m| m.set(1, 10, None, None));
    m.batch(|m| m.set(2, 10, None, None));
    let now = m.now;
    prune(&mut m.ledger, now, now, Checkpoints::Trimmed);
    m.batch(|m| m.reserve(order(1), None, &lines(&[(1, 2)])));
    let report = audit_copy(&m.ledger).await;
    assert!(report.ok(), "{}", findings(&report));
}

#[tokio::test]
async fn commands_that_a_checkpoint_happened_to_keep_do_not_count() {
    let mut m = Model::new();
    m.batch(|m| {
        m.set(1, 10, None, None);
        m.set(2, 10, None, None);
    });
    m.batch(|m| m.reserve(order(1), None, &lines(&[(1, 2), (2, 2)])));
    m.batch(|m| m.release_part(order(1), &lines(&[(1, 1)])));
    m.batch(|m| m.adjust(1, 1, "count-1"));
    m.wait_seconds(1);
    let now = m.now;
    // Keeps the reserve, as product 2's last version, and not the partial release.
    prune(&mut m.ledger, now, now, Checkpoints::Whole);
    assert_eq!(m.ledger.journal.len(), 2);
    m.batch(|m| m.commit(order(1), None, None));
    let report = audit_copy(&m.ledger).await;
    assert!(report.ok(), "{}", findings(&report));
}

#[tokio::test]
async fn without_its_watermarks_a_pruned_ledger_does_not_pass() {
    let mut ledger = random(3, 60);
    let middle = moment(&ledger, 5);
    prune(&mut ledger, middle, middle, Checkpoints::Trimmed);
    assert!(audit_copy(&ledger).await.ok());
    let marks = ledger.watermarks;

    ledger.watermarks.journal = None;
    let subject = Subject::Product(ProductId::new(1));
    assert_named(&audit_copy(&ledger).await, Check::VersionChain, &subject, "no journal mark");

    ledger.watermarks = marks;
    ledger.watermarks.reservations = None;
    let report = audit_copy(&ledger).await;
    assert!(
        report.violations.iter().any(|found| found.check == Check::OrderMissing),
        "{}",
        findings(&report)
    );

    ledger.watermarks = marks;
    ledger.watermarks.fences = None;
    ledger.fences.clear();
    let report = audit_copy(&ledger).await;
    assert!(report.violations.iter().any(|found| found.check == Check::BatchFence), "{}", findings(&report));
}

//! What callers changed by administration: adjustments by their keys, stock levels by their product.

use std::collections::BTreeMap;

use inventory_core::journal::ChangeKind;

use crate::cases::{is_acknowledged, may_have_acted, told};
use crate::causes::Span;
use crate::findings::{Findings, count, name_of};
use crate::history::{Answer, Asked, Record};
use crate::journal::{BatchAt, Chain, Journal, Version};
use crate::times::Times;
use crate::violation::Violation;

/// What adjustments leave to be judged by others.
#[derive(Debug, Default)]
pub(crate) struct Adjustments {
    /// (product, batch, units taken away, when it was asked for), of those in the histories that lower stock.
    pub(crate) lowered: Vec<(i64, BatchAt, i64, i64)>,
    /// Records of acknowledged ones that are not in the journal.
    pub(crate) missing: Vec<usize>,
}

#[derive(Debug, Default)]
struct Adjustment {
    /// (batch, product, units).
    done: Vec<(BatchAt, i64, i64)>,
    /// Records.
    tries: Vec<usize>,
}

/// Checks adjustments, and tells `spans` when those of the histories were made.
pub(crate) fn check_adjustments(
    journal: &Journal,
    records: &[Record],
    spans: &mut [Span],
    findings: &mut Findings,
) -> Adjustments {
    let mut left = Adjustments::default();
    for (key, adjustment) in collect(journal, records) {
        let acted: Vec<usize> =
            adjustment.tries.iter().copied().filter(|at| may_have_acted(&records[*at])).collect();
        check_one(journal, key, &adjustment, &acted, records, findings);
        if adjustment.done.is_empty() {
            left.missing.extend(adjustment.tries.iter().filter(|at| is_acknowledged(&records[**at])));
        }
        let [(batch, product, units)] = adjustment.done[..] else { continue };
        if let Some(first) = acted.iter().copied().min_by_key(|at| records[*at].invoked_at) {
            let asked = records[first].invoked_at;
            spans[batch].not_before(asked, Some(first));
            if units < 0 {
                left.lowered.push((product, batch, -units, asked));
            }
        }
        for at in adjustment.tries.iter().filter(|at| is_acknowledged(&records[**at])) {
            spans[batch].not_after(records[*at].answered_at(), Some(*at));
        }
    }
    left
}

fn collect<'a>(journal: &'a Journal, records: &'a [Record]) -> BTreeMap<&'a str, Adjustment> {
    let mut adjustments: BTreeMap<&str, Adjustment> = BTreeMap::new();
    for (batch, entry) in journal.entries.iter().enumerate() {
        for command in entry.commands.iter().filter(|command| command.kind == ChangeKind::Adjust) {
            let key = command.remark.as_deref().and_then(|remark| remark.adjustment.as_ref());
            if let (Some(key), Some(line)) = (key, command.lines.first()) {
                let done = (batch, line.product.get(), line.units.get());
                adjustments.entry(key.as_str()).or_default().done.push(done);
            }
        }
    }
    for (at, record) in records.iter().enumerate() {
        if let Asked::Adjust { adjustment, .. } = &record.asked {
            adjustments.entry(adjustment).or_default().tries.push(at);
        }
    }
    adjustments
}

fn check_one(
    journal: &Journal,
    key: &str,
    adjustment: &Adjustment,
    acted: &[usize],
    records: &[Record],
    findings: &mut Findings,
) {
    let of = || format!("adjustment {key}");
    let done = &adjustment.done;
    let tries = || adjustment.tries.iter().map(|at| &records[*at]);
    for record in tries() {
        count_answer(record, findings);
        let Asked::Adjust { product: asked, delta, .. } = record.asked else { continue };
        let is_same = |(_, product, units): &(BatchAt, i64, i64)| (asked, delta) == (*product, *units);
        if !is_acknowledged(record) || done.iter().any(is_same) {
            continue;
        }
        if let Some((batch, product, units)) = done.first() {
            findings.add(Violation::AcknowledgedOtherwise {
                operation: name_of(record),
                of: of(),
                batch: journal.id(*batch),
                why: format!("changed product {product} by {units}"),
            });
        }
    }
    let Some((batch, ..)) = done.first() else { return };
    let batch = journal.id(*batch);
    if done.len() > 1 {
        let did = ChangeKind::Adjust.name();
        findings.add(Violation::MoreThanOnce { of: of(), did, asked: 1, done: count(done.len()), batch });
    }
    let is_new = |record: &&Record| matches!(record.answer(), Some(Answer::Adjusted { replayed: false }));
    if let Some(second) = acted.iter().map(|at| &records[*at]).filter(is_new).nth(1) {
        let why = "was told that it is made anew, and so was another".to_owned();
        findings.add(Violation::ReplayChanged { operation: name_of(second), of: of(), why });
    }
    let refused = tries().find(|record| !is_acknowledged(record));
    if let (true, Some(refused)) = (acted.is_empty(), refused) {
        let (operation, answer) = (name_of(refused), told(refused));
        findings.add(Violation::FailedButHappened { operation, answer, of: of(), batch });
    }
}

fn count_answer(record: &Record, findings: &mut Findings) {
    if is_acknowledged(record) {
        findings.checked().acknowledged += 1;
    } else if !matches!(record.answer(), None | Some(Answer::OutcomeUnknown)) {
        findings.checked().refused += 1;
    }
}

/// Acknowledged adjustments that are not in the journal are lost, unless it does not go back so far.
pub(crate) fn check_missing(missing: &[usize], times: &Times, records: &[Record], findings: &mut Findings) {
    for record in missing.iter().map(|at| &records[*at]) {
        if !times.proves(record.invoked_at) {
            findings.checked().unprovable += 1;
        } else if let Asked::Adjust { adjustment, .. } = &record.asked {
            let of = format!("adjustment {adjustment}");
            let (operation, answer) = (name_of(record), told(record));
            findings.add(Violation::AcknowledgedLost { operation, of, answer });
        }
    }
}

/// Every level that was acknowledged as a change is a version of its product that was made while it was asked for.
pub(crate) fn check_levels(journal: &Journal, times: &Times, records: &[Record], findings: &mut Findings) {
    for record in records {
        let Asked::Set { product, on_hand } = record.asked else { continue };
        count_answer(record, findings);
        let changed = match record.answer() {
            Some(Answer::Stored { changed }) => *changed,
            _ => continue,
        };
        let was_so = journal.chain(product).is_some_and(|chain| {
            let mut meanwhile = made_meanwhile(chain, times, record).iter();
            if changed {
                meanwhile.any(|version| set_to(journal, chain.product, version, on_hand))
            } else {
                stood_meanwhile(chain, times, record).iter().any(|version| version.on_hand == on_hand)
                    || meanwhile.any(|version| version.effect.on_hand != 0)
            }
        });
        if !was_so && !times.proves(record.invoked_at) {
            findings.checked().unprovable += 1;
        } else if !was_so {
            let (operation, answer) = (name_of(record), told(record));
            let of = format!("product {product}, {on_hand} on hand");
            findings.add(Violation::AcknowledgedLost { operation, of, answer });
        }
    }
}

/// The versions that may have been made between a question and its answer.
fn made_meanwhile<'a>(chain: &'a Chain, times: &Times, record: &Record) -> &'a [Version] {
    let first = chain.versions.partition_point(|version| times.of(version.batch).until < record.invoked_at);
    let last = chain.versions.partition_point(|version| times.of(version.batch).from <= record.answered_at());
    chain.versions.get(first..last).unwrap_or_default()
}

/// The same, and the one that stood when the question came.
fn stood_meanwhile<'a>(chain: &'a Chain, times: &Times, record: &Record) -> &'a [Version] {
    let first = chain.versions.partition_point(|version| times.of(version.batch).until < record.invoked_at);
    let last = chain.versions.partition_point(|version| times.of(version.batch).from <= record.answered_at());
    chain.versions.get(first.saturating_sub(1)..last).unwrap_or_default()
}

/// Whether a batch set the product to this level; where other commands moved it too, whether it set it at all.
fn set_to(journal: &Journal, product: i64, version: &Version, on_hand: i64) -> bool {
    let commands = &journal.entries[version.batch].commands;
    let lines =
        || commands.iter().flat_map(|command| command.lines.iter().map(move |line| (command.kind, line)));
    let of_product = || lines().filter(|(_, line)| line.product.get() == product);
    let is_set = |kind: ChangeKind| matches!(kind, ChangeKind::Set | ChangeKind::Import);
    let sets = of_product().filter(|(kind, _)| is_set(*kind)).count();
    let moves = of_product()
        .filter(|(kind, _)| matches!(kind, ChangeKind::Commit | ChangeKind::CommitLate | ChangeKind::Adjust));
    sets > 0 && (version.on_hand == on_hand || sets > 1 || moves.count() > 0)
}

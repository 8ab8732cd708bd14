//! What may be done to one order often: extensions and partial releases.

use std::collections::BTreeMap;

use inventory_core::journal::ChangeKind;

use crate::cases::{Case, Did, same_lines, told};
use crate::causes::{Cause, rest_of_commit};
use crate::findings::{Findings, count, name_of};
use crate::history::{Answer, Asked, Lines, Record, summed};
use crate::journal::Journal;
use crate::options::{Callers, Options};
use crate::violation::Violation;

/// Extends and partial releases may be done often: but not more often than they may have been asked for, and an acknowledged
/// partial release not less.
pub(crate) fn check(
    journal: &Journal,
    case: &Case,
    records: &[Record],
    options: &Options,
    causes: &[Cause],
    findings: &mut Findings,
) {
    let mut looked_at: Vec<(ChangeKind, Lines)> = Vec::new();
    for (at, did) in case.dids.iter().enumerate() {
        let lines: Vec<_> =
            did.lines(journal).iter().map(|line| (line.product.get(), line.units.get())).collect();
        let is_repeatable = matches!(did.kind, ChangeKind::Extend | ChangeKind::ReleasePart);
        let key = (did.kind, lines);
        if !is_repeatable || causes[at].tries.is_empty() || looked_at.contains(&key) {
            continue;
        }
        let alike = |other: &Did| other.kind == did.kind && same_lines(other.lines(journal), &key.1);
        let done = count(case.dids.iter().filter(|other| alike(other)).count());
        let rests = (0..case.dids.len()).filter(|at| alike(&case.dids[*at]));
        let rests = count(rests.filter(|at| rest_of_commit(case, *at).is_some()).count());
        let asked = possible_effects(records, &causes[at].tries) + rests;
        if done > asked && options.callers == Callers::All {
            findings.add(Violation::MoreThanOnce {
                of: format!("order {}", case.order),
                did: did.kind.name(),
                asked,
                done,
                batch: journal.id(did.batch),
            });
        }
        looked_at.push(key);
    }
    check_partial_releases(journal, case, records, findings);
}

/// How many effects these tries may have had: repeats under one key count once.
fn possible_effects(records: &[Record], tries: &[usize]) -> u64 {
    let mut keys: Vec<&str> = Vec::new();
    let mut effects = 0;
    for record in tries.iter().map(|at| &records[*at]) {
        match &record.asked {
            Asked::Commit { .. } => {}
            Asked::Release { key: Some(key), .. } if keys.contains(&key.as_str()) => {}
            Asked::Release { key, .. } => {
                keys.extend(key.as_deref());
                effects += 1;
            }
            _ => effects += 1,
        }
    }
    effects
}

fn check_partial_releases(journal: &Journal, case: &Case, records: &[Record], findings: &mut Findings) {
    // A part of a pruned life.
    if journal.is_pruned() && case.dids.first().is_none_or(|did| did.kind != ChangeKind::Reserve) {
        return;
    }
    let mut acknowledged: BTreeMap<Lines, Vec<usize>> = BTreeMap::new();
    for at in &case.tries {
        let record = &records[*at];
        if let (Asked::Release { items: Some(items), .. }, Some(Answer::Released)) =
            (&record.asked, record.answer())
        {
            acknowledged.entry(summed(items)).or_default().push(*at);
        }
    }
    for (lines, tries) in acknowledged {
        let gives = |did: &&Did| matches!(did.kind, ChangeKind::ReleasePart | ChangeKind::Release);
        let done =
            case.dids.iter().filter(gives).filter(|did| same_lines(did.lines(journal), &lines)).count();
        if let Some(last) = tries.last()
            && possible_effects(records, &tries) > count(done)
        {
            findings.add(Violation::AcknowledgedLost {
                operation: name_of(&records[*last]),
                of: format!("order {}", case.order),
                answer: told(&records[*last]),
            });
        }
    }
}

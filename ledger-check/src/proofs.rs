//! What answers prove: what was answered had been done.

use inventory_core::journal::ChangeKind;

use crate::cases::{Case, same_lines};
use crate::causes::{Cause, Fit, fit};
use crate::history::{Answer, Asked, Record, summed};
use crate::journal::Journal;

/// Adds to each command by when it was known to be done.
pub(crate) fn add(journal: &Journal, case: &Case, records: &[Record], causes: &mut [Cause]) {
    let first = |kinds: &[ChangeKind]| case.dids.iter().position(|did| kinds.contains(&did.kind));
    let reserve = first(&[ChangeKind::Reserve]);
    let commit = first(&[ChangeKind::Commit, ChangeKind::CommitLate]);
    let release = first(&[ChangeKind::Release, ChangeKind::ReleaseExpired, ChangeKind::Tombstone]);
    let lose = first(&[ChangeKind::Lose]);
    for at in &case.tries {
        let record = &records[*at];
        let shown = match (&record.asked, record.answer()) {
            (_, Some(Answer::Held { .. })) => {
                reserve.filter(|did| fit(journal, case, *did, record) == Fit::Same)
            }
            (_, Some(Answer::Extended { .. })) => reserve,
            (_, Some(Answer::Committed { .. } | Answer::AlreadyCommitted)) => commit,
            (Asked::Release { items: None, .. }, Some(Answer::Released)) => release.or(lose),
            (Asked::Release { items: Some(_), .. }, Some(Answer::Released)) => {
                only_effect(journal, case, records, record)
            }
            (_, Some(Answer::AlreadyReleased)) => release,
            (Asked::Commit { key: None, .. }, Some(Answer::Expired)) => lose,
            _ => None,
        };
        if let Some(did) = shown {
            causes[did].span.not_after(record.answered_at(), Some(*at));
        }
    }
}

/// The command that a partial release made, if there is only one that it can be.
fn only_effect(journal: &Journal, case: &Case, records: &[Record], record: &Record) -> Option<usize> {
    let Asked::Release { items: Some(items), .. } = &record.asked else { return None };
    let lines = summed(items);
    let is_alike = |at: &&usize| matches!(&records[**at].asked, Asked::Release { items: Some(items), .. } if summed(items) == lines);
    if case.tries.iter().filter(is_alike).count() > 1 {
        return None;
    }
    let mut fitting = (0..case.dids.len()).filter(|at| {
        let did = case.dids[*at];
        matches!(did.kind, ChangeKind::ReleasePart | ChangeKind::Release)
            && same_lines(did.lines(journal), &lines)
    });
    fitting.next().filter(|_| fitting.next().is_none())
}

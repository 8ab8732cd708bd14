//! When each hold ends, by the ledger's clock, as far as the histories tell; and that nothing treats it as over before, or as
//! standing after.

use std::time::Duration;

use inventory_core::journal::ChangeKind;
use rustc_hash::FxHashMap;

use crate::cases::{Case, may_have_acted};
use crate::causes::{Cause, rest_of_commit};
use crate::findings::{Findings, name_of};
use crate::history::{Answer, Asked, Record};
use crate::journal::Journal;
use crate::life::{Life, Standing};
use crate::options::Options;
use crate::violation::Violation;

/// A hold's end: not before `earliest`, not after `latest`; microseconds of the ledger's clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct End {
    pub(crate) earliest: i64,
    pub(crate) latest: i64,
}

impl End {
    const ANY: Self = Self { earliest: i64::MIN, latest: i64::MAX };

    const fn exactly(at: i64) -> Self {
        Self { earliest: at, latest: at }
    }

    pub(crate) fn may_be(self, at: i64) -> bool {
        (self.earliest..=self.latest).contains(&at)
    }
}

/// The hold's end before the first of an order's commands, and after each.
pub(crate) fn follow(journal: &Journal, case: &Case, causes: &[Cause], records: &[Record]) -> Vec<End> {
    let extensions = Extensions::of(journal, case, records);
    let mut now = End::ANY;
    let mut ends = vec![now];
    for (did, cause) in case.dids.iter().zip(causes) {
        let at = journal.at(did.batch).micros();
        match did.kind {
            ChangeKind::Reserve => now = begun(at, cause, records),
            ChangeKind::Extend => now = extensions.moved(at, now),
            _ => {}
        }
        ends.push(now);
    }
    ends
}

/// A hold that was acknowledged as new is the one; else any that may be.
fn begun(at: i64, cause: &Cause, records: &[Record]) -> End {
    let is_new = |record: &&Record| matches!(record.answer(), Some(Answer::Held { replayed: false, .. }));
    let tries = || cause.tries.iter().map(|at| &records[*at]);
    if let Some(new) = tries().find(is_new) {
        return end_of_reserve(at, new);
    }
    tries().map(|record| end_of_reserve(at, record)).reduce(either).unwrap_or(End::ANY)
}

fn end_of_reserve(at: i64, record: &Record) -> End {
    match (&record.asked, record.answer()) {
        (Asked::Reserve { ttl_micros: Some(ttl), .. }, _) => End::exactly(after(at, *ttl)),
        (_, Some(Answer::Held { expires_at: Some(told), .. })) => End::exactly(*told),
        _ => End::ANY,
    }
}

/// What an order's extensions may have made of its end.
#[derive(Debug, Default)]
struct Extensions {
    /// The shortest and the longest time that may have been asked for.
    ttl: Option<(u64, u64)>,
    /// Where only one extension was made at a moment, the ends that answers tell of it.
    told: FxHashMap<i64, End>,
}

impl Extensions {
    fn of(journal: &Journal, case: &Case, records: &[Record]) -> Self {
        let mut made: FxHashMap<i64, u32> = FxHashMap::default();
        for did in case.dids.iter().filter(|did| did.kind == ChangeKind::Extend) {
            *made.entry(journal.at(did.batch).micros()).or_default() += 1;
        }
        let mut extensions = Self::default();
        for record in case.tries.iter().map(|at| &records[*at]).filter(|record| may_have_acted(record)) {
            let Asked::Extend { ttl_micros, .. } = record.asked else { continue };
            let (shortest, longest) = extensions.ttl.unwrap_or((ttl_micros, ttl_micros));
            extensions.ttl = Some((shortest.min(ttl_micros), longest.max(ttl_micros)));
            let Some(Answer::Extended { expires_at: Some(told) }) = record.answer() else { continue };
            let made_at = told.saturating_sub(after(0, ttl_micros));
            if made.get(&made_at) == Some(&1) {
                let end = End::exactly(*told);
                extensions
                    .told
                    .entry(made_at)
                    .and_modify(|known| *known = either(*known, end))
                    .or_insert(end);
            }
        }
        extensions
    }

    /// The end after an extension that was made then: it never moves an end nearer.
    fn moved(&self, at: i64, before: End) -> End {
        let any = self.ttl.map_or(End::ANY, |(shortest, longest)| End {
            earliest: after(at, shortest),
            latest: after(at, longest),
        });
        let moved = self.told.get(&at).copied().unwrap_or(any);
        End { earliest: moved.earliest.max(before.earliest), latest: moved.latest.max(before.earliest) }
    }
}

fn either(one: End, other: End) -> End {
    End { earliest: one.earliest.min(other.earliest), latest: one.latest.max(other.latest) }
}

fn after(at: i64, ttl_micros: u64) -> i64 {
    at.saturating_add(i64::try_from(ttl_micros).unwrap_or(i64::MAX))
}

/// Nothing ends a hold before its time, nothing changes it after, and none outlives it for long.
pub(crate) fn check(
    journal: &Journal,
    case: &Case,
    life: &Life,
    ends: &[End],
    options: &Options,
    findings: &mut Findings,
) {
    let order = case.order;
    for (at, did) in case.dids.iter().enumerate() {
        let (end, batch) = (ends[at], journal.id(did.batch));
        let now = journal.at(did.batch).micros();
        let is_change = match did.kind {
            ChangeKind::Extend => true,
            ChangeKind::ReleasePart => rest_of_commit(case, at).is_none(),
            _ => false,
        };
        if did.kind == ChangeKind::Expire && now < end.earliest {
            findings.add(Violation::ExpiredEarly { order, batch, at: now, not_before: end.earliest });
        } else if is_change && now >= end.latest {
            let (did, was) = (did.kind.name(), "past its time");
            findings.add(Violation::HoldLife { order, batch, did, was });
        }
    }
    let (Some(at_rest), Some(end)) = (options.at_rest, ends.last()) else { return };
    let still_held = life.standings.last() == Some(&Standing::Held);
    let bound = i64::try_from(options.sweep_bound.max(Duration::ZERO).as_micros()).unwrap_or(i64::MAX);
    if still_held
        && end.latest.saturating_add(bound) < at_rest.micros()
        && let Some(first) = case.dids.first()
    {
        let batch = journal.id(first.batch);
        findings.add(Violation::HeldTooLong { order, batch, ended: end.latest, at: at_rest.micros() });
    }
}

/// What callers were told of a hold's end, and of commits that came after it.
pub(crate) fn check_told(
    journal: &Journal,
    case: &Case,
    ends: &[End],
    records: &[Record],
    findings: &mut Findings,
) {
    let commit = (0..case.dids.len())
        .find(|at| matches!(case.dids[*at].kind, ChangeKind::Commit | ChangeKind::CommitLate));
    let mut first_late: Option<bool> = None;
    for record in case.tries.iter().map(|at| &records[*at]) {
        let of = || format!("order {}", case.order);
        let changed = |why: String| Violation::ReplayChanged { operation: name_of(record), of: of(), why };
        match record.answer() {
            Some(
                Answer::Held { expires_at: Some(told), .. } | Answer::Extended { expires_at: Some(told) },
            ) if case.dids.iter().any(|did| did.kind == ChangeKind::Reserve)
                && ends[1..].iter().all(|end| !end.may_be(*told)) =>
            {
                findings.add(changed(format!("was told that the hold ends at {told}, and it never did")));
            }
            Some(Answer::Committed { late }) => {
                if *first_late.get_or_insert(*late) != *late {
                    let why = format!("was told late {late}, and another commit of it late {}", !late);
                    findings.add(changed(why));
                } else if let Some(at) = commit
                    && let Some(why) = misjudged(journal, case, ends, at, *late)
                {
                    let batch = journal.id(case.dids[at].batch);
                    let operation = name_of(record);
                    findings.add(Violation::AcknowledgedOtherwise { operation, of: of(), batch, why });
                }
            }
            _ => {}
        }
    }
}

/// Why the commit was not late, or was.
fn misjudged(journal: &Journal, case: &Case, ends: &[End], at: usize, late: bool) -> Option<String> {
    let (did, end) = (case.dids[at], ends[at]);
    let now = journal.at(did.batch).micros();
    if late && now < end.earliest {
        Some(format!("committed it at {now}, in time: its hold lasted until {}", end.earliest))
    } else if !late && (now >= end.latest || did.kind == ChangeKind::CommitLate) {
        Some(format!("committed it at {now}, late: its hold had ended"))
    } else {
        None
    }
}

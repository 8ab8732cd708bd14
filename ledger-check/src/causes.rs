//! Who caused what: every change of an order was asked for by a try that may have acted; none that was told otherwise.

use std::rc::Rc;

use inventory_core::journal::ChangeKind;

use crate::cases::{Case, Did, is_acknowledged, may_have_acted, same_lines, told};
use crate::findings::{Findings, name_of};
use crate::history::{Asked, Record, summed};
use crate::journal::Journal;
use crate::life::Life;
use crate::options::{Callers, Options};
use crate::violation::Violation;
use crate::{proofs, repeats};

/// When a change was made, by the histories' clock: not before it was asked for, not after it was known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) from: i64,
    /// The record that says so.
    pub(crate) from_by: Option<usize>,
    pub(crate) until: i64,
    /// The record that says so.
    pub(crate) until_by: Option<usize>,
}

impl Span {
    pub(crate) const ANY: Self = Self { from: i64::MIN, from_by: None, until: i64::MAX, until_by: None };

    pub(crate) fn not_before(&mut self, from: i64, by: Option<usize>) {
        if from > self.from {
            (self.from, self.from_by) = (from, by);
        }
    }

    pub(crate) fn not_after(&mut self, until: i64, by: Option<usize>) {
        if until < self.until {
            (self.until, self.until_by) = (until, by);
        }
    }
}

/// What is known of one of an order's commands.
#[derive(Clone, Debug)]
pub(crate) struct Cause {
    /// The tries that may have caused it, by the time of asking.
    pub(crate) tries: Rc<[usize]>,
    pub(crate) span: Span,
}

/// How a try fits a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fit {
    Same,
    OtherContent,
    No,
}

/// Finds the causes of an order's commands, in their order.
pub(crate) fn find(
    journal: &Journal,
    case: &Case,
    life: &Life,
    records: &[Record],
    options: &Options,
    findings: &mut Findings,
) -> Vec<Cause> {
    let mut causes: Vec<Cause> = Vec::with_capacity(case.dids.len());
    let mut extension: Option<Cause> = None;
    for (at, did) in case.dids.iter().enumerate() {
        // Any may have caused any: looked for once.
        if let (ChangeKind::Extend, Some(known)) = (did.kind, &extension) {
            causes.push(known.clone());
            continue;
        }
        let fits = |try_at: &usize| fit(journal, case, at, &records[*try_at]);
        let same: Vec<usize> =
            case.tries.iter().copied().filter(|try_at| fits(try_at) == Fit::Same).collect();
        let tries: Rc<[usize]> = same.iter().copied().filter(|at| may_have_acted(&records[*at])).collect();
        let mut span = Span::ANY;
        match tries.first() {
            Some(first) => span.not_before(records[*first].invoked_at, Some(*first)),
            None if did.kind == ChangeKind::Expire || options.callers == Callers::Some => {}
            // Histories need not go back as far as a pruned journal.
            None if life.began_before && case.tries.is_empty() => {}
            None => {
                let other =
                    case.tries.iter().copied().find(|try_at| {
                        fits(try_at) == Fit::OtherContent && may_have_acted(&records[*try_at])
                    });
                uncaused(journal, case, *did, records, (&same, other), findings);
            }
        }
        let cause = Cause { tries, span };
        if did.kind == ChangeKind::Extend && !cause.tries.is_empty() {
            extension = Some(cause.clone());
        }
        causes.push(cause);
    }
    repeats::check(journal, case, records, options, &causes, findings);
    proofs::add(journal, case, records, &mut causes);
    causes
}

pub(crate) fn fit(journal: &Journal, case: &Case, at: usize, record: &Record) -> Fit {
    let did = case.dids[at];
    let lines = did.lines(journal);
    let content = |is_same: bool| if is_same { Fit::Same } else { Fit::OtherContent };
    let is = |asked: &[_]| same_lines(lines, &summed(asked));
    match (did.kind, &record.asked) {
        (ChangeKind::Reserve, Asked::Reserve { lines, customer, .. }) => {
            content(is(lines) && customer_of(journal, did) == customer.as_deref())
        }
        (ChangeKind::Commit | ChangeKind::CommitLate, Asked::Commit { items, .. }) => {
            content(items.as_ref().is_none_or(|items| is(items)))
        }
        (ChangeKind::Lose, Asked::Commit { .. }) => Fit::Same,
        (ChangeKind::Release, Asked::Release { items, .. }) => {
            content(items.as_ref().is_none_or(|items| is(items)))
        }
        (ChangeKind::ReleaseExpired | ChangeKind::Tombstone, Asked::Release { items: None, .. }) => Fit::Same,
        (ChangeKind::ReleasePart, Asked::Release { items: Some(items), .. }) if is(items) => Fit::Same,
        (ChangeKind::ReleasePart, Asked::Commit { items: Some(items), .. })
            if rest_of_commit(case, at)
                .is_some_and(|commit| same_lines(commit.lines(journal), &summed(items))) =>
        {
            Fit::Same
        }
        (ChangeKind::Extend, Asked::Extend { .. }) => Fit::Same,
        _ => Fit::No,
    }
}

/// The commit whose rest this partial release gives back, if it is one.
pub(crate) fn rest_of_commit(case: &Case, at: usize) -> Option<Did> {
    let (did, next) = (case.dids[at], case.dids.get(at + 1)?);
    let is_rest = did.kind == ChangeKind::ReleasePart
        && next.kind == ChangeKind::Commit
        && (next.batch, next.position) == (did.batch, did.position + 1);
    is_rest.then_some(*next)
}

fn customer_of(journal: &Journal, did: Did) -> Option<&str> {
    let remark = journal.command(did.batch, did.position).remark.as_deref()?;
    remark.customer.as_ref().map(|customer| customer.as_str())
}

/// `same`: tries that asked for just this and were told that nothing happened; `other`: one that asked for something like it.
fn uncaused(
    journal: &Journal,
    case: &Case,
    did: Did,
    records: &[Record],
    (same, other): (&[usize], Option<usize>),
    findings: &mut Findings,
) {
    let (order, batch) = (case.order, journal.id(did.batch));
    let did_what = did.kind.name();
    if let Some(other) = other.map(|at| &records[at]) {
        let operation = name_of(other);
        match (&other.asked, first_difference(journal, did, other)) {
            (Asked::Reserve { .. }, Some((product, asked, taken))) => {
                findings.add(Violation::CartLines { order, batch, operation, product, asked, taken });
            }
            (_, difference) => {
                let why = match difference {
                    Some((product, asked, taken)) => {
                        format!("did {did_what} with {taken} of product {product}, not {asked}")
                    }
                    None => format!("did {did_what} for another customer"),
                };
                let of = format!("order {order}");
                findings.add(Violation::AcknowledgedOtherwise { operation, of, batch, why });
            }
        }
        return;
    }
    match same.iter().map(|at| &records[*at]).find(|record| !is_acknowledged(record)) {
        Some(refused) => findings.add(Violation::FailedButHappened {
            operation: name_of(refused),
            answer: told(refused),
            of: format!("order {order}"),
            batch,
        }),
        None => findings.add(Violation::FromNowhere { order, batch, did: did_what }),
    }
}

/// (product, asked, done) where a try and a command differ first.
pub(crate) fn first_difference(journal: &Journal, did: Did, record: &Record) -> Option<(i64, i64, i64)> {
    let asked = match &record.asked {
        Asked::Reserve { lines, .. } => summed(lines),
        Asked::Commit { items: Some(items), .. } | Asked::Release { items: Some(items), .. } => summed(items),
        _ => return None,
    };
    let lines = did.lines(journal);
    let done = |product: i64| {
        lines.iter().find(|line| line.product.get() == product).map_or(0, |line| line.units.get())
    };
    let missing = asked.iter().map(|(product, units)| (*product, *units, done(*product)));
    let extra = lines
        .iter()
        .filter(|line| asked.iter().all(|(product, _)| *product != line.product.get()))
        .map(|line| (line.product.get(), 0, line.units.get()));
    missing.chain(extra).find(|(_, asked, done)| asked != done)
}

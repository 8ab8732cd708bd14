//! Every "sold out": was there too little at some moment from Δ before the question to the answer?
//!
//! What there was is what the ledger's versions say, between the batches too, less what was being taken: a take that reached the
//! ledger counts as gone from when it was asked for; one that never did, while its outcome was open.

use inventory_core::journal::ChangeKind;
use rustc_hash::FxHashMap;

use crate::cases::Case;
use crate::causes::Cause;
use crate::findings::{Findings, name_of};
use crate::history::{Answer, Asked, Record, Short, summed};
use crate::journal::{BatchAt, Chain, Journal};
use crate::keyed::Adjustments;
use crate::least::Least;
use crate::options::Options;
use crate::stock::narrowed;
use crate::times::Times;
use crate::violation::Violation;

/// What must be known to judge one product's refusals.
#[derive(Debug, Default)]
struct Question {
    /// (record, what it was told).
    refusals: Vec<(usize, Short)>,
    /// (when it was asked for, the batch that did it, units).
    takes: Vec<(i64, BatchAt, i128)>,
    /// (from, until, units): takes that never reached the ledger.
    open: Vec<(i64, i64, i128)>,
}

/// Judges every refusal.
pub(crate) fn check(
    journal: &Journal,
    cases: &[(Case, Vec<Cause>)],
    adjustments: &Adjustments,
    times: &Times,
    records: &[Record],
    options: &Options,
    findings: &mut Findings,
) {
    let mut questions: FxHashMap<i64, Question> = FxHashMap::default();
    for (at, record) in records.iter().enumerate() {
        if let Some(Answer::Insufficient { short }) = record.answer() {
            findings.checked().sold_out += crate::findings::count(short.len());
            for short in short {
                questions.entry(short.product).or_default().refusals.push((at, *short));
            }
        }
    }
    for (case, causes) in cases {
        add_takes(journal, case, causes, records, options, &mut questions);
    }
    for (product, batch, units, asked) in &adjustments.lowered {
        if let Some(question) = questions.get_mut(product) {
            question.takes.push((*asked, *batch, (*units).into()));
        }
    }
    let mut questions: Vec<(i64, Question)> = questions.into_iter().collect();
    questions.sort_unstable_by_key(|(product, _)| *product);
    for (product, question) in questions {
        if let Some(chain) = journal.chain(product) {
            judge(journal, chain, question, times, records, options, findings);
        }
    }
}

/// Adds what one order's reserves and late commits took, or tried to.
fn add_takes(
    journal: &Journal,
    case: &Case,
    causes: &[Cause],
    records: &[Record],
    options: &Options,
    questions: &mut FxHashMap<i64, Question>,
) {
    let mut took: Option<usize> = None;
    for (did, cause) in case.dids.iter().zip(causes) {
        let Some(first) = cause.tries.first() else { continue };
        if !matches!(did.kind, ChangeKind::Reserve | ChangeKind::CommitLate) {
            continue;
        }
        took = took.or((did.kind == ChangeKind::Reserve).then_some(*first));
        for line in did.lines(journal) {
            if let Some(question) = questions.get_mut(&line.product.get()) {
                question.takes.push((records[*first].invoked_at, did.batch, line.units.get().into()));
            }
        }
    }
    let open_max = i64::try_from(options.outcome_open_max.as_micros()).unwrap_or(i64::MAX);
    for at in case.tries.iter().filter(|at| Some(**at) != took) {
        let record = &records[*at];
        let Asked::Reserve { lines, .. } = &record.asked else { continue };
        let until = match (record.answer(), &record.answered) {
            (Some(Answer::OutcomeUnknown), Some(answered)) => answered.at.saturating_add(open_max),
            (_, Some(answered)) => answered.at,
            (_, None) => record.invoked_at.saturating_add(open_max),
        };
        for (product, units) in summed(lines) {
            // A refused cart takes the lines that it could have, for a moment, but not the one that it could not.
            let is_short = matches!(record.answer(), Some(Answer::Insufficient { short })
                if short.iter().any(|short| short.product == product));
            if let (false, Some(question)) = (is_short, questions.get_mut(&product)) {
                question.open.push((record.invoked_at, until, units.into()));
            }
        }
    }
}

/// One product's refusals, by the time of their answers: takes are counted as they are asked for.
fn judge(
    journal: &Journal,
    chain: &Chain,
    mut question: Question,
    times: &Times,
    records: &[Record],
    options: &Options,
    findings: &mut Findings,
) {
    let place_of: FxHashMap<BatchAt, usize> =
        chain.versions.iter().enumerate().map(|(at, version)| (version.batch, at)).collect();
    let mut stock = Stock::new(chain);
    let open = Open::new(&question.open);
    question.takes.sort_unstable();
    question.refusals.sort_by_key(|(at, _)| (records[*at].answered_at(), *at));
    let mut takes = question.takes.into_iter().peekable();
    for (at, short) in question.refusals {
        let record = &records[at];
        let answered = record.answered_at();
        while let Some((_, batch, units)) = takes.next_if(|(asked, ..)| *asked <= answered) {
            if let Some(place) = place_of.get(&batch) {
                stock.take(*place, units);
            }
        }
        let staleness = i64::try_from(options.staleness.as_micros()).unwrap_or(i64::MAX);
        let since = record.invoked_at.saturating_sub(staleness);
        let over = chain.versions.partition_point(|version| times.of(version.batch).until < since);
        let come = chain.versions.partition_point(|version| times.of(version.batch).from <= answered);
        if over == 0 && journal.is_pruned() {
            continue;
        }
        let (first, end) = (over.saturating_sub(1), come.max(over.max(1)));
        let (least, most) = stock.between(first, over, end);
        let least = least - open.during(since, answered);
        let (requested, told) = (i64::from(short.requested), short.available);
        let operation = name_of(record);
        if least >= i128::from(requested) {
            findings.add(Violation::SoldOutUnjustified {
                operation,
                product: chain.product,
                requested,
                least: narrowed(least),
                from_version: chain.versions[first].version,
                through_version: chain.versions[end - 1].version,
            });
        } else if told >= requested || i128::from(told) < least || i128::from(told) > most {
            let (least, most) = (narrowed(least), narrowed(most));
            let product = chain.product;
            findings.add(Violation::SoldOutFigure { operation, product, requested, told, least, most });
        }
    }
}

/// What there was of a product after each version and while each was being made.
struct Stock {
    after: Least,
    within: Least,
    /// The same, negated, and nothing taken: for the most there was.
    after_negated: Least,
    within_negated: Least,
}

impl Stock {
    fn new(chain: &Chain) -> Self {
        let after: Vec<i128> = chain.versions.iter().map(|version| version.available().into()).collect();
        let within = |extreme: fn(&crate::journal::Effect) -> i128| -> Vec<i128> {
            let before = chain
                .versions
                .first()
                .map(|version| after[0] - (version.effect.on_hand - version.effect.held));
            let before = before.into_iter().chain(after.iter().copied());
            chain
                .versions
                .iter()
                .zip(before)
                .map(|(version, before)| before + extreme(&version.effect))
                .collect()
        };
        let (least, most) = (within(|effect| effect.least), within(|effect| effect.most));
        let negated = |numbers: &[i128]| -> Vec<i128> { numbers.iter().map(|number| -number).collect() };
        Self {
            after_negated: Least::new(&negated(&after)),
            within_negated: Least::new(&negated(&most)),
            after: Least::new(&after),
            within: Least::new(&least),
        }
    }

    /// A take that version `place` made was under way in all states before it.
    fn take(&mut self, place: usize, units: i128) {
        self.after.lower(place, units);
        self.within.lower(place, units);
    }

    /// (the least, the most) of versions `first..end`, and of what was between the commands of `made..end`.
    fn between(&self, first: usize, made: usize, end: usize) -> (i128, i128) {
        let either = |after: Option<i128>, within: Option<i128>| after.into_iter().chain(within).min();
        let least = either(self.after.of(first, end), self.within.of(made, end));
        let most = either(self.after_negated.of(first, end), self.within_negated.of(made, end));
        (least.unwrap_or_default(), -most.unwrap_or_default())
    }
}

/// Units of takes that never reached the ledger, by when they began and when they were over.
struct Open {
    begun: Vec<(i64, i128)>,
    over: Vec<(i64, i128)>,
}

impl Open {
    fn new(open: &[(i64, i64, i128)]) -> Self {
        let sums = |mut times: Vec<(i64, i128)>| {
            times.sort_unstable();
            let mut sum = 0;
            for (_, units) in &mut times {
                sum += *units;
                *units = sum;
            }
            times
        };
        Self {
            begun: sums(open.iter().map(|(from, _, units)| (*from, *units)).collect()),
            over: sums(open.iter().map(|(_, until, units)| (*until, *units)).collect()),
        }
    }

    /// What may have been under way at some moment of a window.
    fn during(&self, since: i64, until: i64) -> i128 {
        let sum = |sums: &[(i64, i128)], count: usize| {
            count.checked_sub(1).and_then(|last| sums.get(last)).map_or(0, |(_, sum)| *sum)
        };
        let begun = self.begun.partition_point(|(from, _)| *from <= until);
        let over = self.over.partition_point(|(ended, _)| *ended < since);
        sum(&self.begun, begun) - sum(&self.over, over)
    }
}

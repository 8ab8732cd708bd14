//! Each order's case: what the journal did to it, in order, and what callers asked and were told.

use inventory_core::journal::{ChangeKind, JournalLine};
use rustc_hash::FxHashMap;
use uuid::Uuid;

use crate::findings::{Findings, count, name_of};
use crate::history::{Answer, Asked, Record};
use crate::journal::{BatchAt, Journal};
use crate::serial::Serial;
use crate::violation::Violation;

/// One order.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) order: Uuid,
    /// In serial order.
    pub(crate) dids: Vec<Did>,
    /// Records, by the time of asking.
    pub(crate) tries: Vec<usize>,
}

/// A command of the journal on an order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Did {
    pub(crate) batch: BatchAt,
    pub(crate) position: usize,
    pub(crate) kind: ChangeKind,
}

impl Did {
    pub(crate) fn lines(self, journal: &Journal) -> &[JournalLine] {
        &journal.command(self.batch, self.position).lines
    }
}

/// Records without their repetitions: those written before asking give way to those written after the answer.
pub(crate) fn merge(records: impl IntoIterator<Item = Record>, findings: &mut Findings) -> Vec<Record> {
    let mut records: Vec<Record> = records.into_iter().collect();
    records.sort_by(|a, b| {
        let key = |record: &Record| (record.sequence, record.answered.is_none());
        a.client.cmp(&b.client).then_with(|| key(a).cmp(&key(b)))
    });
    let mut merged: Vec<Record> = Vec::with_capacity(records.len());
    for record in records {
        let last =
            merged.last().filter(|last| (&last.client, last.sequence) == (&record.client, record.sequence));
        match last {
            Some(last) if *last == record || (record.answered.is_none() && last.asked == record.asked) => {}
            Some(_) => {
                let why =
                    "stands twice in the histories, with other content: number every try anew".to_owned();
                findings.add(Violation::HistoryRecord { operation: name_of(&record), why });
            }
            None => merged.push(record),
        }
    }
    let checked = findings.checked();
    checked.operations = count(merged.len());
    let unknown = |record: &&Record| matches!(record.answer(), None | Some(Answer::OutcomeUnknown));
    checked.unknown = count(merged.iter().filter(unknown).count());
    merged
}

/// All orders, by id.
pub(crate) fn collect(
    journal: &Journal,
    serial: &Serial,
    records: &[Record],
    findings: &mut Findings,
) -> Vec<Case> {
    let mut cases: FxHashMap<Uuid, Case> = FxHashMap::default();
    let new = |order: Uuid| Case { order, dids: Vec::new(), tries: Vec::new() };
    for batch in &serial.order {
        for (position, command) in journal.entries[*batch].commands.iter().enumerate() {
            if let Some(order) = command.order {
                let order = order.get();
                let did = Did { batch: *batch, position, kind: command.kind };
                cases.entry(order).or_insert_with(|| new(order)).dids.push(did);
            }
        }
    }
    findings.checked().orders = count(cases.len());
    for (at, record) in records.iter().enumerate() {
        if let Some(order) = record.asked.order() {
            cases.entry(order).or_insert_with(|| new(order)).tries.push(at);
        }
    }
    let mut cases: Vec<Case> = cases.into_values().collect();
    cases.sort_unstable_by_key(|case| case.order);
    for case in &mut cases {
        sort(&mut case.dids, serial);
        case.tries.sort_by_key(|at| records[*at].invoked_at);
    }
    cases
}

/// Batches that happened at the same time stand in the order of a hold's life; within a batch its own order holds.
fn sort(dids: &mut [Did], serial: &Serial) {
    let mut rank_in: FxHashMap<BatchAt, u8> = FxHashMap::default();
    for did in dids.iter() {
        let rank = rank_in.entry(did.batch).or_insert(u8::MAX);
        *rank = (*rank).min(rank_of(did.kind));
    }
    dids.sort_by_key(|did| {
        let rank = rank_in.get(&did.batch).copied();
        (serial.group[did.batch], rank, serial.place[did.batch], did.position)
    });
}

/// A hold begins, changes, ends; what was expired ends once more.
fn rank_of(kind: ChangeKind) -> u8 {
    match kind {
        ChangeKind::Reserve | ChangeKind::Tombstone => 0,
        ChangeKind::ReleasePart | ChangeKind::Extend => 1,
        ChangeKind::Commit | ChangeKind::Release | ChangeKind::Expire => 2,
        ChangeKind::CommitLate | ChangeKind::ReleaseExpired | ChangeKind::Lose => 3,
        ChangeKind::Adjust | ChangeKind::Set | ChangeKind::Import => 4,
    }
}

/// Whether the journal's lines are these, each product once, in product order.
pub(crate) fn same_lines(did: &[JournalLine], asked: &[(i64, i64)]) -> bool {
    did.len() == asked.len()
        && did.iter().zip(asked).all(|(did, asked)| (did.product.get(), did.units.get()) == *asked)
}

/// Whether a try's answer leaves open, or says, that it changed something itself.
pub(crate) fn may_have_acted(record: &Record) -> bool {
    match record.answer() {
        None
        | Some(
            Answer::OutcomeUnknown
            | Answer::Held { replayed: false, .. }
            | Answer::Committed { .. }
            | Answer::Released
            | Answer::Extended { .. }
            | Answer::Adjusted { replayed: false }
            | Answer::Stored { changed: true },
        ) => true,
        // The commit that finds its stock gone makes the order lost.
        Some(Answer::Expired) => matches!(record.asked, Asked::Commit { .. }),
        Some(
            Answer::Held { replayed: true, .. }
            | Answer::Adjusted { replayed: true }
            | Answer::Stored { changed: false }
            | Answer::Insufficient { .. }
            | Answer::NotFound
            | Answer::AlreadyReleased
            | Answer::AlreadyCommitted
            | Answer::Conflict
            | Answer::Refused { .. }
            | Answer::Overloaded
            | Answer::Unavailable,
        ) => false,
    }
}

/// Whether a try was told that its change is done.
pub(crate) fn is_acknowledged(record: &Record) -> bool {
    matches!(
        record.answer(),
        Some(
            Answer::Held { .. }
                | Answer::Committed { .. }
                | Answer::Released
                | Answer::Extended { .. }
                | Answer::Adjusted { .. }
                | Answer::Stored { .. }
        )
    )
}

/// An answer for a report.
pub(crate) fn told(record: &Record) -> String {
    record.answer().and_then(|answer| serde_json::to_string(answer).ok()).map_or_else(
        || "nothing".to_owned(),
        |json| json.replace(['"', '{', '}'], "").replace(':', " ").replace(',', ", "),
    )
}
